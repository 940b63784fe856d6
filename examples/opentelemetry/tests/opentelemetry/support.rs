//! One SDK for all tests, servers on free ports, and what came of a request.

use std::sync::LazyLock;

use axum::Router;
use correlation_axum::correlation;
use correlation_testkit::Capture;
use opentelemetry_demo::service::routes;
use opentelemetry_demo::telemetry;
use opentelemetry_demo::trace_line::trace_tag;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use serde_json::Value;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{fmt, registry};

/// What was logged, by all tests.
pub(crate) static TEXT: LazyLock<Capture> = LazyLock::new(Capture::default);
pub(crate) static JSON: LazyLock<Capture> = LazyLock::new(Capture::default);

static EXPORTER: LazyLock<InMemorySpanExporter> = LazyLock::new(|| {
    let (tracer, exporter) = telemetry::install();
    let text = fmt::layer()
        .with_ansi(false)
        .with_writer(TEXT.clone())
        .map_writer(trace_tag)
        .map_writer(correlation::tag);
    let json = fmt::layer()
        .json()
        .with_writer(JSON.clone())
        .map_writer(trace_tag)
        .map_writer(correlation::tag);
    let subscriber = registry()
        .with(LevelFilter::INFO)
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .with(text)
        .with(json);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    exporter
});

/// Serves `way`, whose `/order` calls a server that has no layer at all.
pub(crate) async fn start(way: fn(Router) -> Router) -> String {
    LazyLock::force(&EXPORTER);
    let next = serve(routes(String::new())).await;
    serve(way(routes(format!("{next}/stock")))).await
}

pub(crate) async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}

/// What came of one `/order`.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The response header.
    pub(crate) header: String,
    pub(crate) answer: Value,
}

pub(crate) async fn order(url: &str, headers: &[(&'static str, &str)]) -> Outcome {
    let mut request = reqwest::Client::new().get(format!("{url}/order"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{response:?}");
    assert!(!response.headers().contains_key("traceparent"));
    let header: Vec<_> = response
        .headers()
        .get_all("x-correlation-id")
        .iter()
        .collect();
    assert_eq!(header.len(), 1);
    Outcome {
        header: header[0].to_str().unwrap().to_owned(),
        answer: serde_json::from_str(&response.text().await.unwrap()).unwrap(),
    }
}

impl Outcome {
    pub(crate) fn id(&self) -> &str {
        self.answer["correlation_id"].as_str().unwrap()
    }

    pub(crate) fn trace_id(&self) -> &str {
        self.answer["trace_id"].as_str().unwrap()
    }

    /// All values that the next service got under this name.
    pub(crate) fn sent(&self, name: &str) -> Vec<&str> {
        let lines = self.answer["sent"].as_array().unwrap().iter();
        let values = lines.filter(|line| line[0] == name);
        values.map(|line| line[1].as_str().unwrap()).collect()
    }

    /// What holds both ways: everybody has the same pair, the SDK's spans are in that trace, and
    /// nothing is sent twice.
    pub(crate) fn check(&self) {
        assert_eq!(self.header, self.id());
        assert_eq!(self.answer["receipt"]["correlation_id"], self.id());
        assert_eq!(self.answer["receipt"]["trace_id"], self.trace_id());

        assert_eq!(self.sent("x-correlation-id"), [self.id()]);
        let parents = self.sent("traceparent");
        assert_eq!(parents.len(), 1, "{parents:?}");
        assert_eq!(&parents[0][3..35], self.trace_id());
        // The SDK sends an empty one, which is as good as none, but not two.
        assert!(self.sent("tracestate").len() <= 1);

        let message = self.answer["message"].as_object().unwrap();
        assert_eq!(message.len(), 1, "only the ID: {message:?}");
        assert_eq!(message["x-correlation-id"], self.id());
    }

    /// The spans of its trace that were exported: of the request and of the call.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let spans = EXPORTER.get_finished_spans().unwrap();
        let of_trace =
            |span: &SpanData| span.span_context.trace_id().to_string() == self.trace_id();
        spans.into_iter().filter(of_trace).collect()
    }
}

/// A `traceparent` of its own for each number.
pub(crate) fn parent(n: u64) -> String {
    format!("00-4bf92f3577b34da6{n:016x}-00f067aa0ba902b7-01")
}
