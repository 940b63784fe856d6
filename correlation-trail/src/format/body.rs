//! What Docker and Kubernetes write around a line.

use std::borrow::Cow;

use serde::Deserialize;

use crate::clean::clean;
use crate::time::Timestamp;

/// The line as the service wrote it, and what the container knows of it.
#[derive(Debug)]
pub(crate) struct Body<'l> {
    pub(crate) text: Cow<'l, str>,
    pub(crate) service: Option<String>,
    pub(crate) time: Option<Timestamp>,
}

impl<'l> Body<'l> {
    /// Unwraps a line, if anything is around it.
    pub(crate) fn of(line: &'l str) -> Self {
        let (service, line) = without_compose_prefix(line);
        if let Some((time, text)) = kubernetes(line) {
            return Self {
                text: Cow::Borrowed(text),
                service,
                time: Some(time),
            };
        }
        match docker(line) {
            Some(docker) => Self {
                text: Cow::Owned(clean(docker.log.as_bytes()).into_owned()),
                service,
                time: Timestamp::parse(&docker.time),
            },
            None => Self {
                text: Cow::Borrowed(line),
                service,
                time: None,
            },
        }
    }
}

/// `docker compose logs`: `gateway-1  | line`.
fn without_compose_prefix(line: &str) -> (Option<String>, &str) {
    let parts = line.split_once("| ").and_then(|(name, rest)| {
        let name = name.trim_end();
        let (service, number) = name.rsplit_once(['-', '_'])?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = numbered && !service.is_empty() && service.chars().all(plain);
        is_name.then(|| (Some(service.to_owned()), rest))
    });
    parts.unwrap_or((None, line))
}

/// The files of Kubernetes, in the container runtime interface's form: `TIME stdout F line`.
fn kubernetes(line: &str) -> Option<(Timestamp, &str)> {
    let (time, rest) = Timestamp::leading(line)?;
    let text = [" stdout F ", " stderr F ", " stdout P ", " stderr P "]
        .into_iter()
        .find_map(|stream| rest.strip_prefix(stream))?;
    Some((time, text))
}

/// A line in the files of Docker's `json-file` driver.
#[derive(Deserialize)]
struct Docker {
    log: String,
    #[serde(rename = "stream")]
    _stream: String,
    time: String,
}

fn docker(line: &str) -> Option<Docker> {
    // The driver writes the keys in this order.
    let candidate = line.starts_with("{\"log\":\"");
    candidate.then(|| serde_json::from_str(line).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_unwrapped() {
        for (line, service, timed, text) in [
            ("plain", None, false, "plain"),
            (
                "gateway-1  | {\"a\":1}",
                Some("gateway"),
                false,
                "{\"a\":1}",
            ),
            ("a | b", None, false, "a | b"),
            ("not a-1 | b", None, false, "not a-1 | b"),
            ("2026-11-22T14:15:49.1Z stdout F hello", None, true, "hello"),
            ("2026-11-22T14:15:49.1Z stderr P hello", None, true, "hello"),
            (
                "2026-11-22T14:15:49.1Z stdout of a",
                None,
                false,
                "2026-11-22T14:15:49.1Z stdout of a",
            ),
            (
                r#"{"log":"\u001b[0mhello \"you\"\n","stream":"stdout","time":"2026-11-22T14:15:49.1Z"}"#,
                None,
                true,
                "hello \"you\"",
            ),
            (
                r#"{"log":"a","time":1}"#,
                None,
                false,
                r#"{"log":"a","time":1}"#,
            ),
        ] {
            let body = Body::of(line);
            assert_eq!(body.text, text);
            assert_eq!(body.service.as_deref(), service, "{line}");
            assert_eq!(body.time.is_some(), timed, "{line}");
        }
    }
}
