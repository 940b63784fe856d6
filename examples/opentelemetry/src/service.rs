//! A service that logs, calls the next service, and writes a message for a queue.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use correlation_axum::correlation::{current, inject_with};
use correlation_axum::{CorrelationLayer, correlation};
use correlation_reqwest::Propagate;
use http::{HeaderMap, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};
use tracing::{Instrument, info};

use crate::policies::{self, trace_id};
use crate::spans::{ClientSpans, server_layer};

/// Makes the service whose ID **is** the trace-id.
///
/// The layer of the span is outside, because the span has to exist before the ID is made.
pub fn is_trace_id(routes: Router) -> Router {
    routes
        .layer(CorrelationLayer::new().policy(policies::is_trace_id()))
        .layer(server_layer())
}

/// Makes the service whose ID stands **beside** the trace-id.
///
/// As always, the correlation layer is outside, so the lines of `TraceLayer` have the ID, too.
pub fn beside_trace_id(routes: Router) -> Router {
    routes
        .layer(server_layer())
        .layer(CorrelationLayer::new().policy(policies::beside_trace_id()))
}

/// `/order` calls this URL, and `/stock` returns the headers that it received.
pub fn routes(next: String) -> Router {
    let client = ClientBuilder::new(reqwest::Client::new())
        .propagate()
        .with(ClientSpans)
        .build();
    Router::new()
        .route("/order", get(order))
        .with_state((client, next))
        .route("/stock", get(stock))
}

async fn order(
    State((client, next)): State<(ClientWithMiddleware, String)>,
) -> Result<Json<Value>, StatusCode> {
    info!("order taken");
    let response = client.get(next).send().await;
    let text = response.map_err(|_| StatusCode::BAD_GATEWAY)?.text().await;
    let text = text.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let sent: Value = serde_json::from_str(&text).map_err(|_| StatusCode::BAD_GATEWAY)?;

    // A separate task needs both the ID and the span.
    let receipt = async {
        info!("receipt mailed");
        answer()
    };
    let receipt = correlation::spawn(receipt.in_current_span()).await;
    let receipt = receipt.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;

    let mut answer = answer();
    answer["sent"] = sent;
    answer["receipt"] = receipt;
    answer["message"] = json!(message());
    Ok(Json(answer))
}

/// Returns all header lines of the request, with names and values.
async fn stock(headers: HeaderMap) -> Json<Value> {
    info!("stock asked");
    let lines = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        json!([name.as_str(), value])
    });
    Json(lines.collect())
}

/// Returns the headers of a message on a queue. Our carriers add only the ID.
fn message() -> BTreeMap<&'static str, String> {
    let mut headers = BTreeMap::new();
    inject_with(|key, value| headers.insert(key, value.to_owned()));
    headers
}

fn answer() -> Value {
    json!({
        "correlation_id": current().map(String::from),
        "trace_id": trace_id().map(|id| id.to_string()),
    })
}
