//! Formats of other tracing systems: off unless the policy names them.

use correlation_core::{Parser, Policy};

use super::trace::{TRACE_ID, TRACEPARENT};
use super::{Case, Rule};

pub(super) fn off_by_default() -> Vec<Case> {
    SAMPLES
        .iter()
        .map(|(name, value)| Case::fresh(format!("{name} is not asked for")).with(name, value))
        .collect()
}

pub(super) fn rules() -> Vec<Rule> {
    let all = Policy::new().parsers([
        Parser::B3,
        Parser::XAmznTraceId,
        Parser::XCloudTraceContext,
        Parser::RequestId,
    ]);
    let cases = [b3(), amazon(), google(), dotnet(), order()].concat();
    vec![
        Rule::new("parsers", all, cases),
        Rule::new(
            "one parser",
            Policy::new().parsers([Parser::XCloudTraceContext]),
            [
                Case::kept("asked for", GOOGLE_ID)
                    .from(GOOGLE)
                    .with(GOOGLE, format!("{GOOGLE_ID}/123;o=1")),
                Case::fresh("not asked for").with(B3, format!("{B3_ID}-e457b5a2e4d86bd1-1")),
            ],
        ),
    ]
}

fn b3() -> Vec<Case> {
    let taken = |name: &str, value: &str| Case::kept(name, B3_ID).from(B3).with(B3, value);
    vec![
        taken(
            "b3, full",
            "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
        ),
        taken(
            "b3, sampled",
            "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1",
        ),
        taken(
            "b3, debug",
            "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d",
        ),
        taken(
            "b3, undecided",
            "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1",
        ),
        Case::kept("b3, several headers", B3_ID)
            .from(B3)
            .with("X-B3-TraceId", B3_ID)
            .with("X-B3-SpanId", "e457b5a2e4d86bd1")
            .with("X-B3-Sampled", "1"),
        Case::kept("b3, 64 bits", "64fe8b2a57d3eff7")
            .from(B3)
            .with(B3, "64fe8b2a57d3eff7-e457b5a2e4d86bd1-0"),
        Case::kept("b3, one header before several", B3_ID)
            .from(B3)
            .with("X-B3-TraceId", "64fe8b2a57d3eff7")
            .with(B3, B3_ID),
        Case::fresh("b3, a decision only").with(B3, "0"),
        Case::fresh("b3, too short").with(B3, "80f198ee-e457b5a2e4d86bd1-1"),
        Case::fresh("b3, no hex").with(B3, "80f198ee56343ba864fe8b2a57d3effx-e457b5a2e4d86bd1-1"),
    ]
}

fn amazon() -> Vec<Case> {
    let taken = |name: &str, value: &str| {
        Case::kept(name, "1-5759e988-bd862e3fe1be46a994272793")
            .from(AMAZON)
            .with("X-Amzn-Trace-Id", value)
    };
    vec![
        taken("Amazon, root", "Root=1-5759e988-bd862e3fe1be46a994272793"),
        taken(
            "Amazon, parent and decision",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        ),
        taken(
            "Amazon, another order",
            "Self=1-67891234-12456789abcdef012345678;Root=1-5759e988-bd862e3fe1be46a994272793",
        ),
        Case::fresh("Amazon, no root").with(AMAZON, "Parent=53995c3f42cd8ad8;Sampled=1"),
        Case::fresh("Amazon, short root").with(AMAZON, "Root=1-5759e988-bd862e3fe1be46a9"),
        Case::fresh("Amazon, no hex").with(AMAZON, "Root=1-5759e988-bd862e3fe1be46a99427279x"),
    ]
}

fn google() -> Vec<Case> {
    let taken = |name: &str, tail: &str| {
        Case::kept(name, GOOGLE_ID)
            .from(GOOGLE)
            .with("X-Cloud-Trace-Context", format!("{GOOGLE_ID}{tail}"))
    };
    vec![
        taken("Google, full", "/4981324567;o=1"),
        taken("Google, span", "/4981324567"),
        taken("Google, trace only", ""),
        Case::fresh("Google, short").with(GOOGLE, "105445aa7843bc8bf206/1;o=1"),
        Case::fresh("Google, no hex").with(GOOGLE, "105445aa7843bc8bf206b12000100xyz/1"),
    ]
}

fn dotnet() -> Vec<Case> {
    let taken = |name: &str, id: &str, value: &str| {
        Case::kept(name, id).from(DOTNET).with("Request-Id", value)
    };
    vec![
        taken(".NET, hierarchical", "7d5f6a3c", "|7d5f6a3c.1.2."),
        taken(".NET, root only", "7d5f6a3c", "|7d5f6a3c."),
        Case::fresh(".NET, empty root").with(DOTNET, "|.1."),
    ]
}

/// Parsers come after the headers and `traceparent`.
fn order() -> Vec<Case> {
    let google = format!("{GOOGLE_ID}/1");
    vec![
        Case::kept("ID header first", "r-1")
            .from("x-request-id")
            .with(GOOGLE, &google)
            .with("X-Request-ID", "r-1"),
        Case::kept("traceparent first", TRACE_ID)
            .from("traceparent")
            .trace(TRACE_ID)
            .with(GOOGLE, &google)
            .with("traceparent", TRACEPARENT),
        Case::kept("invalid ID header, then parser", GOOGLE_ID)
            .from(GOOGLE)
            .with("X-Correlation-ID", "not valid")
            .with(GOOGLE, &google),
    ]
}

const B3: &str = "b3";
const AMAZON: &str = "x-amzn-trace-id";
const GOOGLE: &str = "x-cloud-trace-context";
const DOTNET: &str = "request-id";
const B3_ID: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const GOOGLE_ID: &str = "105445aa7843bc8bf206b12000100000";
const SAMPLES: &[(&str, &str)] = &[
    (B3, "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"),
    ("X-B3-TraceId", B3_ID),
    (AMAZON, "Root=1-5759e988-bd862e3fe1be46a994272793"),
    (GOOGLE, "105445aa7843bc8bf206b12000100000/1"),
    (DOTNET, "|7d5f6a3c.1.2."),
    ("uber-trace-id", "80f198ee56343ba864fe8b2a57d3eff7:1:0:1"),
];
