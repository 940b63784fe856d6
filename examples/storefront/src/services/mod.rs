//! The services of the shop. Each is a separate process.
//!
//! Ordinary functions without an ID argument write every log line, and no call to another service
//! mentions an ID.

mod downstream;
mod gateway;
mod jobs;
mod lifeline;
mod messages;
mod orders;
mod payments;
#[cfg_attr(not(feature = "servers"), path = "no_servers.rs")]
mod servers;
mod shipping;
mod store;
mod stories;
mod worker;

use std::env::VarError;
use std::ffi::OsStr;
use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::{env, io, process};

use tokio::net::TcpListener;
use tokio::process::Command;

use crate::Failure;
use crate::logs::{self, Folder, Format};

pub(crate) use jobs::QUEUE_URL;
pub(crate) use lifeline::terminated;
pub(crate) use store::DATABASE_URL;

/// The starts of the last records of a story: one from the background work of orders, one from the
/// job.
pub(crate) const LAST_WORDS: [&str; 2] = [orders::LAST_WORDS, worker::LAST_WORDS];

/// A service, by its role in the shop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Service {
    Gateway,
    Orders,
    Payments,
    Shipping,
    Worker,
}

impl Service {
    /// All services, in the order in which a purchase reaches them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Gateway,
        Self::Orders,
        Self::Payments,
        Self::Shipping,
        Self::Worker,
    ];

    /// The order of the start. A service that others call starts before them, so that its address
    /// is known.
    pub(crate) const START_ORDER: [Self; 5] = [
        Self::Worker,
        Self::Payments,
        Self::Shipping,
        Self::Orders,
        Self::Gateway,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Shipping => "shipping",
            Self::Worker => "worker",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    const fn log_format(self) -> Format {
        match self {
            Self::Gateway | Self::Shipping | Self::Worker => Format::Json,
            Self::Orders | Self::Payments => Format::Text,
        }
    }

    /// Returns the variable that tells the others the address of this one.
    fn url_variable(self) -> String {
        format!("{}_URL", self.name().to_uppercase())
    }

    /// Returns the command that starts this service: this program again.
    pub(crate) fn command(
        self,
        port: u16,
        log_file: &Path,
        others: &[(Self, String)],
    ) -> io::Result<Command> {
        let others = others.iter();
        let others = others.map(|(service, url)| (service.url_variable(), url));
        let mut command = Command::new(env::current_exe()?);
        command.args(["serve", self.name()]).envs(others);
        command.env(LISTEN, format!("127.0.0.1:{port}"));
        command.env(LOG_FILE, log_file);
        Ok(command)
    }
}

/// Runs one of the services, until it is told to end.
pub(crate) fn serve(service: Service) -> Result<(), Failure> {
    let log_file = env::var_os(LOG_FILE).ok_or_else(|| missing(LOG_FILE))?;
    let log_file = Path::new(&log_file);
    logs::init(log_file, service.log_format())?;
    let listen = variable(LISTEN)?;
    let listen = listen
        .parse()
        .map_err(|_| format!("invalid {LISTEN} {listen:?}"))?;
    match service {
        Service::Gateway => gateway::run(listen, Folder::of(log_file)),
        Service::Orders => orders::run(listen),
        Service::Payments => payments::run(listen),
        Service::Shipping => shipping::run(listen),
        Service::Worker => worker::run(),
    }
}

/// Reports, in the log and to the supervisor, that the service listens.
fn opened(addr: SocketAddr) {
    // This line belongs to no request, so it has no ID.
    tracing::info!(%addr, pid = process::id(), "listening");
    // It does not use `eprintln!`, which panics if nothing reads it.
    let _ = writeln!(io::stderr(), "listening on {addr}");
}

/// Listens, and reports that.
async fn bound(addr: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(addr).await;
    let listener = listener.map_err(|error| cannot_listen(addr, &error))?;
    opened(listener.local_addr()?);
    Ok(listener)
}

fn cannot_listen(addr: SocketAddr, why: &dyn Display) -> Failure {
    format!("cannot listen on {addr}: {why}").into()
}

/// Returns an error that says what is wrong with a server. It leaves out the URL, which may hold a
/// password.
fn cannot_use(variable: &str, url: &str, why: &dyn Display) -> Failure {
    let mut why = why.to_string();
    if !url.is_empty() {
        why = why.replace(url, "(the URL)");
    }
    format!("cannot use {variable}: {why}").into()
}

fn variable(name: &str) -> Result<String, Failure> {
    env::var(name).map_err(|error| match error {
        VarError::NotPresent => missing(name),
        VarError::NotUnicode(_) => format!("invalid {name}: it is not UTF-8").into(),
    })
}

fn missing(name: impl AsRef<OsStr>) -> Failure {
    format!("{} is not set", name.as_ref().display()).into()
}

const LISTEN: &str = "LISTEN";
const LOG_FILE: &str = "LOG_FILE";
