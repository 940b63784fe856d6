//! Panic reports with the ID.
//!
//! [`install`] writes the reports as text, and [`install_json`] writes them as JSON. They go to
//! standard error, as Rust's own reports do. A report is not a log record, so it reaches no log
//! file, no subscriber and no logger. Their code may have caused the panic, and may hold a lock
//! that the report would wait for.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};
use std::{env, ptr, thread};

use crate::context::{self, Context};
use crate::names::{CORRELATION_ID, TRACE_ID};

/// Installs a panic hook that writes each report as text, with the ID on every line. So one search
/// for the ID finds the message and the whole backtrace.
///
/// The report goes to standard error in one write, and the hook ignores a write that fails. With
/// `RUST_BACKTRACE=1` the report has a backtrace, and with `full` it has all frames. Each line that
/// is not blank ends with ` correlation_id=ID`. If a W3C trace is known, ` trace_id=..` stands
/// before that. A line ends at LF or CRLF. Outside any scope, nothing is added.
///
/// If another hook is already installed, it runs after the report. Rust's own hook is recognised
/// and does not run again, since it would print the same text without the ID.
///
/// This library cannot make a previous hook safe. A hook that logs, such as the one of `log-panics`
/// or `tracing-panic`, can wait for a lock for ever or abort the process.
///
/// The first call of `install` or [`install_json`] installs the hook, and later calls do nothing. A
/// call from a thread that is panicking does nothing either, since Rust does not let such a thread
/// change the hook.
///
/// ```
/// use correlation_core::{CorrelationId, panic, sync_scope};
///
/// panic::install();
/// let id: CorrelationId = "click-1".parse()?;
/// let _ = std::panic::catch_unwind(|| sync_scope(id, || panic!("out of stock")));
/// // thread 'main' panicked at src/main.rs:6:61: correlation_id=click-1
/// // out of stock correlation_id=click-1
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub fn install() {
    set(text);
}

/// Installs the hook as [`install`] does, but writes each report as one JSON object on one line.
///
/// The object has the keys `correlation_id` and `trace_id` if they are known, `level` (`ERROR`),
/// `target` (`panic`), `thread`, `location`, `message`, and `backtrace` if there is one. It has no
/// time, since the collector of standard error knows when the line came.
///
/// ```
/// use correlation_core::{CorrelationId, panic, sync_scope};
///
/// panic::install_json();
/// let id: CorrelationId = "click-1".parse()?;
/// let _ = std::panic::catch_unwind(|| sync_scope(id, || panic!("out of stock")));
/// // {"correlation_id":"click-1","level":"ERROR","target":"panic","thread":"main",
/// //  "location":"src/main.rs:6:61","message":"out of stock"}
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub fn install_json() {
    set(json);
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;
type Form = fn(&Report<'_>, &[(&str, &str)]) -> String;

fn set(form: Form) {
    static INSTALLED: Once = Once::new();
    if thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous: Box<Hook> = std::panic::take_hook();
        // Without an installed hook, Rust returns its own hook here.
        let own: Box<Hook> = std::panic::take_hook();
        let previous = Some(previous).filter(|previous| !is_same(&**previous, &*own));
        std::panic::set_hook(Box::new(move |info| {
            write(form, info);
            if let Some(previous) = &previous {
                previous(info);
            }
        }));
    });
}

/// Closures without captures differ only by their vtable. If equal closures had different vtables,
/// a report would be printed twice at worst.
fn is_same(one: &Hook, other: &Hook) -> bool {
    size_of_val(one) == 0 && size_of_val(other) == 0 && ptr::eq(one, other)
}

/// Writes a report. Nothing here may panic, since that would abort the process, and nothing may
/// call foreign code.
fn write(form: Form, info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let report = Report::new(info, thread.name().unwrap_or("<unnamed>"));
    let context = context::current_if_readable();
    let trace = context.as_ref().and_then(Context::trace_id);
    let id = context
        .as_ref()
        .map(|it| (CORRELATION_ID, it.id().as_str()));
    let trace = trace.as_ref().map(|it| (TRACE_ID, it.as_str()));
    let fields: Vec<_> = id.into_iter().chain(trace).collect();
    to_standard_error(form(&report, &fields).as_bytes());
}

/// Writes the report in one piece, so that reports of several threads do not mix. Without a
/// standard error, the report is lost.
fn to_standard_error(report: &[u8]) {
    static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::new(());
    let _one = ONE_AFTER_THE_OTHER
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    // `io::stderr().lock()` is not used, since the thread that holds that lock may be waiting for
    // this thread.
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(descriptor) = io::stderr().as_fd().try_clone_to_owned() {
            let _ = std::fs::File::from(descriptor).write_all(report);
            return;
        }
    }
    let _ = io::stderr().lock().write_all(report);
}

struct Report<'a> {
    thread: &'a str,
    location: String,
    message: &'a str,
    backtrace: Option<String>,
}

impl<'a> Report<'a> {
    fn new(info: &'a PanicHookInfo<'_>, thread: &'a str) -> Self {
        let location = info.location().map(ToString::to_string);
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self {
            thread,
            location: location.unwrap_or_else(|| "an unknown place".to_owned()),
            message: text.unwrap_or("Box<dyn Any>"),
            backtrace: backtrace(),
        }
    }
}

/// Returns the backtrace that Rust's own hook would print, if `RUST_BACKTRACE` asks for it.
fn backtrace() -> Option<String> {
    // `Backtrace::capture()` is not used, since it reads `RUST_LIB_BACKTRACE` first.
    let frames = match env::var_os("RUST_BACKTRACE")? {
        none if none == "0" => return None,
        full if full == "full" => format!("{:#}", Backtrace::force_capture()),
        _ => without_runtime(&Backtrace::force_capture().to_string()).to_owned(),
    };
    Some(frames.trim_end().to_owned())
}

/// Removes the frames before and after those of the program, if Rust has marked them.
fn without_runtime(mut frames: &str) -> &str {
    let next_line = |text: &str, from| text[from..].find('\n').map(|at| from + at + 1);
    if let Some(start) = frames
        .find("__rust_end_short_backtrace")
        .and_then(|marker| next_line(frames, marker))
    {
        frames = &frames[start..];
        // The location of the marker itself.
        if frames.trim_start().starts_with("at ") {
            frames = next_line(frames, 0).map_or(frames, |start| &frames[start..]);
        }
    }
    if let Some(end) = frames.find("__rust_begin_short_backtrace") {
        frames = &frames[..frames[..end].rfind('\n').map_or(0, |at| at + 1)];
    }
    frames
}

/// Formats the report as Rust's own hook does, with these fields at the end of each line.
fn text(report: &Report<'_>, fields: &[(&str, &str)]) -> String {
    let Report {
        thread,
        location,
        message,
        backtrace,
    } = report;
    let mut plain = format!("thread '{thread}' panicked at {location}:\n{message}\n");
    if let Some(frames) = backtrace {
        for part in ["stack backtrace:\n", frames, "\n"] {
            plain.push_str(part);
        }
    }
    let mut tag = String::new();
    // The ID is last, as in a log line.
    for (key, value) in fields.iter().rev() {
        for part in [" ", key, "=", value] {
            tag.push_str(part);
        }
    }
    let mut out = String::with_capacity(plain.len() * 2);
    for line in plain.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = content.strip_suffix('\r').unwrap_or(content);
        out.push_str(content);
        if !content.trim_ascii().is_empty() && !content.ends_with(&tag) {
            out.push_str(&tag);
        }
        out.push_str(&line[content.len()..]);
    }
    out
}

/// Formats the report as one JSON object on one line.
fn json(report: &Report<'_>, fields: &[(&str, &str)]) -> String {
    let own = [
        ("level", "ERROR"),
        ("target", "panic"),
        ("thread", report.thread),
        ("location", &report.location),
        ("message", report.message),
    ];
    let backtrace = report.backtrace.iter();
    let backtrace = backtrace.map(|frames| ("backtrace", frames.as_str()));
    let mut out = String::new();
    for (key, value) in fields.iter().copied().chain(own).chain(backtrace) {
        out.push(if out.is_empty() { '{' } else { ',' });
        push_json(&mut out, key);
        out.push(':');
        push_json(&mut out, value);
    }
    out.push_str("}\n");
    out
}

/// Appends a JSON string (RFC 8259, section 7). It also escapes characters that JSON allows, but
/// that end a line for some readers or control a terminal: DEL, U+0080 to U+009F, U+2028 and
/// U+2029.
fn push_json(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn report<'a>(message: &'a str, backtrace: Option<&str>) -> Report<'a> {
        Report {
            thread: "main",
            location: "src/main.rs:6:61".to_owned(),
            message,
            backtrace: backtrace.map(str::to_owned),
        }
    }

    const ID: (&str, &str) = ("correlation_id", "click-1");
    const TRACE: (&str, &str) = ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736");

    #[test]
    fn text_has_the_fields_on_every_line() {
        let report = report(
            "out of stock\r\n \n{\"correlation_id\":\"victim\"}",
            Some("0: f"),
        );
        let plain = "thread 'main' panicked at src/main.rs:6:61:\nout of stock\r\n \n\
            {\"correlation_id\":\"victim\"}\nstack backtrace:\n0: f\n";
        assert_eq!(text(&report, &[]), plain);
        let tag = format!(" trace_id={} correlation_id=click-1", TRACE.1);
        let tagged = format!(
            "thread 'main' panicked at src/main.rs:6:61:{tag}\nout of stock{tag}\r\n \n\
            {{\"correlation_id\":\"victim\"}}{tag}\nstack backtrace:{tag}\n0: f{tag}\n"
        );
        assert_eq!(text(&report, &[ID, TRACE]), tagged);
    }

    #[test]
    fn json_is_one_object_with_the_id_first() {
        let report = report("out of stock\nof \"everything\"", Some("0: f\n"));
        let own = r#""level":"ERROR","target":"panic","thread":"main","location":"src/main.rs:6:61","message":"out of stock\nof \"everything\"","backtrace":"0: f\n""#;
        assert_eq!(json(&report, &[]), format!("{{{own}}}\n"));
        let first = r#""correlation_id":"click-1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736""#;
        assert_eq!(json(&report, &[ID, TRACE]), format!("{{{first},{own}}}\n"));
    }

    #[test]
    fn frames_of_the_runtime_are_cut() {
        let own = "   0: hook\n             at ./panic.rs:1:1\n";
        let end =
            "   1: std::sys::backtrace::__rust_end_short_backtrace\n             at /rustc/a\n";
        let user = "   2: shop::order\n             at ./src/main.rs:6:61\n   3: shop::main\n";
        let begin = "   4: std::sys::backtrace::__rust_begin_short_backtrace\n";
        let runtime = "   5: main\n";
        let whole = [own, end, user, begin, runtime].concat();
        assert_eq!(without_runtime(&whole), user);
        let without_source = end.lines().next().unwrap().to_owned() + "\n";
        let whole = [own, &without_source, user].concat();
        assert_eq!(without_runtime(&whole), user);
        // A program that was stripped of its symbols.
        assert_eq!(without_runtime("   0: <unknown>\n"), "   0: <unknown>\n");
        assert_eq!(without_runtime(""), "");
        assert_eq!(
            without_runtime("__rust_end_short_backtrace"),
            "__rust_end_short_backtrace"
        );
    }

    /// Mostly text that ends lines or strings, or that must be escaped.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{2028}\u{2029}]",
            prop::sample::select(vec![
                "\n",
                "\r\n",
                "\r",
                "\"",
                "\\",
                "{",
                "}",
                " ",
                "a",
                " correlation_id=victim",
                " correlation_id=click-1",
                "{\"correlation_id\":\"victim\"}",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_message_makes_a_line_without_the_id(message in hostile()) {
            let tagged = text(&report(&message, None), &[ID]);
            for line in tagged.split('\n') {
                let line = line.strip_suffix('\r').unwrap_or(line);
                let is_blank = line.trim_ascii().is_empty();
                prop_assert!(is_blank || line.ends_with(" correlation_id=click-1"), "{line:?}");
            }
            // Nothing else was changed.
            let plain = text(&report(&message, None), &[]);
            let without = |text: &str| text.replace(" correlation_id=click-1", "");
            prop_assert_eq!(without(&tagged), without(&plain));
        }

        #[test]
        fn json_reads_back_whatever_the_message(message in hostile()) {
            let line = json(&report(&message, Some(&message)), &[ID]);
            let object: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&object["message"], &message);
            prop_assert_eq!(&object["backtrace"], &message);
            prop_assert_eq!(&object["correlation_id"], "click-1");
            let line = line.strip_suffix('\n').unwrap();
            let raw = |c: char| c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c);
            prop_assert!(!line.contains(raw), "{line:?}");
        }
    }
}
