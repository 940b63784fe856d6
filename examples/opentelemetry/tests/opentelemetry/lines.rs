//! Both IDs on every line, text and JSON.

use std::convert::Infallible;

use async_stream::stream;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::get;
use opentelemetry_demo::service::{beside_trace_id, is_trace_id};
use serde_json::Value;
use tracing::{info, info_span};

use crate::support::{JSON, TEXT, order, parent, serve, start};

#[tokio::test]
async fn beside_each_other() {
    let url = start(beside_trace_id).await;
    let parent = parent(0xC1);
    let headers = [("x-correlation-id", "click-c1"), ("traceparent", &parent)];
    let outcome = order(&url, &headers).await;

    let text = TEXT.lines_with(&["correlation_id=click-c1"]);
    assert_eq!(text.len(), 2, "{text:?}");
    let end = format!(" correlation_id=click-c1 trace_id={}", outcome.trace_id());
    for line in &text {
        assert!(line.ends_with(&end), "{line}");
    }
    let json = JSON.lines_with(&["\"click-c1\""]);
    assert_eq!(json.len(), 2, "{json:?}");
    for line in json {
        let keys = |key| line.matches(key).count();
        assert_eq!((keys("\"trace_id\":"), keys("\"correlation_id\":")), (1, 1));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["correlation_id"], "click-c1");
        assert_eq!(line["trace_id"], outcome.trace_id());
    }
}

#[tokio::test]
async fn equal_to_each_other() {
    let url = start(is_trace_id).await;
    let outcome = order(&url, &[]).await;
    let id = outcome.id();
    let text = TEXT.lines_with(&[id]);
    assert_eq!(text.len(), 2, "{text:?}");
    for line in text {
        assert!(
            line.ends_with(&format!(" correlation_id={id} trace_id={id}")),
            "{line}"
        );
    }
}

/// A body is written after the handler has returned: both are there, too.
#[tokio::test]
async fn in_every_part_of_a_body() {
    type Way = fn(Router) -> Router;
    for (way, n) in [(is_trace_id as Way, 0xC2), (beside_trace_id as Way, 0xC3)] {
        start(way).await;
        let app = Router::new().route(
            "/parts",
            get(async || {
                Body::from_stream(stream! {
                    for part in 0..3 {
                        tokio::task::yield_now().await;
                        info!(part, "written");
                        yield Ok::<_, Infallible>(Bytes::from_static(b"x"));
                    }
                })
            }),
        );
        let url = serve(way(app)).await;
        let parent = parent(n);
        let request = reqwest::Client::new().get(format!("{url}/parts"));
        let response = request.header("traceparent", &parent).send().await.unwrap();
        let id = response.headers()["x-correlation-id"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(response.text().await.unwrap(), "xxx");

        let pair = format!(" correlation_id={id} trace_id={}", &parent[3..35]);
        assert_eq!(TEXT.lines_with(&["written", &pair]).len(), 3);
    }
}

/// `TraceLayer` logs failures. Its lines have the ID where the correlation layer is outside, and
/// the trace-id, which is the same, where it is inside.
#[tokio::test]
async fn that_the_trace_layer_writes() {
    type Way = fn(Router) -> Router;
    for (way, n, both) in [
        (is_trace_id as Way, 0xC6, false),
        (beside_trace_id as Way, 0xC7, true),
    ] {
        start(way).await;
        let routes = Router::new().route("/broken", get(async || StatusCode::BAD_GATEWAY));
        let url = serve(way(routes)).await;
        let parent = parent(n);
        let request = reqwest::Client::new().get(format!("{url}/broken"));
        let response = request.header("traceparent", &parent).send().await.unwrap();
        let id = response.headers()["x-correlation-id"].to_str().unwrap();

        let trace_id = format!(" trace_id={}", &parent[3..35]);
        let lines = TEXT.lines_with(&["response failed", &trace_id]);
        let [line] = &lines[..] else {
            panic!("one line: {lines:?}");
        };
        assert_eq!(
            line.contains(&format!(" correlation_id={id}")),
            both,
            "{line}"
        );
        assert!(line.contains(id), "{line}");
    }
}

#[tokio::test]
async fn of_a_record_with_many_lines_and_outside_of_any_span() {
    start(is_trace_id).await;
    info!("nowhere-c4");
    let [line] = &TEXT.lines_with(&["nowhere-c4"])[..] else {
        panic!("one line");
    };
    assert!(line.ends_with("nowhere-c4"), "{line}");

    info_span!("work").in_scope(|| info!("first-c5\n\nsecond-c5"));
    for word in ["first-c5", "second-c5"] {
        let [line] = &TEXT.lines_with(&[word])[..] else {
            panic!("one line");
        };
        assert!(line.contains(&format!("{word} trace_id=")), "{line}");
    }
}
