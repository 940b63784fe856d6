//! What reqwest sends, as read from the socket.

use correlation_core::{CorrelationId, Policy, Targets, current, scope, sync_scope};
use correlation_reqwest::{Propagate, redirect_policy};
use reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn client() -> ClientWithMiddleware {
    ClientBuilder::new(Client::new()).propagate().build()
}

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// Answers one request and gives its head, in lower case.
async fn server(answer: String) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let head = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let answer = format!("HTTP/1.1 {answer}Content-Length: 0\r\nConnection: close\r\n\r\n");
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    (url, head)
}

async fn ok() -> (String, JoinHandle<String>) {
    server("200 OK\r\n".to_owned()).await
}

fn sent(head: &str, name: &str) -> Vec<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
        .collect()
}

#[tokio::test]
async fn the_id_and_the_trace_context_are_sent_once() {
    let (url, head) = ok().await;
    let headers = [
        ("x-correlation-id", "click-1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let context = Policy::new()
        .receive(|| headers.map(|(n, v)| (n, v.as_bytes())), None)
        .unwrap();
    scope(context, client().get(url).send()).await.unwrap();
    // The request was begun outside of the scope, so the middleware took the ID.
    let head = head.await.unwrap();
    for (name, value) in headers {
        assert_eq!(sent(&head, name), [value]);
    }
}

#[tokio::test]
async fn outside_of_a_scope_nothing_is_sent() {
    let (url, head) = ok().await;
    client().get(url).send().await.unwrap();
    assert!(!head.await.unwrap().contains("x-correlation-id"));
}

#[tokio::test]
async fn a_spawned_send_keeps_the_id() {
    let (url, head) = ok().await;
    let send = sync_scope(id("click-1"), || tokio::spawn(client().get(url).send()));
    send.await.unwrap().unwrap();
    assert_eq!(sent(&head.await.unwrap(), "x-correlation-id"), ["click-1"]);
}

#[tokio::test]
async fn a_header_of_the_call_is_left_alone() {
    let (url, head) = ok().await;
    let call = async {
        assert!(current().is_some());
        client()
            .get(url)
            .header("X-Correlation-ID", "mine")
            .send()
            .await
    };
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(sent(&head.await.unwrap(), "x-correlation-id"), ["mine"]);
}

#[tokio::test]
async fn strangers_get_no_id() {
    let (url, head) = ok().await;
    let client = ClientBuilder::new(Client::new())
        .propagate_to(Targets::hosts(["api.example.com"]))
        .build();
    scope(id("click-1"), async { client.get(url).send().await })
        .await
        .unwrap();
    assert!(sent(&head.await.unwrap(), "x-correlation-id").is_empty());
}

#[tokio::test]
async fn a_redirect_out_of_the_targets_is_not_followed() {
    let (elsewhere, stranger) = ok().await;
    let elsewhere = elsewhere.replace("127.0.0.1", "localhost");
    let (url, head) = server(format!("302 Found\r\nLocation: {elsewhere}\r\n")).await;
    let targets = Targets::hosts(["127.0.0.1"]);
    let inner = Client::builder()
        .redirect(redirect_policy(targets.clone()))
        .build()
        .unwrap();
    let client = ClientBuilder::new(inner).propagate_to(targets).build();
    let response = scope(id("click-1"), async { client.get(url).send().await })
        .await
        .unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(sent(&head.await.unwrap(), "x-correlation-id"), ["click-1"]);
    assert!(!stranger.is_finished(), "nobody called the other host");
}

#[tokio::test]
async fn a_redirect_within_the_targets_is_followed_with_the_id() {
    let (next, second) = ok().await;
    let (url, first) = server(format!("302 Found\r\nLocation: {next}\r\n")).await;
    let targets = Targets::hosts(["127.0.0.1"]);
    let inner = Client::builder()
        .redirect(redirect_policy(targets.clone()))
        .build()
        .unwrap();
    let client = ClientBuilder::new(inner).propagate_to(targets).build();
    let response = scope(id("click-1"), async { client.get(url).send().await })
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    for head in [first, second] {
        assert_eq!(sent(&head.await.unwrap(), "x-correlation-id"), ["click-1"]);
    }
}
