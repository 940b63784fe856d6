use std::fmt;

/// The error of a message that is not a Celery message of protocol 2 in JSON.
///
/// The text says which part is wrong. It never repeats the content of the message, so it is safe to
/// log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidMessage(pub(crate) &'static str);

impl fmt::Display for InvalidMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "celery message: {}", self.0)
    }
}

impl std::error::Error for InvalidMessage {}

/// The error of a name that cannot carry the ID through Celery. The text says why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidHeader {
    pub(crate) name: String,
    pub(crate) reason: &'static str,
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "celery header name {:?}: {}", self.name, self.reason)
    }
}

impl std::error::Error for InvalidHeader {}
