//! How a request that the policy rejects is answered.
//!
//! A fairing sees each request first, but Rocket gives it no way to answer one: only routes and
//! catchers do that. So the fairing changes the method of a rejected request to `CONNECT`, for
//! which the application has no route: that method asks a proxy for a tunnel, and Rocket's macros
//! do not know it. A route of our own takes all paths under this method, and goes before any other
//! of it. The path stays as it is, since it decides which catcher answers. Where the policy rejects
//! nothing, that route is not mounted.

use std::io::Cursor;

use rocket::http::{ContentType, Method, Status};
use rocket::route::{BoxFuture, Outcome, Route};
use rocket::{Data, Request, Response};

use crate::received::received;

pub(crate) const REJECTED: Method = Method::Connect;

pub(crate) fn route() -> Route {
    let mut route = Route::ranked(isize::MIN, REJECTED, "/<_..>", answer);
    route.name = Some("rejected by the correlation policy".into());
    route
}

/// Answers with the application's own catcher for 400, else with the reason.
fn answer<'r>(request: &'r Request<'_>, data: Data<'r>) -> BoxFuture<'r> {
    let rejected = received(request).as_ref().and_then(|known| known.rejected);
    let outcome = match rejected {
        None => Outcome::forward(data, Status::NotFound),
        Some(_) if has_catcher(request) => Outcome::error(Status::BadRequest),
        Some(rejected) => Outcome::Success(response(rejected.reason)),
    };
    Box::pin(std::future::ready(outcome))
}

/// Whether the application has a catcher for 400 here, by the rule that Rocket itself goes by.
fn has_catcher(request: &Request<'_>) -> bool {
    let path = request.uri().path();
    request.rocket().catchers().any(|catcher| {
        let base = catcher.base.path();
        catcher
            .code
            .is_none_or(|code| code == Status::BadRequest.code)
            && base.segments().prefix_of(path.segments())
    })
}

fn response(reason: &'static str) -> Response<'static> {
    Response::build()
        .status(Status::BadRequest)
        .header(ContentType::Plain)
        .sized_body(reason.len(), Cursor::new(reason))
        .finalize()
}
