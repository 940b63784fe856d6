//! The processes of the chain, each asking the next: `FastAPI`, axum, `FastAPI`, actix-web.

use std::path::Path;
use std::process::Command;

use correlation_testkit::process::Running;
use reqwest::Client;

/// Where the chain is entered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hops {
    /// axum, `FastAPI`, actix-web.
    FromRust,
    /// `FastAPI`, axum, `FastAPI`, actix-web.
    FromPython,
}

impl Hops {
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::FromRust => 3,
            Self::FromPython => 4,
        }
    }
}

pub(crate) struct Chain {
    processes: [Running; 4],
    front: String,
    axum: String,
}

/// What each process has printed.
pub(crate) struct Logs {
    pub(crate) front: Vec<String>,
    pub(crate) axum: Vec<String>,
    pub(crate) back: Vec<String>,
    pub(crate) actix: Vec<String>,
}

impl Chain {
    /// With the `FastAPI` services of the example.
    pub(crate) fn start(python: &Path) -> Self {
        Self::start_as(python, "service.py", "")
    }

    /// With the middleware's own settings, and the test's, in JSON.
    pub(crate) fn with_settings(python: &Path, settings: &str) -> Self {
        Self::start_as(python, "tests/all/python/shipped.py", settings)
    }

    fn start_as(python: &Path, file: &str, settings: &str) -> Self {
        let fastapi = |downstream: &str| {
            let here = env!("CARGO_MANIFEST_DIR");
            let mut command = Command::new(python);
            command.arg(file).current_dir(here);
            command.env("PYTHONPATH", here).env("SETTINGS", settings);
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            start(command, downstream)
        };
        let rust = |framework: &str, downstream: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_python-chain"));
            command.arg(framework).env("LOG_FORMAT", "text");
            start(command, downstream)
        };
        let mut actix = rust("actix", "");
        let mut back = fastapi(&actix.url());
        let mut axum = rust("axum", &back.url());
        let axum_url = axum.url();
        let mut front = fastapi(&axum_url);
        Self {
            front: front.url(),
            axum: axum_url,
            processes: [front, axum, back, actix],
        }
    }

    pub(crate) fn url(&self, hops: Hops) -> &str {
        match hops {
            Hops::FromRust => &self.axum,
            Hops::FromPython => &self.front,
        }
    }

    /// Ends all processes and gives their logs.
    pub(crate) fn end(self) -> Logs {
        let [front, axum, back, actix] = self.processes;
        Logs {
            front: front.end(),
            axum: axum.end(),
            back: back.end(),
            actix: actix.end(),
        }
    }
}

fn start(mut command: Command, downstream: &str) -> Running {
    command.env("LISTEN", "127.0.0.1:0");
    if downstream.is_empty() {
        command.env_remove("DOWNSTREAM");
    } else {
        command.env("DOWNSTREAM", downstream);
    }
    Running::start(&mut command)
}

/// Asks a chain for a purchase: the ID in the response header, and that of each service.
pub(crate) async fn ask(
    client: &Client,
    url: &str,
    purchase: &str,
    (name, value): (&str, &str),
) -> Vec<String> {
    let call = client.get(format!("{url}/hop/{purchase}"));
    let answer = call.header(name, value).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let headers = answer.headers();
    let header = headers
        .get("x-correlation-id")
        .or(headers.get("x-request-id"));
    let mut ids = vec![header.unwrap().to_str().unwrap().to_owned()];
    let body = answer.text().await.unwrap();
    ids.extend(
        body.lines()
            .map(|line| line.split_once(' ').unwrap().1.to_owned()),
    );
    ids
}
