//! How a request that the policy rejects is answered: a fairing cannot, a route can.

use rocket::http::{Method, Status};
use rocket::route::{BoxFuture, Outcome, Route};
use rocket::{Data, Request};

use crate::received::{Received, received};

/// A method that means something to proxies only: Rocket's macros make no routes for it. The path
/// of the request stays as it is, since it decides on the catcher.
pub(crate) const REJECTED: Method = Method::Connect;

/// Answers rejected requests with the application's catcher for 400.
pub(crate) fn route() -> Route {
    let mut route = Route::ranked(isize::MIN, REJECTED, "/<_..>", answer);
    route.name = Some("rejected by the correlation policy".into());
    route
}

fn answer<'r>(request: &'r Request<'_>, data: Data<'r>) -> BoxFuture<'r> {
    let outcome = match &*received(request) {
        Some(Received {
            rejected: Some(_), ..
        }) => Outcome::error(Status::BadRequest),
        _ => Outcome::forward(data, Status::NotFound),
    };
    Box::pin(std::future::ready(outcome))
}
