use sqlx::postgres::PgPoolOptions;

use crate::{Application, CorrelatedPoolOptions, InvalidApplication};

/// Makes every connection that a pool gives out carry the ambient ID in its `application_name`.
pub trait Correlate: Sized {
    /// Makes the options of a pool whose connections carry the ambient ID.
    ///
    /// The `application_name` is `shop/click-1` for the application `shop` and the ID of the task
    /// that acquires the connection. If that task has no ID, the name is `shop`.
    ///
    /// Set your own hooks on the options that this call returns:
    ///
    /// ```
    /// use correlation_sqlx::Correlate;
    /// use sqlx::postgres::PgPoolOptions;
    ///
    /// let options = PgPoolOptions::new().max_connections(5).correlate("shop").after_connect(
    ///     |connection, _| {
    ///         Box::pin(async move {
    ///             sqlx::query("set search_path = shop").execute(connection).await.map(drop)
    ///         })
    ///     },
    /// );
    /// // options.connect("postgres://localhost/shop").await?
    /// # let _ = options;
    /// ```
    ///
    /// An `after_connect` or `before_acquire` that you set before this call is **lost**, because
    /// sqlx does not let any code read them.
    ///
    /// This call turns `test_before_acquire` off. Setting the name is a round trip, so it detects a
    /// dead connection as the ping does.
    ///
    /// # Panics
    ///
    /// If the name is not 1 to 63 bytes of printable ASCII.
    #[track_caller]
    fn correlate(self, application: impl AsRef<str>) -> CorrelatedPoolOptions {
        match self.try_correlate(application) {
            Ok(options) => options,
            Err(error) => panic!("{error}"),
        }
    }

    /// Does the same as [`correlate`](Self::correlate), for a name from a configuration.
    ///
    /// # Errors
    ///
    /// If the name is not 1 to 63 bytes of printable ASCII.
    fn try_correlate(
        self,
        application: impl AsRef<str>,
    ) -> Result<CorrelatedPoolOptions, InvalidApplication>;
}

impl Correlate for PgPoolOptions {
    fn try_correlate(
        self,
        application: impl AsRef<str>,
    ) -> Result<CorrelatedPoolOptions, InvalidApplication> {
        let application = Application::try_new(application)?;
        Ok(CorrelatedPoolOptions::new(self, application))
    }
}
