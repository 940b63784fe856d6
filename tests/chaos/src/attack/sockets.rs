//! WebSockets.

use std::io;

use correlation_testkit::WebSocket;
use rand::RngExt;

use super::Attacker;
use crate::request::{Endpoint, Request};

impl Attacker {
    pub(super) async fn converse(&mut self) -> &'static str {
        let endpoint = Endpoint::WebSocket;
        let mut request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
        while request
            .headers
            .lines
            .iter()
            .any(|(_, value)| str::from_utf8(value).is_err())
        {
            request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
        }
        self.open(&request);
        if let Err(error) = self.conversation(&request).await {
            self.failed(&error, &format!("WebSocket, {request:?}"));
        }
        "WebSockets"
    }

    async fn conversation(&mut self, request: &Request) -> io::Result<()> {
        let lines = request.headers.lines.iter();
        let headers: Vec<_> = lines
            .filter_map(|(name, value)| Some((*name, str::from_utf8(value).ok()?)))
            .collect();
        let opened = WebSocket::open(self.life.addr, &request.path, &headers).await;
        let (answer, socket) = match opened {
            Ok((response, socket)) => (Ok(response), socket),
            Err(error) => (Err(error), None),
        };
        let response = self.compare(request, answer)?;
        let Some(mut socket) = socket else {
            return Ok(());
        };
        let id = response.ids().concat();
        for n in 0..self.rng.random_range(0..8) {
            let read = socket.ask(&format!("forged-{n}")).await?;
            self.world.count("WebSocket messages", 1);
            if read != id {
                let mut ledger = self.life.ledger();
                let fault = ledger.blame(&read);
                ledger.fault(fault, || format!("WebSocket of {id:?} reads {read:?}"));
            }
        }
        Ok(())
    }
}
