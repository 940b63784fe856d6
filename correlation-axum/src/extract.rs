use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use correlation_core::{CorrelationId, current};

/// The correlation ID of the request, as an argument of a handler.
///
/// It is the same ID as [`current()`] returns, if you prefer to see it in the signature. Use
/// `Option<CurrentId>` for routes that may be outside the layer.
///
/// ```
/// use correlation_axum::CurrentId;
///
/// async fn handler(id: CurrentId) -> String {
///     format!("quote {} when you call us", *id)
/// }
/// # let app = axum::Router::<()>::new().route("/", axum::routing::get(handler));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CurrentId(pub CorrelationId);

impl Deref for CurrentId {
    type Target = CorrelationId;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentId {
    type Rejection = MissingId;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        current().map(Self).ok_or(MissingId(()))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for CurrentId {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(current().map(Self))
    }
}

/// The error of a request that has no correlation ID, because no layer gave it one.
///
/// It answers 500 with a hint about the missing layer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MissingId(());

impl IntoResponse for MissingId {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

impl std::fmt::Display for MissingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "no correlation ID: is `CorrelationLayer` added to the router, after its routes?",
        )
    }
}

impl std::error::Error for MissingId {}
