//! Two services in both ways: their log lines, and the headers that they send.

use std::error::Error;

use axum::Router;
use correlation_axum::correlation;
use opentelemetry_demo::service::{beside_trace_id, is_trace_id, routes};
use opentelemetry_demo::telemetry;
use opentelemetry_demo::trace_line::trace_tag;
use tokio::net::TcpListener;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (tracer, exporter) = telemetry::install();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer()
        .map_writer(trace_tag)
        .map_writer(correlation::tag);
    tracing_subscriber::registry()
        .with(filter)
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .with(lines)
        .init();

    type Way = fn(Router) -> Router;
    let ways: [(&str, Way); 2] = [
        ("the ID is the trace-id", is_trace_id),
        ("the ID stands beside the trace-id", beside_trace_id),
    ];
    for (what, way) in ways {
        println!("\n{what}");
        let stock = start(way(routes(String::new()))).await?;
        let orders = start(way(routes(format!("{stock}/stock")))).await?;
        let response = reqwest::get(format!("{orders}/order")).await?;
        println!("{}", response.text().await?);
        for span in exporter.get_finished_spans()? {
            println!("span {} trace {}", span.name, span.span_context.trace_id());
        }
        exporter.reset();
    }
    Ok(())
}

/// Serves on a free port, and returns its URL.
async fn start(app: Router) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(url)
}
