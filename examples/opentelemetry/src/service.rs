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

/// The ID **is** the trace-id.
///
/// The span lies outside: it has to be there when the ID is asked for.
pub fn is_trace_id(routes: Router) -> Router {
    routes
        .layer(CorrelationLayer::new().policy(policies::is_trace_id()))
        .layer(server_layer())
}

/// The ID stands **beside** the trace-id.
///
/// As always the correlation layer lies outside: lines that `TraceLayer` writes have the ID, too.
pub fn beside_trace_id(routes: Router) -> Router {
    routes
        .layer(server_layer())
        .layer(CorrelationLayer::new().policy(policies::beside_trace_id()))
}

/// `/order` calls this URL; `/stock` tells what it was sent.
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

    // A task of its own needs both: the ID and the span.
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

/// All header lines of the request, names and values.
async fn stock(headers: HeaderMap) -> Json<Value> {
    info!("stock asked");
    let lines = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        json!([name.as_str(), value])
    });
    Json(lines.collect())
}

/// What would go along with a message on a queue: our carriers bring the ID and nothing else.
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
