//! OpenTelemetry's part: the spans of requests and calls, and `traceparent` in and out. No code
//! here knows correlation IDs.

use async_trait::async_trait;
use axum::extract::Request;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use opentelemetry::global;
use opentelemetry::propagation::{Extractor, Injector};
use reqwest_middleware::{Middleware, Next, Result};
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::trace::TraceLayer;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Makes the layer that gives every request a span, which continues the trace of the caller.
pub fn server_layer() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, fn(&Request) -> Span>
{
    TraceLayer::new_for_http().make_span_with(server_span as fn(&Request) -> Span)
}

fn server_span(request: &Request) -> Span {
    let span = info_span!(
        "request",
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        url.path = request.uri().path(),
    );
    let headers = Headers(request.headers());
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&headers));
    // It fails if a filter has switched the span off. Then there is no trace to continue.
    let _ = span.set_parent(parent);
    span
}

/// Gives every call of a client a span, and sends its `traceparent`.
#[derive(Clone, Copy, Debug)]
pub struct ClientSpans;

#[async_trait]
impl Middleware for ClientSpans {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<reqwest::Response> {
        let span = info_span!(
            "call",
            otel.kind = "client",
            url.path = request.url().path()
        );
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&span.context(), &mut HeadersMut(request.headers_mut()));
        });
        next.run(request, extensions).instrument(span).await
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::try_from(key);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
