//! An HTTP/2 client with prior knowledge, which sends many requests at the same time on one
//! connection.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderName, HeaderValue, Request};
use tokio::net::TcpStream;

use crate::Response;
use crate::client::in_time;

/// One HTTP/2 connection. Clones share it.
#[derive(Clone, Debug)]
pub struct Multiplexed {
    sender: SendRequest<Bytes>,
    addr: SocketAddr,
}

impl Multiplexed {
    /// Connects without asking whether the server speaks HTTP/2.
    ///
    /// # Errors
    ///
    /// If nothing listens there.
    pub async fn open(addr: SocketAddr) -> io::Result<Self> {
        in_time(async {
            let stream = TcpStream::connect(addr).await?;
            let (sender, connection) = h2::client::Builder::new()
                // Here, many requests with many small chunks are not an attack.
                .data_frame_budget(usize::MAX)
                .handshake(stream)
                .await
                .map_err(io::Error::other)?;
            // It ends with the last clone. A failure shows in the requests.
            tokio::spawn(connection);
            Ok(Self { sender, addr })
        })
        .await
    }

    /// Sends a GET request on a separate stream, and reads the whole response.
    ///
    /// # Errors
    ///
    /// If the server does not speak HTTP/2, or resets the stream.
    pub async fn get(
        &self,
        path: &str,
        headers: &[(impl AsRef<str>, impl AsRef<[u8]>)],
    ) -> io::Result<Response> {
        let mut request = Request::get(format!("http://{}{path}", self.addr))
            .body(())
            .map_err(io::Error::other)?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_ref().as_bytes());
            let value = HeaderValue::from_bytes(value.as_ref());
            request.headers_mut().append(
                name.map_err(io::Error::other)?,
                value.map_err(io::Error::other)?,
            );
        }
        in_time(async { self.exchange(request).await.map_err(io::Error::other) }).await
    }

    async fn exchange(&self, request: Request<()>) -> Result<Response, h2::Error> {
        let mut sender = self.sender.clone().ready().await?;
        let (response, _) = sender.send_request(request, true)?;
        let (head, mut stream) = response.await?.into_parts();
        let mut body = Vec::new();
        while let Some(data) = stream.data().await {
            let data = data?;
            stream.flow_control().release_capacity(data.len())?;
            body.extend_from_slice(&data);
        }
        let headers = head.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        Ok(Response {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body,
        })
    }
}
