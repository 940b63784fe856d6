//! What tonic does outside of all layers, and how to have it inside.

use std::future::pending;
use std::time::Duration;

use correlation_core::scope;
use correlation_testkit::id;
use correlation_tower::CorrelationLayer;
use grpc::pb::stock_server::{Stock, StockServer};
use grpc::pb::{Order, Receipt};
use grpc::stock_client;
use tokio::net::TcpListener;
use tonic::service::RecoverErrorLayer;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tower::{BoxError, ServiceBuilder};

use crate::support::{connect, ids, order};

struct Never;

#[tonic::async_trait]
impl Stock for Never {
    async fn reserve(&self, _: Request<Order>) -> Result<Response<Receipt>, Status> {
        pending().await
    }
}

/// `Server::timeout` lies outside of every layer, so what it answers has no ID.
#[tokio::test]
async fn the_timeout_of_the_server_is_outside() {
    let incoming = TcpIncoming::from(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = incoming.local_addr().unwrap();
    let server = Server::builder()
        .timeout(SHORT)
        .layer(CorrelationLayer::new())
        .add_service(StockServer::new(Never))
        .serve_with_incoming(incoming);
    tokio::spawn(server);
    let mut client = stock_client(connect(address).await);
    let status = scope(id("d-1"), client.reserve(order("cup")))
        .await
        .unwrap_err();
    assert_eq!(status.message(), "Timeout expired");
    assert!(ids(status.metadata()).is_empty(), "the gap has closed");
}

#[tokio::test]
async fn a_timeout_inside_is_answered_with_the_id() {
    let incoming = TcpIncoming::from(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = incoming.local_addr().unwrap();
    let timeout = ServiceBuilder::new()
        .layer(RecoverErrorLayer::new())
        .map_err(|_: BoxError| Status::deadline_exceeded("too slow"))
        .timeout(SHORT);
    let server = Server::builder()
        .layer(CorrelationLayer::new())
        .layer(timeout.into_inner())
        .add_service(StockServer::new(Never))
        .serve_with_incoming(incoming);
    tokio::spawn(server);
    let mut client = stock_client(connect(address).await);
    let status = scope(id("d-2"), client.reserve(order("cup")))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(ids(status.metadata()), ["d-2"]);
}

/// The handler never answers, so any time will do.
const SHORT: Duration = Duration::from_millis(5);
