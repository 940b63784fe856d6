use std::net::IpAddr;

use correlation_core::adapter::{self, Destination, Expose};
use correlation_core::{Context, Policy, Targets};
use correlation_testkit::id;
use http::Uri;

use crate::{Pairs, lines};

/// The first line names the targets, as a configuration does. Each line after it is a destination,
/// `scheme host port`: who is allowed is told by the text of the names.
pub fn targets(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let names: Vec<_> = first.split(',').map(str::trim).collect();
    let is_host = |name: &str| !name.contains(',') && name.parse::<Targets>().is_ok();
    let Ok(targets) = first.parse::<Targets>() else {
        assert!(names.len() == 1 || !names.iter().all(|name| is_host(name)));
        return;
    };
    let covers = |host: &str, port| names.iter().any(|name| covers(name, host, port));

    let none = Destination::default();
    assert!(adapter::needs_destination(&targets) && !targets.allows(none));
    for line in lines {
        let mut words = line.split_whitespace();
        let (Some(scheme), Some(host)) = (words.next(), words.next()) else {
            continue;
        };
        let port = words.next().and_then(|port| port.parse().ok());
        let destination = Destination {
            scheme: Some(scheme),
            host: Some(host),
            port,
        };
        let expected = covers(host, port.or(default_port(Some(scheme))));
        assert_eq!(
            targets.allows(destination),
            expected,
            "{destination:?} of {names:?}"
        );
        for host in [host.to_ascii_uppercase(), host.to_ascii_lowercase()] {
            let host = Some(host.as_str());
            assert_eq!(
                targets.allows(Destination {
                    host,
                    ..destination
                }),
                expected
            );
        }
        assert!(Targets::all().allows(destination));
        // What counts in a URI is its host, not what is written before an `@`.
        if let Ok(uri) = format!("{scheme}://{host}/").parse::<Uri>()
            && let Some(host) = uri.host()
        {
            let port = uri.port_u16().or(default_port(uri.scheme_str()));
            assert_eq!(
                targets.allows(&uri),
                covers(host, port),
                "{uri} of {names:?}"
            );
        }

        let mut headers = Pairs::<String>::new();
        targets.inject(&Context::from(id("abc")), destination, &mut headers);
        assert_eq!(headers.len(), usize::from(expected));
        if is_host(host) && !host.starts_with('.') {
            let connected = targets.clone().connected_to(host);
            let (host, port) = split(host);
            assert_eq!(
                connected.allows(none),
                covers(host, port),
                "{host} of {names:?}"
            );
            assert_eq!(connected.allows(destination), expected);
        }
    }
    // Each is one itself.
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let (host, port) = split(name);
        let (scheme, host) = (None, Some(host));
        assert!(targets.allows(Destination { scheme, host, port }), "{name}");
    }
}

fn default_port(scheme: Option<&str>) -> Option<u16> {
    match scheme? {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Whether a target covers a host, both as they are written.
fn covers(target: &str, host: &str, port: Option<u16>) -> bool {
    let (target, only) = split(target);
    let name = |host: &str| host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let covers = match (ip(target), ip(host)) {
        (Some(target), Some(ip)) => target == ip,
        (None, None) if target.starts_with('.') => {
            let (target, host) = (name(target), name(host));
            host.len() > target.len() && host.ends_with(&target)
        }
        (None, None) => name(target) == name(host),
        _ => false,
    };
    covers && (only.is_none() || only == port)
}

/// The host and the port of a target.
fn split(target: &str) -> (&str, Option<u16>) {
    match target.rsplit_once(':') {
        Some((host, port)) if ip(target).is_none() => (host, port.parse().ok()),
        _ => (target, None),
    }
}

fn ip(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// Lines of `Access-Control-Expose-Headers`: our name comes to those that are there, once.
pub fn expose(data: &[u8]) {
    const NAME: &str = "x-correlation-id";
    let policy = Policy::new().expose_to_browsers(true);
    let present: Vec<_> = lines(data).collect();
    let names = |lines: &[&[u8]]| {
        let lines = lines.iter().filter_map(|line| str::from_utf8(line).ok());
        let names = lines
            .filter(|line| line.is_ascii())
            .flat_map(|line| line.split(','));
        let names = names.map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut there = names(&present);
    let is_there = there.iter().any(|name| name.eq_ignore_ascii_case(NAME));
    let all_ascii = present.iter().all(|line| line.is_ascii());

    let done = adapter::expose(&policy, || present.iter().copied());
    assert_eq!(done.is_none(), is_there);
    let lines = match &done {
        None => present,
        Some(Expose::Add(name)) => {
            assert!(!all_ascii);
            [present, vec![name.as_bytes()]].concat()
        }
        Some(Expose::Set(line)) => {
            assert!(all_ascii);
            there.push(NAME.to_owned());
            assert_eq!(names(&[line.as_bytes()]), there);
            vec![line.as_bytes()]
        }
    };
    assert_eq!(adapter::expose(&policy, || lines.iter().copied()), None);
}
