//! The same rules for what is asked by key.

use correlation_core::{Origin, Policy, Source, extract_with};

use crate::{CID, RID, brought, logged};

#[test]
fn a_message_is_never_rejected() {
    let policy = Policy::new().reject_invalid(true).reject_missing(true);
    let (context, log) = logged(|| policy.extract_with(|_| None::<&str>));
    assert_eq!((context.origin(), log.as_str()), (Origin::Generated, ""));
    // An invalid ID does not hide a valid one.
    let (context, log) = logged(|| {
        policy.extract_with(|key| match key {
            CID => Some("not valid"),
            RID => Some("r-1"),
            _ => None,
        })
    });
    assert_eq!(context.id(), &"r-1");
    assert!(!log.contains("rejected"), "{log}");
}

#[test]
fn placeholders_and_joined_values_are_read_as_in_headers() {
    let by = |value| brought(&extract_with(|key| (key == CID).then_some(value)));
    assert_eq!(by("undefined"), None);
    assert_eq!(by("00000000-0000-0000-0000-000000000000"), None);
    assert_eq!(by("a, a").unwrap(), "a");
    assert_eq!(by("a, b"), None);
    // The next spelling has its turn.
    let context = extract_with(|key| match key {
        CID => Some("null"),
        "correlation_id" => Some("c-1"),
        _ => None,
    });
    assert_eq!(context.id(), &"c-1");
}

#[test]
fn a_message_can_have_every_format() {
    let policy = Policy::new()
        .sources([
            Source::header(CID),
            Source::parsed("sentry-trace", |value| value.split('-').next()),
        ])
        .validator(|id| {
            assert!(!id.contains('-'), "only what may be the ID is asked about");
            true
        });
    let context = policy.extract_with(|key| (key == "sentry-trace").then_some("771a-9e2d-1"));
    assert_eq!(context.id(), &"771a");
}
