//! Clients that leave in the middle.

use std::time::Duration;

use correlation_testkit::request as bytes_of;
use rand::RngExt;
use tokio::time::timeout;

use super::Attacker;
use crate::request::{Endpoint, Request};

impl Attacker {
    /// Not all of the request is sent.
    pub(super) async fn die_in_request(&mut self) -> &'static str {
        let endpoint = Endpoint::random(&mut self.rng);
        let request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
        let bytes = bytes_of(request.method, &request.path, &request.headers.lines);
        let sent = self.rng.random_range(0..bytes.len());
        if let Some(mut connection) = self.connect().await {
            self.open(&request);
            let _ = connection.write(&bytes[..sent]).await;
            self.lose(&request);
        }
        "clients that died in the request"
    }

    /// The answer is not read, or not to its end: with bytes unread, the connection is reset.
    pub(super) async fn die_in_response(&mut self) -> &'static str {
        let endpoint = match self.rng.random_range(0..3) {
            0 => Endpoint::Sleepy { steps: 20, ms: 2 },
            1 => Endpoint::relay(&mut self.rng),
            _ => Endpoint::Log { n: 100 },
        };
        let request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
        let bytes = bytes_of(request.method, &request.path, &request.headers.lines);
        if let Some(mut connection) = self.connect().await {
            self.open(&request);
            if connection.write(&bytes).await.is_ok() && self.rng.random() {
                // Perhaps in vain: the handler may be slower.
                let some = connection.read_exact(self.rng.random_range(1..60));
                let _ = timeout(Duration::from_millis(100), some).await;
            }
            drop(connection);
            self.lose(&request);
        }
        "clients that died in the answer"
    }

    pub(super) async fn die_in_stream(&mut self) -> &'static str {
        let endpoint = Endpoint::Stream { chunks: 50 };
        let request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
        let bytes = bytes_of(request.method, &request.path, &request.headers.lines);
        if let Some(mut connection) = self.connect().await {
            self.open(&request);
            if connection.write(&bytes).await.is_ok() && connection.read_head().await.is_ok() {
                for _ in 0..self.rng.random_range(0..5) {
                    let _ = connection.read_chunk().await;
                }
            }
            self.lose(&request);
        }
        "clients that died in the stream"
    }

    /// A time-out of the client: the handler is cancelled.
    pub(super) async fn lose_patience(&mut self) -> &'static str {
        let steps = self.rng.random_range(1..40);
        let endpoint = Endpoint::Sleepy { steps, ms: 2 };
        let request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
        if let Some(mut connection) = self.connect().await {
            let patience = Duration::from_millis(self.rng.random_range(0..40));
            match timeout(patience, self.exchange(&mut connection, &request)).await {
                Ok(Err(error)) => self.failed(&error, "time-out"),
                Ok(Ok(_)) => {}
                Err(_) => self.lose(&request),
            }
        }
        "time-outs"
    }
}
