//! The ID arrives, whatever the kind of call.

use correlation_core::scope;
use correlation_testkit::id;
use futures_util::{TryStreamExt, stream};
use grpc::pb::Event;
use tokio::sync::mpsc;

use crate::faulty::Faulty;
use crate::support::{ids, is_new, order, orders, shop};

#[tokio::test]
async fn unary() {
    let mut client = shop().await;
    let answer = scope(id("u-1"), client.place(order("cup"))).await.unwrap();
    assert_eq!(answer.get_ref().correlation_id, "u-1");
    assert_eq!(answer.get_ref().stock_correlation_id, "u-1");
}

#[tokio::test]
async fn every_message_of_a_server_stream() {
    let mut client = shop().await;
    let answer = scope(id("s-1"), client.watch(order("cup"))).await.unwrap();
    // The client reads outside of any scope: what counts is the server's.
    let events: Vec<Event> = answer.into_inner().try_collect().await.unwrap();
    let events: Vec<_> = events
        .iter()
        .map(|event| (event.what.as_str(), event.correlation_id.as_str()))
        .collect();
    assert_eq!(
        events,
        [("accepted", "s-1"), ("sold", "s-1"), ("delivered", "s-1")]
    );
}

#[tokio::test]
async fn client_stream() {
    let mut client = shop().await;
    let orders = stream::iter(["cup", "pot", "jug"].map(order));
    let answer = scope(id("c-1"), client.place_all(orders)).await.unwrap();
    let summary = answer.into_inner();
    assert_eq!(summary.orders, 3);
    assert_eq!(summary.correlation_ids, ["c-1"; 3]);
}

#[tokio::test]
async fn both_streams() {
    let mut client = shop().await;
    let orders = stream::iter(["cup", "pot", "jug"].map(order));
    let answer = scope(id("b-1"), client.deliver(orders)).await.unwrap();
    let receipts: Vec<_> = answer.into_inner().try_collect().await.unwrap();
    assert_eq!(receipts.len(), 3);
    for receipt in receipts {
        assert_eq!(receipt.correlation_id, "b-1");
        assert_eq!(receipt.stock_correlation_id, "b-1");
    }
}

#[tokio::test]
async fn a_caller_without_one_gets_one_for_the_whole_call() {
    let mut client = shop().await;
    let answer = client.watch(order("cup")).await.unwrap();
    let made = ids(answer.metadata()).concat();
    assert!(is_new(&made), "{made}");
    let events: Vec<Event> = answer.into_inner().try_collect().await.unwrap();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event.correlation_id == made));
}

#[tokio::test]
async fn a_stream_whose_client_has_gone_is_dropped_in_its_scope() {
    let (send, mut dropped) = mpsc::unbounded_channel();
    let mut client = orders(Faulty {
        dropped: Some(send),
    })
    .await;
    let answer = scope(id("gone-1"), client.watch(order("cup")))
        .await
        .unwrap();
    let mut events = answer.into_inner();
    events.message().await.unwrap().unwrap();
    drop(events);
    assert_eq!(dropped.recv().await.unwrap(), "gone-1");
}
