//! AWS Lambda: the program, with a runtime API of our own, which hands out one event after the other.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use correlation_testkit::process::{DEADLINE, Running};
use correlation_testkit::{CORRELATION_ID, listen};
use poem::listener::TcpAcceptor;
use poem::web::{Data, Json};
use poem::{EndpointExt, IntoResponse, Route, Server, get, handler, post};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn program() {
    let mut lambda = Lambda::start();
    let events = [gateway_event, balancer_event, multi_value_event];
    let mut fresh = Vec::new();
    for (event, want) in events.into_iter().zip(["click-1", "click-2", "click-3"]) {
        for name in [CORRELATION_ID, "X-Request-ID"] {
            assert_eq!(lambda.invoke(event(&[(name, want)])).await, want);
        }
        // The process serves on, and remembers nobody.
        for _ in 0..2 {
            fresh.push(lambda.invoke(event(&[])).await);
        }
    }
    fresh.sort_unstable();
    fresh.dedup();
    assert_eq!(fresh.len(), 6, "{fresh:?}");
    let made = |id: &String| !id.starts_with("click-");
    assert!(fresh.iter().all(made), "{fresh:?}");
}

/// The program, and Lambda around it.
struct Lambda {
    running: Running,
    events: Sender<Value>,
    answers: Receiver<Value>,
}

impl Lambda {
    fn start() -> Self {
        let (events, api_events) = channel(1);
        let (api_answers, answers) = channel(1);
        let addr = runtime_api(api_events, api_answers);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lambda"));
        command.env_clear().envs([
            ("AWS_LAMBDA_RUNTIME_API", addr.to_string().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "shop"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ]);
        let running = Running::start(&mut command);
        Self {
            running,
            events,
            answers,
        }
    }

    /// The ID of this invocation, which its response and each of its lines have.
    async fn invoke(&mut self, event: Value) -> String {
        self.events.send(event).await.expect("the API serves");
        let answer = timeout(DEADLINE, self.answers.recv()).await;
        let answer = answer.expect("an answer in time").expect("the API serves");
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert_eq!(answer["body"], "thank you\n", "{answer}");
        let id = answer["headers"][CORRELATION_ID].as_str();
        let id = id.expect("a response with an ID").to_owned();
        for message in ["order placed", "receipt mailed"] {
            let line = self.running.next_line();
            assert!(line.contains(message), "{message}: {line}");
            assert!(
                line.ends_with(&format!(" correlation_id={id}")),
                "{id}: {line}"
            );
        }
        id
    }
}

/// What a function asks Lambda for, and tells it:
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
fn runtime_api(events: Receiver<Value>, answers: Sender<Value>) -> SocketAddr {
    let app = Route::new()
        .at("/2018-06-01/runtime/invocation/next", get(next))
        .at(
            "/2018-06-01/runtime/invocation/request-1/response",
            post(respond),
        )
        .data(Arc::new(Mutex::new(events)))
        .data(answers);
    let (listener, addr) = listen();
    let acceptor = TcpAcceptor::from_tokio(listener).expect("a socket for poem");
    tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
    addr
}

#[handler]
async fn next(Data(events): Data<&Arc<Mutex<Receiver<Value>>>>) -> impl IntoResponse {
    let event = events.lock().await.recv().await;
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:shop";
    Json(event)
        .with_header("lambda-runtime-aws-request-id", "request-1")
        .with_header("lambda-runtime-deadline-ms", "4102444800000")
        .with_header("lambda-runtime-invoked-function-arn", arn)
}

#[handler]
async fn respond(answer: Vec<u8>, Data(answers): Data<&Sender<Value>>) {
    let answer = serde_json::from_slice(&answer).expect("JSON");
    // Nobody waits for it any more if the test has failed.
    let _ = answers.send(answer).await;
}

/// What API Gateway sends in its format 2.0, as a function URL does.
fn gateway_event(headers: Headers<'_>) -> Value {
    let headers: BTreeMap<_, _> = headers.iter().copied().collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/buy",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "shop",
            "http": {
                "method": "GET",
                "path": "/buy",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.0.0"
            },
            "requestId": "gateway-1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "06/May/2026:22:36:55 +0000",
            "timeEpoch": 1778107015616_u64
        },
        "isBase64Encoded": false
    })
}

/// What an application load balancer sends.
fn balancer_event(headers: Headers<'_>) -> Value {
    let headers: BTreeMap<_, _> = headers.iter().copied().collect();
    let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/1";
    json!({
        "requestContext": { "elb": { "targetGroupArn": arn } },
        "httpMethod": "GET",
        "path": "/buy",
        "queryStringParameters": {},
        "headers": headers,
        "body": "",
        "isBase64Encoded": false
    })
}

/// What it sends if its target group has multi-value headers.
fn multi_value_event(headers: Headers<'_>) -> Value {
    let headers: BTreeMap<_, _> = headers
        .iter()
        .map(|(name, value)| (name, [value]))
        .collect();
    let mut event = balancer_event(&[]);
    event["headers"] = Value::Null;
    event["multiValueHeaders"] = json!(headers);
    event
}

type Headers<'a> = &'a [(&'a str, &'a str)];
