use std::fmt;
use std::ops::Deref;

use correlation_core::CorrelationId;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::fairing::Attached;
use crate::received::context;

/// The correlation ID of the request, as a request guard.
///
/// It is the same ID as [`current()`](correlation_core::current) returns, if you prefer to see it
/// in the signature. Rocket refuses to launch if a route has this guard and the fairing is missing.
///
/// ```
/// use correlation_rocket::CurrentId;
///
/// #[rocket::get("/")]
/// fn handler(id: CurrentId) -> String {
///     format!("quote {} when you call us", *id)
/// }
/// # assert_eq!(rocket::routes![handler].len(), 1);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CurrentId(pub CorrelationId);

impl Deref for CurrentId {
    type Target = CorrelationId;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for CurrentId {
    type Error = MissingId;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        match context(request) {
            Some(context) => Outcome::Success(Self(context.id().clone())),
            None => Outcome::Error((Status::InternalServerError, MISSING)),
        }
    }
}

impl Sentinel for CurrentId {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let missing = rocket.state::<Attached>().is_none();
        if missing {
            log::error!("{MISSING}");
        }
        missing
    }
}

/// The error of a request that has no correlation ID, because no fairing gave it one. It answers
/// 500.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MissingId(
    /// The text that Rocket logs, because it logs the `Debug` form of a guard's error.
    &'static str,
);

const MISSING: MissingId =
    MissingId("no correlation ID: is the fairing `Correlation::fairing()` attached?");

impl fmt::Display for MissingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for MissingId {}
