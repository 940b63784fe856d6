//! An AWS Lambda function behind API Gateway, a load balancer or a function URL, whose log lines,
//! responses and tasks all carry the correlation ID of the request.
//!
//! It runs on Lambda. `cargo lambda build` builds the program.

use std::convert::Infallible;

use correlation_tower::{CorrelationLayer, correlation};
use lambda_http::tower::Layer;
use lambda_http::{Error, Request, Response, service_fn};
use tracing::info;

#[tokio::main]
async fn main() -> Result<(), Error> {
    correlation::tracing::init(); // the ID on every log line

    let service = CorrelationLayer::new().layer(service_fn(buy)); // in, around and out
    lambda_http::run(service).await
}

async fn buy(_: Request) -> Result<Response<String>, Infallible> {
    info!("order placed");
    let mail = correlation::spawn(async { info!("receipt mailed") }); // the ID in this task
    // Lambda may freeze the process as soon as the response is returned.
    let _ = mail.await;
    Ok(Response::new("thank you\n".to_owned()))
}
