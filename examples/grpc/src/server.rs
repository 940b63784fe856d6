//! A server whose calls have an ID.

use std::any::Any;

use correlation_tower::CorrelationLayer;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::http::Response;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Status, transport};
use tower_http::catch_panic::CatchPanicLayer;

/// Serves until the process ends.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(listener: TcpListener, services: Routes) -> Result<(), transport::Error> {
    Server::builder()
        // This layer is first, and so outermost. The answer to a panic has the ID, too.
        .layer(CorrelationLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .add_routes(services)
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
}

/// Without it, the client of a handler that panics sees a reset stream and no metadata.
fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    Status::internal("the handler panicked").into_http()
}
