//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::services::Service;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Starts a shop of four services, buys something, and prints the story of that one
purchase from the log files of all of them. Then serves until Ctrl-C.

Usage: storefront [--once] [--logs DIR] [--port N]

  --once      end after the story; status 0 only if every service is in it
  --logs DIR  write the log files here (default: a new folder for temporary files)
  --port N    where the gateway listens (default: any free port)
  --help      print this

DATABASE_URL and QUEUE_URL name other stores than SQLite; see the README.
";

/// What the command line asks for.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Demo(Options),
    /// `serve NAME`: be one of the services. The demo starts itself anew with this.
    Serve(Service),
    Help,
}

/// How the demo runs.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Options {
    pub(crate) once: bool,
    pub(crate) logs: Option<PathBuf>,
    /// 0: any free one.
    pub(crate) port: u16,
}

/// Reads the arguments, without the program's name. The error is what is wrong with them.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut args = args.into_iter();
    let mut options = Options::default();
    let mut first = true;
    while let Some(arg) = args.next() {
        let mut value = |what| {
            let value = args.next().filter(|value| !value.is_empty());
            value.ok_or_else(|| format!("{what} is missing"))
        };
        match arg.to_str() {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--once") => options.once = true,
            Some("--logs") => options.logs = Some(value("the folder after --logs")?.into()),
            Some("--port") => options.port = port(&value("the number after --port")?)?,
            Some("serve") if first => return service(&value("the service after serve")?),
            _ => return Err(format!("unknown argument {arg:?}")),
        }
        first = false;
    }
    Ok(Command::Demo(options))
}

fn port(value: &OsString) -> Result<u16, String> {
    let port = value.to_str().and_then(|text| text.parse().ok());
    port.ok_or_else(|| format!("invalid --port {value:?}: allowed is 0 to 65535"))
}

fn service(name: &OsString) -> Result<Command, String> {
    let service = name.to_str().and_then(Service::from_name);
    let service = service.ok_or_else(|| format!("unknown service {name:?}"))?;
    Ok(Command::Serve(service))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn without_arguments_it_is_the_demo() {
        assert_eq!(read(&[]), Ok(Command::Demo(Options::default())));
    }

    #[test]
    fn every_option_is_read() {
        let options = Options {
            once: true,
            logs: Some("a b".into()),
            port: 8080,
        };
        let read_options = read(&["--port", "8080", "--once", "--logs", "a b"]);
        assert_eq!(read_options, Ok(Command::Demo(options)));
        assert_eq!(read(&["--once", "--help"]), Ok(Command::Help));
        assert_eq!(
            read(&["serve", "orders"]),
            Ok(Command::Serve(Service::Orders))
        );
    }

    #[test]
    fn every_error_names_what_is_wrong() {
        for (args, named) in [
            (&["--twice"][..], "--twice"),
            (&["--port"], "--port"),
            (&["--port", "65536"], "65536"),
            (&["--port", "-1"], "-1"),
            (&["--logs"], "--logs"),
            (&["--logs", ""], "--logs"),
            (&["serve", "warehouse"], "warehouse"),
            (&["--once", "serve", "orders"], "serve"),
        ] {
            let problem = read(args).unwrap_err();
            assert!(problem.contains(named), "{problem}");
            assert_eq!(problem.lines().count(), 1, "{problem}");
        }
    }
}
