//! Clients that speak HTTP/1.1 and listen to the end, however slow they are.

use std::io;
use std::time::Duration;

use correlation_testkit::{Connection, request as bytes_of};
use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::Attacker;
use crate::headers::unique_id;
use crate::request::{Answer, Endpoint, Request};

impl Attacker {
    fn request(&mut self) -> Request {
        let endpoint = Endpoint::random(&mut self.rng);
        Request::random(&mut self.rng, &self.world, &self.life, endpoint)
    }

    pub(super) async fn keep_alive(&mut self) -> &'static str {
        if let Some(mut connection) = self.connect().await {
            for _ in 0..self.rng.random_range(2..12) {
                let request = self.request();
                if let Err(error) = self.exchange(&mut connection, &request).await {
                    self.failed(&error, &format!("keep-alive, {request:?}"));
                    break;
                }
            }
        }
        "connections kept alive"
    }

    pub(super) async fn new_connection(&mut self) -> &'static str {
        let request = self.request();
        if let Some(mut connection) = self.connect().await
            && let Err(error) = self.exchange(&mut connection, &request).await
        {
            self.failed(&error, &format!("{request:?}"));
        }
        "connections with one request"
    }

    /// Many requests before the first answer.
    pub(super) async fn pipeline(&mut self) -> &'static str {
        let count = self.rng.random_range(2..16);
        let requests: Vec<_> = (0..count).map(|_| self.request()).collect();
        if let Some(mut connection) = self.connect().await
            && let Err(error) = self.pipelined(&mut connection, &requests).await
        {
            self.failed(&error, "pipelined");
        }
        "pipelines"
    }

    async fn pipelined(&self, connection: &mut Connection, requests: &[Request]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for request in requests {
            self.open(request);
            bytes.extend(bytes_of(
                request.method,
                &request.path,
                &request.headers.lines,
            ));
        }
        let mut result = connection.write(&bytes).await;
        for request in requests {
            match result {
                Ok(()) => {
                    let answer = connection.read_response().await;
                    result = self.compare(request, answer).map(drop);
                }
                Err(_) => self.lose(request),
            }
        }
        result
    }

    /// Bytes that come one after the other, and an answer that is read so.
    pub(super) async fn be_slow(&mut self) -> &'static str {
        let chunks = self.rng.random_range(1..20);
        let endpoint = match self.rng.random() {
            true => Endpoint::Stream { chunks },
            false => Endpoint::Log { n: 200 },
        };
        let request = Request::random(&mut self.rng, &self.world, &self.life, endpoint);
        if let Some(mut connection) = self.connect().await {
            self.open(&request);
            let answer = self.slowly(&mut connection, &request).await;
            if let Err(error) = self.compare(&request, answer) {
                self.failed(&error, &format!("slow, {request:?}"));
            }
        }
        "slow clients"
    }

    async fn slowly(
        &mut self,
        connection: &mut Connection,
        request: &Request,
    ) -> io::Result<correlation_testkit::Response> {
        let bytes = bytes_of(request.method, &request.path, &request.headers.lines);
        let piece = bytes.len() / self.rng.random_range(2..8) + 1;
        for piece in bytes.chunks(piece) {
            connection.write(piece).await?;
            sleep(Duration::from_millis(self.rng.random_range(0..20))).await;
        }
        let mut response = connection.read_head().await?;
        if response.list("transfer-encoding") == ["chunked"] {
            while let Some(chunk) = connection.read_chunk().await? {
                response.body.extend(chunk);
                sleep(Duration::from_millis(self.rng.random_range(0..10))).await;
            }
        } else if let Some(length) = response.values("content-length").first() {
            for _ in 0..length.parse().unwrap_or(0) {
                response.body.extend(connection.read_exact(1).await?);
            }
        }
        Ok(response)
    }

    /// A client that tries again, with the same ID.
    pub(super) async fn retry(&mut self) -> &'static str {
        let id = unique_id(&mut self.rng, self.world.token());
        if let Some(mut connection) = self.connect().await {
            for answer in [
                Answer::Close,
                Answer::Status(503),
                Answer::Redirect,
                Answer::Ok,
            ] {
                let endpoint = Endpoint::Relay(answer);
                let request =
                    Request::with_id(&mut self.rng, &self.world, &self.life, endpoint, &id);
                if let Err(error) = self.exchange(&mut connection, &request).await {
                    self.failed(&error, &format!("retry, {request:?}"));
                    break;
                }
            }
        }
        "calls tried again"
    }

    pub(super) async fn panic(&mut self) -> &'static str {
        let request = Request::random(&mut self.rng, &self.world, &self.life, Endpoint::Panic);
        if let Some(mut connection) = self.connect().await {
            match self.exchange(&mut connection, &request).await {
                Err(error) if !request.may_close(&self.life) => self.failed(&error, "panic"),
                Ok(_) | Err(_) => {}
            }
        }
        "panics"
    }

    /// What is no HTTP. Whatever comes back is the server's own business, and has nobody's ID.
    pub(super) async fn talk_nonsense(&mut self) -> &'static str {
        let nonsense: &[&[u8]] = &[
            b"GET /id HTTP/1.1\r\nHost: a\r\nX-Correlation-ID : forged-1\r\n\r\n",
            b"GET /id HTTP/1.1\r\nHost: a\r\nX-Correlation-ID: forged\0-2\r\n\r\n",
            b"GET /id\r\nX-Correlation-ID: forged-3\r\n\r\n",
            b"GET /id HTTP/9.9\r\nX-Correlation-ID: forged-4\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage, and no frame",
            b"\r\n\r\n\r\n",
            b"correlation_id=forged-5\n{\"correlation_id\":\"forged-6\"}\n",
        ];
        if let Some(mut connection) = self.connect().await {
            let bytes = nonsense[self.rng.random_range(0..nonsense.len())];
            let _ = connection.write(bytes).await;
            // There may never be an answer.
            let _ = timeout(Duration::from_millis(20), connection.read_head()).await;
        }
        "nonsense"
    }
}
