//! A real engine: async-graphql's schema and socket, wrapped once.

use async_graphql::futures_util::{Stream, stream};
use async_graphql::http::ALL_WEBSOCKET_PROTOCOLS;
use async_graphql::{EmptyMutation, Executor, Object, Request, Schema, Subscription};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use correlation_axum::{CorrelationId, CorrelationLayer, carry, current, scope};
use graphql_demo::async_graphql::{Correlated, on_connection_init};
use graphql_demo::client::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

struct Query;

#[Object]
impl Query {
    async fn id(&self) -> Option<String> {
        tokio::task::yield_now().await;
        current().map(String::from)
    }
}

struct Ids;

#[Subscription]
impl Ids {
    /// The ID at each of five results.
    async fn ids(&self) -> impl Stream<Item = Option<String>> {
        stream::unfold(0, |n| async move {
            tokio::task::yield_now().await;
            (n < 5).then(|| (current().map(String::from), n + 1))
        })
    }
}

async fn connect(headers: &[(&'static str, &str)]) -> Client {
    async fn serve(upgrade: WebSocketUpgrade, protocol: GraphQLProtocol) -> Response {
        let schema = Schema::new(Query, EmptyMutation, Ids);
        upgrade
            .protocols(ALL_WEBSOCKET_PROTOCOLS)
            .on_upgrade(carry(move |socket| {
                GraphQLWebSocket::new(socket, Correlated(schema), protocol)
                    .on_connection_init(on_connection_init)
                    .serve()
            }))
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new()
        .route("/graphql", get(serve))
        .layer(CorrelationLayer::new());
    tokio::spawn(async { axum::serve(listener, app).await });
    Client::connect(address, headers).await.unwrap()
}

async fn subscribe(client: &mut Client, id: &str, query: &str, extensions: Value) {
    let payload = json!({ "query": query, "extensions": extensions });
    let message = json!({ "type": "subscribe", "id": id, "payload": payload });
    client.send(&message).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn subscriptions_on_one_socket_never_cross() {
    let mut client = connect(&[("x-correlation-id", "tab-a1")]).await;
    client.init(Value::Null).await.unwrap();
    let expected = |n: usize| match n % 3 {
        0 => "tab-a1".to_owned(),
        _ => format!("click-{n}"),
    };
    for n in 0..50 {
        let extensions = match n % 3 {
            0 => json!({ "correlationId": "two words" }),
            _ => json!({ "correlationId": expected(n) }),
        };
        subscribe(
            &mut client,
            &n.to_string(),
            "subscription { ids }",
            extensions,
        )
        .await;
    }
    let (mut running, mut right) = (50, 0);
    while running > 0 {
        let message = client.receive().await.unwrap();
        if message["type"] == "complete" {
            running -= 1;
            continue;
        }
        let n: usize = message["id"].as_str().unwrap().parse().unwrap();
        let id = &message["payload"]["data"]["ids"];
        right += usize::from(*id == expected(n));
    }
    assert_eq!(right, 50 * 5);
}

#[tokio::test]
async fn the_first_message_names_the_connection() {
    let mut client = connect(&[]).await;
    client
        .init(json!({ "correlationId": "tab-a2" }))
        .await
        .unwrap();
    for (extensions, expected) in [
        (json!({}), "tab-a2"),
        (json!({ "x-correlation-id": "click-a2" }), "click-a2"),
        (json!({}), "tab-a2"),
    ] {
        subscribe(&mut client, "1", "{ id }", extensions).await;
        let next = client.receive().await.unwrap();
        assert_eq!(next["payload"]["data"]["id"], expected, "{next}");
        assert_eq!(client.receive().await.unwrap()["type"], "complete");
    }
}

#[tokio::test]
async fn over_http_the_request_is_the_connection() {
    let schema = Correlated(Schema::new(Query, EmptyMutation, Ids));
    let id: CorrelationId = "post-a3".parse().unwrap();
    let answer = scope(id.clone(), schema.execute(Request::new("{ id }"))).await;
    assert_eq!(answer.data.into_json().unwrap(), json!({ "id": "post-a3" }));

    // An operation of a batch may bring its own, as over a socket.
    let mut own = Request::new("{ id }");
    own.extensions
        .insert("correlationId".to_owned(), "op-a4".into());
    let answer = scope(id, schema.execute(own)).await;
    assert_eq!(answer.data.into_json().unwrap(), json!({ "id": "op-a4" }));
}
