//! What the command line says.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ColorChoice, Parser};
use clap_complete::Shell;

/// Tells the whole story of one correlation ID, from all log files, in time order
///
/// Give it the ID and every log that may have it. It finds the records with the ID in whatever format they
/// are, and prints them in one column of time with the service, the level, the message and the fields.
#[derive(Debug, Parser)]
#[expect(clippy::doc_markdown, reason = "it is printed as it stands")]
#[command(name = "trail", version, after_long_help = MORE)]
pub(crate) struct Arguments {
    /// The correlation ID; a record that has it anywhere as a whole word is told
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new())]
    id: Option<String>,

    /// Logs of any formats, packed or not; a pattern in quotes; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<OsString>,

    /// Go on: tell what is new as the files grow, until you press Ctrl-C
    ///
    /// A file that was replaced or cut by a rotation is read on from its new start. New records come in the
    /// order of their arrival, a moment after their last line.
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Print a JSON object for each record, a line each, instead of text
    ///
    /// The keys are time, estimated, coarse, since_ms, service, level, target, message, fields, continuation, file and
    /// line. All of them are always there.
    #[arg(long)]
    pub(crate) json: bool,

    /// The zone of times that name none: Europe/Berlin, +02:00 [default: UTC]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) zone: Option<String>,

    /// Show silences from this many milliseconds on
    #[arg(long, value_name = "MS", default_value_t = 100)]
    gap: u64,

    /// Use colours; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", default_value_t = ColorChoice::Auto, alias = "colour")]
    color: ColorChoice,

    /// Print the man page
    #[arg(long, exclusive = true)]
    man: bool,

    /// Print what a shell needs to complete the options
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,
}

impl Arguments {
    /// The ID. It is empty only where a page is asked for.
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

    /// Whether a page is asked for, and no search.
    pub(crate) fn is_page(&self) -> bool {
        self.man || self.completions.is_some()
    }

    pub(crate) fn gap(&self) -> Duration {
        Duration::from_millis(self.gap)
    }
}

/// Short lines, since a man page has no more than 73 columns for them.
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
  What cannot be read is said on standard error.

Exit status:
  0 if a record was found, 1 if not, 2 if something went wrong, also
  if records were found.";
