//! What is measured.

#[cfg(feature = "peers")]
mod actix;
mod ambient;
mod axum;
mod broker;
mod exchange;
mod floor;
mod ids;
mod inbound;
mod log;
mod outbound;
#[cfg(feature = "peers")]
mod rocket;
#[cfg(feature = "peers")]
mod warp;

use ::http::{HeaderMap, HeaderName, HeaderValue};

#[cfg(feature = "peers")]
pub(crate) use self::{
    axum::router, exchange::request_text, rocket::app as rocket_app, warp::routes as warp_routes,
};
pub(crate) use axum::tower_http_pair;
pub(crate) use by_hand::SHARED;

use crate::Group;

/// All groups.
#[must_use]
pub fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    groups.extend(ids::groups());
    groups.extend(inbound::groups());
    groups.extend(ambient::groups());
    groups.extend(axum::groups());
    groups.extend(exchange::groups());
    #[cfg(feature = "peers")]
    {
        groups.extend(actix::groups());
        groups.extend(rocket::groups());
        groups.extend(warp::groups());
    }
    groups.extend(log::groups());
    groups.extend(outbound::groups());
    groups.extend(broker::groups());
    groups
}

/// The ID that callers send. It stands at an odd address, as most values in a server's buffer do:
/// the standard library checks UTF-8 by words at an even one, and where the linker puts a constant
/// would change the number.
pub(crate) const SENT: &str = match str::from_utf8(BUFFER.0.split_at(1).1) {
    Ok(id) => id,
    Err(_) => panic!("an ID is ASCII"),
};

#[repr(align(16))]
struct Buffer([u8; 37]);

static BUFFER: Buffer = Buffer(*b" 7f1c2a3e-9b4d-4c5e-8f60-123456789abc");

/// The one name that all libraries read.
pub(crate) const NAME: &str = "x-request-id";

/// Whether the caller sends an ID: a name for it, and the ID.
pub(crate) const CALLERS: [(&str, Option<&str>); 2] = [("absent", None), ("present", Some(SENT))];

/// What a browser behind a proxy sends, this many of them, and the ID if there is one.
pub(crate) fn headers(others: usize, id: Option<&'static str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in USUAL.into_iter().take(others) {
        headers.insert(name, HeaderValue::from_static(VALUE));
    }
    if let Some(id) = id {
        headers.insert(HeaderName::from_static(NAME), HeaderValue::from_static(id));
    }
    headers
}

/// The same names and values, for the frameworks that have header maps of their own.
#[cfg(feature = "peers")]
pub(crate) fn pairs(
    id: Option<&'static str>,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let others = USUAL.into_iter().take(OTHERS).map(|name| (name, VALUE));
    others.chain(id.map(|id| (NAME, id)))
}

/// How many headers a request has beside the ID.
pub(crate) const OTHERS: usize = 7;

const USUAL: [&str; 30] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "x-forwarded-for",
    "cookie",
    "x-forwarded-proto",
    "x-real-ip",
    "referer",
    "cache-control",
    "pragma",
    "dnt",
    "te",
    "upgrade-insecure-requests",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "priority",
    "origin",
    "via",
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "if-none-match",
    "authorization",
];
const VALUE: &str = "some value of a usual length";

/// What people write by hand.
pub(crate) mod by_hand {
    use std::sync::Arc;

    use http::HeaderMap;
    use uuid::Uuid;

    tokio::task_local! {
        pub(crate) static ID: String;
        pub(crate) static SHARED: Arc<str>;
    }

    /// The ID of a request: the first of two headers that is fit to be logged, else a new one.
    pub(crate) fn receive(headers: &HeaderMap) -> String {
        choose(|name| headers.get(name)?.to_str().ok())
    }

    pub(crate) fn choose<'h>(header: impl Fn(&str) -> Option<&'h str>) -> String {
        let fit = |id: &&str| {
            (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let sent = ["x-correlation-id", "x-request-id"]
            .into_iter()
            .find_map(|name| header(name).filter(fit));
        sent.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
    }
}
