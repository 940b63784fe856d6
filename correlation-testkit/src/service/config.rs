//! An environment that cannot be obeyed ends the service before it listens.

use std::io;

use super::process::run_to_end;
use crate::Report;

/// Starts the service with one bad value after the other, and on a port that is taken.
pub(super) async fn check(exe: &str) -> Report {
    let mut report = Report::default();
    for (name, value, allowed) in BAD {
        let result = refused(&mut report, exe, name, value, allowed).await;
        report.ok(format_args!("{name}={value}"), result);
    }
    let result = taken(&mut report, exe).await;
    report.ok("a port that is taken", result);
    report
}

async fn refused(
    report: &mut Report,
    exe: &str,
    name: &str,
    value: &str,
    allowed: &str,
) -> io::Result<()> {
    let what = format!("{name}={value}");
    let output = run_to_end(exe, &[(name, value)]).await?;
    report.equal(&what, output.status.code(), Some(2));
    report.holds(output.stdout.is_empty(), || {
        format!("{what}: on standard output {:?}", output.stdout)
    });
    let told = match &output.stderr[..] {
        [line] => [name, value, allowed]
            .iter()
            .all(|part| line.contains(part)),
        _ => false,
    };
    report.holds(told, || {
        let stderr = &output.stderr;
        format!("{what}: want one line with name, value and {allowed:?}, got {stderr:?}")
    });
    Ok(())
}

/// That is no invalid value, so the status only says that it failed.
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

/// Variable, value, and what the message must name as allowed.
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
