//! An ID into the headers of a message, and out of them.

use std::collections::HashMap;

use correlation_core::{CorrelationId, extract_with, inject, inject_with, sync_scope};

use super::SENT;
use super::by_hand::ID;
use crate::Group;

pub(crate) fn groups() -> Vec<Group> {
    let out = Group::new(
        "broker, inject into a HashMap",
        "A map of two other headers, and the ID. OTel writes a traceparent.",
    )
    .bare("no ID", || message)
    .ours("inject_with", || {
        in_scope(|| {
            let mut message = message();
            inject_with(|key, value| drop(message.insert(key.to_owned(), value.to_owned())));
            message
        })
    })
    .ours("inject", || {
        in_scope(|| {
            let mut message = message();
            inject(&mut message);
            message
        })
    })
    .peer("by hand", || {
        || {
            ID.sync_scope(SENT.to_owned(), || {
                let mut message = message();
                message.insert("x-correlation-id".to_owned(), ID.get());
                message
            })
        }
    });
    #[cfg(feature = "peers")]
    let out = out.peer("OTel inject_context", || {
        let context = super::outbound::otel();
        move || {
            let _attached = context.clone().attach();
            let mut message = message();
            super::outbound::otel_inject(&mut message);
            message
        }
    });
    let sent = || {
        let mut message = message();
        message.insert("x-correlation-id".to_owned(), SENT.to_owned());
        message
    };
    let back = Group::new(
        "broker, extract from a HashMap",
        "The ID of a message of three headers. By closure all usual spellings are asked for, and \
         the trace context, too. OTel reads a traceparent.",
    )
    .peer("by hand", move || {
        let message = sent();
        move || super::by_hand::choose(|name| message.get(name).map(String::as_str))
    })
    .ours("extract_with", move || {
        let message = sent();
        move || extract_with(|key| message.get(key))
    })
    .ours("extract", move || {
        let message = sent();
        move || correlation_core::extract(&message)
    });
    #[cfg(feature = "peers")]
    let back = back.peer("OTel extract", || {
        let mut message = message();
        message.insert(
            "traceparent".to_owned(),
            super::outbound::TRACEPARENT.to_owned(),
        );
        move || super::outbound::otel_extract(&message)
    });
    vec![out, back]
}

fn in_scope<R>(mut f: impl FnMut() -> R) -> impl FnMut() -> R {
    let context = correlation_core::Context::from(CorrelationId::new());
    move || sync_scope(context.clone(), &mut f)
}

fn message() -> HashMap<String, String> {
    let pairs = [("content-type", "application/json"), ("priority", "3")];
    HashMap::from(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())))
}
