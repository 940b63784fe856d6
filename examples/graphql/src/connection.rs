//! This helper decides which ID a message of a connection has. It knows no framework and no
//! protocol, so you can copy it to any code that receives messages.

use correlation_axum::correlation::{Context, CorrelationId, Origin, Policy};

/// A connection with many messages, each of which may have a separate ID.
#[derive(Clone, Debug)]
pub struct Connection {
    context: Context,
    policy: Policy,
}

impl Connection {
    /// Makes a connection that was opened by the current request.
    ///
    /// Outside any scope, it gets a new ID.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let context = Context::current_or_new();
        Self { context, policy }
    }

    /// Returns the context of messages without an ID. All messages are logged with its ID as
    /// `connection_id`.
    #[must_use]
    pub fn id(&self) -> &CorrelationId {
        self.context.id()
    }

    /// Returns the context for work that belongs to no message.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the context for a message: the one in the message, by the rules of the policy, or
    /// else the context of the connection.
    ///
    /// `get` is called with the usual keys, as in [`Policy::extract_with`].
    pub fn message<T: AsRef<[u8]>>(&self, get: impl FnMut(&str) -> Option<T>) -> Context {
        let own = self.policy.extract_with(get);
        // If the caller's ID is not trusted, it is kept beside a new one.
        let brings_none = own.origin() == Origin::Generated && own.untrusted_id().is_none();
        if brings_none {
            self.context.clone()
        } else {
            own
        }
    }

    /// Gives the connection the ID of this message, if it has one. Use it for the first message of
    /// clients that cannot set headers, such as all browsers.
    pub fn adopt<T: AsRef<[u8]>>(&mut self, get: impl FnMut(&str) -> Option<T>) {
        self.context = self.message(get);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use correlation_axum::correlation::Trust;

    #[test]
    fn a_stranger_chooses_no_id_and_is_remembered() {
        let connection = Connection::new(Policy::new().trust(Trust::never()));
        let context = connection.message(|key| (key == "correlation_id").then_some("click-1"));
        assert_eq!(context.untrusted_id().unwrap(), &"click-1");
        assert_ne!(context.id(), &"click-1");
        assert_ne!(context.id(), connection.id());
        let none = connection.message(|_| None::<&str>);
        assert_eq!(none.id(), connection.id());
    }
}
