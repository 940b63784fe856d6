//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::services::Service;

/// The text of `--help`.
pub(crate) const HELP: &str = include_str!("help.txt");

/// The command of the command line.
pub(crate) enum Command {
    Demo(Options),
    /// `serve NAME`: run one of the services. The demo starts this program again with it.
    Serve(Service),
    Help,
}

/// The settings of the demo.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) once: bool,
    pub(crate) logs: Option<PathBuf>,
    /// 0 means any free port.
    pub(crate) port: u16,
}

/// Reads the arguments, without the program's name. The error says what is wrong with them.
pub(crate) fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Command, String> {
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
