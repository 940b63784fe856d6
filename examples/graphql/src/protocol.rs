//! The messages of `graphql-transport-ws`
//! (<https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md>), and
//! where in them an ID may stand.

use serde::Deserialize;
use serde_json::{Map, Value};

/// What a client sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClientMessage {
    ConnectionInit { payload: Option<Map<String, Value>> },
    Ping,
    Pong,
    Subscribe { id: String, payload: Operation },
    Complete { id: String },
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) operation_name: Option<String>,
    pub(crate) variables: Option<Map<String, Value>>,
    /// "Reserved for implementors to extend the protocol": this is the place for an ID.
    pub(crate) extensions: Option<Map<String, Value>>,
}

/// Looks up what a policy asks for.
pub(crate) fn look_up<'a>(object: Option<&'a Map<String, Value>>, key: &str) -> Option<&'a str> {
    object?.get(json_key(key))?.as_str()
}

/// In JSON it is `correlationId`, as keys are written there, or the name of a header.
pub(crate) fn json_key(key: &str) -> &str {
    match key {
        "correlation_id" => "correlationId",
        other => other,
    }
}

/// The name of the subprotocol.
pub(crate) const NAME: &str = "graphql-transport-ws";

/// Why the server closes a socket, by the codes of the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    Invalid,
    NotInitialised,
    InitialisedTwice,
    AlreadyThere,
}

impl Fault {
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Invalid => 4400,
            Self::NotInitialised => 4401,
            Self::AlreadyThere => 4409,
            Self::InitialisedTwice => 4429,
        }
    }

    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid message received",
            Self::NotInitialised => "Unauthorized",
            Self::AlreadyThere => "Subscriber already exists",
            Self::InitialisedTwice => "Too many initialisation requests",
        }
    }
}
