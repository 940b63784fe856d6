//! The helper: which ID a message of a connection has. It knows no framework and no protocol, so
//! copy it to wherever messages come in.

use correlation_axum::correlation::{Context, CorrelationId, Origin, Policy};

/// A connection over which many messages come, each of which may bring an ID of its own.
#[derive(Clone, Debug)]
pub struct Connection {
    context: Context,
    policy: Policy,
}

impl Connection {
    /// A connection that was opened by the request that this code works for.
    ///
    /// Outside of any scope it gets a new ID.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let context = Context::current_or_new();
        Self { context, policy }
    }

    /// What messages without an ID have, and what all are logged with as `connection_id`.
    #[must_use]
    pub fn id(&self) -> &CorrelationId {
        self.context.id()
    }

    /// The context for work that belongs to no message.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The context to handle a message in: the one that it brings, by the rules of the policy, or
    /// else the connection's.
    ///
    /// `get` is asked for the usual keys, as in [`Policy::extract_with`].
    pub fn message<T: AsRef<[u8]>>(&self, get: impl FnMut(&str) -> Option<T>) -> Context {
        let own = self.policy.extract_with(get);
        // The ID of a caller who is not trusted is kept, beside a new one.
        let brings_none = own.origin() == Origin::Generated && own.untrusted_id().is_none();
        if brings_none {
            self.context.clone()
        } else {
            own
        }
    }

    /// From now on the connection has the ID of this message, if it brings one: for the first
    /// message of clients that cannot set headers, which are all browsers.
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
