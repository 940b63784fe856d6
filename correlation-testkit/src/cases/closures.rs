//! Closures of the policy that misbehave. The request still succeeds, and has an ID.

use correlation_core::{Generator, Policy, Source, Trust, current, sync_scope};

use super::case::{BAD, C1, CID, Line, R1, T, TP, makes, rejects, takes};
use super::{Case, Rule, Shape};

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = panics();
    rules.extend(rubbish());
    rules.extend(lookers());
    rules
}

/// Closures that panic, always or at some value. A panic counts as `None` or `false`.
fn panics() -> Vec<Rule> {
    let generator = || Generator::custom(|| -> String { panic!("generator") });
    let at_hostile = |id: &str| {
        assert!(!id.starts_with("hostile"), "validator");
        true
    };
    let hostile = (CID, "hostile-1");
    let distrusted = Trust::when(|_| panic!("trust"));
    vec![
        Rule::new(
            "a generator that panics",
            Policy::new().generator(generator()),
            [
                makes("nothing sent", &[]),
                makes("invalid sent", &[BAD]),
                takes("valid sent", C1, &[C1]),
            ],
        ),
        Rule::new(
            "a generator that panics, and a request that is rejected",
            Policy::new().generator(generator()).reject_missing(true),
            [rejects("nothing sent", &[]), takes("valid sent", C1, &[C1])],
        ),
        Rule::new(
            "a validator that panics",
            Policy::new().validator(at_hostile),
            [
                makes("at the ID", &[hostile]),
                takes("at the first ID", R1, &[hostile, R1]),
                makes("at a joined ID", &[(CID, "hostile-1, hostile-1")]),
                takes("at none", C1, &[C1]),
            ],
        ),
        Rule::new(
            "a validator that panics, and a request that is rejected",
            Policy::new().validator(at_hostile).reject_invalid(true),
            [
                rejects("at the ID", &[hostile]),
                takes("at none", C1, &[C1]),
            ],
        ),
        Rule::new(
            "a source that panics",
            Policy::new().sources([Source::parsed(OWN, broken), Source::header(CID)]),
            [
                makes("alone", &[MINE]),
                takes("before another", C1, &[MINE, C1]),
                takes("that is not asked", C1, &[C1]),
            ],
        ),
        Rule::new(
            "a trust that panics",
            Policy::new().trust(distrusted),
            [
                makes("an ID", &[C1]).untrusted(C1.1),
                makes("a trace", &[TP]).untrusted(T.1),
                makes("nothing to trust", &[BAD]),
            ],
        ),
        Rule::new(
            "all of them panic",
            Policy::new()
                .sources([Source::parsed(OWN, broken), Source::header(CID)])
                .validator(at_hostile)
                .trust(Trust::when(|_| panic!("trust")))
                .generator(generator()),
            [
                makes("all sent", &[MINE, hostile]),
                makes("valid sent", &[MINE, C1]).untrusted(C1.1),
                makes("nothing sent", &[]),
            ],
        ),
    ]
}

fn broken(value: &str) -> Option<&str> {
    panic!("source of {} bytes", value.len())
}

/// Closures that return text that is not an ID.
fn rubbish() -> Vec<Rule> {
    let generator = |name, make: fn() -> String| {
        let policy = Policy::new().generator(Generator::custom(make));
        Rule::new(name, policy, [makes("nothing sent", &[])])
    };
    let source = |name, text: &'static str| {
        let own = Source::parsed(OWN, move |_| Some(text));
        let policy = Policy::new().sources([own, Source::header(CID)]);
        let cases = [makes("alone", &[MINE]), takes("another", C1, &[MINE, C1])];
        Rule::new(name, policy, cases)
    };
    vec![
        generator("a generator of a megabyte", || "x".repeat(1 << 20)),
        generator("a generator of control bytes", || "a\r\nb: c".to_owned()),
        generator("a generator of what is not ASCII", || "\u{202e}".to_owned()),
        source("a source of nothing", ""),
        source("a source of control bytes", "a\r\nb: c"),
        source("a source of a placeholder", "null"),
        source("a source of what is too long", LONG),
    ]
}

/// Closures that log, read the ID, open scopes, and call a policy themselves. While they run, no ID
/// is current, and the ID of the last request on the connection is not either.
fn lookers() -> Vec<Rule> {
    let generator = Generator::custom(|| if alone() { "alone" } else { "not-alone" });
    let made = Shape::Exactly("alone");
    let own = Source::parsed(OWN, |value| alone().then_some(value));
    vec![Rule::new(
        "closures that log and look",
        Policy::new()
            .sources([own, Source::header(CID), Source::TRACEPARENT])
            .validator(|_| alone())
            .trust(Trust::when(|caller| {
                alone() && caller.header("x-internal") == Some("yes")
            }))
            .generator(generator),
        [
            Case::made("nothing sent", made),
            Case::made("not trusted", made).sends(&[C1]).untrusted(C1.1),
            takes("trusted", C1, &[C1, INTERNAL]),
            Case::made("nothing sent again", made),
            takes("a format of its own", MINE, &[MINE, C1, INTERNAL]),
            takes("a trace", T, &[TP, INTERNAL]),
        ],
    )]
}

/// Returns whether a closure of a policy reads no ID, whatever it does.
fn alone() -> bool {
    let reads_none = current().is_none();
    tracing::warn!("a closure logs");
    log::warn!("a closure logs");
    let inner = Policy::new().receive(|| [C1], None);
    let reads_inner = sync_scope(inner.into_context(), || {
        tracing::warn!("a closure logs in a scope");
        current().is_some_and(|id| id == C1.1)
    });
    reads_none && reads_inner && current().is_none()
}

const OWN: &str = "X-Own";
const MINE: Line = (OWN, "own-1");
const INTERNAL: Line = ("X-Internal", "yes");
/// A text that is one byte longer than an ID may be.
const LONG: &str = match str::from_utf8(&[b'x'; 129]) {
    Ok(long) => long,
    Err(_) => "",
};
