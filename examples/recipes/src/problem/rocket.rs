//! Rocket: `.attach(Correlation::fairing()).register("/", catchers![problem])`. It covers all errors
//! for which no other catcher is registered.

use rocket::http::{ContentType, Status};
use rocket::{Request, catch};

/// Turns an error into a problem document.
#[catch(default)]
pub fn problem(status: Status, _: &Request<'_>) -> (ContentType, String) {
    let media_type = ContentType::new("application", "problem+json");
    (
        media_type,
        super::document(status.code, status.reason_lossy()),
    )
}
