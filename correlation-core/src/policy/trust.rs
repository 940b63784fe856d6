use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Whose IDs are taken over.
///
/// An ID proves nothing about its sender. Trusting it means: whoever can reach this service may
/// choose what its log lines are found by. That is what one wants inside of an organisation; at
/// its edge, [`Never`](Self::Never) or [`when`](Self::when) keeps strangers from mixing their
/// actions with those of others.
///
/// Of a caller that is not trusted nothing is continued: the ID is fresh, a W3C trace restarts
/// (Trace Context, section 5.2), and a valid ID is kept as the
/// [upstream ID](crate::Context::upstream_id).
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Trust {
    /// Every caller's.
    #[default]
    Always,
    /// Nobody's.
    Never,
    /// Those callers' for which the predicate holds; made with [`Trust::when`].
    When(Predicate),
}

/// The predicate of [`Trust::When`].
#[derive(Clone)]
pub struct Predicate(Arc<dyn Fn(&Caller<'_>) -> bool + Send + Sync>);

impl Trust {
    /// Trusts those callers for which `predicate` holds. It runs for every request that brings
    /// an ID or a trace context.
    ///
    /// ```
    /// use correlation_core::Trust;
    /// use std::net::IpAddr;
    ///
    /// let private_network = Trust::when(|caller| match caller.addr() {
    ///     Some(IpAddr::V4(addr)) => addr.is_private() || addr.is_loopback(),
    ///     Some(IpAddr::V6(addr)) => addr.is_unique_local() || addr.is_loopback(),
    ///     None => false,
    /// });
    /// ```
    pub fn when(predicate: impl Fn(&Caller<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self::When(Predicate(Arc::new(predicate)))
    }

    pub(super) fn covers(&self, caller: &Caller<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::When(predicate) => (predicate.0)(caller),
        }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "Always",
            Self::Never => "Never",
            Self::When(_) => "When(..)",
        })
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate(..)")
    }
}

/// What [`Trust::when`] can know of a caller.
pub struct Caller<'a> {
    pub(super) addr: Option<IpAddr>,
    pub(super) header: &'a dyn Fn(&str) -> Option<&'a [u8]>,
}

impl<'a> Caller<'a> {
    /// The address of the peer of the connection: the last proxy, if there is one. `None` if the
    /// server does not know it.
    #[must_use]
    pub const fn addr(&self) -> Option<IpAddr> {
        self.addr
    }

    /// The first line of a request header, if it is UTF-8. Case does not matter.
    ///
    /// Only a header that your own proxy always sets, or removes, says anything about a caller.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        std::str::from_utf8((self.header)(name)?).ok()
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}
