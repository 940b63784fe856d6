//! Installs a `tracing` subscriber with the ID on every line, in one line of code.
//!
//! If you build the subscriber yourself, wrap its writer with [`tag`](crate::tag).

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

use self::filter::Filter;
use super::tag;

/// Installs a subscriber as [`tracing_subscriber::fmt::init()`] does, with the ID on every line.
///
/// It writes text to standard output, including records of the `log` crate. It writes escape codes
/// only to a terminal, and never if [`NO_COLOR`] is set and not empty.
///
/// ```
/// use correlation_core::{CorrelationId, sync_scope};
///
/// correlation_core::tracing::init();
/// sync_scope(CorrelationId::new(), || tracing::info!("order placed"));
/// // 2026-11-22T14:15:49.440140Z  INFO shop: order placed correlation_id=5cb8...
/// ```
///
/// # `RUST_LOG`
///
/// `RUST_LOG` has one or more parts, separated by commas. If it is not set or empty, `INFO` and
/// above is written.
///
/// | part | what is written |
/// |---|---|
/// | `warn` | every record of this level or above; also `error`, `info`, `debug`, `trace`, `off` |
/// | `shop=debug` | this level, for records whose target begins with `shop` |
/// | `shop` | every record whose target begins with `shop` |
///
/// The longest matching target counts. With the feature `env-filter`, parts can also select a span,
/// such as `[{correlation_id=abc}]=trace`: see [`EnvFilter`]. A part that cannot be read is
/// reported on standard error, and the other parts apply.
///
/// # Panics
///
/// If a global subscriber or a logger is already installed.
///
/// [`EnvFilter`]: https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html
/// [`NO_COLOR`]: https://no-color.org
#[track_caller]
pub fn init() {
    try_init().expect(
        "another subscriber or logger is already installed: remove it, or add \
         `.map_writer(correlation::tag)` to it and remove this `init()`",
    );
}

/// Installs the same subscriber as [`init`], and returns an error instead of a panic.
///
/// # Errors
///
/// If a global subscriber or a logger is already installed.
pub fn try_init() -> Result<(), Box<dyn Error + Send + Sync + 'static>> {
    let rust_log = env::var_os("RUST_LOG").unwrap_or_default();
    let filter = read(&rust_log, &mut io::stderr());
    // `tracing` and `log` check this level first, so it is no higher than the filter needs.
    let max_level = Layer::<Registry>::max_level_hint(&filter).unwrap_or(LevelFilter::TRACE);
    tracing_subscriber::fmt()
        .with_max_level(max_level)
        .with_ansi(colours())
        .map_writer(tag)
        .finish()
        .with(filter)
        .try_init()?;
    Ok(())
}

/// Whether to write escape codes: never to a file or a pipe.
fn colours() -> bool {
    io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Reads `RUST_LOG` part by part. If nobody reads the problems, that is ignored.
fn read(rust_log: &OsStr, problems: &mut dyn Write) -> Filter {
    let rust_log = rust_log.to_string_lossy();
    let (mut filter, mut is_set) = (Filter::default(), false);
    for part in rust_log.split(',').map(str::trim) {
        if part.is_empty() {
            continue;
        }
        let added = if part.contains(char::REPLACEMENT_CHARACTER) {
            Err("it is not UTF-8".to_owned())
        } else {
            filter::add(&mut filter, part)
        };
        match added {
            Ok(()) => is_set = true,
            Err(problem) => {
                let line = format!("RUST_LOG: {part:?} is ignored: {problem}\n");
                let _ = problems.write_all(line.as_bytes());
            }
        }
    }
    if !is_set {
        let _ = filter::add(&mut filter, "info");
    }
    filter
}

#[cfg(feature = "env-filter")]
mod filter {
    use tracing_subscriber::filter::Directive;

    pub(super) use tracing_subscriber::filter::EnvFilter as Filter;

    pub(super) fn add(filter: &mut Filter, part: &str) -> Result<(), String> {
        let directive: Directive = part.parse().map_err(|error| format!("{error}"))?;
        *filter = std::mem::take(filter).add_directive(directive);
        Ok(())
    }
}

#[cfg(not(feature = "env-filter"))]
mod filter {
    pub(super) use tracing_subscriber::filter::Targets as Filter;

    pub(super) fn add(filter: &mut Filter, part: &str) -> Result<(), String> {
        // `Targets` would read such a part as a target, which no record has.
        let one = match part.contains(['[', ']', '{', '}', '/']) {
            true => Err(()),
            false => part.parse::<Filter>().map_err(drop),
        };
        let one = one.map_err(|()| {
            "write LEVEL, TARGET or TARGET=LEVEL; any other form needs the feature `env-filter` of \
             correlation-core"
        })?;
        let filter_so_far = std::mem::take(filter);
        *filter = match one.default_level() {
            Some(level) => filter_so_far.with_default(level),
            None => filter_so_far.with_targets(one),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracing::{Level, enabled, subscriber};

    use super::*;

    /// Whether records of the program and of one of its modules are written, by level.
    fn written(rust_log: impl AsRef<OsStr>) -> (String, String) {
        let mut problems = Vec::new();
        let filter = read(rust_log.as_ref(), &mut problems);
        let written = subscriber::with_default(Registry::default().with(filter), || {
            let found = [
                ("E", enabled!(target: "other", Level::ERROR)),
                ("W", enabled!(target: "other", Level::WARN)),
                ("I", enabled!(target: "other", Level::INFO)),
                ("D", enabled!(target: "other", Level::DEBUG)),
                ("+i", enabled!(target: "shop::cart", Level::INFO)),
                ("+d", enabled!(target: "shop::cart", Level::DEBUG)),
                ("+t", enabled!(target: "shop::cart", Level::TRACE)),
            ];
            let found = found.iter().filter(|(_, enabled)| *enabled);
            found.map(|(name, _)| *name).collect()
        });
        (written, String::from_utf8(problems).unwrap())
    }

    #[test]
    fn each_part_counts() {
        for (rust_log, expected) in [
            ("", "EWI+i"),
            (" , ,", "EWI+i"),
            ("off", ""),
            ("error", "E"),
            (" WARN , shop=debug ", "EW+i+d"),
            ("shop=debug,warn", "EW+i+d"),
            ("debug,shop=off", "EWID"),
            ("shop", "+i+d+t"),
            ("info,,shop::cart=trace,", "EWI+i+d+t"),
        ] {
            let (written, problems) = written(rust_log);
            assert_eq!(written, expected, "{rust_log:?}");
            assert_eq!(problems, "", "{rust_log:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_holds() {
        for (rust_log, unread, expected) in [
            ("a=b=c", "a=b=c", "EWI+i"),
            (
                "warn, shop=verbose ,shop::cart=info",
                "shop=verbose",
                "EW+i",
            ),
            ("off,a\nb=c=d", "a\\nb=c=d", ""),
            ("warn,{x", "{x", "EW"),
            ("warn,/x", "/x", "EW"),
        ] {
            let (written, problems) = written(rust_log);
            assert_eq!(written, expected, "{rust_log:?}");
            let begin = format!("RUST_LOG: \"{unread}\" is ignored: ");
            assert!(problems.starts_with(&begin), "{problems}");
            assert_eq!(problems.lines().count(), 1, "{problems}");
            let named = problems.contains("`env-filter`");
            assert_eq!(named, cfg!(not(feature = "env-filter")), "{problems}");
        }
    }

    #[test]
    fn spans_are_for_the_feature() {
        for part in [
            "[{correlation_id=abc}]=trace",
            "shop[request]=debug",
            "[request]",
        ] {
            let (_, problems) = written(part);
            assert_eq!(
                problems.is_empty(),
                cfg!(feature = "env-filter"),
                "{problems}"
            );
            let (written, _) = written(format!("warn,{part}"));
            assert!(written.starts_with("EW"), "{written}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf_8_is_named_and_the_rest_holds() {
        use std::os::unix::ffi::OsStrExt;

        let (written, problems) = written(OsStr::from_bytes(b"warn,sh\xffop=debug"));
        assert_eq!(written, "EW");
        assert!(
            problems.ends_with("is ignored: it is not UTF-8\n"),
            "{problems}"
        );
    }

    #[test]
    fn that_nobody_reads_the_problems_is_no_problem() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let filter = read(OsStr::new("warn,a=b=c"), &mut Closed);
        let hint = Layer::<Registry>::max_level_hint(&filter);
        assert_eq!(hint, Some(LevelFilter::WARN));
    }
}
