//! If two parsers may read a header line in two ways, it gives no request an ID.

use std::net::SocketAddr;

use super::FRESH;
use crate::{Connection, Report};

/// Sends lines that RFC 9112, sections 5.1 and 5.2, does not allow. The server may answer with an
/// error, close the connection, or drop the line.
pub async fn check(addr: SocketAddr) -> Report {
    let mut report = Report::default();
    for line in [
        "X-Correlation-ID: a\r\n b",
        "X-Correlation-ID: a\r\n\tb",
        "X-Correlation-ID: a\r\n X-Request-ID: b",
        "X-Correlation-ID : a",
        "X-Correlation-ID\t: a",
        " X-Correlation-ID: a",
        "X-Correlation-ID: a\0",
        "X-Correlation-ID: a\rX-Request-ID: b",
    ] {
        let what = format!("smuggled, {line:?}");
        let exchange = async |report: &mut Report| {
            let mut connection = Connection::open(addr).await?;
            let request = format!("GET /id HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n");
            connection.write(request.as_bytes()).await?;
            let answer = connection.read_response().await;
            let gives_none = match &answer {
                Ok(answer) => answer.ids().iter().all(|id| FRESH.matches(id)),
                Err(_) => true,
            };
            report.holds(gives_none, || format!("{what}: {answer:?}"));
            Ok(())
        };
        report.part(&what, exchange).await;
    }
    report
}
