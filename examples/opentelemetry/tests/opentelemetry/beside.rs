//! The correlation ID stands beside the trace-id.

use futures_util::future::join_all;
use opentelemetry_demo::service::beside_trace_id;

use crate::support::{TEXT, order, parent, start};

#[tokio::test]
async fn both_of_the_caller() {
    let url = start(beside_trace_id).await;
    let parent = parent(0xB1);
    let headers = [("x-correlation-id", "click-b1"), ("traceparent", &parent)];
    let outcome = order(&url, &headers).await;
    outcome.check();
    assert_eq!(outcome.id(), "click-b1");
    assert_eq!(outcome.trace_id(), &parent[3..35]);
    assert_eq!(outcome.spans().len(), 2);
}

#[tokio::test]
async fn each_is_made_by_itself_when_it_did_not_come_in() {
    let url = start(beside_trace_id).await;
    let outcome = order(&url, &[]).await;
    outcome.check();
    assert_eq!(outcome.id().len(), 36);
    assert_eq!(outcome.trace_id().len(), 32);
    assert_eq!(outcome.spans().len(), 2);

    let parent = parent(0xB2);
    let outcome = order(&url, &[("traceparent", &parent)]).await;
    outcome.check();
    assert_eq!(outcome.id().len(), 36, "a UUID, not the trace-id");
    assert_eq!(outcome.trace_id(), &parent[3..35]);

    let outcome = order(&url, &[("x-request-id", "click-b3")]).await;
    outcome.check();
    assert_eq!(outcome.id(), "click-b3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_requests_at_once_keep_their_pairs() {
    let url = start(beside_trace_id).await;
    let requests = (0..100_u64).map(|n| {
        let url = url.clone();
        tokio::spawn(async move {
            let (id, parent) = (format!("pair-{n}-"), parent(0xB00 + n));
            let headers = [("x-correlation-id", id.as_str()), ("traceparent", &parent)];
            let outcome = order(&url, &headers).await;
            outcome.check();
            assert_eq!(
                (outcome.id(), outcome.trace_id()),
                (id.as_str(), &parent[3..35])
            );
            let pair = format!("correlation_id={id} trace_id={}", &parent[3..35]);
            // The order was taken and the receipt was mailed, in two tasks.
            let lines = TEXT.lines_with(&[&format!("correlation_id={id} ")]);
            lines.iter().filter(|line| line.ends_with(&pair)).count()
        })
    });
    let mut lines = 0;
    for request in join_all(requests).await {
        lines += request.unwrap();
    }
    assert_eq!(lines, 200);
}
