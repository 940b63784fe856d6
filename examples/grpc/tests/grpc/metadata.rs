//! What stands in the metadata, out and back.

use correlation_core::scope;
use correlation_testkit::id;
use correlation_tower::PropagateLayer;
use correlation_tower::correlation::Targets;
use futures_util::stream;
use grpc::Shelves;
use grpc::pb::stock_client::StockClient;
use grpc::pb::{Order, Receipt};
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request};
use tonic_prost::ProstCodec;
use tower::Layer;

use crate::faulty::Faulty;
use crate::support::{Client, ids, is_new, nothing, order, orders, shop, stock_channel};

#[tokio::test]
async fn every_kind_of_answer_has_it_once() {
    let mut client = shop().await;
    let one = || stream::iter([order("cup")]);
    let answers = [
        scope(id("k"), client.place(order("cup")))
            .await
            .unwrap()
            .metadata()
            .clone(),
        scope(id("k"), client.watch(order("cup")))
            .await
            .unwrap()
            .metadata()
            .clone(),
        scope(id("k"), client.place_all(one()))
            .await
            .unwrap()
            .metadata()
            .clone(),
        scope(id("k"), client.deliver(one()))
            .await
            .unwrap()
            .metadata()
            .clone(),
    ];
    for answer in answers {
        assert_eq!(ids(&answer), ["k"]);
        assert!(!answer.contains_key("traceparent"));
    }
}

/// The stock's error comes with the stock's metadata, which the shop passes on with it.
#[tokio::test]
async fn an_error_status_has_it_once() {
    let mut client = shop().await;
    let status = scope(id("e-1"), client.place(nothing())).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(ids(status.metadata()), ["e-1"]);
}

#[tokio::test]
async fn an_error_in_trailers_comes_after_headers_that_have_it() {
    let mut client = orders(Faulty::default()).await;
    let answer = scope(id("t-1"), client.deliver(stream::empty()))
        .await
        .unwrap();
    assert_eq!(ids(answer.metadata()), ["t-1"]);
    let mut receipts = answer.into_inner();
    let first = receipts.message().await.unwrap().unwrap();
    assert_eq!(first.correlation_id, "t-1");
    let status = receipts.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
}

#[tokio::test]
async fn what_nobody_serves_has_it_once() {
    for path in ["/shop.Stock/Nope", "/shop.Nobody/Reserve"] {
        let channel = stock_channel(Shelves).await;
        let mut client = tonic::client::Grpc::new(PropagateLayer::new().layer(channel));
        client.ready().await.unwrap();
        let codec: ProstCodec<Order, Receipt> = ProstCodec::default();
        let call = client.unary(Request::new(order("cup")), path.parse().unwrap(), codec);
        let status = scope(id("n-1"), call).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert_eq!(ids(status.metadata()), ["n-1"], "{path}");
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_with_it() {
    let mut client = orders(Faulty::default()).await;
    let status = scope(id("p-1"), client.place(order("cup")))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.message(), "the handler panicked");
    assert_eq!(ids(status.metadata()), ["p-1"]);
}

#[tokio::test]
async fn a_handler_that_sets_the_header_itself_does_not_make_it_two() {
    let mut client = orders(Faulty::default()).await;
    let call = client.place_all(stream::empty());
    let answer = scope(id("h-1"), call).await.unwrap();
    assert_eq!(ids(answer.metadata()), ["h-1"]);
}

#[tokio::test]
async fn the_ambient_id_wins_over_what_was_copied() {
    let mut client = shop().await;
    let mut request = Request::new(order("cup"));
    let copied = "copied".parse().unwrap();
    request.metadata_mut().insert("x-correlation-id", copied);
    // Were it sent twice, the server would take neither.
    let answer = scope(id("ambient"), client.place(request)).await.unwrap();
    assert_eq!(answer.get_ref().correlation_id, "ambient");
    assert_eq!(ids(answer.metadata()), ["ambient"]);
}

/// A `Channel` passes a restriction only when somebody says where it goes.
#[tokio::test]
async fn strangers_get_no_id() {
    let restricted = Targets::hosts([".internal"]);
    for (targets, expected) in [
        (Targets::all(), true),
        (restricted.clone(), false),
        (restricted.clone().connected_to("stranger.test"), false),
        (restricted.connected_to("stock.internal:50051"), true),
    ] {
        let channel = stock_channel(Shelves).await;
        let layer = PropagateLayer::new().targets(targets.clone());
        let mut client = StockClient::new(layer.layer(channel));
        let call = client.reserve(order("cup"));
        let answer = scope(id("click-1"), call).await.unwrap();
        let seen = answer.get_ref().correlation_id.as_str();
        assert_eq!(seen == "click-1", expected, "{targets:?}");
        assert_eq!(is_new(seen), !expected, "{targets:?}");
    }
}

#[tokio::test]
async fn hostile_metadata_is_ignored() {
    let mut client = shop().await;
    let long = "x".repeat(129);
    let hostile: [&[&[u8]]; 9] = [
        &[b""],
        &[b"two words"],
        &[b"a\"b"],
        &[b"a;b"],
        &[b"a,b"],
        &[b"\xff\xfe"],
        &[b"a\tb"],
        &[long.as_bytes()],
        &[b"one", b"another"],
    ];
    for lines in hostile {
        let answer = send(&mut client, "x-correlation-id", lines).await;
        assert!(is_new(&answer), "{lines:?} became {answer}");
    }
    let binary = send(&mut client, "x-correlation-id-bin", &[b"YQ"]).await;
    assert!(is_new(&binary), "{binary}");
}

#[tokio::test]
async fn other_sources_are_those_of_http() {
    let mut client = shop().await;
    assert_eq!(send(&mut client, "x-request-id", &[b"r-1"]).await, "r-1");
    let trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = send(&mut client, "traceparent", &[trace]).await;
    assert_eq!(answer, "4bf92f3577b34da6a3ce929d0e0e4736");
}

/// Sends these lines, and gives the ID that the handler had.
async fn send(client: &mut Client, name: &'static str, lines: &[&[u8]]) -> String {
    let mut headers = HeaderMap::new();
    for line in lines {
        let value = HeaderValue::from_bytes(line).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    let metadata = MetadataMap::from_headers(headers);
    let request = Request::from_parts(metadata, Extensions::default(), order("cup"));
    let answer = client.place(request).await.unwrap();
    let id = answer.get_ref().correlation_id.clone();
    assert_eq!(ids(answer.metadata()), [id.as_str()]);
    assert_eq!(answer.get_ref().stock_correlation_id, id);
    id
}
