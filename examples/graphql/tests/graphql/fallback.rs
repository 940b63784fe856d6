//! Which ID a message has: its own, or the connection's.

use async_graphql::{EmptyMutation, Executor, Request, Schema};
use correlation_axum::correlation::{CorrelationId, scope};
use graphql_demo::async_graphql::Correlated;
use graphql_demo::client::{COUNTDOWN, Client, WHO_AM_I};
use graphql_demo::operations::{Countdown, Query};
use serde_json::{Value, json};

use crate::support::{connected, is_new, start, who_am_i};

#[tokio::test]
async fn messages_with_ids_of_their_own_have_these() {
    let mut client = connected("tab-f1").await;
    let one = json!({ "correlationId": "click-f1" });
    let two = json!({ "x-correlation-id": "click-f2" });
    let three = json!({ "X-Request-ID": "click-f3" });
    assert_eq!(who_am_i(&mut client, one).await, "click-f1");
    assert_eq!(who_am_i(&mut client, two).await, "click-f2");
    assert_eq!(who_am_i(&mut client, three).await, "click-f3");
}

#[tokio::test]
async fn messages_without_one_have_the_connections() {
    let mut client = connected("tab-f2").await;
    for _ in 0..2 {
        assert_eq!(who_am_i(&mut client, Value::Null).await, "tab-f2");
        // The one before leaves nothing behind.
        let own = json!({ "correlationId": "click-f4" });
        assert_eq!(who_am_i(&mut client, own).await, "click-f4");
        assert_eq!(who_am_i(&mut client, json!({ "other": 1 })).await, "tab-f2");
    }
}

#[tokio::test]
async fn the_trace_id_is_an_id_too() {
    let mut client = connected("tab-f3").await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace_id}-00f067aa0ba902b7-01");
    let trace = json!({ "traceparent": parent });
    assert_eq!(who_am_i(&mut client, trace).await, trace_id);
    let both = json!({ "traceparent": parent, "correlationId": "click-f5" });
    assert_eq!(who_am_i(&mut client, both).await, "click-f5");
    let bad = json!({ "traceparent": "00-0-0-01" });
    assert_eq!(who_am_i(&mut client, bad).await, "tab-f3");
}

#[tokio::test]
async fn hostile_values_are_as_good_as_none() {
    let mut client = connected("tab-f4").await;
    let hostile = [
        json!(""),
        json!("two words"),
        json!("a\nb correlation_id=forged"),
        json!("\u{1b}[31m"),
        json!("a\"b"),
        json!("é"),
        json!("x".repeat(129)),
        json!(7),
        json!(["a"]),
        json!({ "a": "b" }),
        Value::Null,
    ];
    for value in hostile {
        let extensions = json!({ "correlationId": value });
        assert_eq!(who_am_i(&mut client, extensions).await, "tab-f4", "{value}");
    }
    // The next source has its turn.
    let second = json!({ "correlationId": "two words", "x-request-id": "click-f6" });
    assert_eq!(who_am_i(&mut client, second).await, "click-f6");
}

/// Browsers cannot set headers of the upgrade request, so the first message may bring the ID.
#[tokio::test]
async fn the_first_message_may_name_the_connection() {
    let mut client = Client::connect(start().await, &[]).await.unwrap();
    let upgrade_id = client.upgrade_id().unwrap().to_owned();
    assert!(is_new(&upgrade_id));
    let init = json!({ "correlationId": "tab-f5", "authorization": "x" });
    client.init(init).await.unwrap();
    assert_eq!(who_am_i(&mut client, Value::Null).await, "tab-f5");
}

#[tokio::test]
async fn without_any_the_connection_has_that_of_the_upgrade() {
    let mut client = Client::connect(start().await, &[]).await.unwrap();
    let upgrade_id = client.upgrade_id().unwrap().to_owned();
    client
        .init(json!({ "correlationId": "two words" }))
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(who_am_i(&mut client, Value::Null).await, upgrade_id);
    }
}

#[tokio::test]
async fn over_http_the_request_is_the_connection() {
    let schema = Correlated(Schema::new(Query, EmptyMutation, Countdown));
    let id: CorrelationId = "post-f7".parse().unwrap();
    // An operation of a batch may bring its own, as over a socket.
    let mut own = Request::new(WHO_AM_I);
    own.extensions
        .insert("correlationId".to_owned(), "op-f8".into());
    for (request, expected) in [(Request::new(WHO_AM_I), "post-f7"), (own, "op-f8")] {
        let answer = scope(id.clone(), schema.execute(request)).await;
        assert_eq!(
            answer.data.into_json().unwrap(),
            json!({ "whoAmI": expected })
        );
    }
}

#[tokio::test]
async fn what_is_no_operation_leaves_nothing_behind() {
    let mut client = connected("tab-f9").await;
    for n in 0..3 {
        let own = json!({ "correlationId": format!("click-f9-{n}") });
        client.subscribe("1", "{ nope }", own).await.unwrap();
        let error = client.receive().await.unwrap();
        assert!(error.to_string().contains("nope"), "{error}");
        let told = &error["payload"]["extensions"]["correlationId"];
        assert_eq!(*told, format!("click-f9-{n}"), "{error}");
        assert_eq!(client.receive().await.unwrap()["type"], "complete");
        assert_eq!(who_am_i(&mut client, Value::Null).await, "tab-f9");
    }
}

#[tokio::test]
async fn an_operation_that_the_client_completes_leaves_nothing_behind() {
    let mut client = connected("tab-f10").await;
    for n in 0..50 {
        let own = json!({ "correlationId": format!("click-f10-{n}") });
        client.subscribe("1", COUNTDOWN, own).await.unwrap();
        client.receive().await.unwrap();
        let complete = json!({ "type": "complete", "id": "1" });
        client.send(&complete).await.unwrap();
        while client.receive().await.unwrap()["type"] != "complete" {}
        assert_eq!(who_am_i(&mut client, Value::Null).await, "tab-f10", "{n}");
    }
}
