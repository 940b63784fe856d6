//! Panic reports with the ID.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::PanicHookInfo;
use std::{fmt, io, ptr, thread};

use crate::context;
use crate::line::Keys;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Installs a panic hook that writes the report with the ID on every line, so that one search for
/// the ID finds the message and the whole backtrace.
///
/// If a `tracing` subscriber takes errors, the report is one `ERROR` event of the target `panic`:
/// with [`tag`](crate::tag) around the writer each of its lines has the ID, and JSON stays JSON.
/// Otherwise it goes to standard error, as Rust's own report does.
///
/// A hook that is there already, such as that of an error tracker, runs afterwards. Only Rust's
/// own does not: it would print the same once more, without the ID.
///
/// Call it once at the start, in any order with [`tracing::init`](crate::tracing::init).
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
    let previous: Hook = std::panic::take_hook();
    // With none installed, this is what Rust gives out as its own.
    let own: Hook = std::panic::take_hook();
    let previous = Some(previous).filter(|previous| !is_same(&**previous, &*own));
    let keys = Keys::default();
    std::panic::set_hook(Box::new(move |info| {
        report(&keys, info);
        if let Some(previous) = &previous {
            previous(info);
        }
    }));
}

/// Closures without captures differ by their vtable only. Were two of one vtable not the same, a
/// report would be printed twice at worst.
fn is_same(
    one: &(dyn Fn(&PanicHookInfo<'_>) + Send + Sync),
    other: &(dyn Fn(&PanicHookInfo<'_>) + Send + Sync),
) -> bool {
    size_of_val(one) == 0 && size_of_val(other) == 0 && ptr::eq(one, other)
}

fn report(keys: &Keys, info: &PanicHookInfo<'_>) {
    let report = Report {
        info,
        backtrace: Backtrace::capture(),
    };
    #[cfg(feature = "tracing")]
    if ::tracing::enabled!(target: "panic", ::tracing::Level::ERROR) {
        ::tracing::error!(target: "panic", "{report}");
        return;
    }
    let plain = format!("{report}\n");
    let mut tagged = Vec::new();
    context::with_current(|context| match context {
        Some(context) => keys.tag(&mut tagged, plain.as_bytes(), context),
        None => tagged.extend_from_slice(plain.as_bytes()),
    });
    // In one piece, so that reports of several threads do not mix. Without standard error there
    // is nowhere to tell.
    let _ = io::stderr().lock().write_all(&tagged);
}

/// What Rust's own hook prints.
struct Report<'a> {
    info: &'a PanicHookInfo<'a>,
    backtrace: Backtrace,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        write!(f, "thread '{name}' panicked")?;
        if let Some(location) = self.info.location() {
            write!(f, " at {location}")?;
        }
        let payload = self.info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        write!(f, ":\n{}", text.unwrap_or("Box<dyn Any>"))?;
        if self.backtrace.status() == BacktraceStatus::Captured {
            write!(
                f,
                "\nstack backtrace:\n{}",
                self.backtrace.to_string().trim_end()
            )?;
        }
        Ok(())
    }
}
