use std::fmt;

/// A [`Policy`](crate::Policy) cannot be made as asked: the message says which setting, and what is allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidPolicy {
    setting: &'static str,
    reason: &'static str,
}

impl InvalidPolicy {
    pub(super) const fn new(setting: &'static str, reason: &'static str) -> Self {
        Self { setting, reason }
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "correlation policy, {}: {}", self.setting, self.reason)
    }
}

impl std::error::Error for InvalidPolicy {}
