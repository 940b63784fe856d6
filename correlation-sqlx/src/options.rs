use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use correlation_core::adapter;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Error, PgConnection, PgPool};

use crate::Application;
use crate::application::set;

/// The options of a pool whose connections carry the ambient ID.
///
/// [`Correlate::correlate`](crate::Correlate::correlate) makes them. They have the setters of
/// [`PgPoolOptions`], and its four ways to connect. If an API needs a `PgPoolOptions`, `into()`
/// makes one. Hooks that you set on that one replace the hooks that set the name.
///
/// # Hooks of your own
///
/// Each kind of hook that you set runs beside the one of this crate, in this order:
///
/// | | order | an error |
/// |---|---|---|
/// | `after_connect` | yours, then the name is set: a name that your hook sets does not count | as in sqlx |
/// | `before_acquire` | the name is set, then yours: its statements have the right ID | the connection is replaced |
/// | `after_release` | only yours, under the name of the request that had the connection | as in sqlx |
///
/// If your `before_acquire` removes the name, as `DISCARD ALL` does, it has to call
/// [`Application::tag`] afterwards.
///
/// If the name of an idle connection cannot be set, the connection is replaced. An example is one
/// that was left in a failed transaction. If the server refuses to set the name of a new connection,
/// that connection is used without an ID. With the feature `tracing`, a warning with the target
/// `correlation` reports both.
#[derive(Clone)]
#[must_use]
pub struct CorrelatedPoolOptions {
    options: PgPoolOptions,
    application: Application,
    after_connect: Option<Hook<()>>,
    before_acquire: Option<Hook<bool>>,
}

type Hook<T> = Arc<
    dyn for<'c> Fn(&'c mut PgConnection, PoolConnectionMetadata) -> BoxFuture<'c, T> + Send + Sync,
>;
/// The future of a hook, as in the signatures of sqlx.
type BoxFuture<'c, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>;

impl CorrelatedPoolOptions {
    pub(crate) fn new(options: PgPoolOptions, application: Application) -> Self {
        Self {
            options: options.test_before_acquire(false),
            application,
            after_connect: None,
            before_acquire: None,
        }
    }

    /// Sets a hook as [`PgPoolOptions::after_connect`] does. It runs before the name is set.
    pub fn after_connect<F>(mut self, hook: F) -> Self
    where
        F: for<'c> Fn(&'c mut PgConnection, PoolConnectionMetadata) -> BoxFuture<'c, ()>
            + Send
            + Sync
            + 'static,
    {
        self.after_connect = Some(Arc::new(hook));
        self
    }

    /// Sets a hook as [`PgPoolOptions::before_acquire`] does. It runs after the name is set.
    pub fn before_acquire<F>(mut self, hook: F) -> Self
    where
        F: for<'c> Fn(&'c mut PgConnection, PoolConnectionMetadata) -> BoxFuture<'c, bool>
            + Send
            + Sync
            + 'static,
    {
        self.before_acquire = Some(Arc::new(hook));
        self
    }

    /// Sets a hook as [`PgPoolOptions::after_release`] does.
    pub fn after_release<F>(self, hook: F) -> Self
    where
        F: for<'c> Fn(&'c mut PgConnection, PoolConnectionMetadata) -> BoxFuture<'c, bool>
            + Send
            + Sync
            + 'static,
    {
        self.with(|options| options.after_release(hook))
    }

    fn with(mut self, set: impl FnOnce(PgPoolOptions) -> PgPoolOptions) -> Self {
        self.options = set(self.options);
        self
    }

    /// Connects as [`PgPoolOptions::connect`] does.
    ///
    /// # Errors
    ///
    /// If the URL is wrong, or the server cannot be reached.
    pub async fn connect(self, url: &str) -> Result<PgPool, Error> {
        PgPoolOptions::from(self).connect(url).await
    }

    /// Connects as [`PgPoolOptions::connect_with`] does.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn connect_with(self, options: PgConnectOptions) -> Result<PgPool, Error> {
        PgPoolOptions::from(self).connect_with(options).await
    }

    /// Makes the pool as [`PgPoolOptions::connect_lazy`] does.
    ///
    /// # Errors
    ///
    /// If the URL is wrong.
    pub fn connect_lazy(self, url: &str) -> Result<PgPool, Error> {
        PgPoolOptions::from(self).connect_lazy(url)
    }

    /// Makes the pool as [`PgPoolOptions::connect_lazy_with`] does.
    #[must_use]
    pub fn connect_lazy_with(self, options: PgConnectOptions) -> PgPool {
        PgPoolOptions::from(self).connect_lazy_with(options)
    }
}

macro_rules! setters {
    ($($name:ident: $type:ty,)*) => {
        /// The setters that do not concern the name.
        impl CorrelatedPoolOptions {
            $(
                #[doc = concat!("As [`PgPoolOptions::", stringify!($name), "`].")]
                pub fn $name(self, value: $type) -> Self {
                    self.with(|options| options.$name(value))
                }
            )*
        }
    };
}

setters! {
    max_connections: u32,
    min_connections: u32,
    acquire_time_level: log::LevelFilter,
    acquire_slow_level: log::LevelFilter,
    acquire_slow_threshold: Duration,
    acquire_timeout: Duration,
    max_lifetime: impl Into<Option<Duration>>,
    idle_timeout: impl Into<Option<Duration>>,
    test_before_acquire: bool,
}

impl From<CorrelatedPoolOptions> for PgPoolOptions {
    fn from(all: CorrelatedPoolOptions) -> Self {
        let (new, idle) = (all.application.clone(), all.application);
        let (after_connect, before_acquire) = (all.after_connect, all.before_acquire);
        // The pool calls both in the task that acquires, but `before_acquire` only for idle
        // connections. It also connects in a separate task, which has no ID.
        all.options
            .after_connect(move |connection, about| {
                let (name, own) = (new.name(), after_connect.clone());
                Box::pin(async move {
                    if let Some(own) = own {
                        own(&mut *connection, about).await?;
                    }
                    match set(connection, name).await {
                        // The connection is good, and has no wrong name. An error would make sqlx
                        // open more connections until the timeout.
                        Err(error @ Error::Database(_)) => {
                            warn(
                                &error,
                                "a new connection has no ID: its application_name cannot be set",
                            );
                            Ok(())
                        }
                        set => set,
                    }
                })
            })
            .before_acquire(move |connection, about| {
                let (name, own) = (idle.name(), before_acquire.clone());
                Box::pin(async move {
                    // This never returns an error. After an error, sqlx sends the server no
                    // goodbye. Over TLS it still waits for the server's goodbye, as long as the
                    // acquire may wait.
                    if let Err(error) = set(&mut *connection, name).await {
                        warn(
                            &error,
                            "a connection is replaced: its application_name cannot be set",
                        );
                        return Ok(false);
                    }
                    let Some(own) = own else { return Ok(true) };
                    Ok(own(connection, about).await.unwrap_or_else(|error| {
                        warn(
                            &error,
                            "a connection is replaced: your `before_acquire` returned an error",
                        );
                        false
                    }))
                })
            })
    }
}

fn warn(error: &Error, what: &str) {
    adapter::warn(&format!("{what}: {error}"));
}

impl fmt::Debug for CorrelatedPoolOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorrelatedPoolOptions")
            .field("options", &self.options)
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}
