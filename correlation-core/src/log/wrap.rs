use ::log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use super::pairs::{Added, Chained};
use crate::Context;
use crate::line::Keys;

/// Adds the ID to every record of a logger, as key-value pairs.
///
/// ```
/// use correlation_core::log::wrap;
/// # struct Discard;
/// # impl log::Log for Discard {
/// #     fn enabled(&self, _: &log::Metadata<'_>) -> bool { true }
/// #     fn log(&self, _: &log::Record<'_>) {}
/// #     fn flush(&self) {}
/// # }
/// # fn logger() -> (log::LevelFilter, impl log::Log + 'static) { (log::LevelFilter::Info, Discard) }
///
/// let (max_level, logger) = logger();
/// wrap(logger).init(max_level)?;
/// # Ok::<(), log::SetLoggerError>(())
/// ```
///
/// A logger that is installed already cannot be wrapped; ask its crate for the logger itself
/// (`build()`, `into_log()`).
pub const fn wrap<L: Log>(logger: L) -> Wrap<L> {
    Wrap {
        logger,
        in_message: None,
    }
}

/// A logger with the ID: made by [`wrap`].
#[derive(Debug)]
pub struct Wrap<L> {
    logger: L,
    in_message: Option<Box<Keys>>,
}

impl<L: Log> Wrap<L> {
    /// Adds ` correlation_id=ID` to each line of the message instead: for loggers that do not
    /// print pairs.
    #[must_use]
    pub fn in_message(mut self) -> Self {
        self.in_message = Some(Box::default());
        self
    }

    /// Installs the logger, for records up to `max_level`: that of the wrapped logger, since
    /// with more every disabled `trace!` would come here in vain.
    ///
    /// # Errors
    ///
    /// If a logger is installed already.
    pub fn init(self, max_level: LevelFilter) -> Result<(), SetLoggerError>
    where
        L: 'static,
    {
        ::log::set_boxed_logger(Box::new(self))?;
        ::log::set_max_level(max_level);
        Ok(())
    }

    fn log_pairs(&self, record: &Record<'_>) {
        let pairs = record.key_values();
        let Some(added) = Added::to(pairs) else {
            return self.logger.log(record);
        };
        let added = &added;
        let pairs = Chained { added, pairs };
        self.logger
            .log(&record.to_builder().key_values(&pairs).build());
    }

    fn log_in_message(&self, keys: &Keys, record: &Record<'_>) {
        let Some(context) = Context::current() else {
            return self.logger.log(record);
        };
        let (plain, mut tagged) = (record.args().to_string(), Vec::new());
        keys.tag(&mut tagged, plain.as_bytes(), &context);
        let message = String::from_utf8_lossy(&tagged);
        self.logger
            .log(&record.to_builder().args(format_args!("{message}")).build());
    }
}

impl<L: Log> Log for Wrap<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.logger.enabled(record.metadata()) {
            return;
        }
        match &self.in_message {
            Some(keys) => self.log_in_message(keys, record),
            None => self.log_pairs(record),
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }
}
