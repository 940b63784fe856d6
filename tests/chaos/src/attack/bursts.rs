//! Many at once: HTTP/2 with streams that are reset, and crowds of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use correlation_testkit::{Connection, Multiplexed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Attacker;
use crate::request::{Endpoint, Request};

impl Attacker {
    /// One connection, many streams, some of them reset.
    pub(super) async fn multiplex(&mut self) -> &'static str {
        let connection = match Multiplexed::open(self.life.addr).await {
            Ok(connection) => connection,
            Err(error) => {
                self.failed(&error, "HTTP/2");
                return "HTTP/2 connections";
            }
        };
        let reset = Arc::new(AtomicBool::new(false));
        let mut streams = JoinSet::new();
        for _ in 0..self.rng.random_range(1..24) {
            let mut endpoint = Endpoint::random(&mut self.rng);
            if endpoint == Endpoint::WrongMethod {
                endpoint = Endpoint::Id;
            }
            let mut request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
            // RFC 9113, section 8.2.2: not in HTTP/2.
            let hop = |name: &str| name.eq_ignore_ascii_case("connection");
            request.headers.lines.retain(|(name, _)| !hop(name));
            let patience = match self.rng.random_ratio(1, 5) {
                true => Duration::from_millis(self.rng.random_range(0..20)),
                false => Duration::MAX,
            };
            let (connection, reset) = (connection.clone(), Arc::clone(&reset));
            let attacker = self.twin();
            streams.spawn(async move {
                attacker.open(&request);
                let answer = connection.get(&request.path, &request.headers.lines);
                match timeout(patience, answer).await {
                    Ok(answer) => {
                        if let Err(error) = attacker.compare(&request, answer)
                            // A server may give up a connection whose streams are reset.
                            && !reset.load(Ordering::SeqCst)
                        {
                            attacker.failed(&error, &format!("HTTP/2, {request:?}"));
                        }
                    }
                    // Dropped, it is reset.
                    Err(_) => {
                        reset.store(true, Ordering::SeqCst);
                        attacker.lose(&request);
                        attacker.world.count("HTTP/2 streams reset", 1);
                    }
                }
            });
        }
        self.world.count("HTTP/2 streams", streams.len() as u64);
        streams.join_all().await;
        "HTTP/2 connections"
    }

    /// Connections that are open at the same time, and used in any order.
    pub(crate) async fn crowd(&mut self, size: usize) {
        let opened = Instant::now();
        let mut crowd: Vec<Connection> = Vec::new();
        for _ in 0..size {
            crowd.extend(self.connect().await);
        }
        self.world
            .count("connections of crowds", crowd.len() as u64);
        while let Some(at) = crowd.len().checked_sub(1) {
            let at = self.rng.random_range(0..=at);
            let request = Request::random(
                &mut self.rng,
                &self.world,
                &self.life,
                Endpoint::Log { n: 2 },
            );
            let answer = self.exchange(&mut crowd[at], &request).await;
            // Who says nothing for seconds is sent away.
            if let Err(error) = &answer
                && opened.elapsed() < IDLE
            {
                self.failed(error, "crowd");
            }
            if answer.is_err() || self.rng.random_ratio(1, 3) {
                crowd.swap_remove(at);
            }
        }
    }

    /// Another client of the same service.
    fn twin(&mut self) -> Self {
        let rng = StdRng::seed_from_u64(self.rng.random());
        Self::new(rng, Arc::clone(&self.world), Arc::clone(&self.life))
    }
}

/// Half of what the most impatient server waits for a request.
const IDLE: Duration = Duration::from_millis(2500);
