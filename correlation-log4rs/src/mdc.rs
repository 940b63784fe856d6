//! Tells whether the MDC of this thread still exists. `log_mdc` panics if it does not, as in
//! destructors of thread-locals.

use std::panic::catch_unwind;

pub(crate) fn lives() -> bool {
    MDC.try_with(|mdc| mdc.lives).unwrap_or(false)
}

thread_local! {
    // Thread-locals are destroyed in the reverse order of their creation. The call creates the MDC,
    // and this one is created after it, so this one is destroyed first.
    static MDC: Mdc = Mdc {
        lives: catch_unwind(|| log_mdc::get("", |_| ())).is_ok(),
    };
}

struct Mdc {
    lives: bool,
}

impl Drop for Mdc {
    /// This makes the value a thread-local with a destructor. Without one, it would never be gone.
    fn drop(&mut self) {
        self.lives = false;
    }
}
