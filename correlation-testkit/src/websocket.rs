//! A WebSocket client that supports only text frames, which is all that the contract needs.

use std::io;
use std::net::SocketAddr;

use crate::client::invalid;
use crate::{Connection, Response};

/// An upgraded connection.
#[derive(Debug)]
pub struct WebSocket {
    connection: Connection,
}

impl WebSocket {
    /// Requests the upgrade. Without status 101, only the response is returned.
    ///
    /// # Errors
    ///
    /// If the connection ends, or the response is not HTTP.
    pub async fn open(
        addr: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> io::Result<(Response, Option<Self>)> {
        let mut connection = Connection::open(addr).await?;
        let response = connection.get(path, &[HANDSHAKE, headers].concat()).await?;
        let upgraded = (response.status == 101).then_some(Self { connection });
        Ok((response, upgraded))
    }

    /// Sends a text message and reads the next one from the server.
    ///
    /// # Errors
    ///
    /// If the connection ends, or a message that is not text arrives.
    pub async fn ask(&mut self, text: &str) -> io::Result<String> {
        self.connection.write(&frame(text)?).await?;
        loop {
            let head = self.connection.read_exact(2).await?;
            let len = match head[1] {
                len @ 0..=125 => usize::from(len),
                // An ID has up to 255 bytes.
                126 => match self.connection.read_exact(2).await?[..] {
                    [high, low] => usize::from(u16::from_be_bytes([high, low])),
                    _ => return Err(invalid("frame length".to_owned())),
                },
                _ => return Err(invalid(format!("frame head {head:?}"))),
            };
            let payload = self.connection.read_exact(len).await?;
            match head[0] {
                FINAL_TEXT => return String::from_utf8(payload).map_err(io::Error::other),
                PING | PONG => {}
                _ => return Err(invalid(format!("frame head {head:?}"))),
            }
        }
    }
}

/// One masked text frame.
fn frame(text: &str) -> io::Result<Vec<u8>> {
    let len = u8::try_from(text.len()).ok().filter(|len| *len <= 125);
    let len = len.ok_or_else(|| invalid("longer than a short frame".to_owned()))?;
    let mut frame = vec![FINAL_TEXT, MASKED | len];
    frame.extend(MASK);
    let masked = text.bytes().zip(MASK.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    Ok(frame)
}

const HANDSHAKE: &[(&str, &str)] = &[
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
const FINAL_TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
const MASKED: u8 = 0x80;
/// Servers require a mask, but a test need not keep it secret.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_as_in_rfc_6455() {
        let hello = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ];
        assert_eq!(frame("Hello").unwrap(), hello);
    }

    #[test]
    fn refuses_what_does_not_fit_a_short_frame() {
        assert!(frame(&"a".repeat(126)).is_err());
    }
}
