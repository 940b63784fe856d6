//! A service with an invalid environment ends before it listens.

use std::io;

use super::process::{Output, run_to_end};
use crate::Report;

/// Starts the service with each bad value, and on a port that is taken.
pub(super) async fn check(exe: &str) -> Report {
    let mut report = Report::default();
    for (name, value, allowed) in BAD {
        let what = format!("{name}={value}");
        let refused = async |report: &mut Report| {
            let Output {
                status,
                stdout,
                stderr,
            } = run_to_end(exe, &[(name, value)]).await?;
            report.equal(&what, status.code(), Some(2));
            report.equal(format_args!("{what}: standard output"), stdout, [""; 0]);
            let parts = [name, value, allowed];
            let told = stderr.len() == 1 && parts.iter().all(|part| stderr[0].contains(*part));
            report.holds(told, || {
                format!("{what}: want one line with name, value and {allowed:?}, got {stderr:?}")
            });
            Ok(())
        };
        report.part(&what, refused).await;
    }
    let taken = async |report: &mut Report| taken(report, exe).await;
    report.part("a port that is taken", taken).await;
    report
}

/// A taken port is not an invalid value, so only the status says that the service failed.
async fn taken(report: &mut Report, exe: &str) -> io::Result<()> {
    let what = "a port that is taken";
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?.to_string();
    let output = run_to_end(exe, &[("LISTEN", &addr)]).await?;
    let text = output.stderr.join("\n");
    report.holds(!output.status.success(), || format!("{what}: status 0"));
    report.holds(text.to_lowercase().contains("in use"), || {
        format!("{what}: does not say so: {text:?}")
    });
    for word in ["listening on", "panicked"] {
        report.holds(!text.contains(word), || format!("{what}: {text:?}"));
    }
    Ok(())
}

/// The variable, the value, and the allowed values that the message must name.
const BAD: &[(&str, &str, &str)] = &[
    ("LISTEN", "nowhere", "127.0.0.1:3000"),
    ("LISTEN", "127.0.0.1:65536", "127.0.0.1:3000"),
    ("DOWNSTREAM", "ftp://a.example", "http://"),
    ("TRUST", "sometimes", "always, never"),
    ("TRACE_CONTEXT", "on", "off, forward, participate"),
    ("TRACE_CONTEXT", "", "off, forward, participate"),
    ("LOG_FORMAT", "xml", "json, text"),
    ("RUST_LOG", "a=b=c", "filter"),
];
