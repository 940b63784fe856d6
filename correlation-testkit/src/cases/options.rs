//! The policy's other settings.

use correlation_core::{Generator, OnInvalid, OnMissing, Policy};

use super::trace::{TRACE_ID, TRACEPARENT};
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
                Case::made("invalid sent", shape).with(CID, "not valid"),
                Case::kept("valid sent", "c-1").with(CID, "c-1"),
            ],
        )
    };
    let too_long = || "x".repeat(256);
    vec![
        rule("UUID v4", Generator::uuid_v4(), Shape::Uuid('4')),
        rule("UUID v7", Generator::uuid_v7(), Shape::Uuid('7')),
        rule("hex", Generator::hex(), Shape::Hex),
        rule(
            "custom",
            Generator::custom(|| "shop-1"),
            Shape::Exactly("shop-1"),
        ),
        rule(
            "custom, invalid",
            Generator::custom(|| "not valid"),
            Shape::Uuid('4'),
        ),
        rule(
            "custom, empty",
            Generator::custom(String::new),
            Shape::Uuid('4'),
        ),
        rule(
            "custom, too long",
            Generator::custom(too_long),
            Shape::Uuid('4'),
        ),
    ]
}

fn validator() -> Rule {
    Rule::new(
        "validator",
        Policy::new().validator(|id: &str| id.starts_with("shop-")),
        [
            Case::kept("accepted", "shop-1").with(CID, "shop-1"),
            Case::fresh("refused").with(CID, "bank-1"),
            Case::kept("first refused, second accepted", "shop-2")
                .from("x-request-id")
                .with(CID, "bank-1")
                .with(RID, "shop-2"),
            Case::fresh("accepted, but not valid").with(CID, "shop-1 shop-2"),
            // The trace goes on; its trace-id is only not used as the ID.
            Case::fresh("trace-id refused")
                .trace(TRACE_ID)
                .with("traceparent", TRACEPARENT),
        ],
    )
}

fn on_missing() -> Rule {
    Rule::new(
        "on_missing reject",
        Policy::new().on_missing(OnMissing::Reject),
        [
            Case::rejected("nothing sent"),
            Case::rejected("another header").with("X-Other-ID", "c-1"),
            Case::kept("correlation ID", "c-1").with(CID, "c-1"),
            Case::kept("request ID", "r-1")
                .from("x-request-id")
                .with(RID, "r-1"),
            Case::kept("traceparent", TRACE_ID)
                .from("traceparent")
                .trace(TRACE_ID)
                .with("traceparent", TRACEPARENT),
        ],
    )
}

fn on_invalid() -> Rule {
    Rule::new(
        "on_invalid reject",
        Policy::new().on_invalid(OnInvalid::Reject),
        [
            Case::rejected("forbidden byte").with(CID, "not valid"),
            Case::rejected("too long").with(CID, "x".repeat(129)),
            Case::rejected("empty").with(CID, ""),
            Case::rejected("request ID").with(RID, "not valid"),
            Case::rejected("first invalid, second valid")
                .with(CID, "not valid")
                .with(RID, "r-1"),
            Case::rejected("twice, different")
                .with(CID, "c-1")
                .with(CID, "c-2"),
            Case::kept("valid", "c-1").with(CID, "c-1"),
            Case::kept("first valid, second invalid", "c-1")
                .with(CID, "c-1")
                .with(RID, "not valid"),
            Case::fresh("nothing sent"),
            Case::fresh("traceparent is no ID header").with("traceparent", "not valid"),
        ],
    )
}

fn response_headers() -> [Rule; 2] {
    let cases = || {
        [
            Case::kept("valid sent", "c-1").with(CID, "c-1"),
            Case::kept("request ID sent", "r-1")
                .from("x-request-id")
                .with(RID, "r-1"),
            Case::fresh("nothing sent"),
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

const CID: &str = "X-Correlation-ID";
const RID: &str = "X-Request-ID";
