use std::fmt;
use std::sync::Arc;

/// The hosts that outbound HTTP calls send the ID to.
///
/// All by default: a validated random ID is no secret. Name them where third parties must not
/// get it.
///
/// ```
/// use correlation_core::Targets;
///
/// let targets = Targets::hosts(["api.example.com", ".internal"]);
/// assert!(targets.allow("API.example.com"));
/// assert!(targets.allow("orders.internal"));
/// assert!(!targets.allow("api.example.com.evil.test"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Targets(Option<Arc<[String]>>);

impl Targets {
    /// Every host.
    #[must_use]
    pub const fn all() -> Self {
        Self(None)
    }

    /// These hosts only: a name or an IP address stands for itself, a name that begins with a dot
    /// for all hosts below it. Case does not matter; ports are not compared.
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
            let name = normal(host.as_ref());
            let is_ip = name.parse::<std::net::IpAddr>().is_ok();
            let is_name = name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
            if is_ip || (is_name && !name.trim_start_matches('.').is_empty()) {
                Ok(name)
            } else {
                Err(InvalidTarget(host.as_ref().to_owned()))
            }
        };
        Ok(Self(Some(
            hosts.into_iter().map(checked).collect::<Result<_, _>>()?,
        )))
    }

    /// Whether this host, as parsed from a URL, may get the ID.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let Some(hosts) = &self.0 else { return true };
        let host = normal(host);
        hosts.iter().any(|allowed| match allowed.strip_prefix('.') {
            Some(_) => host.len() > allowed.len() && host.ends_with(allowed.as_str()),
            None => host == *allowed,
        })
    }
}

/// Lower case, without the dot of the root and the brackets of an IPv6 address.
fn normal(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).to_ascii_lowercase()
}

/// The text is no host name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidTarget(String);

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a host: write a name as in api.example.com or .internal",
            self.0
        )
    }
}

impl std::error::Error for InvalidTarget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_whole() {
        let targets = Targets::hosts(["api.example.com", ".internal", "10.0.0.7", "::1"]);
        for yes in [
            "api.example.com",
            "API.Example.com.",
            "a.internal",
            "a.b.internal",
            "10.0.0.7",
            "[::1]",
        ] {
            assert!(targets.allow(yes), "{yes}");
        }
        for no in [
            "example.com",
            "x.api.example.com",
            "api.example.com.evil.test",
            "internal",
            ".internal",
            "evilinternal",
            "10.0.0.70",
            "[::2]",
            "",
        ] {
            assert!(!targets.allow(no), "{no}");
        }
        assert!(Targets::all().allow("anything"));
        assert!(!Targets::hosts([""; 0]).allow("anything"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            ".",
            "https://api.example.com",
            "api.example.com:80",
            "a/b",
            "*.x",
            "é",
        ] {
            let error = Targets::try_hosts([bad]).unwrap_err();
            assert!(error.to_string().contains("is not a host"), "{bad}");
        }
    }
}
