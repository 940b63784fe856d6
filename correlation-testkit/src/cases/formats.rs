//! Formats of other tracing systems. They are off unless the policy names them.

use correlation_core::{Policy, Source};

use super::case::{BAD, C1, CID, Line, R1, T, TP, makes, takes};
use super::{Case, Rule};
use crate::every_source;

pub(super) fn off_by_default() -> Vec<Case> {
    SAMPLES
        .iter()
        .map(|line| makes(&format!("{} is not asked for", line.0), &[*line]))
        .collect()
}

pub(super) fn rules() -> Vec<Rule> {
    let parsed = [
        Source::parsed(SENTRY, |value| value.split('-').next()),
        Source::parsed(JAEGER, |value| value.split(':').next()),
    ];
    let all = Policy::new().sources(every_source().into_iter().chain(parsed));
    let cases = [b3(), amazon(), google(), dotnet(), own(), order()].concat();
    let google_first = [Source::CLOUD_TRACE_CONTEXT, Source::header(CID)];
    vec![
        Rule::new("formats", all, cases),
        Rule::new(
            "a format first",
            Policy::new().sources(google_first),
            [
                takes("both", G, &[C1, SENT_G]),
                takes(
                    "invalid, then the header",
                    C1,
                    &[(GOOGLE, "105445aa/1"), C1],
                ),
                makes("traceparent is no source", &[TP]).traced(),
            ],
        ),
        Rule::new(
            "one format",
            Policy::new().sources([Source::CLOUD_TRACE_CONTEXT]),
            [
                takes("asked for", G, &[SENT_G]),
                makes("not asked for", &[SAMPLES[0]]),
            ],
        ),
    ]
}

fn b3() -> Vec<Case> {
    let id = (B3, B3_ID);
    let taken = |name: &str, tail| {
        Case::kept(name, B3_ID)
            .from(B3)
            .with(B3, [B3_ID, tail].concat())
    };
    let short = "64fe8b2a57d3eff7";
    let several = [
        ("X-B3-TraceId", B3_ID),
        ("X-B3-SpanId", "e457b5a2e4d86bd1"),
        ("X-B3-Sampled", "1"),
    ];
    vec![
        taken("b3, full", "-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"),
        taken("b3, sampled", "-e457b5a2e4d86bd1-1"),
        taken("b3, debug", "-e457b5a2e4d86bd1-d"),
        taken("b3, undecided", "-e457b5a2e4d86bd1"),
        takes("b3, several headers", several[0], &several),
        takes("b3, 64 bits", (B3, short), &[]).with(B3, format!("{short}-e457b5a2e4d86bd1-0")),
        takes(
            "b3, one header before several",
            id,
            &[("X-B3-TraceId", short), id],
        ),
        makes("b3, a decision only", &[(B3, "0")]),
        makes("b3, too short", &[(B3, "80f198ee-e457b5a2e4d86bd1-1")]),
        makes(
            "b3, no hex",
            &[(B3, "80f198ee56343ba864fe8b2a57d3effx-e457b5a2e4d86bd1-1")],
        ),
    ]
}

fn amazon() -> Vec<Case> {
    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
    let taken = |name: &str, before, after| {
        let line = format!("{before}Root={ROOT}{after}");
        Case::kept(name, ROOT)
            .from(AMAZON)
            .with("X-Amzn-Trace-Id", line)
    };
    let refused = |name, value| makes(name, &[(AMAZON, value)]);
    let another = "Self=1-67891234-12456789abcdef012345678;";
    vec![
        taken("Amazon, root", "", ""),
        taken(
            "Amazon, parent and decision",
            "",
            ";Parent=53995c3f42cd8ad8;Sampled=1",
        ),
        taken("Amazon, another order", another, ""),
        refused("Amazon, no root", "Parent=53995c3f42cd8ad8;Sampled=1"),
        refused("Amazon, short root", "Root=1-5759e988-bd862e3fe1be46a9"),
        refused("Amazon, no hex", "Root=1-5759e988-bd862e3fe1be46a99427279x"),
    ]
}

fn google() -> Vec<Case> {
    let taken = |name: &str, tail| {
        let line = [GOOGLE_ID, tail].concat();
        Case::kept(name, GOOGLE_ID)
            .from(GOOGLE)
            .with("X-Cloud-Trace-Context", line)
    };
    let refused = |name, value| makes(name, &[(GOOGLE, value)]);
    vec![
        taken("Google, full", "/4981324567;o=1"),
        taken("Google, span", "/4981324567"),
        taken("Google, trace only", ""),
        refused("Google, short", "105445aa7843bc8bf206/1;o=1"),
        refused("Google, no hex", "105445aa7843bc8bf206b12000100xyz/1"),
    ]
}

fn dotnet() -> Vec<Case> {
    let id = (DOTNET, "7d5f6a3c");
    let sent = |value| [("Request-Id", value)];
    vec![
        takes(".NET, hierarchical", id, &sent("|7d5f6a3c.1.2.")),
        takes(".NET, root only", id, &sent("|7d5f6a3c.")),
        makes(".NET, empty root", &[(DOTNET, "|.1.")]),
    ]
}

/// Formats that the library does not know, each in a separate function.
fn own() -> Vec<Case> {
    let sentry = "771a43a4192642f0b136d5159a501700";
    let jaeger = "5b8aa5a2d2c872e8321cf37308d69df2";
    let taken = |name: &str, header: &'static str, id: &str, tail: &str| {
        Case::kept(name, id)
            .from(header)
            .with(header, [id, tail].concat())
    };
    vec![
        taken("Sentry", "Sentry-Trace", sentry, "-9e2d0d9ff4fbf34f-1"),
        taken("Sentry, undecided", SENTRY, sentry, "-9e2d0d9ff4fbf34f"),
        taken("Jaeger", JAEGER, jaeger, ":51581bf3cb55c13:0:1"),
        makes("Sentry, no ID in it", &[(SENTRY, "-9e2d0d9ff4fbf34f-1")]),
        makes("Jaeger, no valid ID in it", &[(JAEGER, "not valid:1:0:1")]),
        makes("Jaeger, a placeholder", &[(JAEGER, "null:1:0:1")]),
        makes("Jaeger, twice, different", &[])
            .with(JAEGER, format!("{jaeger}:1:0:1"))
            .with(JAEGER, format!("{jaeger}:2:0:1")),
    ]
}

/// In this order, formats come after the headers and `traceparent`.
fn order() -> Vec<Case> {
    let sent = SAMPLES[3];
    vec![
        takes("ID header first", R1, &[sent, R1]),
        takes("traceparent first", T, &[sent, TP]),
        takes("invalid ID header, then a format", G, &[BAD, sent]),
    ]
}

const B3: &str = "b3";
const AMAZON: &str = "x-amzn-trace-id";
const GOOGLE: &str = "x-cloud-trace-context";
const DOTNET: &str = "request-id";
const SENTRY: &str = "sentry-trace";
const JAEGER: &str = "uber-trace-id";
const B3_ID: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const GOOGLE_ID: &str = "105445aa7843bc8bf206b12000100000";
const G: Line = (GOOGLE, GOOGLE_ID);
const SENT_G: Line = (GOOGLE, "105445aa7843bc8bf206b12000100000/123;o=1");
const SAMPLES: &[Line] = &[
    (B3, "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"),
    ("X-B3-TraceId", B3_ID),
    (AMAZON, "Root=1-5759e988-bd862e3fe1be46a994272793"),
    (GOOGLE, "105445aa7843bc8bf206b12000100000/1"),
    (DOTNET, "|7d5f6a3c.1.2."),
    (JAEGER, "80f198ee56343ba864fe8b2a57d3eff7:1:0:1"),
    (
        SENTRY,
        "771a43a4192642f0b136d5159a501700-9e2d0d9ff4fbf34f-1",
    ),
];
