use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use correlation_core::adapter::{Decision, Peer};
use correlation_core::{Origin, Policy, Source, TraceContext, TraceId, Trust};
use correlation_testkit::every_source;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{lines, model, sent};

type Lines<'h> = [(&'static str, &'h [u8])];

/// Header lines, under a policy with every source: the answer is that of the model.
///
/// The bits of the first byte set the policy. Of each line after the first, the first byte
/// chooses the name: from `0` on, as they stand here.
pub fn receive(data: &[u8]) {
    const NAMES: [&str; 16] = [
        "x-correlation-id",
        "X-Request-ID",
        "traceparent",
        "tracestate",
        "b3",
        "X-B3-TraceId",
        "x-amzn-trace-id",
        "X-Cloud-Trace-Context",
        "Request-Id",
        "sentry-trace",
        "X-Forwarded-For",
        "X-CORRELATION-ID",
        "x-request-id",
        "TraceParent",
        "x_correlation_id",
        "",
    ];
    let mut rest = lines(data);
    let bits = rest.next().and_then(|line| line.first()).copied();
    let setting = Setting::from(bits.unwrap_or_default());
    let lines: Vec<_> = rest
        .filter_map(|line| {
            let (&name, value) = line.split_first()?;
            Some((NAMES[usize::from(name) % NAMES.len()], value))
        })
        .collect();

    let policy = setting.policy();
    let decide = |lines: &Lines<'_>| policy.receive(|| lines.iter().copied(), setting.peer());
    let decision = decide(&lines);
    setting.check(&lines, &decision);

    // The order of lines does not matter, nor does a stranger among them.
    let mut others = lines.clone();
    others.reverse();
    others.push(("x-correlation-id ", b"evil"));
    setting.check(&others, &decide(&others));

    // The next service reads what this one has chosen.
    let context = decision.context();
    let headers = sent(context);
    let next = Policy::new().receive(|| headers.iter().map(|(k, v)| (k, v)), None);
    assert_eq!(next.context().id(), context.id());
    assert_eq!(next.context().trace_id(), context.trace_id());

    // A map of `http` says what the list says, of what it can hold.
    let mut map = HeaderMap::new();
    let mut held = lines;
    held.retain(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        let value = HeaderValue::from_bytes(value).ok();
        name.zip(value).is_some_and(|(name, value)| {
            map.append(name, value);
            true
        })
    });
    setting.check(&held, &policy.receive(|| &map, setting.peer()));
}

/// A policy by the bits of a byte, of which `@` has none.
struct Setting {
    trust: u8,
    validates: bool,
    rejects: bool,
    participates: bool,
    max: usize,
}

impl From<u8> for Setting {
    fn from(bits: u8) -> Self {
        let bit = |n: u8| bits >> n & 1 == 1;
        Self {
            trust: bits & 3,
            validates: bit(2),
            rejects: bit(3),
            participates: bit(4),
            max: if bit(5) { 36 } else { 128 },
        }
    }
}

impl Setting {
    fn policy(&self) -> Policy {
        let sentry = Source::parsed("sentry-trace", |value| value.split('-').next());
        let policy = Policy::new()
            .sources(every_source().into_iter().chain([sentry]))
            .trust(match self.trust {
                0 => Trust::always(),
                1 => Trust::never(),
                _ => Trust::networks(["10.0.0.0/8"]),
            })
            .reject_missing(self.rejects)
            .reject_invalid(self.rejects)
            .max_len(self.max);
        let policy = match self.participates {
            true => policy.trace_context(TraceContext::Participate { sampled: true }),
            false => policy,
        };
        match self.validates {
            true => policy.validator(|id| !id.contains('e')),
            false => policy,
        }
    }

    fn peer(&self) -> Peer {
        Peer::Ip(Ipv4Addr::new(8 + self.trust, 1, 2, 3).into())
    }

    fn is_id(&self, value: &[u8]) -> bool {
        model::is_id(value, self.max) && !(self.validates && value.contains(&b'e'))
    }

    /// The ID with the header that it is taken from, and whether an ID header before it is bad.
    fn candidate<'h>(&self, lines: &Lines<'h>) -> (Option<(&'h [u8], &'static str)>, bool) {
        let mut invalid = false;
        for (name, format) in SOURCES {
            let values = values(lines, name);
            if values.is_empty() {
                continue;
            }
            let value = match format {
                Format::Plain => model::agreed(&values),
                Format::Traceparent => model::trace_id(&values).map(str::as_bytes),
                Format::Part(part) => model::agreed(&values).and_then(|value| part_of(value, part)),
                Format::Own(part) => {
                    model::repeated(&values).and_then(|value| part_of(value, part))
                }
            };
            if let Some(id) = value.filter(|id| self.is_id(id)) {
                return (Some((id, name)), invalid);
            }
            let absent = value.is_some_and(model::is_placeholder);
            invalid |= matches!(format, Format::Plain) && !absent;
        }
        (None, invalid)
    }

    fn check(&self, lines: &Lines<'_>, decision: &Decision) {
        let (candidate, invalid) = self.candidate(lines);
        let rejected = self.rejects && (invalid || candidate.is_none());
        assert_eq!(decision.rejected().is_some(), rejected);

        let (context, trusted) = (decision.context(), [0, 2].contains(&self.trust));
        let text = |id: &[u8]| String::from_utf8(id.to_vec()).unwrap();
        match candidate.filter(|_| trusted && !rejected) {
            Some((id, name)) => {
                assert_eq!(context.id().as_str(), text(id));
                assert_eq!(context.origin(), Origin::Header(name));
            }
            None => {
                assert_eq!(context.id().as_str().len(), 36);
                assert_eq!(context.origin(), Origin::Generated);
            }
        }
        let untrusted = candidate.filter(|_| !trusted).map(|(id, _)| text(id));
        assert_eq!(context.untrusted_id().map(ToString::to_string), untrusted);

        let traces = values(lines, "traceparent");
        let continued = model::trace_id(&traces).filter(|_| trusted);
        let trace = context.trace_id();
        let trace = trace.as_ref().map(TraceId::as_str);
        if continued.is_some() || !self.participates {
            assert_eq!(trace, continued);
        } else {
            assert!(trace.is_some());
        }
    }
}

fn values<'h>(lines: &Lines<'h>, name: &str) -> Vec<&'h [u8]> {
    let same = lines
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    same.map(|(_, value)| *value).collect()
}

fn part_of(value: &[u8], part: fn(&str) -> Option<&str>) -> Option<&[u8]> {
    str::from_utf8(value).ok().and_then(part).map(str::as_bytes)
}

enum Format {
    Plain,
    Traceparent,
    Part(fn(&str) -> Option<&str>),
    /// A comma may belong to the value.
    Own(fn(&str) -> Option<&str>),
}

const SOURCES: [(&str, Format); 9] = [
    ("x-correlation-id", Format::Plain),
    ("x-request-id", Format::Plain),
    ("traceparent", Format::Traceparent),
    ("b3", Format::Part(model::b3)),
    ("x-b3-traceid", Format::Part(model::b3)),
    ("x-amzn-trace-id", Format::Part(model::amzn)),
    ("x-cloud-trace-context", Format::Part(model::cloud_trace)),
    ("request-id", Format::Part(model::request_id)),
    ("sentry-trace", Format::Own(model::sentry)),
];

/// The value of a `b3` header.
pub fn b3(data: &[u8]) {
    part(Source::B3, "b3", model::b3, data);
    part(Source::B3, "x-b3-traceid", model::b3, data);
}

/// The value of an `X-Amzn-Trace-Id` header.
pub fn amzn(data: &[u8]) {
    part(Source::AMZN_TRACE_ID, "x-amzn-trace-id", model::amzn, data);
}

/// The value of an `X-Cloud-Trace-Context` header.
pub fn cloud_trace(data: &[u8]) {
    let (source, name) = (Source::CLOUD_TRACE_CONTEXT, "x-cloud-trace-context");
    part(source, name, model::cloud_trace, data);
}

/// The value of a hierarchical `Request-Id` header.
pub fn request_id(data: &[u8]) {
    part(
        Source::DOTNET_REQUEST_ID,
        "request-id",
        model::request_id,
        data,
    );
}

/// One header in a format of its own, beside one that the policy does not read: the part that is
/// the ID is a part of the value, and has the form of the model.
fn part(source: Source, name: &str, parse: fn(&str) -> Option<&str>, data: &[u8]) {
    let policy = Policy::new().sources([source]);
    let lines = || [("x-correlation-id", &b"evil"[..]), (name, data)];
    let decision = policy.receive(lines, None);
    let id = model::agreed(&[data]).and_then(|value| part_of(value, parse));
    let id = id.filter(|id| model::is_id(id, 128));
    let expected = id.map(|id| str::from_utf8(id).unwrap());
    let context = decision.context();
    let taken = (context.origin() != Origin::Generated).then(|| context.id().as_str());
    assert_eq!(taken, expected, "{}", data.escape_ascii());
}

/// Trust from a configuration: who is in the networks is told by the bits.
pub fn networks(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let is_word = |text: &str| ["always", "never"].contains(&text.trim());
    let Ok(trust) = text.parse::<Trust>() else {
        let bad = |entry: &str| is_word(entry) || entry.parse::<Trust>().is_err();
        assert!(text.contains(',') || !is_word(text));
        assert!(
            !text.contains(',') || text.split(',').any(bad),
            "all of them are networks"
        );
        return;
    };
    if is_word(text) {
        assert_eq!(format!("{trust:?}"), format!("Trust::{}()", text.trim()));
        return;
    }
    let policy = Policy::new().trust(trust);
    let trusts = |peer: Peer| {
        let decision = policy.receive(|| [("x-correlation-id", "abc")], peer);
        decision.context().id() == "abc"
    };
    let mut networks = Vec::new();
    for network in text.split(',').map(str::trim) {
        let (addr, prefix) = network.split_once('/').unwrap_or((network, ""));
        let addr: IpAddr = addr.parse().expect("an address");
        let most = if addr.is_ipv4() { 32 } else { 128 };
        networks.push((addr, prefix.parse().unwrap_or(most)));
    }
    let expected = |peer: IpAddr| {
        let peer = peer.to_canonical();
        networks
            .iter()
            .any(|&(addr, prefix)| within(peer, addr, prefix))
    };
    // Each network, its neighbours, and who is in no network.
    for &(addr, _) in &networks {
        for bit in [0, 1, 8, 31, 32, 95, 96, 127] {
            let near = match addr {
                IpAddr::V4(addr) => IpAddr::from(Ipv4Addr::from(u32::from(addr) ^ 1 << (bit % 32))),
                IpAddr::V6(addr) => Ipv6Addr::from(u128::from(addr) ^ 1 << bit).into(),
            };
            for peer in [addr, near] {
                assert_eq!(trusts(peer.into()), expected(peer), "{peer} in {text:?}");
            }
        }
        assert!(trusts(addr.into()), "{addr} in {text:?}");
    }
    assert!(!trusts(Peer::Local) && !trusts(Peer::Unknown));
}

/// Whether an address has the first bits of a network of the same family.
fn within(peer: IpAddr, network: IpAddr, prefix: u32) -> bool {
    // A mapped network is one of IPv4, if its prefix goes that far.
    let (network, prefix) = match (network.to_canonical(), prefix.checked_sub(96)) {
        (plain @ IpAddr::V4(_), Some(prefix)) if network.is_ipv6() => (plain, prefix),
        _ => (network, prefix),
    };
    let (peer, network, len) = match (peer, network) {
        (IpAddr::V4(peer), IpAddr::V4(network)) => {
            (peer.to_bits().into(), network.to_bits().into(), 32)
        }
        (IpAddr::V6(peer), IpAddr::V6(network)) => (peer.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    (peer ^ network).checked_shr(len - prefix).unwrap_or(0) == 0
}
