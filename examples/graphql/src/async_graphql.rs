//! The same for async-graphql, which has the protocol and the engine: only the scopes are added.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::futures_util::stream::BoxStream;
use async_graphql::{Data, Executor, Request, Response, Result, Value};
use correlation_axum::{Context, Policy, Scoped, scope};

use crate::connection::Connection;
use crate::protocol::{json_key, look_up};

/// A schema that runs each operation in the scope of its message.
#[derive(Clone, Debug)]
pub struct Correlated<E>(pub E);

impl<E: Executor> Executor for Correlated<E> {
    async fn execute(&self, request: Request) -> Response {
        let context = context(&request, None);
        scope(context, self.0.execute(request)).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let context = context(&request, session.as_deref());
        // It is polled by the task of the socket, together with all others.
        Box::pin(Scoped::made_in_context(context, || {
            self.0.execute_stream(request, session)
        }))
    }
}

/// Gives the connection the ID of its first message, if that brings one: for
/// `GraphQLWebSocket::on_connection_init`.
///
/// # Errors
///
/// None. Yours may check the credentials here.
pub async fn on_connection_init(payload: serde_json::Value) -> Result<Data> {
    let mut connection = Connection::new(Policy::new());
    connection.adopt(|key| look_up(payload.as_object(), key));
    let mut data = Data::default();
    data.insert(connection);
    Ok(data)
}

fn context(request: &Request, session: Option<&Data>) -> Context {
    let known = session.and_then(|data| data.get(&TypeId::of::<Connection>()));
    let known = known.and_then(|known| known.downcast_ref::<Connection>());
    // Over HTTP there is no session, and the request's own scope is the connection's.
    let connection = known.cloned();
    let connection = connection.unwrap_or_else(|| Connection::new(Policy::new()));
    connection.message(|key| match request.extensions.get(json_key(key))? {
        Value::String(text) => Some(text.clone()),
        _ => None,
    })
}
