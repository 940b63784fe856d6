//! Answers the requests that the policy rejects.
//!
//! A fairing sees each request first, but only routes and catchers can answer one. So the fairing
//! changes the method of a rejected request to `CONNECT`. The application has no route for that
//! method: it asks a proxy for a tunnel, and Rocket's macros do not know it.
//!
//! A route of this crate takes all paths under this method, and takes precedence over any other
//! route for it. The path stays unchanged, because it decides which catcher answers. If the policy
//! rejects nothing, the route is not mounted.

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

/// Answers with the application's catcher for 400 if it has one, and otherwise with the reason.
fn answer<'r>(request: &'r Request<'_>, data: Data<'r>) -> BoxFuture<'r> {
    let rejected = received(request).as_ref().and_then(|known| known.rejected);
    let outcome = match rejected {
        None => Outcome::forward(data, Status::NotFound),
        Some(_) if has_catcher(request) => Outcome::error(Status::BadRequest),
        Some(rejected) => Outcome::Success(response(rejected.reason)),
    };
    Box::pin(std::future::ready(outcome))
}

/// Returns whether the application has a catcher for 400 here, by the rule that Rocket uses.
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
