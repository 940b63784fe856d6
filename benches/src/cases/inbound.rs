//! The choice of the ID from the headers of a request.

use correlation_core::adapter::http::receive;
use correlation_core::{Policy, sync_scope};
use http::HeaderMap;

use super::by_hand::{self, ID};
use super::{SENT, headers};
use crate::Group;

pub(crate) fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    for number in [1, 8, 30] {
        let plural = if number == 1 { "" } else { "s" };
        for (what, id) in KINDS {
            let others = if id.is_some() { number - 1 } else { number };
            let name = format!("inbound, {number} header{plural}, {what}");
            groups.push(group(name, &headers(others, id)));
        }
    }
    groups
}

const KINDS: [(&str, Option<&str>); 3] = [
    ("present", Some(SENT)),
    ("absent", None),
    ("invalid", Some("not valid")),
];

fn group(name: String, headers: &HeaderMap) -> Group {
    let headers: [HeaderMap; 5] = std::array::from_fn(|_| headers.clone());
    let [hand, hand_scope, ours, ours_scope, ours_value] = headers;
    Group::new(
        name,
        "The ID of a request and where it came from. Ours looks for three headers, two of them the \
         hand's, and refuses what stands twice or has other characters. Where no ID is taken, the \
         hand's makes a UUID with a system call, which counts in ns only. A context that is never in \
         a scope is an allocation; that of one whose scope ends is used again by the next.",
    )
    .peer("string code by hand", move || move || by_hand::receive(&hand))
    .ours("Policy::receive", || {
        let policy = Policy::new();
        move || policy.receive(|| &ours, None)
    })
    .ours("and its header value", || {
        let policy = Policy::new();
        move || receive(&policy, &ours_value, None)
    })
    .peer("string code by hand, and a scope", move || {
        move || ID.sync_scope(by_hand::receive(&hand_scope), || ())
    })
    .ours("Policy::receive, and a scope", || {
        let policy = Policy::new();
        move || {
            let decision = policy.receive(|| &ours_scope, None);
            sync_scope(decision.into_context(), || ());
        }
    })
}
