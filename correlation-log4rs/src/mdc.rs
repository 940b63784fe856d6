//! Whether the MDC of this thread is there: `log_mdc` panics when it is not, which is the case in
//! destructors of thread-locals.

use std::panic::catch_unwind;

pub(crate) fn lives() -> bool {
    MDC.try_with(|mdc| mdc.lives).unwrap_or(false)
}

thread_local! {
    // Thread-locals are destroyed in the reverse order of their creation. This one is created after
    // the MDC, which the call creates, so it is gone first.
    static MDC: Mdc = Mdc {
        lives: catch_unwind(|| log_mdc::get("", |_| ())).is_ok(),
    };
}

struct Mdc {
    lives: bool,
}

impl Drop for Mdc {
    /// A thread-local without a destructor would never be gone.
    fn drop(&mut self) {
        self.lives = false;
    }
}
