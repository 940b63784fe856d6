//! Many operations at a time on one socket.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use graphql_demo::client::COUNTDOWN;
use serde_json::{Value, json};

use crate::support::{connected, seen};

/// Operations at the same time, every third without an ID of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_operations_on_one_socket_never_cross() {
    let mut client = connected("tab-i1").await;
    let expected = |n: usize| match n % 3 {
        0 => "tab-i1".to_owned(),
        _ => format!("click-{n}"),
    };
    for n in 0..OPERATIONS {
        let extensions = match n % 3 {
            0 => Value::Null,
            _ => json!({ "correlationId": expected(n) }),
        };
        client
            .subscribe(&n.to_string(), COUNTDOWN, extensions)
            .await
            .unwrap();
    }
    let (mut right, mut turns, mut last) = (0, 0, None);
    let mut results = HashMap::<usize, Vec<u64>>::new();
    let mut running = OPERATIONS;
    while running > 0 {
        let message = client.receive().await.unwrap();
        let n: usize = message["id"].as_str().unwrap().parse().unwrap();
        turns += usize::from(last.replace(n) != Some(n));
        if message["type"] == "complete" {
            running -= 1;
            continue;
        }
        right += usize::from(seen(&message) == expected(n));
        let left = message["payload"]["data"]["countdown"]["left"]
            .as_u64()
            .unwrap();
        results.entry(n).or_default().push(left);
    }
    assert_eq!(right, OPERATIONS * RESULTS);
    assert_eq!(results.len(), OPERATIONS);
    assert!(results.values().all(|lefts| *lefts == [4, 3, 2, 1, 0]));
    // Did they run at the same time at all? One after the other there is a turn for each.
    assert!(turns > 2 * OPERATIONS, "{turns} turns");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_never_cross() {
    let connections = (0..20).map(|n| {
        tokio::spawn(async move {
            let id = format!("tab-i2-{n}");
            let mut client = connected(&id).await;
            for operation in ["1", "2", "3"] {
                client
                    .subscribe(operation, COUNTDOWN, Value::Null)
                    .await
                    .unwrap();
            }
            let mut ids = Vec::new();
            while ids.len() < 3 * RESULTS {
                let message = client.receive().await.unwrap();
                if message["type"] == "next" {
                    ids.push(seen(&message).to_owned());
                }
            }
            assert_eq!(ids.iter().collect::<HashSet<_>>(), HashSet::from([&id]));
            ids.len()
        })
    });
    let mut right = 0;
    for connection in join_all(connections).await {
        right += connection.unwrap();
    }
    assert_eq!(right, 20 * 3 * RESULTS);
}

const OPERATIONS: usize = 200;
const RESULTS: usize = 5;
