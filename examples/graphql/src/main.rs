//! The service and its client in one process, with two operations at a time on one socket.

use std::error::Error;

use correlation_axum::correlation::tag;
use graphql_demo::app;
use graphql_demo::client::{COUNTDOWN, Client, WHO_AM_I};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().map_writer(tag).init();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, app()).await });

    let mut client = Client::connect(address, &[("x-correlation-id", "tab-1")]).await?;
    client.init(Value::Null).await?;
    let click = json!({ "correlationId": "click-1" });
    client.subscribe("1", COUNTDOWN, click).await?;
    let click = json!({ "correlationId": "click-2" });
    client.subscribe("2", COUNTDOWN, click).await?;
    client.subscribe("3", WHO_AM_I, json!({})).await?;
    let mut running = 3;
    while running > 0 {
        let message = client.receive().await?;
        running -= usize::from(message["type"] == "complete");
    }
    Ok(())
}
