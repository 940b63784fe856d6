use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ipnet::IpNet;

use crate::diagnostics::{self, InvalidSetting, or_panic};
use crate::foreign::Closure;
use crate::names::trim;

/// Chooses the callers whose IDs a policy accepts.
///
/// An ID proves nothing about its sender. If you trust all callers, anyone who can reach this
/// service can choose the ID of its log lines. Within an organisation you usually want that. At its
/// edge, use [`never`](Self::never), [`networks`](Self::networks) or [`when`](Self::when). Then a
/// stranger cannot mix their actions with those of someone else.
///
/// Nothing from an untrusted caller continues: the ID is new, and a W3C trace restarts (Trace
/// Context, section 5.2). The context keeps a valid ID of that caller as the [untrusted
/// ID](crate::Context::untrusted_id).
#[derive(Clone, Default)]
pub struct Trust(Callers);

#[derive(Clone, Default)]
enum Callers {
    #[default]
    All,
    None,
    Some(Arc<Predicate<Holds>>),
}

type Holds = dyn Fn(&Caller<'_>) -> bool + Send + Sync;

struct Predicate<F: ?Sized> {
    /// The log already says that the peer is not known.
    told: AtomicBool,
    holds: F,
}

impl Trust {
    /// Trusts every caller. This is the default.
    #[must_use]
    pub const fn always() -> Self {
        Self(Callers::All)
    }

    /// Trusts no caller: each request gets a new ID.
    #[must_use]
    pub const fn never() -> Self {
        Self(Callers::None)
    }

    /// Whether every caller is trusted, whatever the request holds.
    pub(super) const fn is_always(&self) -> bool {
        matches!(self.0, Callers::All)
    }

    /// Whether trust depends on the caller.
    pub(crate) const fn depends(&self) -> bool {
        matches!(self.0, Callers::Some(_))
    }

    /// Trusts callers whose connection comes from one of these networks, such as `10.0.0.0/8` or
    /// `fd00::/8`. An address without a prefix stands for that one address.
    ///
    /// Name your proxies and services, as in nginx's `set_real_ip_from`. The peer address of the
    /// connection counts. `X-Forwarded-For` and other headers never count, since any caller can
    /// send them. Behind a proxy, the peer is the proxy. So the proxy must remove or replace the ID
    /// headers of strangers.
    ///
    /// Some details:
    ///
    /// - An IPv4 address that is mapped into IPv6 (`::ffff:10.0.0.1`, RFC 4291, section 2.5.5.2)
    ///   counts as that IPv4 address. This applies to your list and to a peer address. So `::/0`
    ///   contains no IPv4 address.
    /// - No network contains a Unix socket or a message, since they have no peer address.
    /// - A server that does not know the peer address trusts no caller. The log then has one `WARN`
    ///   for the policy.
    ///
    /// ```
    /// use correlation_core::{Policy, Trust};
    ///
    /// let policy = Policy::new().trust(Trust::networks(["10.0.0.0/8", "::1"]));
    /// ```
    ///
    /// For text from a configuration file, use `str::parse`, which returns an error instead of a
    /// panic.
    ///
    /// # Panics
    ///
    /// If an entry is not a network, or its address has bits set after the prefix. In `10.1.2.3/8`,
    /// either the address or the prefix is a mistake.
    #[track_caller]
    #[must_use]
    pub fn networks<N: AsRef<str>>(networks: impl IntoIterator<Item = N>) -> Self {
        or_panic(Self::read(networks))
    }

    fn read<N: AsRef<str>>(networks: impl IntoIterator<Item = N>) -> Result<Self, InvalidSetting> {
        let parse = |(at, text): (_, N)| {
            let text = text.as_ref();
            network(text).map_err(|reason| {
                InvalidSetting::new("networks", format!("{text:?} {reason}")).at(at)
            })
        };
        let networks = networks.into_iter().enumerate().map(parse);
        let networks = networks.collect::<Result<Vec<_>, _>>()?;
        Ok(Self::when(move |caller| {
            let addr = caller.addr();
            addr.is_some_and(|addr| networks.iter().any(|network| network.contains(&addr)))
        }))
    }

    /// Trusts callers for which `predicate` returns `true`.
    ///
    /// It runs for every request that carries an ID or a trace context. If it panics, the caller is
    /// not trusted, and the first panic is logged at `WARN`.
    ///
    /// ```
    /// use correlation_core::Trust;
    ///
    /// // Your proxy sets this header on every request, in the place of what the caller sent.
    /// let from_inside = Trust::when(|caller| caller.header("X-From-Edge") == Some("internal"));
    /// ```
    pub fn when(predicate: impl Fn(&Caller<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Callers::Some(Arc::new(Predicate {
            told: AtomicBool::new(false),
            holds: predicate,
        })))
    }

    pub(super) fn covers<'a>(&'a self, peer: Peer, lines: &'a LinesByName<'a>) -> bool {
        match &self.0 {
            Callers::All => true,
            Callers::None => false,
            Callers::Some(predicate) => {
                let caller = Caller {
                    peer,
                    lines,
                    told: &predicate.told,
                };
                PREDICATE
                    .ask(|| (predicate.holds)(&caller))
                    .unwrap_or(false)
            }
        }
    }
}

/// Parses text, for instance from a configuration file: `always`, `never`, or
/// [networks](Trust::networks) with commas between them. White space around them is removed.
///
/// ```
/// use correlation_core::Trust;
///
/// let trust: Trust = "10.0.0.0/8, ::1".parse()?;
/// let error = "10.0.0.0/8, localhost".parse::<Trust>().unwrap_err();
/// assert!(error.to_string().starts_with("correlation, networks, entry 2: \"localhost\" is not"));
/// # Ok::<(), correlation_core::InvalidSetting>(())
/// ```
///
/// # Errors
///
/// If the text is none of these, or an address has bits set after the prefix. The message names the
/// entry. The words are in lower case and stand alone. An empty text, an empty entry and a comma at
/// the end are errors.
impl FromStr for Trust {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        match text.trim() {
            "always" => Ok(Self::always()),
            "never" => Ok(Self::never()),
            word if word.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                let allowed = "is not allowed: write always, never, or networks as in 10.0.0.0/8";
                Err(InvalidSetting::new("trust", format!("{word:?} {allowed}")))
            }
            networks => Self::read(networks.split(',').map(str::trim)),
        }
    }
}

static PREDICATE: Closure =
    Closure::new("the closure of `Trust::when` panicked: the caller is not trusted");

fn network(text: &str) -> Result<IpNet, &'static str> {
    const WHAT: &str = "is not a network: write it as in 10.0.0.0/8, 10.1.2.3 or fd00::/8";
    let (addr, prefix) = match text.trim().split_once('/') {
        Some((addr, prefix)) => (addr, Some(prefix)),
        None => (text.trim(), None),
    };
    let addr: IpAddr = addr.parse().map_err(|_| WHAT)?;
    let given = match prefix {
        None => IpNet::from(addr),
        // Parsing a `u8` would also accept a sign.
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
            let len = prefix.parse().map_err(|_| WHAT)?;
            IpNet::new(addr, len).map_err(|_| WHAT)?
        }
        Some(_) => return Err(WHAT),
    };
    if given.trunc() != given {
        return Err("has address bits set after the prefix: correct the address or the prefix");
    }
    // Networks of mapped addresses have a prefix of at least 96 bits, which no IPv4 network has.
    match (given.prefix_len().checked_sub(96), addr.to_canonical()) {
        (Some(len), plain @ IpAddr::V4(_)) => IpNet::new(plain, len).map_err(|_| WHAT),
        _ => Ok(given),
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Callers::All => "Trust::always()",
            Callers::None => "Trust::never()",
            Callers::Some(_) => "Trust::when(..)",
        })
    }
}

/// The information about a caller that [`Trust::when`] gets.
pub struct Caller<'a> {
    peer: Peer,
    lines: &'a LinesByName<'a>,
    told: &'a AtomicBool,
}

/// Passes the value of each line of a header to a function.
pub(super) type LinesByName<'a> = dyn Fn(&str, &mut dyn FnMut(&'a [u8])) + 'a;

impl<'a> Caller<'a> {
    /// Returns the peer address of the connection. Behind proxies, this is the last proxy. An IPv4
    /// address that is mapped into IPv6 (RFC 4291, section 2.5.5.2) is returned as IPv4.
    ///
    /// It is `None` for a message, on a Unix socket, and if the server does not know the address.
    /// In the last case the log has one `WARN` for the policy.
    #[must_use]
    pub fn addr(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Ip(addr) => Some(addr.to_canonical()),
            Peer::Local => None,
            Peer::Unknown => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    diagnostics::peer_unknown();
                }
                None
            }
        }
    }

    /// Returns the value of a request header, if it is UTF-8. The case of the name does not matter.
    ///
    /// It is also `None` if the header has several lines with different values. One of them may
    /// come from the caller, and another from your proxy.
    ///
    /// Only a header that your own proxy always sets or removes says anything about a caller.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let (mut first, mut agree) = (None, true);
        (self.lines)(name, &mut |line| {
            agree &= *first.get_or_insert(trim(line)) == trim(line);
        });
        std::str::from_utf8(first.filter(|_| agree)?).ok()
    }

    /// Returns the values of all lines of a request header, in their order. It skips a line that is
    /// not UTF-8.
    ///
    /// A proxy that appends to `X-Forwarded-For` writes the last value of the last line. Everything
    /// before that comes from the caller of the proxy.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut lines = Vec::new();
        (self.lines)(name, &mut |line| {
            lines.extend(std::str::from_utf8(trim(line)));
        });
        lines.into_iter()
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// The other end of the connection, as far as a server knows it. You pass it to
/// [`Policy::receive`](crate::Policy::receive).
///
/// ```
/// use correlation_core::adapter::Peer;
/// use std::net::{IpAddr, Ipv4Addr};
///
/// let address = IpAddr::from(Ipv4Addr::LOCALHOST);
/// assert_eq!(Peer::from(address), Peer::Ip(address));
/// assert_eq!(Peer::from(None), Peer::Unknown);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Peer {
    /// The peer has this address. Behind proxies, this is the last proxy.
    Ip(IpAddr),
    /// The peer has no address: it is a Unix socket, or a test made the request. No caller is
    /// trusted by address then.
    Local,
    /// The server does not know the address. If a policy needs it, the log has one `WARN` for that
    /// policy.
    Unknown,
}

impl Peer {
    /// Returns the address, if it is known.
    pub(crate) const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address),
            Self::Local | Self::Unknown => None,
        }
    }
}

impl From<IpAddr> for Peer {
    #[inline]
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

/// Converts an address; `None` becomes [`Unknown`](Peer::Unknown).
impl From<Option<IpAddr>> for Peer {
    #[inline]
    fn from(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Unknown, Self::Ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(trust: &Trust, peer: &str) -> bool {
        trust.covers(Peer::Ip(peer.parse().unwrap()), &|_, _| {})
    }

    #[test]
    fn networks_hold_what_is_in_them() {
        let trust = Trust::networks(["10.0.0.0/8", " ::1", "fd00::/8", "192.0.2.7"]);
        for yes in [
            "10.0.0.0",
            "10.255.255.255",
            "::ffff:10.1.2.3",
            "::1",
            "fdff::1",
            "192.0.2.7",
        ] {
            assert!(covers(&trust, yes), "{yes}");
        }
        for no in [
            "9.255.255.255",
            "11.0.0.0",
            "::ffff:11.0.0.0",
            "::10.1.2.3",
            "::2",
            "fe00::1",
            "192.0.2.8",
        ] {
            assert!(!covers(&trust, no), "{no}");
        }
        let mapped = Trust::networks(["::ffff:10.0.0.0/104", "::ffff:192.0.2.7"]);
        assert!(covers(&mapped, "10.1.2.3") && covers(&mapped, "::ffff:192.0.2.7"));
        assert!(!covers(&mapped, "11.0.0.0") && !covers(&mapped, "192.0.2.8"));
        let (four, six) = (Trust::networks(["0.0.0.0/0"]), Trust::networks(["::/0"]));
        assert!(covers(&four, "::ffff:1.2.3.4") && !covers(&four, "::1"));
        assert!(!covers(&six, "::ffff:1.2.3.4") && covers(&six, "::1"));
        let nobody = Trust::networks(<[&str; 0]>::default());
        assert!(!covers(&nobody, "127.0.0.1"));
    }

    #[test]
    fn what_is_no_network_is_told_by_its_place() {
        for bad in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0",
            "010.0.0.0/8",
            "fd00::/129",
            "fe80::1%eth0",
            "localhost",
            "10.0.0.0/8, ::1",
        ] {
            let error = Trust::read(["::1", bad]).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "correlation, networks, entry 2: {bad:?} is not a network: write it as in \
                     10.0.0.0/8, 10.1.2.3 or fd00::/8"
                )
            );
        }
        for (text, trust) in [
            ("always", "Trust::always()"),
            (" never\n", "Trust::never()"),
            (" ::1 , 10.0.0.0/8", "Trust::when(..)"),
        ] {
            assert_eq!(format!("{:?}", text.parse::<Trust>().unwrap()), trust);
        }
        for bad in [
            "",
            " ",
            "Always",
            "NEVER",
            "::1,",
            ",::1",
            "::1, never",
            "always,never",
        ] {
            let error = bad.parse::<Trust>().unwrap_err().to_string();
            let setting = if bad.contains(',') {
                "networks"
            } else {
                "trust"
            };
            let known = format!("correlation, {setting}");
            assert!(error.starts_with(&known), "{error}");
        }
        let error = "10.1.2.3/8".parse::<Trust>().unwrap_err().to_string();
        assert_eq!(
            error,
            "correlation, networks, entry 1: \"10.1.2.3/8\" has address bits set after the prefix: \
             correct the address or the prefix"
        );
    }
}
