//! The arguments of the command line.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ColorChoice, Parser};
use clap_complete::Shell;

/// Tells the whole story of one correlation ID, from all log files, in time order
///
/// Give it the ID and every log that may contain it. It finds the records with the ID in logs of
/// any format, and prints them in time order: the time, the service, the level, the message and the
/// fields.
#[derive(Debug, Parser)]
#[expect(clippy::doc_markdown, reason = "it is printed as it stands")]
#[command(name = "trail", version, after_long_help = MORE)]
pub(crate) struct Arguments {
    /// The correlation ID; a record that contains it anywhere as a whole word is shown
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new())]
    id: Option<String>,

    /// Logs in any format, compressed or not; a pattern in quotes; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<OsString>,

    /// Keep reading, and print new records as the files grow, until you press Ctrl-C
    ///
    /// After a rotation, which replaces or cuts a file, reading continues at its new start. New
    /// records are printed in the order in which they arrive, a moment after their last line.
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Print one JSON object per record and line, instead of text
    ///
    /// The keys are time, estimated, coarse, since_ms, service, level, target, message, fields, continuation, file and
    /// line. All of them are always there.
    #[arg(long)]
    pub(crate) json: bool,

    /// The zone of times that have none: Europe/Berlin, +02:00 [default: UTC]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) zone: Option<String>,

    /// Show silences of at least this many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100)]
    gap: u64,

    /// Use colours; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", default_value_t = ColorChoice::Auto, alias = "colour")]
    color: ColorChoice,

    /// Print the man page
    #[arg(long, exclusive = true)]
    man: bool,

    /// Print the script that a shell needs to complete the options
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,
}

impl Arguments {
    /// Returns the ID. It is empty only if `is_page` is true.
    pub(crate) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    pub(crate) fn color(&self) -> anstream::ColorChoice {
        match self.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
    }

    /// Returns whether the arguments ask for a page and not for a search.
    pub(crate) fn is_page(&self) -> bool {
        self.man || self.completions.is_some()
    }

    pub(crate) fn gap(&self) -> Duration {
        Duration::from_millis(self.gap)
    }
}

/// The lines are short, because a man page has at most 73 columns for them.
const MORE: &str = "\
How to read a line:
     +0.8 ms  orders  INFO   order stored order=1
  It came 0.8 ms after the first record, from the service orders.
  ~ for + means that the time is not exact: the log has whole seconds,
  or it is the time of the line above. ? means that there is none.

Examples:
  trail 5cb8f0c2 /var/log/shop/*.log     the story of one request
  trail 5cb8f0c2 'logs/*.gz' | less      old logs, packed as they are
  kubectl logs --timestamps deploy/shop | trail 5cb8f0c2 -
  docker compose logs -f | trail -f 5cb8f0c2 -
  trail --json 5cb8f0c2 *.log | jq .message
  trail --man | man -l -                 all of this as a man page
  source <(trail --completions bash)     Tab completes the options

Formats:
  JSON, logfmt and text of the usual loggers, web servers and
  databases; around them what Docker, Kubernetes, syslog and the
  journal write; gzip, Zstandard, xz and bzip2; UTF-8 and UTF-16.
  Files that cannot be read are named on standard error.

Exit status:
  0 if a record was found, 1 if not, 2 if something went wrong, also
  if records were found.";
