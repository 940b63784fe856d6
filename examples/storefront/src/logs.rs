//! One log file for each service.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::{env, process};

use correlation_core::tag;
use tracing_subscriber::EnvFilter;

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
        let path = match wanted {
            Some(path) => fs::create_dir_all(path)
                .map(|()| path.to_owned())
                .map_err(|error| cannot_write(path, &error))?,
            None => new_below(&env::temp_dir())?,
        };
        let folder = Self(path);
        for service in Service::ALL {
            let file = folder.file(service);
            open(&file).map_err(|error| cannot_write(&file, &error))?;
        }
        Ok(folder)
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
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

/// Sends all records of this process to `path`, those of the `log` crate included.
pub(crate) fn init(path: &Path, format: Format) -> Result<(), Failure> {
    let file = open(path).map_err(|error| cannot_write(path, &error))?;
    let subscriber = tracing_subscriber::fmt()
        // What the shop itself has to tell, its SQL, and spans with the ID: the frameworks would
        // like to join in.
        .with_env_filter(EnvFilter::new(
            "warn,storefront=info,sqlx::query=info,correlation=info",
        ))
        .with_ansi(false)
        // The only line about correlation: whatever is written, the writer adds the ID to it.
        .with_writer(tag(file));
    match format {
        Format::Json => subscriber.json().try_init(),
        Format::Text => subscriber.try_init(),
    }
}

/// A folder that was not there before, so that old stories do not mix with this one.
fn new_below(parent: &Path) -> Result<PathBuf, Failure> {
    let base = format!("storefront-{}", process::id());
    let more = (2..).map(|n| format!("{base}-{n}"));
    for name in std::iter::once(base.clone()).chain(more) {
        let path = parent.join(name);
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot_write(&path, &error)),
        }
    }
    unreachable!("the numbers do not end")
}

/// Appends: a log file that is there stays as it is.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    format!("cannot write to {}: {error}", path.display()).into()
}
