//! Assertions for tests of your own service: do all its log lines and outbound calls have the ID?
//!
//! Your test sends a request with an ID through the test client of your framework
//! (`tower::ServiceExt`, `actix_web::test`, `rocket::local`, `warp::test`) or through a socket.
//! Then it checks here what the service has logged and called.
//!
//! ```
//! use correlation_core::testing::{CallRecorder, LogCapture};
//! # use correlation_core::{CorrelationId, inject_with, scope};
//! # use std::io::{Read, Write};
//! # fn call(url: &str) {
//! #     let host = url.trim_start_matches("http://").trim_end_matches('/');
//! #     let mut head = format!("GET /stock HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
//! #     inject_with(|name, value| head.push_str(&format!("{name}: {value}\r\n")));
//! #     let mut stream = std::net::TcpStream::connect(host).unwrap();
//! #     write!(stream, "{head}\r\n").unwrap();
//! #     stream.read(&mut [0; 256]).unwrap();
//! # }
//! # struct App(String);
//! # impl App {
//! #     async fn send(&self, id: &str) -> String {
//! #         let id: CorrelationId = id.parse().unwrap();
//! #         scope(id, async { tracing::info!("order placed"); call(&self.0); id_of_response() }).await
//! #     }
//! # }
//! # fn id_of_response() -> String { correlation_core::current().unwrap().to_string() }
//! # fn app(stock: &str) -> App { App(stock.to_owned()) }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! // #[tokio::test] async fn all_has_the_id() {
//! let log = LogCapture::start();
//! let stock = CallRecorder::start();
//! let app = app(&stock.url());
//!
//! let id_of_response = app.send("test-1").await; // with the header X-Correlation-ID: test-1
//!
//! assert_eq!(id_of_response, "test-1");
//! log.assert_all("test-1");
//! stock.assert_all("test-1");
//! # }
//! ```

mod calls;
mod logs;

pub use calls::{CallRecorder, RecordedCall};
pub use logs::{LogCapture, LogLine};
