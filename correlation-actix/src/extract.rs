use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, ResponseError};
use correlation_core::{CorrelationId, current};

/// The correlation ID of the request, as an argument of a handler.
///
/// It is the same as [`current()`], for those who like to see it in the signature. Use
/// `Option<CurrentId>` for routes that may lie outside of the middleware.
///
/// ```
/// use correlation_actix::CurrentId;
///
/// async fn handler(id: CurrentId) -> String {
///     format!("quote {} when you call us", *id)
/// }
/// # actix_web::App::new().route("/", actix_web::web::get().to(handler));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CurrentId(pub CorrelationId);

impl Deref for CurrentId {
    type Target = CorrelationId;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromRequest for CurrentId {
    type Error = MissingId;
    type Future = Ready<Result<Self, MissingId>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(current().map(Self).ok_or(MissingId(())))
    }
}

/// The request has no correlation ID, since no middleware gave it one. Answers 500.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MissingId(());

// What it answers by default is right: 500 and the text below.
impl ResponseError for MissingId {}

impl fmt::Display for MissingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no correlation ID: is `Correlation` wrapped around the app?")
    }
}

impl std::error::Error for MissingId {}
