use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::carrier::{self, Injector};
use crate::trace_context::{TRACEPARENT, TRACESTATE};
use crate::{current, header};

/// Where outbound HTTP calls send the ID to, and how.
///
/// To all hosts by default: a validated random ID is no secret. Name them where third parties must
/// not get it.
///
/// ```
/// use correlation_core::Targets;
///
/// let targets = Targets::hosts(["api.example.com", ".internal", "localhost:8080"]);
/// assert!(targets.allow(Some("https"), "API.example.com", None));
/// assert!(targets.allow(Some("http"), "orders.internal", Some(9000)));
/// assert!(!targets.allow(Some("https"), "api.example.com.evil.test", None));
/// assert!(!targets.allow(Some("http"), "localhost", Some(8081)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Targets {
    hosts: Option<Arc<[Target]>>,
    also: Option<Arc<[&'static str]>>,
}

impl Targets {
    /// Every host.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            hosts: None,
            also: None,
        }
    }

    /// These hosts only: a name or an IP address stands for itself, a name that begins with a dot
    /// for all hosts below it. Case does not matter (RFC 4343), nor does the dot of the root at the
    /// end. A name in another script is written as it stands in DNS and in a parsed URL, in its
    /// form `xn--..` (RFC 5890 section 2.3.2.1).
    ///
    /// A port after it, as in `localhost:8080` or `[::1]:8080`, restricts it to that port. Without
    /// one, all ports are meant.
    ///
    /// # Panics
    ///
    /// If one of them is no host, for instance a URL.
    #[track_caller]
    #[must_use]
    pub fn hosts<N: AsRef<str>>(hosts: impl IntoIterator<Item = N>) -> Self {
        match Self::try_hosts(hosts) {
            Ok(targets) => targets,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`hosts`](Self::hosts), for names from a configuration.
    ///
    /// # Errors
    ///
    /// If one of them is no host, for instance a URL.
    pub fn try_hosts<N: AsRef<str>>(
        hosts: impl IntoIterator<Item = N>,
    ) -> Result<Self, InvalidTarget> {
        let checked = |host: N| {
            let host = host.as_ref();
            Target::parse(host).ok_or_else(|| InvalidTarget(Fault::Host(host.to_owned())))
        };
        let hosts: Result<_, _> = hosts.into_iter().map(checked).collect();
        Ok(Self {
            hosts: Some(hosts?),
            also: None,
        })
    }

    /// Sends the ID under one more header, too: for hosts that do not read `x-correlation-id`, as
    /// asgi-correlation-id, which reads `X-Request-ID` if nothing else is set.
    ///
    /// Name the hosts then: some APIs take `X-Request-ID` for an idempotency key, so that the
    /// second of two calls in one action would be taken for a repetition of the first.
    ///
    /// ```
    /// use correlation_core::Targets;
    ///
    /// let targets = Targets::hosts([".python.internal"]).also_as("X-Request-ID");
    /// # assert!(targets.are_restricted());
    /// ```
    ///
    /// # Panics
    ///
    /// If the name is no header name, or one of W3C Trace Context.
    #[track_caller]
    #[must_use]
    pub fn also_as(self, name: impl AsRef<str>) -> Self {
        match self.try_also_as(name) {
            Ok(targets) => targets,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`also_as`](Self::also_as), for names from a configuration.
    ///
    /// # Errors
    ///
    /// If the name is no header name, or one of W3C Trace Context.
    pub fn try_also_as(mut self, name: impl AsRef<str>) -> Result<Self, InvalidTarget> {
        let name = header::name(name.as_ref());
        let name = name.map_err(|reason| InvalidTarget(Fault::Header(reason)))?;
        if [TRACEPARENT, TRACESTATE].contains(&name) {
            let reason = "the headers of W3C Trace Context hold no correlation ID";
            return Err(InvalidTarget(Fault::Header(reason)));
        }
        let known = self.also.iter().flat_map(|names| names.iter().copied());
        self.also = Some(known.filter(|known| *known != name).chain([name]).collect());
        Ok(self)
    }

    /// Writes the ambient ID to the headers of a call to a host that is [allowed](Self::allow), as
    /// [`inject`](crate::inject) does: never over what is there.
    pub fn inject(&self, headers: &mut (impl Injector + ?Sized)) {
        carrier::inject(headers);
        let Some(names) = &self.also else { return };
        let Some(id) = current() else { return };
        for &name in names.iter() {
            // It may be the name that was just written, or one that the caller has set.
            if !headers.contains(name) {
                headers.set(name, id.as_str());
            }
        }
    }

    /// Whether a URL with this scheme, host and port may get the ID. Take all three from a parsed
    /// URL, never from its text.
    ///
    /// Without a port, it is the scheme's own: 80 for `http` and `ws`, 443 for `https` and `wss`
    /// (RFC 9110 section 4.2, RFC 6455 section 3).
    #[must_use]
    pub fn allow(&self, scheme: Option<&str>, host: &str, port: Option<u16>) -> bool {
        let Some(targets) = &self.hosts else {
            return true;
        };
        let host = Host::parse(host);
        let port = port.or(match scheme {
            Some("http" | "ws") => Some(80),
            Some("https" | "wss") => Some(443),
            _ => None,
        });
        targets.iter().any(|target| {
            target.host.covers(&host) && (target.port.is_none() || target.port == port)
        })
    }

    /// Whether hosts are excluded at all.
    #[must_use]
    pub const fn are_restricted(&self) -> bool {
        self.hosts.is_some()
    }
}

/// What one of the hosts that a user names stands for.
#[derive(Clone, Debug)]
struct Target {
    host: Host<String>,
    /// All ports without one.
    port: Option<u16>,
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        // The colons of an IPv6 address are its own.
        let is_ip = matches!(Host::parse(text), Host::Ip(_));
        let (host, port) = match text.rsplit_once(':').filter(|_| !is_ip) {
            Some((host, port)) => {
                // `parse` takes a sign.
                let digits = port.bytes().all(|b| b.is_ascii_digit());
                (host, Some(port.parse().ok().filter(|_| digits)?))
            }
            None => (text, None),
        };
        let host = match Host::parse(host) {
            Host::Ip(ip) => Host::Ip(ip),
            Host::Name(name) => {
                let valid = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
                let is_name = name.bytes().all(valid) && !name.trim_start_matches('.').is_empty();
                Host::Name(is_name.then(|| name.to_ascii_lowercase())?)
            }
        };
        Some(Self { host, port })
    }
}

/// A host, with one spelling for each IP address.
#[derive(Clone, Debug)]
enum Host<N> {
    Ip(IpAddr),
    /// Without the dot of the root.
    Name(N),
}

impl<'a> Host<&'a str> {
    fn parse(host: &'a str) -> Self {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        match bare.unwrap_or(host).parse() {
            Ok(ip) => Self::Ip(ip),
            Err(_) => Self::Name(host.strip_suffix('.').unwrap_or(host)),
        }
    }
}

impl Host<String> {
    fn covers(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Ip(allowed), Host::Ip(ip)) => allowed == ip,
            (Self::Name(allowed), Host::Name(name)) if allowed.starts_with('.') => {
                // The rest of the name, so a dot alone does not count as a host below it.
                name.len()
                    .checked_sub(allowed.len())
                    .filter(|&start| start > 0)
                    .and_then(|start| name.get(start..))
                    .is_some_and(|end| end.eq_ignore_ascii_case(allowed))
            }
            (Self::Name(allowed), Host::Name(name)) => name.eq_ignore_ascii_case(allowed),
            _ => false,
        }
    }
}

/// The text is no host, or no header name: the message says which.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidTarget(Fault);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Fault {
    Host(String),
    Header(&'static str),
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Fault::Host(text) => write!(
                f,
                "{text:?} is not a host: write a name as in api.example.com, .internal or \
                 localhost:8080"
            ),
            Fault::Header(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for InvalidTarget {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CorrelationId, sync_scope};

    #[test]
    fn hosts_are_compared_whole() {
        let targets = Targets::hosts([
            "api.example.com",
            ".internal",
            "10.0.0.7",
            "::1",
            ".0.9",
            "[::3]",
        ]);
        for yes in [
            "api.example.com",
            "API.Example.com.",
            "a.internal",
            "a.b.Internal",
            "10.0.0.7",
            "[::1]",
            "[::3]",
            "[0:0:0:0:0:0:0:1]",
        ] {
            assert!(targets.allow(Some("https"), yes, None), "{yes}");
        }
        for no in [
            "example.com",
            "x.api.example.com",
            "api.example.com.evil.test",
            "internal",
            ".internal",
            "evilinternal",
            "\u{e9}nternal",
            "10.0.0.70",
            // The end of an address is no domain.
            "10.0.0.9",
            "[::2]",
            "",
        ] {
            assert!(!targets.allow(Some("https"), no, None), "{no}");
        }
        assert!(Targets::all().allow(None, "anything", None));
        assert!(!Targets::hosts([""; 0]).allow(None, "anything", None));
    }

    #[test]
    fn a_port_restricts_the_host() {
        let targets = Targets::hosts([
            "localhost:8080",
            "[::1]:8080",
            ".internal:443",
            "10.0.0.7",
            "plain:80",
        ]);
        for (scheme, host, port) in [
            (Some("http"), "LOCALHOST", Some(8080)),
            (None, "localhost", Some(8080)),
            (Some("http"), "[::1]", Some(8080)),
            (Some("https"), "a.internal", None),
            (Some("wss"), "a.internal", None),
            (Some("http"), "plain", None),
            (Some("ws"), "plain", None),
            (Some("http"), "a.internal", Some(443)),
            (Some("http"), "10.0.0.7", Some(1)),
            (None, "10.0.0.7", None),
        ] {
            assert!(
                targets.allow(scheme, host, port),
                "{scheme:?} {host} {port:?}"
            );
        }
        for (scheme, host, port) in [
            (Some("http"), "localhost", Some(8081)),
            (Some("http"), "localhost", None),
            (None, "localhost", None),
            (Some("http"), "[::1]", Some(80)),
            (Some("http"), "a.internal", None),
            (Some("ws"), "a.internal", None),
            (Some("https"), "a.internal", Some(8443)),
            (Some("ftp"), "a.internal", None),
            (Some("https"), "plain", None),
            (None, "plain", None),
        ] {
            assert!(
                !targets.allow(scheme, host, port),
                "{scheme:?} {host} {port:?}"
            );
        }
    }

    #[test]
    fn the_id_is_sent_under_more_names_if_asked() {
        let sent = |targets: &Targets, own: &[(&str, &str)]| {
            let own = own.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            let mut headers: Vec<(String, String)> = own.collect();
            let id: CorrelationId = "click-1".parse().unwrap();
            sync_scope(id, || targets.inject(&mut headers));
            headers
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(sent(&Targets::all(), &[]), ["x-correlation-id=click-1"]);
        let targets = Targets::hosts(["a"])
            .also_as("X-Request-ID")
            .also_as("x-trace")
            .also_as("X-Trace");
        assert_eq!(
            sent(&targets, &[]),
            [
                "x-correlation-id=click-1",
                "x-request-id=click-1",
                "x-trace=click-1"
            ]
        );
        assert_eq!(
            sent(&targets, &[("X-Request-Id", "mine")]),
            [
                "X-Request-Id=mine",
                "x-correlation-id=click-1",
                "x-trace=click-1"
            ]
        );
        let same = Targets::all().also_as("X-Correlation-ID");
        assert_eq!(sent(&same, &[]), ["x-correlation-id=click-1"]);
        targets.inject(&mut Nothing);
        let error = Targets::all().try_also_as("no name").unwrap_err();
        assert!(
            error.to_string().starts_with("a header name has"),
            "{error}"
        );
        let error = Targets::all().try_also_as("Traceparent").unwrap_err();
        assert!(error.to_string().contains("W3C"), "{error}");
    }

    /// Outside of a scope nothing is sent.
    struct Nothing;

    impl Injector for Nothing {
        fn set(&mut self, key: &'static str, _: &str) {
            panic!("{key} was sent");
        }

        fn contains(&self, _: &str) -> bool {
            false
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            ".",
            "https://api.example.com",
            "api.example.com:",
            "api.example.com:+80",
            "api.example.com:http",
            "api.example.com:65536",
            "api.example.com:80/path",
            ":80",
            "user@api.example.com",
            "[::1",
            "[api.example.com]",
            "a/b",
            "*.x",
            "\u{e9}",
        ] {
            let error = Targets::try_hosts([bad]).unwrap_err();
            assert!(error.to_string().contains("is not a host"), "{bad}");
        }
    }
}
