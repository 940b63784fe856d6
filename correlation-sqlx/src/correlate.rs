use sqlx::postgres::PgPoolOptions;

use crate::InvalidApplication;
use crate::application::{Application, set};

/// Makes every connection that a pool gives out carry the ambient ID in its `application_name`.
pub trait Correlate: Sized {
    /// `shop/click-1` for the application `shop` and the ID of the task that acquires the
    /// connection, and `shop` where there is none.
    ///
    /// This sets `after_connect` and `before_acquire`, and turns `test_before_acquire` off: the
    /// hook is a round trip, so it finds a dead connection as the ping does, and the pool discards
    /// it and takes another.
    ///
    /// A pool has one hook of each kind, and the last one set counts. If you have your own, call
    /// [`Application::tag`] in them instead.
    ///
    /// # Panics
    ///
    /// If the name is not 1 to 63 bytes of printable ASCII.
    #[track_caller]
    #[must_use]
    fn correlate(self, application: impl AsRef<str>) -> Self {
        match self.try_correlate(application) {
            Ok(options) => options,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`correlate`](Self::correlate), for a name from a configuration.
    ///
    /// # Errors
    ///
    /// If the name is not 1 to 63 bytes of printable ASCII.
    fn try_correlate(self, application: impl AsRef<str>) -> Result<Self, InvalidApplication>;
}

impl Correlate for PgPoolOptions {
    fn try_correlate(self, application: impl AsRef<str>) -> Result<Self, InvalidApplication> {
        let idle = Application::try_new(application)?;
        let new = idle.clone();
        // The pool calls both in the task that acquires, but `before_acquire` for idle connections
        // only. It also connects in a task of its own, where there is no ID.
        let options = self
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(set(connection, new.name())))
            .before_acquire(move |connection, _| {
                let name = idle.name();
                Box::pin(async { set(connection, name).await.map(|()| true) })
            });
        Ok(options)
    }
}
