//! `trail ID FILE...`: the whole story of one correlation ID, from all log files, in time order.

mod args;
mod files;
mod progress;

use std::fmt;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use anstream::AutoStream;
use clap::{CommandFactory, Parser};
use correlation_trail::{Timeline, Trail, printable};

use self::args::Arguments;
use self::files::Source;
use self::progress::Progress;

fn main() -> ExitCode {
    let mut outcome = Outcome::default();
    match Arguments::try_parse() {
        Ok(arguments) if arguments.is_page() => outcome.written(page(&arguments)),
        Ok(arguments) => run(&arguments, &mut outcome),
        Err(mistake) if mistake.use_stderr() => {
            let text = mistake.render().to_string();
            outcome.fail(&text.strip_prefix("error: ").unwrap_or(&text));
        }
        Err(help) => outcome.written(help.print()),
    }
    // The exit status works as in `grep`.
    ExitCode::from(match outcome {
        Outcome { failed: true, .. } => 2,
        Outcome { found: true, .. } => 0,
        Outcome { .. } => 1,
    })
}

/// Prints the man page, or the completions for a shell.
fn page(arguments: &Arguments) -> io::Result<()> {
    let mut command = Arguments::command();
    let mut page = Vec::new();
    if let Some(shell) = arguments.completions {
        clap_complete::generate(shell, &mut command, "trail", &mut page);
    } else {
        clap_mangen::Man::new(command).render(&mut page)?;
    }
    io::stdout().write_all(&page)
}

fn run(arguments: &Arguments, outcome: &mut Outcome) {
    let mut trail = Trail::new(arguments.id());
    if let Some(zone) = &arguments.zone
        && let Err(error) = trail.zone(zone)
    {
        return outcome.fail(&error);
    }
    let mut sources = Vec::new();
    for source in files::expand(&arguments.files) {
        // If one file cannot be read, the others are still shown.
        match source {
            Ok(source) => sources.push(source),
            Err(error) => outcome.fail(&error),
        }
    }
    if arguments.follow {
        follow(&trail, sources, arguments, outcome);
    } else {
        search(&mut trail, &sources, outcome);
        outcome.tell(&trail.finish(), arguments);
    }
}

fn search(trail: &mut Trail, sources: &[Source], outcome: &mut Outcome) {
    let mut progress = Progress::new(sources);
    for source in sources {
        let read = match source {
            Some(path) => trail.file_with(path, |file| progress.of(file)),
            None => trail
                .reader("stdin", progress.of(io::stdin()))
                .map_err(|error| io::Error::other(format!("cannot read standard input: {error}"))),
        };
        progress.clear();
        if let Err(error) = read {
            outcome.fail(&error);
        }
    }
}

fn follow(trail: &Trail, sources: Vec<Source>, arguments: &Arguments, outcome: &mut Outcome) {
    let mut follow = trail.follow();
    for source in sources {
        let followed = match source {
            Some(path) => follow.file(path),
            None => Ok(follow.reader("stdin", io::stdin())),
        };
        if let Err(error) = followed {
            outcome.fail(&error);
        }
    }
    for news in follow {
        match news {
            Ok(timeline) => outcome.tell(&timeline, arguments),
            Err(error) => outcome.fail(&error),
        }
        if outcome.unheard {
            break;
        }
    }
}

/// The result of the run so far.
#[derive(Default)]
struct Outcome {
    found: bool,
    failed: bool,
    /// The reader has closed its end of the pipe, as in `trail .. | head`.
    unheard: bool,
}

impl Outcome {
    fn tell(&mut self, timeline: &Timeline, arguments: &Arguments) {
        if timeline.records().is_empty() {
            return;
        }
        let stdout = io::stdout().lock();
        self.written(if arguments.json {
            print(stdout, timeline.json())
        } else {
            let stdout = AutoStream::new(stdout, arguments.color());
            print(stdout, timeline.text().color(true).gap(arguments.gap()))
        });
    }

    /// Records the result of printing records or a page.
    fn written(&mut self, result: io::Result<()>) {
        self.found = true;
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.unheard = true,
            Err(error) => self.fail(&format_args!("cannot write: {error}")),
        }
    }

    fn fail(&mut self, what: &dyn fmt::Display) {
        self.failed = true;
        let what = format!("trail: {what}");
        for line in what.lines() {
            // If standard error cannot be written either, only the exit status reports the failure.
            let _ = writeln!(io::stderr(), "{}", printable(line));
        }
    }
}

fn print(out: impl Write, story: impl fmt::Display) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    write!(out, "{story}")?;
    out.flush()
}
