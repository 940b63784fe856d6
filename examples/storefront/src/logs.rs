//! One log file for each service.

use std::fs::{self, File, OpenOptions};
use std::path::{Display, Path, PathBuf};
use std::{env, io};

use correlation_core::{CorrelationId, panic, tag};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::Failure;
use crate::services::Service;

/// How the records of a service look: real estates are mixed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    Json,
    Text,
}

/// The folder of the log files.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates the folder, and in it an empty file for each service that has none yet. So it
    /// turns out here, and not in some service, that nothing can be written.
    pub(crate) fn create(wanted: Option<&Path>) -> Result<Self, Failure> {
        // Of its own by default, so that old stories do not mix with this one.
        let own = || env::temp_dir().join(format!("storefront-{}", CorrelationId::new()));
        let folder = Self(wanted.map_or_else(own, Path::to_owned));
        fs::create_dir_all(&folder.0).map_err(|error| cannot_write(&folder.0, &error))?;
        for service in Service::ALL {
            let file = folder.file(service);
            open(&file).map_err(|error| cannot_write(&file, &error))?;
        }
        Ok(folder)
    }

    /// The folder of this log file.
    pub(crate) fn of(file: &Path) -> Self {
        Self(file.parent().unwrap_or(Path::new("")).to_owned())
    }

    /// The log file of a service.
    pub(crate) fn file(&self, service: Service) -> PathBuf {
        self.0.join(format!("{}.log", service.name()))
    }

    /// All of them.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        Service::ALL.into_iter().map(|service| self.file(service))
    }

    /// The URL of a SQLite database in the folder, where `DIR/*` does not find it.
    pub(crate) fn database(&self, file: &str) -> Result<String, Failure> {
        let folder = self.0.join(".data");
        fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
        let path = fs::canonicalize(&folder)?.join(file);
        let path = path
            .to_str()
            .ok_or("the folder of the log files has no UTF-8 name")?;
        // In a URL these would end the path.
        let path = path
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        Ok(format!("sqlite://{path}?mode=rwc"))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> Display<'_> {
        self.0.display()
    }
}

/// Sends all records of this process to `path`, those of the `log` crate included. The report of a
/// panic goes to standard error: the supervisor adds it to the file.
pub(crate) fn init(path: &Path, format: Format) -> Result<(), Failure> {
    let file = open(path).map_err(|error| cannot_write(path, &error))?;
    match format {
        Format::Json => panic::install_json(),
        Format::Text => panic::install(),
    }
    // What the shop itself has to tell, its SQL, and spans with the ID: the frameworks would like to
    // join in.
    let told = Targets::new()
        .with_default(Level::WARN)
        .with_targets(["storefront", "sqlx::query", "correlation"].map(|it| (it, Level::INFO)));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        // The only line about correlation: whatever is written, the writer adds the ID to it.
        .with_writer(tag(file));
    match format {
        Format::Json => subscriber.json().finish().with(told).try_init()?,
        Format::Text => subscriber.finish().with(told).try_init()?,
    }
    Ok(())
}

/// Appends: a log file that is there stays as it is.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    format!("cannot write to {}: {error}", path.display()).into()
}
