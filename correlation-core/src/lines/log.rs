//! Puts the ID on every line of a logger of the `log` crate.
//!
//! If a `tracing` subscriber writes the records of `log`, they already have the ID: see
//! `correlation_core::tag`. For a logger of the `log` crate there are several ways. Use the first
//! one in this table that fits.
//!
//! | the logger | write |
//! |---|---|
//! | `env_logger` (feature `kv`) | `Builder::from_default_env().format_key_values(correlation::log::kv).init()` |
//! | `env_logger` with a format function of JSON or text | `.format(correlation::log::tagged(format))` |
//! | fern, simplelog, or any logger that writes to an [`io::Write`](std::io::Write) | give it [`log_writer(stdout())`](log_writer()) |
//! | fern closures, your own formats | `{}` with [`Current`] |
//! | `flexi_logger`, `structured-logger`, `logforth`, OpenTelemetry's bridge, any [`Log`](::log::Log) that prints key-value pairs | [`wrap(logger).init(max_level)`](wrap()) |
//! | `log4rs` with a file | the crate `correlation-log4rs` |
//! | any other `Log` | [`wrap(logger).in_message()`](Wrap::in_message) |
//!
//! The keys are the same as with `tracing`: `correlation_id`, and `trace_id` if the context has a
//! W3C trace. A pair that the record already has stays unchanged: [`wrap`] adds no second one, and
//! [`kv`] ends the line with the ID of the scope all the same. Writers and [`tagged`] choose text or
//! JSON by their first record.
//!
//! With a writer, and in the message, each line of a message with several lines has the ID. As a
//! pair, the ID appears once per record, where the logger prints its pairs.

use std::fmt;
use std::io::{self, Write};

use log::kv::{Error, Key, Source, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use super::log_pairs::{Added, Chained};
use super::writer::Tagging;
use super::{LogWriter, Tagger};
use crate::context::{self, Context};

/// Puts the ID on every line that a logger writes to an [`io::Write`].
///
/// ```
/// use correlation_core::{CorrelationId, log::log_writer, sync_scope};
/// use std::io::Write;
///
/// let mut file = Vec::new();
/// let id: CorrelationId = "click-1".parse()?;
/// sync_scope(id, || writeln!(log_writer(&mut file), "INFO order placed"))?;
/// assert_eq!(file, b"INFO order placed correlation_id=click-1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The first record that is not blank sets the format: JSON, whose records are objects, or text,
/// whose records are lines. No later record changes it. Set it with [`text`](LogWriter::text) or
/// [`json`](LogWriter::json) if the logger writes only the message, or if something else is written
/// first.
///
/// For `tracing`, use `tag`, which you cannot put on the wrong side of a worker thread.
pub fn log_writer<W: Write>(inner: W) -> LogWriter<'static, W> {
    LogWriter::new(inner, Tagging::Own(Box::default()))
}

/// Prints the current ID, or `-` outside any scope. Use it in formats with a fixed column.
///
/// ```
/// use correlation_core::{CorrelationId, log::Current, sync_scope};
///
/// assert_eq!(format!("[{Current}]"), "[-]");
/// let id: CorrelationId = "click-1".parse()?;
/// assert_eq!(sync_scope(id, || format!("[{Current}]")), "[click-1]");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Current;

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A copy of the ID, since the formatter is foreign code.
        match context::current() {
            Some(id) => f.pad(id.as_str()),
            None => f.pad("-"),
        }
    }
}

/// Writes the key-value pairs of a record, the ID last. Use it in `env_logger` with its feature
/// `kv`.
///
/// ```
/// # #[cfg(any())] {
/// env_logger::Builder::from_default_env().format_key_values(correlation_core::log::kv).init();
/// # }
/// ```
///
/// It prints ` key=value` for each pair and then ` correlation_id=ID`, so the line ends with the ID
/// whatever the pairs contain. Control characters in a pair are escaped, so no value begins a new
/// line.
///
/// The message is not a pair, and only its last line has the ID. For an ID on each line of a
/// message, use [`log_writer`](log_writer()).
///
/// `env_logger` calls it only for its own format. With `.format(..)`, use [`tagged`].
///
/// # Errors
///
/// If the writer or the source of the pairs returns an error.
pub fn kv<W: Write>(out: &mut W, pairs: &dyn Source) -> io::Result<()> {
    let added = Added::all();
    let mut visitor = Pairs {
        out,
        added: added.as_ref(),
    };
    pairs.visit(&mut visitor).map_err(io::Error::other)?;
    for (key, value) in added.iter().flat_map(Added::iter).rev() {
        // This is cheaper than `write!`.
        for part in [" ", key, "=", value] {
            out.write_all(part.as_bytes())?;
        }
    }
    Ok(())
}

/// Writes the pairs of a record without those that are added at the end.
struct Pairs<'a, W> {
    out: &'a mut W,
    added: Option<&'a Added>,
}

impl<'kvs, W: Write> VisitSource<'kvs> for Pairs<'_, W> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        if self.added.is_some_and(|added| added.has(&key, &value)) {
            return Ok(());
        }
        write!(Escaping(self.out), " {key}={value}").map_err(Error::from)
    }
}

/// Escapes control characters, so that a line stays one line.
struct Escaping<'a, W>(&'a mut W);

impl<W: Write> Write for Escaping<'_, W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match text.iter().position(u8::is_ascii_control) {
            Some(0) => write!(self.0, "{}", text[0].escape_ascii()).map(|()| 1),
            control => self.0.write(&text[..control.unwrap_or(text.len())]),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Puts the ID on the lines of a format function, for `env_logger` with `.format(..)`. For example:
/// `.format(correlation::log::tagged(ecs_logger::format))`.
///
/// The first record sets the format of the function: JSON with one object per record, or text. With
/// text, each line has the ID at its end, whatever the message looks like.
///
/// ```
/// use correlation_core::{CorrelationId, log::tagged, sync_scope};
/// use std::io::Write;
///
/// let format = tagged(|out: &mut Vec<u8>, record: &log::Record<'_>| {
///     writeln!(out, "{} {}", record.level(), record.args())
/// });
/// let mut line: Vec<u8> = Vec::new();
/// let id: CorrelationId = "click-1".parse()?;
/// sync_scope(id, || {
///     format(&mut line, &log::Record::builder().args(format_args!("order placed")).build())
/// })?;
/// assert_eq!(line, b"INFO order placed correlation_id=click-1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tagged<W: Write>(
    format: impl Fn(&mut Vec<u8>, &Record<'_>) -> io::Result<()>,
) -> impl Fn(&mut W, &Record<'_>) -> io::Result<()> {
    let tagger = Tagger::default();
    move |out, record| {
        let mut plain = Vec::new();
        format(&mut plain, record)?;
        let mut tagged = Vec::new();
        context::read(|context| tagger.tag(&mut tagged, &plain, context));
        out.write_all(&tagged)
    }
}

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
/// wrap(logger).init(max_level);
/// ```
///
/// You cannot wrap a logger that is already installed. Ask its crate for the logger itself
/// (`build()`, `into_log()`).
pub const fn wrap<L: Log>(logger: L) -> Wrap<L> {
    Wrap {
        logger,
        in_message: None,
    }
}

/// A logger that adds the ID. [`wrap`] returns it.
#[derive(Debug)]
pub struct Wrap<L> {
    logger: L,
    in_message: Option<Box<Tagger>>,
}

impl<L: Log> Wrap<L> {
    /// Adds ` correlation_id=ID` to each line of the message instead, for loggers that do not print
    /// pairs. A message counts as text, even if it looks like JSON.
    #[must_use]
    pub fn in_message(mut self) -> Self {
        self.in_message = Some(Box::new(Tagger::text()));
        self
    }

    /// Installs the logger for records up to `max_level`. Pass the maximum level of the wrapped
    /// logger. With a higher level, each disabled `trace!` would be passed to this logger for
    /// nothing.
    ///
    /// # Panics
    ///
    /// If a logger is already installed.
    #[track_caller]
    pub fn init(self, max_level: LevelFilter)
    where
        L: 'static,
    {
        let installed = self.try_init(max_level);
        installed.expect("another logger is already installed: remove it");
    }

    /// Installs the logger as [`init`](Self::init) does, and returns an error instead of a panic.
    ///
    /// # Errors
    ///
    /// If a logger is already installed.
    pub fn try_init(self, max_level: LevelFilter) -> Result<(), SetLoggerError>
    where
        L: 'static,
    {
        log::set_boxed_logger(Box::new(self))?;
        log::set_max_level(max_level);
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

    fn log_in_message(&self, tagger: &Tagger, record: &Record<'_>) {
        let Some(context) = Context::current() else {
            return self.logger.log(record);
        };
        let (plain, mut tagged) = (record.args().to_string(), Vec::new());
        // The line of a blank message still has a level and a target.
        if plain.lines().next().unwrap_or_default().trim().is_empty() {
            tagger.push_text(&mut tagged, &context);
        }
        tagger.tag_text(&mut tagged, plain.as_bytes(), &context);
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
            Some(tagger) => self.log_in_message(tagger, record),
            None => self.log_pairs(record),
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }
}
