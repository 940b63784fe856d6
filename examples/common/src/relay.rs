//! How `/relay` and `/test` choose the URL they call; the call itself is the framework's.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// Query of `GET /relay`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct RelayQuery {
    /// Path and query below `DOWNSTREAM`.
    pub path: String,
}

impl Default for RelayQuery {
    fn default() -> Self {
        Self {
            path: "/id".to_owned(),
        }
    }
}

/// One element of the body of `POST /test`: `arguments` are to be sent as JSON to `url`.
#[derive(Clone, Debug, Deserialize)]
pub struct TestCall {
    /// Where to send them.
    pub url: String,
    /// What to send.
    pub arguments: Value,
}

/// The URL that `/relay?path=PATH` calls.
///
/// # Errors
///
/// Without `DOWNSTREAM`, and for a path that does not start with `/`: appended to the base URL,
/// `@evil.example/` would name another host.
pub fn url(downstream: Option<&str>, path: &str) -> Result<String, CannotRelay> {
    let base = downstream.ok_or(CannotRelay::NoDownstream)?;
    if !path.starts_with('/') {
        return Err(CannotRelay::BadPath);
    }
    Ok(format!("{base}{path}"))
}

/// Why `/relay` calls nobody. Its text is fit for the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CannotRelay {
    /// The service was started without `DOWNSTREAM`.
    NoDownstream,
    /// The path does not start with `/`.
    BadPath,
}

impl CannotRelay {
    /// The HTTP status to answer with.
    pub fn status(self) -> u16 {
        match self {
            Self::NoDownstream => 503,
            Self::BadPath => 400,
        }
    }
}

impl fmt::Display for CannotRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDownstream => "no downstream: start this service with DOWNSTREAM=http://..",
            Self::BadPath => "path must start with /",
        })
    }
}

impl std::error::Error for CannotRelay {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_base_and_path() {
        let url = url(Some("http://127.0.0.1:1"), "/id?x=1");
        assert_eq!(url.as_deref(), Ok("http://127.0.0.1:1/id?x=1"));
    }

    #[test]
    fn refuses_what_would_name_another_host() {
        let refused = url(Some("http://127.0.0.1:1"), "@evil.example/").unwrap_err();
        assert_eq!((refused, refused.status()), (CannotRelay::BadPath, 400));
    }

    #[test]
    fn says_that_the_downstream_is_missing() {
        let refused = url(None, "/id").unwrap_err();
        assert_eq!(refused.status(), 503);
        assert!(refused.to_string().contains("DOWNSTREAM"));
    }
}
