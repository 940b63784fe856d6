//! One log file for each service.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::{env, io};

use correlation_core::{CorrelationId, panic, tag};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::Failure;
use crate::services::Service;

/// The format of the records of a service. Real systems mix formats.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    Json,
    Text,
}

/// The folder of the log files.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates the folder, with an empty file for each service that has none yet. If it cannot be
    /// written, that shows here and not in some service.
    pub(crate) fn create(wanted: Option<&Path>) -> Result<Self, Failure> {
        // By default the folder is new, so that old stories do not mix with this one.
        let own = || env::temp_dir().join(format!("storefront-{}", CorrelationId::new()));
        let folder = Self(wanted.map_or_else(own, Path::to_owned));
        fs::create_dir_all(&folder.0).map_err(|error| cannot_write(&folder.0, &error))?;
        for service in Service::ALL {
            let file = folder.file(service);
            open(&file).map_err(|error| cannot_write(&file, &error))?;
        }
        Ok(folder)
    }

    /// Returns the folder of this log file.
    pub(crate) fn of(file: &Path) -> Self {
        Self(file.parent().unwrap_or(Path::new("")).to_owned())
    }

    /// Returns the log file of a service.
    pub(crate) fn file(&self, service: Service) -> PathBuf {
        self.0.join(format!("{}.log", service.name()))
    }

    /// Returns all log files.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        Service::ALL.into_iter().map(|service| self.file(service))
    }

    /// Returns the URL of a SQLite database in the folder, where `DIR/*` does not find it.
    pub(crate) fn database(&self, file: &str) -> Result<String, Failure> {
        let folder = self.0.join(".data");
        fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
        let path = fs::canonicalize(&folder)?.join(file);
        let path = path
            .to_str()
            .ok_or("the folder of the log files has no UTF-8 name")?;
        // In a URL, these characters would end the path.
        let path = path
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        Ok(format!("sqlite://{path}?mode=rwc"))
    }

    /// Returns the path of the folder as a shell reads it.
    pub(crate) fn path(&self) -> String {
        let path = self.0.display().to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if path.chars().all(plain) {
            path
        } else {
            format!("'{}'", path.replace('\'', r"'\''"))
        }
    }
}

/// Sends all records of this process to `path`, including those of the `log` crate. The report of a
/// panic goes to standard error, and the supervisor adds it to the file.
pub(crate) fn init(path: &Path, format: Format) -> Result<(), Failure> {
    let file = open(path).map_err(|error| cannot_write(path, &error))?;
    match format {
        Format::Json => panic::install_json(),
        Format::Text => panic::install(),
    }
    // The shop's own records, its SQL, and spans with the ID. The records of the frameworks are
    // left out.
    let told = Targets::new()
        .with_default(Level::WARN)
        .with_targets(["storefront", "sqlx::query", "correlation"].map(|it| (it, Level::INFO)));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        // This is the only line about correlation: the writer adds the ID to every record.
        .with_writer(tag(file));
    match format {
        Format::Json => subscriber.json().finish().with(told).try_init()?,
        Format::Text => subscriber.finish().with(told).try_init()?,
    }
    Ok(())
}

/// Opens a log file to append to it. An existing file keeps its content.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    format!("cannot write to {}: {error}", path.display()).into()
}
