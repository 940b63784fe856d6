/// Formats of other tracing systems that an ID can be taken from, if asked for with
/// [`Policy::parsers`](crate::Policy::parsers).
///
/// The part that names the whole action is taken as it stands, so that the same search finds the
/// lines of that system too.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Parser {
    /// The trace ID, 16 or 32 lower-case hexadecimal digits, of Zipkin's `b3` header or, if that
    /// is absent, of `X-B3-TraceId` (<https://github.com/openzipkin/b3-propagation>).
    B3,
    /// The `Root` field of `X-Amzn-Trace-Id`, such as `1-67891233-abcdef012345678912345678`
    /// (AWS, "Request tracing for your Application Load Balancer").
    XAmznTraceId,
    /// The trace ID, 32 hexadecimal digits, of `X-Cloud-Trace-Context: TRACE_ID/SPAN_ID;o=OPTIONS`
    /// (Google Cloud, "Trace context").
    XCloudTraceContext,
    /// The root of a hierarchical `Request-Id: |root.local.` (.NET, "Hierarchical Request-Id").
    RequestId,
}

impl Parser {
    /// The header it is known by, in lower case.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::B3 => "b3",
            Self::XAmznTraceId => "x-amzn-trace-id",
            Self::XCloudTraceContext => "x-cloud-trace-context",
            Self::RequestId => "request-id",
        }
    }

    /// All headers it reads; the first that is there decides.
    pub(super) const fn headers(self) -> &'static [&'static str] {
        match self {
            Self::B3 => &["b3", "x-b3-traceid"],
            Self::XAmznTraceId => &["x-amzn-trace-id"],
            Self::XCloudTraceContext => &["x-cloud-trace-context"],
            Self::RequestId => &["request-id"],
        }
    }

    /// The part of a header value that names the action; it still has to be a valid ID.
    pub(super) fn id(self, value: &[u8]) -> Option<&[u8]> {
        match self {
            Self::B3 => {
                let id = until(value, b"-");
                let hex = id.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                (hex && matches!(id.len(), 16 | 32) && id.iter().any(|&b| b != b'0')).then_some(id)
            }
            Self::XAmznTraceId => value.split(|&b| b == b';').find_map(|field| {
                let root = crate::header::trim(field).strip_prefix(b"Root=")?;
                is_xray_root(root).then_some(root)
            }),
            Self::XCloudTraceContext => {
                let id = until(value, b"/;");
                (id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit)).then_some(id)
            }
            Self::RequestId => Some(until(value.strip_prefix(b"|").unwrap_or(value), b".")),
        }
    }
}

/// `1-`, 8 hexadecimal digits of time, `-`, 24 random ones.
fn is_xray_root(root: &[u8]) -> bool {
    root.len() == 35
        && root.iter().enumerate().all(|(at, byte)| match at {
            0 => *byte == b'1',
            1 | 10 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn until<'v>(value: &'v [u8], ends: &[u8]) -> &'v [u8] {
    value
        .split(|byte| ends.contains(byte))
        .next()
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(parser: Parser, value: &str) -> Option<&str> {
        parser
            .id(value.as_bytes())
            .map(|id| std::str::from_utf8(id).unwrap())
    }

    #[test]
    fn b3() {
        let long = "80f198ee56343ba864fe8b2a57d3eff7";
        for tail in [
            "",
            "-e457b5a2e4d86bd1",
            "-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
        ] {
            assert_eq!(id(Parser::B3, &format!("{long}{tail}")), Some(long));
        }
        assert_eq!(id(Parser::B3, "64fe8b2a57d3eff7"), Some("64fe8b2a57d3eff7"));
        for none in [
            "0",
            "1",
            "d",
            "",
            "0000000000000000",
            "64FE8B2A57D3EFF7",
            "64fe8b2a57d3eff",
        ] {
            assert_eq!(id(Parser::B3, none), None, "{none}");
        }
    }

    #[test]
    fn amazon() {
        let root = "1-67891233-abcdef012345678912345678";
        for value in [
            "Root={}",
            "Self=1-67891234-12456789abcdef012345678;Root={}",
            "Root={};Sampled=1",
        ] {
            assert_eq!(
                id(Parser::XAmznTraceId, &value.replace("{}", root)),
                Some(root)
            );
        }
        for none in [
            "",
            root,
            "Root=",
            "Root=1-67891233-abcdef01234567891234567",
            "root=x",
        ] {
            assert_eq!(id(Parser::XAmznTraceId, none), None, "{none}");
        }
    }

    #[test]
    fn google() {
        let trace = "105445aa7843bc8bf206b12000100000";
        for tail in ["", "/1", "/18446744073709551615;o=1", ";o=0"] {
            let value = format!("{trace}{tail}");
            assert_eq!(id(Parser::XCloudTraceContext, &value), Some(trace));
        }
        assert_eq!(id(Parser::XCloudTraceContext, "105445aa/1"), None);
    }

    #[test]
    fn dotnet() {
        assert_eq!(id(Parser::RequestId, "|4bf92f35.1.2_a."), Some("4bf92f35"));
        assert_eq!(id(Parser::RequestId, "flat"), Some("flat"));
        assert_eq!(id(Parser::RequestId, "|"), Some(""));
    }
}
