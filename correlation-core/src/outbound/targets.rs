use std::net::IpAddr;
use std::sync::Arc;

use crate::context::{self, Context, Injector};
use crate::diagnostics::{self, InvalidSetting, or_panic};
use crate::names::{TRACEPARENT, TRACESTATE, header_name};

/// Where outbound HTTP calls send the ID to, and how.
///
/// To all hosts by default: a validated random ID is no secret. Name them where third parties must
/// not get it.
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
    /// The connection of requests that name no host goes to one of these hosts.
    connected: bool,
    also: Option<Arc<[&'static str]>>,
}

impl Targets {
    /// Every host.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            hosts: None,
            connected: false,
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
        or_panic(Self::try_hosts(hosts))
    }

    /// As [`hosts`](Self::hosts), for names from a configuration.
    ///
    /// # Errors
    ///
    /// If one of them is no host, for instance a URL.
    pub fn try_hosts<N: AsRef<str>>(
        hosts: impl IntoIterator<Item = N>,
    ) -> Result<Self, InvalidSetting> {
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

    /// Says whose connection it is over which requests go whose URI has no host, as those of a
    /// tonic `Channel`: a name or an IP address, with its port if it has one.
    ///
    /// Without this, such a request does not pass a restriction, since nobody knows where it goes.
    /// A `Host` header does not count: whoever makes the request writes it. Every host, as with
    /// [`all`](Self::all), is one restriction less, so there this changes nothing.
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
    /// If this is no host, or stands for several, as `.internal` does.
    #[track_caller]
    #[must_use]
    pub fn connected_to(self, host: impl AsRef<str>) -> Self {
        or_panic(self.try_connected_to(host))
    }

    /// As [`connected_to`](Self::connected_to), for a name from a configuration.
    ///
    /// # Errors
    ///
    /// If this is no host, or stands for several, as `.internal` does.
    pub fn try_connected_to(mut self, host: impl AsRef<str>) -> Result<Self, InvalidSetting> {
        let text = host.as_ref();
        let invalid = |reason| InvalidSetting::new("connected_to", reason);
        let Target { host, port } = Target::parse(text).map_err(invalid)?;
        let host = match &host {
            Host::Ip(ip) => Host::Ip(*ip),
            Host::Name(name) if name.starts_with('.') => {
                return Err(invalid(format!(
                    "{text:?} stands for many hosts, and a connection goes to one: write its name \
                     as in orders.internal or orders.internal:8080"
                )));
            }
            Host::Name(name) => Host::Name(name.as_str()),
        };
        self.connected = self.lists(&host, port);
        Ok(self)
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
        or_panic(self.try_also_as(name))
    }

    /// As [`also_as`](Self::also_as), for names from a configuration.
    ///
    /// # Errors
    ///
    /// If the name is no header name, or one of W3C Trace Context.
    pub fn try_also_as(mut self, name: impl AsRef<str>) -> Result<Self, InvalidSetting> {
        let invalid = |reason| InvalidSetting::new("also_as", reason);
        let name = header_name(name.as_ref()).map_err(invalid)?;
        if [TRACEPARENT, TRACESTATE].contains(&name) {
            return Err(invalid(
                "the headers of W3C Trace Context hold no correlation ID",
            ));
        }
        let known = self.also.iter().flat_map(|names| names.iter().copied());
        self.also = Some(known.filter(|known| *known != name).chain([name]).collect());
        Ok(self)
    }

    /// Writes a context to the headers of a call, if the host that it goes to is
    /// [allowed](Self::allows), as [`Context::inject`] does: in place of what is there.
    ///
    /// Where all hosts are allowed, nothing of the destination is looked at.
    pub fn inject<'d>(
        &self,
        context: &Context,
        destination: impl Into<Destination<'d>>,
        headers: &mut (impl Injector + ?Sized),
    ) {
        if self.allows(destination) {
            context.inject_as(self.also.as_deref().unwrap_or_default(), headers);
        }
    }

    /// Whether a call to this destination may get the ID.
    ///
    /// Without a host, a restriction is passed only as [`connected_to`](Self::connected_to) says.
    /// If an ID would have been sent otherwise, a debug event of the target `correlation` says so.
    #[must_use]
    #[inline]
    pub fn allows<'d>(&self, destination: impl Into<Destination<'d>>) -> bool {
        self.hosts.is_none() || self.covers(destination.into())
    }

    fn covers(&self, destination: Destination<'_>) -> bool {
        let Some(host) = destination.host else {
            if !self.connected && context::read(|context| context.is_some()) {
                diagnostics::no_host();
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

    /// Whether this is one of the hosts.
    fn lists(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        let mut targets = self.hosts.iter().flat_map(|hosts| hosts.iter());
        targets.any(|target| {
            target.host.covers(host) && (target.port.is_none() || target.port == port)
        })
    }

    /// Whether hosts are excluded at all.
    #[must_use]
    pub const fn are_restricted(&self) -> bool {
        self.hosts.is_some()
    }
}

/// Where a call goes: what [`Targets`] look at. Take all three from a parsed URL, never from its
/// text.
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
    /// A name or an IP address, which may stand in brackets. Case does not matter.
    pub host: Option<&'a str>,
    /// Without one it is the scheme's own: 80 for `http` and `ws`, 443 for `https` and `wss` (RFC
    /// 9110 section 4.2, RFC 6455 section 3).
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

/// What one of the hosts that a user names stands for.
#[derive(Clone, Debug)]
struct Target {
    host: Host<String>,
    /// All ports without one.
    port: Option<u16>,
}

impl Target {
    fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| {
            format!(
                "{text:?} is not a host: write a name as in api.example.com, .internal or \
                 localhost:8080"
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
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
