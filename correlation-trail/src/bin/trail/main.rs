//! `trail ID FILE...`: the whole story of one correlation ID, from all log files, in time order.

mod args;
mod files;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::{env, fmt};

use correlation_trail::{Timeline, Trail};

use self::args::{Command, Options, Shade};
use self::files::Source;

fn main() -> ExitCode {
    let status = match args::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => printed(args::HELP, Status::Found),
        Ok(Command::Version) => printed(args::VERSION, Status::Found),
        Ok(Command::Search(options)) => search(&options),
        Err(error) => {
            complain(&error);
            complain(&"try `trail --help`");
            Status::Failed
        }
    };
    ExitCode::from(status as u8)
}

/// As `grep` has them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    Found = 0,
    NothingFound = 1,
    Failed = 2,
}

fn search(options: &Options) -> Status {
    let mut trail = Trail::new(&options.id);
    let mut all_read = true;
    for source in files::expand(&options.files) {
        let read = source.and_then(|source| match source {
            Source::StandardInput => trail
                .reader("stdin", io::stdin().lock())
                .map_err(|error| format!("cannot read standard input: {error}")),
            Source::File(path) => trail.file(&path).map_err(|error| error.to_string()),
        });
        if let Err(error) = read {
            // One file less is no reason to keep silent about the others.
            complain(&error);
            all_read = false;
        }
    }
    let timeline = trail.finish();
    let status = match (all_read, timeline.records()) {
        (false, _) => Status::Failed,
        (true, []) => Status::NothingFound,
        (true, _) => Status::Found,
    };
    if timeline.records().is_empty() {
        return status;
    }
    show(&timeline, options, status)
}

fn show(timeline: &Timeline, options: &Options, status: Status) -> Status {
    if options.json {
        return printed(timeline.json(), status);
    }
    let color = match options.color {
        Shade::Always => true,
        Shade::Never => false,
        Shade::Auto => is_colorful(),
    };
    printed(timeline.text().color(color).gap(options.gap), status)
}

/// Whether there is a terminal that shows colours, and a user who wants them
/// (<https://no-color.org>).
fn is_colorful() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
}

fn printed(text: impl fmt::Display, status: Status) -> Status {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => status,
        // Who reads has seen enough: `trail .. | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => status,
        Err(error) => {
            complain(&format_args!("cannot write: {error}"));
            Status::Failed
        }
    }
}

fn complain(what: &dyn fmt::Display) {
    // With no place left to complain to, the exit status has to say it.
    let _ = writeln!(io::stderr(), "trail: {what}");
}
