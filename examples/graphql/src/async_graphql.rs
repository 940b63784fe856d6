//! Scopes for async-graphql, which provides the protocol and the engine.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response, Result, Value};
use correlation_axum::correlation::adapter::scoped_call;
use correlation_axum::correlation::{Context, Policy, current, scope, sync_scope};
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::Value as Json;
use tracing::{Instrument, Span, info, info_span};

use crate::connection::Connection;

/// A schema that runs each operation in the scope of its message.
#[derive(Clone, Debug)]
pub struct Correlated<E>(pub E);

impl<E: Executor> Executor for Correlated<E> {
    async fn execute(&self, request: Request) -> Response {
        let (context, span) = operation(&request, None);
        let work = self.0.execute(request).instrument(span);
        scope(context, async { identified(work.await) }).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let (context, span) = operation(&request, session.as_deref());
        // The task of the socket polls it, together with all others.
        let results = scoped_call(context, || {
            let mut results = self.0.execute_stream(request, session).map(identified);
            stream::poll_fn(move |cx| span.in_scope(|| results.poll_next_unpin(cx)))
        });
        Box::pin(results)
    }
}

/// Gives the connection the ID of its first message, if that message has one. Pass it to
/// `GraphQLWebSocket::on_connection_init`.
///
/// # Errors
///
/// None. Your own function may check the credentials here.
pub async fn on_connection_init(payload: Json) -> Result<Data> {
    let mut connection = Connection::new(Policy::new());
    let upgrade_id = connection.id().clone();
    connection.adopt(|key| payload.get(json_key(key))?.as_str());
    // If the two IDs differ, only this line has both.
    let context = connection.context().clone();
    sync_scope(context, || info!(%upgrade_id, "connected"));
    let mut data = Data::default();
    data.insert(connection);
    Ok(data)
}

/// `correlation_id` is on every line automatically. The span adds `connection_id` beside it.
fn operation(request: &Request, session: Option<&Data>) -> (Context, Span) {
    let known = session.and_then(|data| data.get(&TypeId::of::<Connection>()));
    let known = known.and_then(|known| known.downcast_ref::<Connection>());
    // Over HTTP there is no session, and the scope of the request is the one of the connection.
    let connection = known.cloned();
    let connection = connection.unwrap_or_else(|| Connection::new(Policy::new()));
    let context = connection.message(|key| match request.extensions.get(json_key(key))? {
        Value::String(text) => Some(text.clone()),
        _ => None,
    });
    let connection_id = connection.id().as_str();
    (context, info_span!("operation", connection_id))
}

/// Tells the client which ID to quote.
fn identified(response: Response) -> Response {
    let id = current().map(String::from);
    response.extension("correlationId", id.map_or(Value::Null, Value::String))
}

/// Returns the key in JSON: `correlationId`, as JSON keys are usually written, or the name of a
/// header.
fn json_key(key: &str) -> &str {
    match key {
        "correlation_id" => "correlationId",
        other => other,
    }
}
