//! What a client of `graphql-transport-ws` relies on.

use graphql_demo::client::Client;
use serde_json::{Value, json};

use crate::support::{connected, seen, start};

async fn raw() -> Client {
    Client::connect(start().await, &[]).await.unwrap()
}

#[tokio::test]
async fn pings_are_answered_and_pongs_are_not() {
    let mut client = connected("tab-p1").await;
    client.send(&json!({ "type": "pong" })).await.unwrap();
    client.send(&json!({ "type": "ping" })).await.unwrap();
    assert_eq!(client.receive().await.unwrap(), json!({ "type": "pong" }));
}

#[tokio::test]
async fn what_is_no_message_closes_the_socket() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        r#"{"type":"nope"}"#,
        r#"{"type":"subscribe"}"#,
    ] {
        let mut client = raw().await;
        client.send_text(text.to_owned()).await.unwrap();
        assert_eq!(client.receive().await.unwrap()["code"], 4400, "{text}");
    }
}

#[tokio::test]
async fn the_order_of_messages_is_kept() {
    let mut early = raw().await;
    early.subscribe("1", "WhoAmI", Value::Null).await.unwrap();
    assert_eq!(early.receive().await.unwrap()["code"], 4401);

    let mut again = connected("tab-p2").await;
    let init = json!({ "type": "connection_init" });
    again.send(&init).await.unwrap();
    assert_eq!(again.receive().await.unwrap()["code"], 4429);
}

#[tokio::test]
async fn an_id_is_free_again_when_its_operation_has_ended() {
    let mut client = connected("tab-p3").await;
    for _ in 0..3 {
        client.subscribe("1", "Nope", Value::Null).await.unwrap();
        let error = client.receive().await.unwrap();
        assert_eq!(error["type"], "error");
        assert_eq!(error["payload"][0]["message"], "no such operation");
    }
}

#[tokio::test]
async fn an_id_is_free_again_when_the_client_has_completed_it() {
    let mut client = connected("tab-p6").await;
    for n in 0..50 {
        let own = json!({ "correlationId": format!("click-p6-{n}") });
        client.subscribe("1", "Countdown", own).await.unwrap();
        client.receive().await.unwrap();
        client
            .send(&json!({ "type": "complete", "id": "1" }))
            .await
            .unwrap();
        client.send(&json!({ "type": "ping" })).await.unwrap();
        let mut message = client.receive().await.unwrap();
        while message["type"] != "pong" {
            message = client.receive().await.unwrap();
        }
        client.subscribe("1", "WhoAmI", Value::Null).await.unwrap();
        let next = client.receive().await.unwrap();
        assert_eq!(seen(&next), "tab-p6", "{n}: {next}");
        assert_eq!(client.receive().await.unwrap()["type"], "complete");
    }
}

#[tokio::test]
async fn an_operation_can_be_completed_by_the_client() {
    let mut client = connected("tab-p4").await;
    let endless = json!({
        "type": "subscribe",
        "id": "1",
        "payload": { "operationName": "Countdown", "query": "", "variables": { "from": 1_000_000 } },
    });
    client.send(&endless).await.unwrap();
    client.send(&endless).await.unwrap();
    let mut message = client.receive().await.unwrap();
    while message["type"] == "next" {
        message = client.receive().await.unwrap();
    }
    assert_eq!(message["code"], 4409, "the ID was in use");

    let mut client = connected("tab-p5").await;
    client.send(&endless).await.unwrap();
    client.receive().await.unwrap();
    client
        .send(&json!({ "type": "complete", "id": "1" }))
        .await
        .unwrap();
    client.send(&json!({ "type": "ping" })).await.unwrap();
    let mut message = client.receive().await.unwrap();
    while message["type"] == "next" {
        message = client.receive().await.unwrap();
    }
    // It ended without a `complete`, which the client has said itself.
    assert_eq!(message, json!({ "type": "pong" }));
}
