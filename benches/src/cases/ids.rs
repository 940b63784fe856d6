//! Making an ID.

use correlation_core::{CorrelationId, Generator};
use http::{HeaderValue, Request};
use tower_http::request_id::{MakeRequestId, MakeRequestUuid};
use uuid::Uuid;

use super::SENT;
use crate::Group;

pub(crate) fn groups() -> Vec<Group> {
    let new = Group::new(
        "ID, new, as text",
        "All but nanoid's are IDs of 122 to 128 bits. The system call that uuid makes per ID, unless \
         a feature of it is on, counts in ns and not in instructions.",
    )
    .peer("uuid v4 to a String", || || Uuid::new_v4().to_string())
    .ours("v4", || CorrelationId::new)
    .ours("v7", || || Generator::uuid_v7().generate())
    .ours("hex", || || Generator::hex().generate());
    #[cfg(feature = "peers")]
    let new = new
        .peer("ulid", || || ulid::Ulid::generate().to_string())
        .peer("nanoid", || || nanoid::nanoid!());
    let value = Group::new(
        "ID, new, as a header value",
        "What a response needs. Without the insertion into its headers.",
    )
    .peer("tower-http MakeRequestUuid", || {
        let request = Request::new(());
        move || MakeRequestUuid.make_request_id(&request)
    })
    .ours("v4", || || HeaderValue::from(CorrelationId::new()));
    let parse = Group::new(
        "ID, 36 bytes that came in",
        "Checked and kept. uuid reads UUIDs only; a String checks nothing but its bytes by hand.",
    )
    .peer("checked by hand, to a String", || {
        || {
            Some(SENT)
                .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic()))
                .map(str::to_owned)
        }
    })
    .peer("uuid", || || SENT.parse::<Uuid>())
    .ours("parsed", || || SENT.parse::<CorrelationId>());
    let clone = Group::new("ID, cloned", "A clone and its drop.")
        .peer("String", || {
            let id = SENT.to_owned();
            move || id.clone()
        })
        .peer("HeaderValue", || {
            let id = HeaderValue::from_str(SENT);
            move || id.as_ref().ok().cloned()
        })
        .ours("CorrelationId", || {
            let id = CorrelationId::new();
            move || id.clone()
        });
    vec![new, value, parse, clone]
}
