//! What can be asked for. Operations are known by their name, as persisted queries are: this
//! example is about IDs, and has no GraphQL engine.

use async_stream::stream;
use correlation_axum::current;
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tracing::info;

use crate::protocol::Operation;

/// The results of an operation, one after the other; `None` if there is no such operation.
pub(crate) fn run(operation: &Operation) -> Option<impl Stream<Item = Value> + Send + use<>> {
    let from = operation.variables.as_ref().and_then(|all| all.get("from"));
    let from = from.and_then(Value::as_u64).unwrap_or(3).min(1_000_000);
    match operation.operation_name.as_deref()? {
        "WhoAmI" => Some(stream::once(async { result("whoAmI", 0) }).left_stream()),
        "Countdown" => Some(countdown(from).right_stream()),
        _ => None,
    }
}

fn countdown(from: u64) -> impl Stream<Item = Value> + Send {
    stream! {
        for left in (0..from).rev() {
            tokio::task::yield_now().await;
            yield result("countdown", left);
        }
    }
}

/// No function here has an ID as an argument.
fn result(field: &str, value: u64) -> Value {
    info!(field, value, "resolved");
    let id = current().map(String::from);
    json!({ "data": { field: value }, "extensions": { "correlationId": id } })
}
