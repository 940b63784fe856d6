//! The policy's other settings.

use correlation_core::{Generator, Policy};

use super::case::{BAD, C1, C2, CID, R1, RID, T, TP, makes, rejects, takes};
use super::{Case, Rule, Shape};

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = generators();
    rules.extend([validator(), on_missing(), on_invalid()]);
    rules.extend(response_headers());
    rules
}

fn generators() -> Vec<Rule> {
    let rule = |name, generator, shape| {
        Rule::new(
            name,
            Policy::new().generator(generator),
            [
                Case::made("nothing sent", shape),
                Case::made("invalid sent", shape).sends(&[BAD]),
                takes("valid sent", C1, &[C1]),
            ],
        )
    };
    let custom = |make: fn() -> String| Generator::custom(make);
    let v4 = Shape::Uuid('4');
    vec![
        rule("UUID v4", Generator::uuid_v4(), v4),
        rule("UUID v7", Generator::uuid_v7(), Shape::Uuid('7')),
        rule("hex", Generator::hex(), Shape::Hex),
        rule(
            "custom",
            custom(|| "shop-1".to_owned()),
            Shape::Exactly("shop-1"),
        ),
        rule("custom, invalid", custom(|| "not valid".to_owned()), v4),
        rule("custom, empty", custom(String::new), v4),
        rule("custom, too long", custom(|| "x".repeat(256)), v4),
    ]
}

fn validator() -> Rule {
    let ours = (CID, "shop-1");
    let theirs = (CID, "bank-1");
    let second = (RID, "shop-2");
    Rule::new(
        "validator",
        Policy::new().validator(|id: &str| id.starts_with("shop-")),
        [
            takes("accepted", ours, &[ours]),
            makes("refused", &[theirs]),
            takes("first refused, second accepted", second, &[theirs, second]),
            makes("accepted, but not valid", &[(CID, "shop-1 shop-2")]),
            // The trace continues. Only its trace-id is not used as the ID.
            makes("trace-id refused", &[TP]).traced(),
        ],
    )
}

fn on_missing() -> Rule {
    Rule::new(
        "on_missing reject",
        Policy::new().reject_missing(true),
        [
            rejects("nothing sent", &[]),
            rejects("another header", &[("X-Other-ID", "c-1")]),
            rejects("a placeholder", &[(CID, "undefined")]),
            takes("correlation ID", C1, &[C1]),
            takes("request ID", R1, &[R1]),
            takes("traceparent", T, &[TP]),
        ],
    )
}

fn on_invalid() -> Rule {
    let bad_too = (RID, "not valid");
    Rule::new(
        "on_invalid reject",
        Policy::new().reject_invalid(true),
        [
            rejects("forbidden byte", &[BAD]),
            rejects("too long", &[]).with(CID, "x".repeat(129)),
            rejects("empty", &[(CID, "")]),
            rejects("request ID", &[bad_too]),
            rejects("first invalid, second valid", &[BAD, R1]),
            rejects("twice, different", &[C1, C2]),
            takes("valid", C1, &[C1]),
            takes("first valid, second invalid", C1, &[C1, bad_too]),
            takes("joined, identical", C1, &[(CID, "c-1, c-1")]),
            rejects("joined, different", &[(CID, "c-1, c-2")]),
            makes("nothing sent", &[]),
            makes("a placeholder is absent, not invalid", &[(CID, "null")]),
            makes(
                "traceparent is no ID header",
                &[("traceparent", "not valid")],
            ),
        ],
    )
}

fn response_headers() -> [Rule; 2] {
    let cases = || {
        [
            takes("valid sent", C1, &[C1]),
            takes("request ID sent", R1, &[R1]),
            makes("nothing sent", &[]),
        ]
    };
    let another = Policy::new().response_header("X-Request-ID");
    let mut another = Rule::new("another response header", another, cases());
    another.response_header = Some("x-request-id");
    let none = Policy::new().without_response_header();
    let mut none = Rule::new("no response header", none, cases());
    none.response_header = None;
    [another, none]
}
