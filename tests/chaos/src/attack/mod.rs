//! The attacks: each takes a service for a while, and leaves it as a client that has no manners.

mod bursts;
mod dying;
mod http1;
mod sockets;

use std::io;
use std::sync::Arc;

use correlation_testkit::{Connection, Response};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::counts::Fault;
use crate::life::Life;
use crate::request::Request;
use crate::world::World;

/// A client of one service.
pub(crate) struct Attacker {
    pub(crate) rng: StdRng,
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.life.leave();
    }
}

impl Attacker {
    pub(crate) fn new(rng: StdRng, world: Arc<World>, life: Arc<Life>) -> Self {
        life.enter();
        Self { rng, world, life }
    }

    /// One attack, whichever comes.
    pub(crate) async fn attack(&mut self) {
        let name = match self.rng.random_range(0..100) {
            0..30 => self.keep_alive().await,
            30..42 => self.new_connection().await,
            42..54 => self.pipeline().await,
            54..66 => self.multiplex().await,
            66..70 => self.die_in_request().await,
            70..75 => self.die_in_response().await,
            75..79 => self.die_in_stream().await,
            79..84 => self.lose_patience().await,
            84..87 => self.be_slow().await,
            87..91 => self.converse().await,
            91..95 => self.retry().await,
            95..98 => self.panic().await,
            _ => self.talk_nonsense().await,
        };
        self.world.count(name, 1);
    }

    fn open(&self, request: &Request) {
        self.life.ledger().open(request.expected(&self.life));
    }

    /// Sends a request and compares the answer.
    async fn exchange(
        &self,
        connection: &mut Connection,
        request: &Request,
    ) -> io::Result<Response> {
        self.open(request);
        let Request { method, path, .. } = request;
        let answer = connection.send(method, path, &request.headers.lines).await;
        self.compare(request, answer)
    }

    /// Compares an answer, if there is one.
    fn compare(&self, request: &Request, answer: io::Result<Response>) -> io::Result<Response> {
        match answer {
            Ok(response) => {
                let id = self.life.ledger().answered(request.token, &response.ids());
                if let Some(id) = id {
                    request.check(&response, &id, &self.life, &self.world);
                }
                Ok(response)
            }
            Err(error) => {
                self.lose(request);
                Err(error)
            }
        }
    }

    fn lose(&self, request: &Request) {
        self.life.ledger().lost(request.token);
    }

    /// A connection that fails is a fault, unless the service is about to end.
    fn failed(&self, error: &io::Error, what: &str) {
        if !self.life.is_stopping() {
            let what = || format!("{error}: {what}");
            self.life.ledger().fault(Fault::Wrong, what);
        }
    }

    async fn connect(&self) -> Option<Connection> {
        match Connection::open(self.life.addr).await {
            Ok(connection) => Some(connection),
            Err(error) => {
                self.failed(&error, "connect");
                None
            }
        }
    }
}
