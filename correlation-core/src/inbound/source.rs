use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::diagnostics::{InvalidSetting, or_panic};
use crate::names::{TRACEPARENT, header_name, id_header_name};

/// A header that a policy reads an ID from: an entry of
/// [`Policy::sources`](crate::Policy::sources).
///
/// A source reads one header, and [`B3`](Self::B3) reads two. The value must still be a valid ID.
/// Its length, its alphabet and the [validator](crate::Policy::validator) apply to every source.
///
/// ```
/// use correlation_core::{Policy, Source};
///
/// let policy = Policy::new().sources([
///     Source::header("X-Correlation-ID"),
///     Source::TRACEPARENT,
///     Source::AMZN_TRACE_ID,
///     // <https://develop.sentry.dev/sdk/telemetry/traces/>: `TRACE_ID-SPAN_ID-SAMPLED`
///     Source::parsed("sentry-trace", |value| value.split('-').next()),
///     // Jaeger's own format, `TRACE_ID:SPAN_ID:PARENT_ID:FLAGS`
///     Source::parsed("uber-trace-id", |value| value.split(':').next()),
/// ]);
/// # let headers = [("sentry-trace", b"771a43a4192642f0b136d5159a501700-9e2d0d9ff4fbf34f-1")];
/// # let decision = policy.receive(|| headers, None);
/// # assert_eq!(decision.context().id(), &"771a43a4192642f0b136d5159a501700");
/// ```
#[derive(Clone)]
pub struct Source {
    pub(super) name: &'static str,
    /// A second header with the same format, which is read after the first one.
    also: Option<&'static str>,
    pub(super) format: Format,
}

/// The format of the header value.
#[derive(Clone)]
pub(super) enum Format {
    /// The value is the ID.
    Plain,
    /// The trace-id of a W3C `traceparent`.
    Traceparent,
    Known(fn(&str) -> Option<&str>),
    Own(Arc<Parse>),
}

type Parse = dyn Fn(&str) -> Option<&str> + Send + Sync;

impl Source {
    /// Reads the trace-id of a valid W3C `traceparent`: 32 lower-case hexadecimal digits.
    pub const TRACEPARENT: Self = Self {
        name: TRACEPARENT,
        also: None,
        format: Format::Traceparent,
    };

    /// Reads the trace ID of Zipkin's `b3` header, or else of `X-B3-TraceId`. It has 16 or 32
    /// lower-case hexadecimal digits (<https://github.com/openzipkin/b3-propagation>).
    pub const B3: Self = Self {
        name: "b3",
        also: Some("x-b3-traceid"),
        format: Format::Known(b3),
    };

    /// Reads the `Root` field of `X-Amzn-Trace-Id`, such as `1-67891233-abcdef012345678912345678`
    /// (AWS, "Request tracing for your Application Load Balancer").
    pub const AMZN_TRACE_ID: Self = Self::known("x-amzn-trace-id", amzn_trace_id);

    /// Reads the trace ID of `X-Cloud-Trace-Context: TRACE_ID/SPAN_ID;o=OPTIONS`. It has 32
    /// hexadecimal digits (Google Cloud, "Trace context").
    pub const CLOUD_TRACE_CONTEXT: Self = Self::known("x-cloud-trace-context", cloud_trace_context);

    /// Reads the root of a hierarchical `Request-Id: |root.local.` (.NET, "Hierarchical
    /// Request-Id").
    pub const DOTNET_REQUEST_ID: Self = Self::known("request-id", dotnet_request_id);

    const fn known(name: &'static str, parse: fn(&str) -> Option<&str>) -> Self {
        Self {
            name,
            also: None,
            format: Format::Known(parse),
        }
    }

    /// Reads a header whose whole value is the ID. The case of the name does not matter.
    ///
    /// The name `traceparent` stands for [`TRACEPARENT`](Self::TRACEPARENT). For text from a
    /// configuration file, use `str::parse`, which returns an error instead of a panic.
    ///
    /// # Panics
    ///
    /// If the name is not a header name, or is `tracestate`.
    #[track_caller]
    #[must_use]
    pub fn header(name: impl AsRef<str>) -> Self {
        or_panic(Self::read(name.as_ref()).map_err(invalid))
    }

    pub(super) fn read(name: &str) -> Result<Self, String> {
        if name.eq_ignore_ascii_case(TRACEPARENT) {
            return Ok(Self::TRACEPARENT);
        }
        Ok(Self {
            name: id_header_name(name)?,
            also: None,
            format: Format::Plain,
        })
    }

    /// Reads a header in your own format. `parse` gets the value and returns the part that is the
    /// ID, or `None` if there is none.
    ///
    /// `parse` gets the value without surrounding white space, and only if it is UTF-8. A proxy may
    /// have joined several lines with commas. If your format has no comma, return `None` for a value
    /// that has one, because the caller chose which line came first. A header at
    /// which `parse` panics has no ID, and the first panic is logged at `WARN`.
    /// [`reject_invalid`](crate::Policy::reject_invalid) does not apply to this source.
    ///
    /// # Panics
    ///
    /// If the name is not a header name.
    #[track_caller]
    #[must_use]
    pub fn parsed(
        name: impl AsRef<str>,
        parse: impl Fn(&str) -> Option<&str> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: or_panic(header_name(name.as_ref()).map_err(invalid)),
            also: None,
            format: Format::Own(Arc::new(parse)),
        }
    }

    /// Splits the source into one for each header that it reads.
    pub(super) fn split(mut self) -> impl Iterator<Item = Self> {
        let also = self.also.take().map(|name| Self {
            name,
            ..self.clone()
        });
        [self].into_iter().chain(also)
    }

    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.format, Format::Plain)
    }

    /// Whether both read the same header in the same format.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_format = match (&self.format, &other.format) {
            (Format::Own(own), Format::Own(other)) => Arc::ptr_eq(own, other),
            (own, other) => std::mem::discriminant(own) == std::mem::discriminant(other),
        };
        self.name == other.name && same_format
    }
}

/// Parses the name of one header, for instance from a configuration file. The result is that of
/// [`Source::header`]: only `traceparent` stands for a format, and `b3` is a header whose whole
/// value is the ID. White space around the name is removed.
///
/// ```
/// use correlation_core::{InvalidSetting, Policy, Source};
///
/// let names = "X-Shop-ID, traceparent";
/// let sources = names.split(',').map(str::parse::<Source>);
/// let policy = Policy::new().sources(sources.collect::<Result<Vec<_>, _>>()?);
/// # Ok::<(), InvalidSetting>(())
/// ```
///
/// # Errors
///
/// If the text is not a header name.
impl FromStr for Source {
    type Err = InvalidSetting;

    fn from_str(name: &str) -> Result<Self, InvalidSetting> {
        Self::read(name.trim()).map_err(invalid)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.format {
            Format::Plain => "Header",
            Format::Traceparent => "Traceparent",
            Format::Known(_) | Format::Own(_) => "Parsed",
        };
        f.debug_tuple(kind).field(&self.name).finish()
    }
}

fn invalid(reason: String) -> InvalidSetting {
    InvalidSetting::new("sources", reason)
}

fn b3(value: &str) -> Option<&str> {
    let id = until(value, &['-']);
    let hex = id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (hex && matches!(id.len(), 16 | 32) && id.bytes().any(|b| b != b'0')).then_some(id)
}

fn amzn_trace_id(value: &str) -> Option<&str> {
    value.split(';').find_map(|field| {
        let root = field.trim_matches([' ', '\t']).strip_prefix("Root=")?;
        is_xray_root(root).then_some(root)
    })
}

/// Checks the form: `1-`, 8 hexadecimal digits of time, `-`, 24 random digits.
fn is_xray_root(root: &str) -> bool {
    root.len() == 35
        && root.bytes().enumerate().all(|(at, byte)| match at {
            0 => byte == b'1',
            1 | 10 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn cloud_trace_context(value: &str) -> Option<&str> {
    let id = until(value, &['/', ';']);
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

fn dotnet_request_id(value: &str) -> Option<&str> {
    Some(until(value.strip_prefix('|').unwrap_or(value), &['.']))
}

fn until<'v>(value: &'v str, ends: &[char]) -> &'v str {
    value.split(ends).next().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b3_of_zipkin() {
        let long = "80f198ee56343ba864fe8b2a57d3eff7";
        for tail in [
            "",
            "-e457b5a2e4d86bd1",
            "-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
        ] {
            assert_eq!(b3(&format!("{long}{tail}")), Some(long));
        }
        assert_eq!(b3("64fe8b2a57d3eff7"), Some("64fe8b2a57d3eff7"));
        for none in [
            "0",
            "1",
            "d",
            "",
            "0000000000000000",
            "64FE8B2A57D3EFF7",
            "64fe8b2a57d3eff",
        ] {
            assert_eq!(b3(none), None, "{none}");
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
            assert_eq!(amzn_trace_id(&value.replace("{}", root)), Some(root));
        }
        for none in [
            "",
            root,
            "Root=",
            "Root=1-67891233-abcdef01234567891234567",
            "Root=2-67891233-abcdef012345678912345678",
            "Root=1-67891233-abcdef01234567891234567g",
            "root=x",
        ] {
            assert_eq!(amzn_trace_id(none), None, "{none}");
        }
    }

    #[test]
    fn google() {
        let trace = "105445aa7843bc8bf206b12000100000";
        for tail in ["", "/1", "/18446744073709551615;o=1", ";o=0"] {
            let value = format!("{trace}{tail}");
            assert_eq!(cloud_trace_context(&value), Some(trace));
        }
        assert_eq!(cloud_trace_context("105445aa/1"), None);
    }

    #[test]
    fn dotnet() {
        assert_eq!(dotnet_request_id("|4bf92f35.1.2_a."), Some("4bf92f35"));
        assert_eq!(dotnet_request_id("flat"), Some("flat"));
        assert_eq!(dotnet_request_id("|"), Some(""));
    }

    #[test]
    fn a_source_says_what_it_reads() {
        let source = Source::header("X-Own");
        assert_eq!(format!("{source:?}"), r#"Header("x-own")"#);
        assert_eq!(
            format!("{:?}", Source::header("Traceparent")),
            r#"Traceparent("traceparent")"#
        );
        let read = |name: &str| name.parse::<Source>();
        assert!(read(" X-Own\n").unwrap().is_same(&source));
        assert!(read("Traceparent").unwrap().is_same(&Source::TRACEPARENT));
        let error = read("two words").unwrap_err().to_string();
        assert!(error.contains("sources: \"two words\" is not"), "{error}");
        assert!(read("").is_err());
        let own = || Source::parsed("two words", |value| Some(value));
        assert!(std::panic::catch_unwind(own).is_err());
    }
}
