use ::log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use super::pairs::{Added, Chained};

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
        in_message: false,
    }
}

/// A logger with the ID: made by [`wrap`].
#[derive(Clone, Copy, Debug)]
pub struct Wrap<L> {
    logger: L,
    in_message: bool,
}

impl<L: Log> Wrap<L> {
    /// Adds ` correlation_id=ID` to the message instead: for loggers that do not print pairs.
    #[must_use]
    pub const fn in_message(mut self) -> Self {
        self.in_message = true;
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
}

impl<L: Log> Log for Wrap<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.logger.enabled(record.metadata()) {
            return;
        }
        let pairs = record.key_values();
        let Some(added) = Added::to(pairs) else {
            return self.logger.log(record);
        };
        let mut builder = record.to_builder();
        if self.in_message {
            let fields = Fields(&added);
            let args = format_args!("{}{fields}", record.args());
            self.logger.log(&builder.args(args).build());
        } else {
            let pairs = Chained {
                added: &added,
                pairs,
            };
            self.logger.log(&builder.key_values(&pairs).build());
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }
}

struct Fields<'a>(&'a Added);

impl std::fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .iter()
            .try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}
