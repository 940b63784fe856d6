//! Both IDs on the log lines of a message.

use graphql_demo::client::{Client, WHO_AM_I};
use serde_json::{Value, json};

use crate::support::{LINES, connected, start, who_am_i};

#[tokio::test]
async fn two_messages_on_one_connection() {
    let mut client = connected("tab-l1").await;
    for id in ["click-l1", "click-l2"] {
        who_am_i(&mut client, json!({ "correlationId": id })).await;
        let lines = LINES.lines_with(&[&format!(" correlation_id={id}")]);
        let [line] = &lines[..] else {
            panic!("one line: {lines:?}");
        };
        let span = "operation{connection_id=\"tab-l1\"}";
        assert!(line.contains(span), "{line}");
        assert!(line.contains("resolved"), "{line}");
    }
    who_am_i(&mut client, Value::Null).await;
    let own = LINES.lines_with(&["connection_id=\"tab-l1\"", " correlation_id=tab-l1"]);
    assert_eq!(own.len(), 1, "{own:?}");
    // One search for the connection finds it all.
    assert_eq!(LINES.lines_with(&["tab-l1", "resolved"]).len(), 3);
}

#[tokio::test]
async fn a_connection_that_gets_another_id_has_a_line_with_both() {
    let mut client = Client::connect(start().await, &[]).await.unwrap();
    let upgrade_id = client.upgrade_id().unwrap().to_owned();
    client
        .init(json!({ "correlationId": "tab-l2" }))
        .await
        .unwrap();
    let lines = LINES.lines_with(&[&upgrade_id]);
    let [line] = &lines[..] else {
        panic!("one line: {lines:?}");
    };
    assert!(line.ends_with(&format!(
        "connected upgrade_id={upgrade_id} correlation_id=tab-l2"
    )));
}

#[tokio::test]
async fn no_value_forges_a_line() {
    let mut client = connected("tab-l3").await;
    let forged = "x\n2026-01-01 INFO forged-l3 correlation_id=click-l3";
    who_am_i(&mut client, json!({ "correlationId": forged })).await;
    client
        .subscribe(forged, WHO_AM_I, Value::Null)
        .await
        .unwrap();
    client.receive().await.unwrap();
    assert_eq!(LINES.lines_with(&["forged-l3"]), Vec::<String>::new());
    let lines = LINES.lines_with(&[
        "resolved",
        "connection_id=\"tab-l3\"",
        " correlation_id=tab-l3",
    ]);
    assert_eq!(lines.len(), 2, "{lines:?}");
}
