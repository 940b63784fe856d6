use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, ResponseError};
use correlation_core::{CorrelationId, current};

/// The correlation ID of the request, as an argument of a handler.
///
/// It is the same ID as [`current()`] returns, if you prefer to see it in the signature. Use
/// `Option<CurrentId>` for routes that may be outside the middleware.
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

/// The error of a request that has no correlation ID, because no middleware gave it one.
///
/// It answers 500 with a hint about the missing middleware.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MissingId(());

// The default answer is right: 500 with the text below.
impl ResponseError for MissingId {}

impl fmt::Display for MissingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no correlation ID: is `Correlation` wrapped around the app?")
    }
}

impl std::error::Error for MissingId {}
