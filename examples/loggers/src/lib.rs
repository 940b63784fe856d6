//! The records that every example logs, so that only their set-up differs.

use std::thread;

use correlation_core::{Context, CorrelationId, Policy, Trust, bind, sync_scope};
use log::info;
use serde_json::json;

/// Logs one purchase, with everything that can happen to a record.
pub fn purchase() {
    info!("before");
    let id: CorrelationId = "click-1".parse().expect("a valid ID");
    sync_scope(id, || {
        info!("order placed");
        let mail = thread::spawn(bind(|| info!("mail sent")));
        mail.join().expect("no panic");
        thread::spawn(|| info!("unbound")).join().expect("no panic");
        let card = json!({ "correlation_id": "of the bank" });
        info!(items = 3, card:serde; "paid");
        info!(correlation_id = "click-1"; "named");
        info!("two\nlines");
    });
    sync_scope(stranger(), || {
        info!("first");
        info!("second");
    });
    info!("after");
}

/// Returns the context of a request whose ID is not trusted. One record has that ID as
/// `untrusted_id`.
fn stranger() -> Context {
    let id: CorrelationId = "click-2".parse().expect("a valid ID");
    let policy = Policy::new()
        .trust(Trust::never())
        .generator(correlation_core::Generator::custom(move || id.clone()));
    let headers = || [("x-correlation-id", &b"theirs"[..])];
    policy.receive(headers, None).into_context()
}
