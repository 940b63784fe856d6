//! A service over its lives: who conducts it, and who attacks it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::sleep;

use crate::attack::Attacker;
use crate::counts::{Counts, Fault};
use crate::life::{Life, Settings, lock};
use crate::world::{Framework, Row, World};

/// A service; clones share it.
#[derive(Clone)]
pub(crate) struct Service {
    framework: Framework,
    number: usize,
    world: Arc<World>,
    now: watch::Sender<Option<Arc<Life>>>,
    past: Arc<Mutex<Past>>,
}

/// All lives, also the one that is now.
#[derive(Default)]
struct Past {
    lives: Vec<Arc<Life>>,
    crashes: u64,
    /// Of the last life: when, and how many KiB.
    memory: Vec<(Instant, u64)>,
}

impl Service {
    pub(crate) fn start(
        framework: Framework,
        number: usize,
        world: &Arc<World>,
    ) -> io::Result<Self> {
        let service = Self {
            framework,
            number,
            world: Arc::clone(world),
            now: watch::Sender::new(None),
            past: Arc::default(),
        };
        let life = service.born()?;
        service.now.send_replace(Some(life));
        Ok(service)
    }

    /// Each life has other settings, so that each service has all of them.
    fn born(&self) -> io::Result<Arc<Life>> {
        let turn = self.number + lock(&self.past).lives.len();
        let settings = Settings {
            distrusting: turn % 3 == 1,
            by_network: turn % 5 < 2,
            text: turn.is_multiple_of(2),
            participating: turn % 4 == 3,
            rotated: turn % 5 == 2,
        };
        let directory = std::env::temp_dir().join(format!(
            "chaos-{}-{}",
            std::process::id(),
            self.framework.name()
        ));
        let life = Life::start(self.framework, settings, &self.world, directory)?;
        let mut past = lock(&self.past);
        past.lives.push(Arc::clone(&life));
        past.memory.clear();
        Ok(life)
    }

    /// Ends it under load and starts it anew, several times in the first part of the run; its
    /// memory is that of the last life.
    pub(crate) async fn conduct(self, start: Instant, duration: Duration) {
        let part = duration.mul_f64(RESTARTING) / LIVES;
        // Not all at the same time.
        let mut next = start + part.mul_f64((self.number + 1) as f64 / 5.0);
        let mut ended = 1;
        while start.elapsed() < duration {
            sleep(SAMPLE.min(part)).await;
            let Some(life) = self.life() else { return };
            if let Some(status) = life.ended() {
                lock(&self.past).crashes += 1;
                life.ledger()
                    .fault(Fault::Wrong, || format!("has crashed: {status}"));
                self.replace(life).await;
                continue;
            }
            if let Some(memory) = life.memory() {
                lock(&self.past).memory.push((Instant::now(), memory));
            }
            if ended == DEAF && Instant::now() >= next - part / 2 && !life.is_deaf() {
                self.world.count("log readers that died", 1);
                life.deafen();
            }
            if Instant::now() >= next && ended < LIVES {
                ended += 1;
                next += part;
                self.world.count("SIGTERM under load", 1);
                self.replace(life).await;
            }
        }
        if let Some(life) = self.now.send_replace(None) {
            self.end(life).await;
        }
    }

    /// The next life begins before the last one ends.
    async fn replace(&self, life: Arc<Life>) {
        match block_in_place(|| self.born()) {
            Ok(born) => {
                self.now.send_replace(Some(born));
            }
            Err(error) => {
                life.ledger()
                    .fault(Fault::Wrong, || format!("cannot start: {error}"));
                self.now.send_replace(None);
            }
        }
        self.end(life).await;
    }

    async fn end(&self, life: Arc<Life>) {
        let ending = Arc::clone(&life);
        let ended = spawn_blocking(move || ending.terminate()).await;
        let status = ended.unwrap_or_else(|error| Err(io::Error::other(error)));
        match status {
            Ok(status) if status.success() => {}
            other => {
                let what = || format!("SIGTERM: {other:?}");
                life.ledger().fault(Fault::Wrong, what);
            }
        }
    }

    /// Opens connections that wait for each other, until it is no more.
    pub(crate) async fn crowd(self, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed ^ (self.number as u64 + 0xC0));
        while let Some(life) = self.life() {
            let (rng, world) = (StdRng::seed_from_u64(rng.random()), Arc::clone(&self.world));
            let mut attacker = Attacker::new(rng, world, life);
            attacker.crowd(CROWD).await;
        }
    }

    /// Attacks it until it is no more.
    pub(crate) async fn attack(self, seed: u64, number: u64) {
        let mut rng = StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        while let Some(life) = self.life() {
            let (rng, world) = (StdRng::seed_from_u64(rng.random()), Arc::clone(&self.world));
            let mut attacker = Attacker::new(rng, world, life);
            attacker.attack().await;
            if attacker.life.is_stopping() {
                // The next one is there already, or there is none.
                tokio::task::yield_now().await;
            }
        }
    }

    fn life(&self) -> Option<Arc<Life>> {
        self.now.borrow().clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for life in &lock(&self.past).lives {
            counts += life.ledger().counts;
        }
        counts
    }

    pub(crate) fn row(&self) -> Row {
        let counts = self.counts();
        let past = lock(&self.past);
        Row {
            name: self.framework.name().to_owned(),
            lives: past.lives.len() as u64,
            crashes: past.crashes,
            counts,
            memory: grown(&past.memory),
        }
    }
}

/// The most memory in the second quarter of a life, and in the last.
fn grown(samples: &[(Instant, u64)]) -> Option<(u64, u64)> {
    let quarter = samples.len() / 4;
    let most = |samples: &[(Instant, u64)]| samples.iter().map(|(_, memory)| *memory).max();
    let start = most(samples.get(quarter..2 * quarter)?)?;
    let end = most(samples.get(3 * quarter..)?)?;
    Some((start, end))
}

/// How much of the run there are restarts.
const RESTARTING: f64 = 0.4;
/// How often a service is started.
const LIVES: u32 = 6;
/// The life in which the reader of the log dies.
const DEAF: u32 = 3;
/// Connections of a crowd.
const CROWD: usize = 150;
const SAMPLE: Duration = Duration::from_millis(250);
