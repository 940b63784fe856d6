//! What the command line says.

use std::ffi::OsString;
use std::time::Duration;

pub(crate) const HELP: &str = "\
The whole story of one correlation ID, from all log files, in time order.

Usage: trail [OPTIONS] ID FILE...

FILE may be a log in JSON, tracing text, logfmt or env_logger's format, mixed as they come;
compressed with gzip; a pattern such as 'logs/*.log'; or - for standard input.

Options:
      --json          an object a line instead of text
      --color WHEN    auto (default: on a terminal, unless NO_COLOR is set), always, never
      --gap MS        show silences from this many milliseconds on (default: 100)
  -h, --help          this text
  -V, --version       the version

Exit status: 0 if the ID was found, 1 if not, 2 if something went wrong.
";

pub(crate) const VERSION: &str = concat!("trail ", env!("CARGO_PKG_VERSION"), "\n");

/// What to do.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Help,
    Version,
    Search(Options),
}

/// What to look for, where, and how to show it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Options {
    pub(crate) id: String,
    pub(crate) files: Vec<OsString>,
    pub(crate) json: bool,
    pub(crate) color: Shade,
    pub(crate) gap: Duration,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shade {
    Auto,
    Always,
    Never,
}

/// Reads the arguments; the error is for the user.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let mut operands = Vec::new();
    let (mut json, mut color, mut gap) = (false, Shade::Auto, Duration::from_millis(100));
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if !text.starts_with('-') || text == "-" {
            operands.push(argument);
            continue;
        }
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_ref(), None),
        };
        let mut value = || {
            let next = || {
                arguments
                    .next()
                    .map(|next| next.to_string_lossy().into_owned())
            };
            let value = attached.clone().or_else(next);
            value.ok_or_else(|| format!("{name} needs a value"))
        };
        match name {
            "--color" | "--colour" => color = shade(&value()?)?,
            "--gap" => gap = milliseconds(&value()?)?,
            _ if attached.is_some() => return Err(format!("unknown option {text}")),
            "--json" => json = true,
            "-h" | "--help" => return Ok(Command::Help),
            "-V" | "--version" => return Ok(Command::Version),
            "--" => {
                operands.extend(arguments);
                break;
            }
            _ => return Err(format!("unknown option {text}")),
        }
    }
    let mut operands = operands.into_iter();
    let id = operands.next().ok_or("which ID?")?;
    let id = id.into_string().map_err(|_| "the ID is not valid UTF-8")?;
    if id.is_empty() {
        return Err("the ID is empty".to_owned());
    }
    let files: Vec<_> = operands.collect();
    if files.is_empty() {
        return Err("which files? (- is standard input)".to_owned());
    }
    Ok(Command::Search(Options {
        id,
        files,
        json,
        color,
        gap,
    }))
}

fn shade(value: &str) -> Result<Shade, String> {
    match value {
        "auto" => Ok(Shade::Auto),
        "always" => Ok(Shade::Always),
        "never" => Ok(Shade::Never),
        _ => Err(format!("--color is auto, always or never, not {value}")),
    }
}

fn milliseconds(value: &str) -> Result<Duration, String> {
    let number = value.parse().map(Duration::from_millis);
    number.map_err(|_| format!("--gap is a number of milliseconds, not {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parsed(line) {
            Ok(Command::Search(options)) => options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_stand_anywhere() {
        let expected = Options {
            id: "abc".to_owned(),
            files: vec!["a.log".into(), "-".into()],
            json: true,
            color: Shade::Never,
            gap: Duration::from_millis(5),
        };
        assert_eq!(
            options("--json --color=never --gap 5 abc a.log -"),
            expected
        );
        assert_eq!(
            options("abc a.log --gap=5 - --json --color never"),
            expected
        );
    }

    #[test]
    fn after_two_dashes_all_are_operands() {
        let options = options("-- -abc --json");
        assert_eq!((options.id.as_str(), options.json), ("-abc", false));
        assert_eq!(options.files, ["--json"]);
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        assert_eq!(parsed("abc -h"), Ok(Command::Help));
        assert_eq!(parsed("--version"), Ok(Command::Version));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, error) in [
            ("", "which ID?"),
            ("abc", "which files? (- is standard input)"),
            ("abc f --jsn", "unknown option --jsn"),
            ("abc f --json=yes", "unknown option --json=yes"),
            ("abc f -x", "unknown option -x"),
            ("abc f --gap", "--gap needs a value"),
            (
                "abc f --gap -5",
                "--gap is a number of milliseconds, not -5",
            ),
            (
                "abc f --color red",
                "--color is auto, always or never, not red",
            ),
        ] {
            assert_eq!(parsed(line), Err(error.to_owned()), "{line}");
        }
        let empty = parse(["", "f"].map(OsString::from));
        assert_eq!(empty, Err("the ID is empty".to_owned()));
    }
}
