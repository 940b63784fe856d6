//! A panic costs one request, not the connection.

use std::panic::AssertUnwindSafe;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::middleware::Next;
use futures_util::FutureExt;

pub(crate) async fn handler() -> String {
    panic!("boom")
}

/// Middleware: answers 500 where actix-web by itself closes the connection.
pub(crate) async fn catch(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let inner = AssertUnwindSafe(async { next.call(request).await });
    inner.catch_unwind().await.unwrap_or_else(|_| {
        // What the panic says is on standard error, without the ID; this line has it.
        tracing::error!("the handler panicked");
        Err(ErrorInternalServerError("internal error"))
    })
}
