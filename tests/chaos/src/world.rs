//! What all attackers share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::{env, io};

use correlation_testkit::Gaps;
use correlation_testkit::cases::{self, Case};

use crate::counts::Counts;
use crate::downstream::Downstream;

/// The five services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framework {
    Axum,
    Actix,
    Rocket,
    Warp,
    Custom,
}

impl Framework {
    pub(crate) const ALL: [Self; 5] = [
        Self::Axum,
        Self::Actix,
        Self::Rocket,
        Self::Warp,
        Self::Custom,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum-service",
            Self::Actix => "actix-service",
            Self::Rocket => "rocket-service",
            Self::Warp => "warp-service",
            Self::Custom => "custom-service",
        }
    }

    /// Its binary, which stands beside this one.
    pub(crate) fn program(self) -> io::Result<PathBuf> {
        Ok(env::current_exe()?.with_file_name(self.name()))
    }

    /// As in `tests/conformance`.
    pub(crate) fn gaps(self) -> Gaps {
        Gaps {
            drops_non_utf8_headers: self == Self::Rocket,
            panic_closes_connection: self == Self::Warp,
            wrong_method_is_404: self == Self::Rocket,
            no_websocket: self == Self::Custom,
            ..Gaps::default()
        }
    }
}

/// What all attackers share.
pub(crate) struct World {
    /// The cases of the contract for a policy that trusts everybody.
    pub(crate) cases: Vec<Case>,
    pub(crate) downstream: Downstream,
    /// How often there was each attack.
    attacks: Mutex<HashMap<&'static str, u64>>,
    tokens: AtomicU64,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            cases: cases::named("default").cases,
            downstream: Downstream::start(),
            attacks: Mutex::default(),
            tokens: AtomicU64::new(1),
        })
    }

    pub(crate) fn token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn count(&self, attack: &'static str, times: u64) {
        *crate::life::lock(&self.attacks).entry(attack).or_default() += times;
    }

    pub(crate) fn attacks(&self) -> Vec<(&'static str, u64)> {
        let mut attacks: Vec<_> = crate::life::lock(&self.attacks)
            .clone()
            .into_iter()
            .collect();
        attacks.sort_unstable();
        attacks
    }
}

/// Builds the services, unless they are there.
pub(crate) fn build() -> io::Result<()> {
    let mut programs = Framework::ALL.iter().map(|framework| framework.program());
    if programs.all(|program| program.is_ok_and(|program| program.is_file())) {
        return Ok(());
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "-p", "conformance", "--bins"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    match build.status()? {
        status if status.success() => Ok(()),
        status => Err(io::Error::other(format!("{build:?}: {status}"))),
    }
}

/// One line of the last table.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) lives: u64,
    pub(crate) crashes: u64,
    pub(crate) counts: Counts,
    /// KiB once it was warm, and at the end.
    pub(crate) memory: Option<(u64, u64)>,
}

impl Row {
    /// Of what this process does itself.
    pub(crate) fn own(name: &str, counts: Counts) -> Self {
        Self {
            name: name.to_owned(),
            lives: 1,
            crashes: 0,
            counts,
            memory: None,
        }
    }
}
