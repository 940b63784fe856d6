//! What the library costs, beside its peers: the cases that the two programs run.

mod core_cases;
mod log_cases;
mod server_cases;

use std::hint::black_box;

/// One thing to measure.
#[expect(missing_debug_implementations, reason = "nobody prints one")]
pub struct Case {
    /// What `benches/count` and the table know it by.
    pub name: &'static str,
    /// Does it once.
    pub run: Box<dyn FnMut()>,
}

impl Case {
    fn new<R>(name: &'static str, mut run: impl FnMut() -> R + 'static) -> Self {
        Self {
            name,
            run: Box::new(move || drop(black_box(run()))),
        }
    }
}

/// All of them.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = core_cases::all();
    cases.extend(server_cases::all());
    cases.extend(log_cases::all());
    cases
}
