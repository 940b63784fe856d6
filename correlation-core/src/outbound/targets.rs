use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use crate::context::{self, Context, Injector};
use crate::diagnostics::{self, InvalidSetting, or_panic};
use crate::names::id_header_name;

/// Chooses the hosts that outbound HTTP calls send the ID to, and the headers that carry it.
///
/// By default, calls to all hosts carry the ID, since a validated random ID is not secret. Name the
/// hosts if third parties must not get it.
///
/// ```
/// use correlation_core::{Targets, adapter::Destination};
///
/// let targets = Targets::hosts(["api.example.com", ".internal", "localhost:8080"]);
/// let allows = |scheme, host, port| {
///     targets.allows(Destination { scheme: Some(scheme), host: Some(host), port })
/// };
/// assert!(allows("https", "API.example.com", None));
/// assert!(allows("http", "orders.internal", Some(9000)));
/// assert!(!allows("https", "api.example.com.evil.test", None));
/// assert!(!allows("http", "localhost", Some(8081)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Targets {
    hosts: Option<Arc<[Target]>>,
    /// A request whose URI has no host uses a connection to one of these hosts.
    connected: bool,
    /// The host of the connection, if it is not one of these hosts.
    stranger: Option<Arc<str>>,
    also: Option<Arc<[&'static str]>>,
}

impl Targets {
    /// Sends the ID to every host.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            hosts: None,
            connected: false,
            stranger: None,
            also: None,
        }
    }

    /// Sends the ID only to these hosts. A name or an IP address stands for itself. A name that
    /// begins with a dot stands for all hosts below it.
    ///
    /// Case does not matter (RFC 4343), nor does a dot at the end, which means the DNS root. Write
    /// a name in another script as it is in DNS and in a parsed URL, in its form `xn--..` (RFC
    /// 5890, section 2.3.2.1).
    ///
    /// A port after the host, as in `localhost:8080` or `[::1]:8080`, allows only that port.
    /// Without a port, all ports are allowed.
    ///
    /// For text from a configuration file, use `str::parse`, which returns an error instead of a
    /// panic.
    ///
    /// # Panics
    ///
    /// If an entry is not a host, for instance a URL, or a part of an address such as `127.1`.
    #[track_caller]
    #[must_use]
    pub fn hosts<N: AsRef<str>>(hosts: impl IntoIterator<Item = N>) -> Self {
        or_panic(Self::read(hosts))
    }

    fn read<N: AsRef<str>>(hosts: impl IntoIterator<Item = N>) -> Result<Self, InvalidSetting> {
        let parse = |(at, host): (_, N)| {
            Target::parse(host.as_ref())
                .map_err(|reason| InvalidSetting::new("hosts", reason).at(at))
        };
        let hosts: Result<_, _> = hosts.into_iter().enumerate().map(parse).collect();
        Ok(Self {
            hosts: Some(hosts?),
            ..Self::all()
        })
    }

    /// Names the host of a connection, for requests whose URI has no host, such as those of a tonic
    /// `Channel`. Give a name or an IP address, with its port if it has one.
    ///
    /// Without this setting, [`hosts`](Self::hosts) excludes such a request, since its destination
    /// is not known. A `Host` header does not count, since the code that makes the request writes
    /// it. With [`all`](Self::all), this setting changes nothing.
    ///
    /// ```
    /// use correlation_core::{Targets, adapter::Destination};
    ///
    /// let targets = Targets::hosts([".internal"]);
    /// assert!(!targets.allows(Destination::default()));
    /// let orders = targets.connected_to("orders.internal:8080");
    /// assert!(orders.allows(Destination::default()));
    /// ```
    ///
    /// # Panics
    ///
    /// If this is not a host, or stands for several hosts, as `.internal` does.
    #[track_caller]
    #[must_use]
    pub fn connected_to(mut self, host: impl AsRef<str>) -> Self {
        let text = host.as_ref();
        let invalid = |reason| InvalidSetting::new("connected_to", reason);
        let Target { host, port } = or_panic(Target::parse(text).map_err(invalid));
        let host = match &host {
            Host::Ip(ip) => Host::Ip(*ip),
            Host::Name(name) if name.starts_with('.') => {
                let reason = "stands for many hosts, and a connection goes to one: write its name \
                              as in orders.internal or orders.internal:8080";
                panic!("{}", invalid(format!("{text:?} {reason}")));
            }
            Host::Name(name) => Host::Name(name.as_str()),
        };
        self.connected = self.lists(&host, port);
        self.stranger = (!self.connected).then(|| text.into());
        self
    }

    /// Sends the ID in one more header as well, for hosts that do not read `x-correlation-id`. One
    /// example is asgi-correlation-id, which reads `X-Request-ID` unless you configure it.
    ///
    /// Name the [`hosts`](Self::hosts) then. Some APIs use `X-Request-ID` as an idempotency key.
    /// Such an API would treat the second of two calls in one action as a repetition of the first.
    ///
    /// ```
    /// use correlation_core::Targets;
    ///
    /// let targets = Targets::hosts([".python.internal"]).also_as("X-Request-ID");
    /// # let any = correlation_core::adapter::Destination::default();
    /// # assert!(!targets.allows(any));
    /// ```
    ///
    /// # Panics
    ///
    /// If the name is not a header name, or is one of W3C Trace Context.
    #[track_caller]
    #[must_use]
    pub fn also_as(mut self, name: impl AsRef<str>) -> Self {
        let invalid = |reason| InvalidSetting::new("also_as", reason);
        let name = or_panic(id_header_name(name.as_ref()).map_err(invalid));
        let known = self.also.iter().flat_map(|names| names.iter().copied());
        self.also = Some(known.filter(|known| *known != name).chain([name]).collect());
        self
    }

    /// Writes a context to the headers of a call, if its host is [allowed](Self::allows). It
    /// replaces headers that are already there, as [`Context::inject`] does.
    ///
    /// If all hosts are allowed, the destination is not looked at.
    ///
    /// ```
    /// use correlation_core::{Context, CorrelationId, Targets, adapter::Destination};
    /// use std::collections::HashMap;
    ///
    /// let targets = Targets::hosts([".internal"]);
    /// let context = Context::from("click-1".parse::<CorrelationId>()?);
    /// let destination = |host| Destination { host: Some(host), ..Destination::default() };
    ///
    /// let mut headers = HashMap::<String, String>::new();
    /// targets.inject(&context, destination("api.example.com"), &mut headers);
    /// assert!(headers.is_empty());
    /// targets.inject(&context, destination("orders.internal"), &mut headers);
    /// assert_eq!(headers["x-correlation-id"], "click-1");
    /// # Ok::<(), correlation_core::InvalidId>(())
    /// ```
    pub fn inject<'d>(
        &self,
        context: &Context,
        destination: impl Into<Destination<'d>>,
        headers: &mut impl Injector,
    ) {
        if self.allows(destination) {
            context.inject_as(self.also.as_deref().unwrap_or_default(), headers);
        }
    }

    /// Whether a call to this destination may carry the ID.
    ///
    /// If the hosts are restricted, a destination without a host is allowed only as
    /// [`connected_to`](Self::connected_to) says. If a call is excluded for this reason, and there
    /// is an ID to send, the log has a `DEBUG` event of the target `correlation`.
    #[must_use]
    #[inline]
    pub fn allows<'d>(&self, destination: impl Into<Destination<'d>>) -> bool {
        self.hosts.is_none() || self.covers(destination.into())
    }

    fn covers(&self, destination: Destination<'_>) -> bool {
        let Some(host) = destination.host else {
            if !self.connected && context::read(|context| context.is_some()) {
                diagnostics::no_host(self.stranger.as_deref());
            }
            return self.connected;
        };
        let port = destination.port.or(match destination.scheme {
            Some("http" | "ws") => Some(80),
            Some("https" | "wss") => Some(443),
            _ => None,
        });
        self.lists(&Host::parse(host), port)
    }

    /// Whether this host and port are in the list.
    fn lists(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        let mut targets = self.hosts.iter().flat_map(|hosts| hosts.iter());
        targets.any(|target| {
            target.host.covers(host) && (target.port.is_none() || target.port == port)
        })
    }

    pub(crate) const fn are_restricted(&self) -> bool {
        self.hosts.is_some()
    }
}

/// Parses [hosts](Targets::hosts) with commas between them, for instance from a configuration file.
/// White space around them is removed. No text stands for [`all`](Targets::all): leave the setting
/// out.
///
/// ```
/// use correlation_core::Targets;
///
/// let targets: Targets = "api.example.com, .internal".parse()?;
/// let error = "https://api.example.com".parse::<Targets>().unwrap_err();
/// assert!(error.to_string().starts_with("correlation, hosts, entry 1: \"https:"));
/// # Ok::<(), correlation_core::InvalidSetting>(())
/// ```
///
/// # Errors
///
/// If an entry is not a host, for instance a URL. The message names the entry. An empty text, an
/// empty entry and a comma at the end are errors.
impl FromStr for Targets {
    type Err = InvalidSetting;

    fn from_str(hosts: &str) -> Result<Self, InvalidSetting> {
        Self::read(hosts.split(',').map(str::trim))
    }
}

/// The destination of a call, which [`Targets`] checks. Take all three fields from a parsed URL,
/// never from its text.
///
/// ```
/// use correlation_core::{Targets, adapter::Destination};
///
/// let orders = Destination { scheme: Some("https"), host: Some("orders.internal"), port: None };
/// assert!(Targets::hosts([".internal:443"]).allows(orders));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Destination<'a> {
    /// The scheme in lower case, such as `https`.
    pub scheme: Option<&'a str>,
    /// A name or an IP address, with or without brackets. Case does not matter.
    pub host: Option<&'a str>,
    /// The port. If it is `None`, the port of the scheme counts: 80 for `http` and `ws`, 443 for
    /// `https` and `wss` (RFC 9110, section 4.2; RFC 6455, section 3).
    pub port: Option<u16>,
}

#[cfg(feature = "http")]
impl<'a> From<&'a http::Uri> for Destination<'a> {
    fn from(uri: &'a http::Uri) -> Self {
        Self {
            scheme: uri.scheme_str(),
            host: uri.host(),
            port: uri.port_u16(),
        }
    }
}

/// One entry of the list of hosts.
#[derive(Clone, Debug)]
struct Target {
    host: Host<String>,
    /// `None` stands for all ports.
    port: Option<u16>,
}

impl Target {
    fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| {
            format!(
                "{text:?} is not a host: write a name as in api.example.com, .internal or \
                 localhost:8080, an address as in 10.0.0.7 or [::1]:8080, and other scripts as \
                 xn--.."
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        // The colons of an IPv6 address do not separate a port.
        let is_ip = matches!(Host::parse(text), Host::Ip(_));
        let (host, port) = match text.rsplit_once(':').filter(|_| !is_ip) {
            Some((host, port)) => {
                // `parse` also accepts a sign.
                let digits = port.bytes().all(|b| b.is_ascii_digit());
                (
                    host,
                    Some(port.parse().ok().filter(|&port| digits && port != 0)?),
                )
            }
            None => (text, None),
        };
        let host = match Host::parse(host) {
            Host::Ip(ip) => Host::Ip(ip),
            Host::Name(name) => Host::Name(is_name(name).then(|| name.to_ascii_lowercase())?),
        };
        Some(Self { host, port })
    }
}

/// Whether a URL can have this host, or one below it if it begins with a dot.
fn is_name(name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    // A label has at most 63 bytes (RFC 1035, section 2.3.4).
    let is_label = |label: &str| {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        (1..=63).contains(&label.len()) && label.bytes().all(valid)
    };
    // A URL parser reads a host that ends in a number as an IPv4 address (WHATWG URL, "ends in a
    // number checker").
    let is_number = |label: &str| {
        let hex = label
            .strip_prefix("0x")
            .or_else(|| label.strip_prefix("0X"));
        hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            || label.bytes().all(|b| b.is_ascii_digit())
    };
    name.split('.').all(is_label) && !name.rsplit('.').next().is_some_and(is_number)
}

/// A host. An IP address has only one spelling here.
#[derive(Clone, Debug)]
enum Host<N> {
    Ip(IpAddr),
    /// A name without the final dot of the DNS root.
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
                // The name must have more than the suffix, so a dot alone is not a host below it.
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
