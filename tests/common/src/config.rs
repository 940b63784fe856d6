//! The environment variables, read once at start-up.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::{env, fmt, process};

use correlation_core::{Policy, TraceContext, Trust};
use http::Uri;
use tracing_subscriber::EnvFilter;

/// What the environment asks of a service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// `LISTEN`: the address to listen on.
    pub listen: SocketAddr,
    /// `DOWNSTREAM`: the base URL that `/relay` calls, without a slash at its end.
    pub downstream: Option<String>,
    /// `TRUST`: which callers may choose the ID.
    pub trust: Trust,
    /// `TRACE_CONTEXT`: what becomes of an inbound `traceparent`, and whether one is sent without.
    pub trace_context: TraceContext,
    /// `LOG_FORMAT`: how a log record looks.
    pub log_format: LogFormat,
    /// `RUST_LOG`: which log records are written.
    pub filter: String,
}

/// How a log record looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// One line for people.
    Text,
}

impl Config {
    /// Reads the environment; an invalid value ends the process with one line on standard error
    /// and status 2, before anything listens.
    pub fn from_env_or_exit() -> Self {
        Self::from_env().unwrap_or_else(|error| {
            // Not `eprintln!`, which panics if nobody reads it.
            let _ = writeln!(io::stderr(), "{error}");
            process::exit(2)
        })
    }

    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// For the first variable whose value is not allowed.
    pub fn from_env() -> Result<Self, InvalidVariable> {
        Self::read(&|name| env::var_os(name))
    }

    /// The inbound rules that the environment asks for.
    pub fn policy(&self) -> Policy {
        Policy::new()
            .trust(self.trust.clone())
            .trace_context(self.trace_context)
    }

    fn read(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, InvalidVariable> {
        Ok(Self {
            listen: parsed(variable, "LISTEN", listen)?
                .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 3000).into()),
            downstream: parsed(variable, "DOWNSTREAM", base_url)?,
            trust: parsed(variable, "TRUST", trust)?.unwrap_or_default(),
            trace_context: parsed(variable, "TRACE_CONTEXT", trace_context)?
                .unwrap_or(TraceContext::Forward),
            log_format: parsed(variable, "LOG_FORMAT", log_format)?.unwrap_or(LogFormat::Json),
            filter: parsed(variable, "RUST_LOG", filter)?
                .unwrap_or_else(|| DEFAULT_FILTER.to_owned()),
        })
    }
}

/// Reads one variable; its parser names what is allowed when the value is not.
fn parsed<T>(
    variable: &dyn Fn(&str) -> Option<OsString>,
    name: &'static str,
    parse: fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, InvalidVariable> {
    let Some(value) = variable(name) else {
        return Ok(None);
    };
    let invalid = |problem| InvalidVariable {
        name,
        value: value.clone(),
        problem,
    };
    let text = value.to_str().ok_or_else(|| invalid("must be UTF-8"))?;
    parse(text).map(Some).map_err(invalid)
}

fn listen(value: &str) -> Result<SocketAddr, &'static str> {
    let allowed = "allowed is an IP address with a port, such as 127.0.0.1:3000 or [::1]:0";
    value.parse().map_err(|_| allowed)
}

fn base_url(value: &str) -> Result<String, &'static str> {
    let plain = |uri: &Uri| {
        uri.scheme_str() == Some("http")
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
            && !value.contains('#')
    };
    match value.parse::<Uri>() {
        Ok(uri) if plain(&uri) => Ok(value.trim_end_matches('/').to_owned()),
        _ => Err("allowed is an http:// base URL, such as http://127.0.0.1:3001"),
    }
}

fn trust(value: &str) -> Result<Trust, &'static str> {
    let allowed = "allowed: always, never, or networks such as 10.0.0.0/8,::1";
    value.parse().map_err(|_| allowed)
}

fn trace_context(value: &str) -> Result<TraceContext, &'static str> {
    match value {
        "off" => Ok(TraceContext::Off),
        "forward" => Ok(TraceContext::Forward),
        // Nothing is recorded here, so nobody is asked to record what begins here.
        "participate" => Ok(TraceContext::Participate { sampled: false }),
        _ => Err("allowed: off, forward, participate"),
    }
}

fn log_format(value: &str) -> Result<LogFormat, &'static str> {
    match value {
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err("allowed: json, text"),
    }
}

/// Blanks and empty parts are skipped as by `tracing::init()`; if all are empty, none is set.
fn filter(value: &str) -> Result<String, &'static str> {
    let parts = value.split(',').map(str::trim);
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Ok(DEFAULT_FILTER.to_owned());
    }
    let filter = parts.join(",");
    match EnvFilter::try_new(&filter) {
        Ok(_) => Ok(filter),
        Err(_) => Err("allowed is a tracing filter, such as info or warn,my_service=debug"),
    }
}

const DEFAULT_FILTER: &str = "info";

/// An environment variable whose value is not allowed. Its text is one line that names the
/// variable, the value and what is allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidVariable {
    name: &'static str,
    value: OsString,
    problem: &'static str,
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            value,
            problem,
        } = self;
        // `{:?}` escapes line breaks, so that this stays one line.
        write!(f, "invalid {name} {value:?}: {problem}")
    }
}

impl std::error::Error for InvalidVariable {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Config, InvalidVariable> {
        Config::read(&|asked| (asked == name).then(|| value.into()))
    }

    #[test]
    fn defaults() {
        let config = Config::read(&|_| None).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.downstream, None);
        assert_eq!(format!("{:?}", config.trust), "Trust::always()");
        assert!(matches!(config.trace_context, TraceContext::Forward));
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.filter, "info");
    }

    #[test]
    fn every_allowed_value_is_read() {
        for (name, value, part) in [
            ("LISTEN", "[::1]:0", "listen: [::1]:0"),
            (
                "DOWNSTREAM",
                "http://a.example:9/base/",
                r#"Some("http://a.example:9/base")"#,
            ),
            ("TRUST", "never", "trust: Trust::never()"),
            ("TRUST", "always", "trust: Trust::always()"),
            ("TRUST", "10.0.0.0/8,::1", "trust: Trust::when(..)"),
            ("TRACE_CONTEXT", "off", "trace_context: Off"),
            ("TRACE_CONTEXT", "forward", "trace_context: Forward"),
            (
                "TRACE_CONTEXT",
                "participate",
                "Participate { sampled: false }",
            ),
            ("LOG_FORMAT", "text", "log_format: Text"),
            ("RUST_LOG", "warn,a=debug", r#"filter: "warn,a=debug""#),
            ("RUST_LOG", " warn ,, a=debug,", r#"filter: "warn,a=debug""#),
            (
                "RUST_LOG",
                "info,[{correlation_id=a}]=trace",
                r#""info,[{correlation_id=a}]=trace""#,
            ),
            ("RUST_LOG", "", r#"filter: "info""#),
            ("RUST_LOG", " , ", r#"filter: "info""#),
        ] {
            let config = format!("{:?}", read(name, value).unwrap());
            assert!(config.contains(part), "{name}={value}: {config}");
        }
    }

    #[test]
    fn every_error_is_one_line_with_name_value_and_what_is_allowed() {
        for (name, value, allowed) in [
            ("LISTEN", "3000", "127.0.0.1:3000"),
            ("LISTEN", "localhost:3000", "127.0.0.1:3000"),
            ("DOWNSTREAM", "", "http://"),
            ("DOWNSTREAM", "https://a.example", "http://"),
            ("DOWNSTREAM", "127.0.0.1:3001", "http://"),
            ("DOWNSTREAM", "http://", "http://"),
            ("DOWNSTREAM", "http://a.example/?q=1", "http://"),
            ("DOWNSTREAM", "http://a.example/#top", "http://"),
            ("TRUST", "Always", "always, never"),
            ("TRUST", "", "always, never"),
            ("TRUST", "10.1.2.3/8", "10.0.0.0/8"),
            ("TRACE_CONTEXT", "on", "off, forward, participate"),
            ("TRACE_CONTEXT", "Participate", "off, forward, participate"),
            ("TRACE_CONTEXT", "sampled", "off, forward, participate"),
            ("LOG_FORMAT", "xml", "json, text"),
            ("RUST_LOG", "a=b=c", "tracing filter"),
            ("RUST_LOG", "info,a=verbose", "tracing filter"),
            ("RUST_LOG", "info,[{a", "tracing filter"),
        ] {
            let line = read(name, value).unwrap_err().to_string();
            assert!(line.contains(name), "{line}");
            assert!(line.contains(&format!("{value:?}")), "{line}");
            assert!(line.contains(allowed), "{line}");
        }
        let line = read("TRUST", "a\nb").unwrap_err().to_string();
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}
