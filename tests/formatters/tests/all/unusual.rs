//! Rules 2, 3, 4, 8 and 9: lines that look like something else, and IDs that would.

use correlation_core::{CorrelationId, Policy, sync_scope, tag};
use formatters::{ALL, Capture, Form, Formatter, Logger};
use tracing::{info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::json::Object;
use crate::line::assert_tagged;
use crate::{ID, id};

fn print(logger: fn(Capture) -> Logger, work: impl FnOnce()) -> String {
    let sink = Capture::default();
    let logger = logger(sink.clone());
    logger.with(|| sync_scope(id(), work));
    drop(logger);
    sink.text()
}

fn formatter(name: &str) -> Formatter {
    ALL.into_iter()
        .find(|formatter| formatter.name == name)
        .unwrap()
}

fn message_only(sink: Capture) -> Logger {
    tracing_subscriber::fmt()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(tag(sink))
        .finish()
        .into()
}

#[test]
fn text_in_braces_is_text() {
    for text in [
        "{not json}",
        "{",
        "{}, and more",
        "{\"a\":1} was sent",
        "[1]",
    ] {
        let printed = print(message_only, || info!("{text}"));
        assert_eq!(printed, format!("{text} correlation_id={ID}\n"));
    }
    // Printed alone in its line, an object is one: then it stays one.
    let printed = print(message_only, || info!(r#"{{"a":1}}"#));
    assert_eq!(
        printed,
        format!("{{\"correlation_id\":\"{ID}\",\"a\":1}}\n")
    );
}

#[test]
fn every_line_of_a_message_is_found_and_blank_ones_stay_blank() {
    let printed = print(message_only, || {
        info!("Error: a\n\nCaused by:\n    0: b\n \n    1: c");
    });
    let (lines, blank): (Vec<_>, Vec<_>) =
        printed.lines().partition(|line| !line.trim().is_empty());
    assert_eq!(lines.len(), 4);
    assert_eq!(blank, ["", " "]);
    assert_tagged(Form::Text, &printed);

    let printed = print(formatter("fmt, pretty").logger, || info!("a\nb"));
    assert_eq!(printed.matches(ID).count(), 3, "{printed}");
    assert!(printed.ends_with("\n\n"), "{printed:?}");
}

#[test]
fn carriage_returns_stay_before_the_newline() {
    let printed = print(message_only, || info!("a\r\n\r\nb"));
    let end = format!(" correlation_id={ID}");
    assert_eq!(printed, format!("a{end}\r\n\r\nb{end}\n"));

    // A formatter with such line ends, which are written in a call of their own.
    let printed = print(
        |sink| {
            let layer = tracing_logstash::Layer::default().record_separator("\r\n");
            Registry::default()
                .with(layer.with_writer(tag(sink)))
                .into()
        },
        || {
            info!("one");
            info!("two");
        },
    );
    assert_eq!(printed.matches("}\r\n").count(), 2, "{printed:?}");
    assert_tagged(Form::Json, &printed);
}

#[test]
fn a_key_of_the_event_is_not_written_again() {
    for name in [
        "fmt, JSON flattened",
        "tracing-bunyan-formatter",
        "tracing-ecs",
        "tracing-logstash",
    ] {
        let printed = print(formatter(name).logger, || {
            info!(correlation_id = "own", "paid");
        });
        assert_eq!(
            Object::read(&printed).str("correlation_id"),
            Some("own"),
            "{printed}"
        );
    }
    // In text it is the end of the line that counts.
    for (name, own, times) in [
        ("fmt, full", false, 1),
        ("fmt, full", true, 2),
        ("tracing-logfmt", true, 1),
    ] {
        let printed = print(formatter(name).logger, || match own {
            true => info!(correlation_id = ID, "paid"),
            false => info!(correlation_id = %ID, "paid"),
        });
        assert_eq!(printed.matches(ID).count(), times, "{printed}");
        assert!(printed.ends_with(" correlation_id=click-7\n"), "{printed}");
    }
}

#[test]
fn a_key_at_another_depth_or_with_another_value_is_no_reason_to_leave_it_out() {
    let nested = || {
        let span = info_span!("request", correlation_id = "of-the-span");
        span.in_scope(|| info!(correlation_id = "of-the-event", "paid"));
    };
    for name in ["fmt, JSON", "json-subscriber"] {
        let printed = print(formatter(name).logger, nested);
        assert!(
            printed.contains("of-the-span") && printed.contains("of-the-event"),
            "{printed}"
        );
        assert_tagged_beside_others(&printed);
    }
    let in_the_message = || info!(r#""correlation_id":"{ID}""#);
    for name in ["fmt, JSON flattened", "tracing-ecs"] {
        assert_tagged_beside_others(&print(formatter(name).logger, in_the_message));
    }
    // A key that ends like it, with a quotation mark before.
    let in_a_key = || info!("a\"correlation_id" = 1, "paid");
    assert_tagged_beside_others(&print(formatter("fmt, JSON flattened").logger, in_a_key));

    let end = format!(" correlation_id={ID}\n");
    let full = formatter("fmt, full").logger;
    for printed in [
        print(full, || info!(order = ID, "paid")),
        print(full, || info!(correlation_id = "click-77", "paid")),
        print(full, || info!(parent_correlation_id = ID, "paid")),
        print(full, nested),
    ] {
        assert!(printed.ends_with(&end), "{printed}");
    }
}

fn assert_tagged_beside_others(printed: &str) {
    let object = Object::read(printed.trim_end());
    assert_eq!(object.first, "correlation_id");
    assert_eq!(object.str("correlation_id"), Some(ID));
}

#[test]
fn a_long_json_line_that_is_cut_off_keeps_it() {
    let long = "x".repeat(100_000);
    for formatter in ALL
        .into_iter()
        .filter(|formatter| formatter.form == Form::Json)
    {
        let printed = print(formatter.logger, || info!("{long}"));
        assert!(printed.len() > long.len());
        assert!(printed[..64].contains(ID), "{}", formatter.name);
    }
}

/// Text gets the ID as it is, so what could break a line must not be an ID in the first place.
#[test]
fn no_id_breaks_a_line() {
    let mut valid = 0;
    for byte in 0..=u8::MAX {
        let header = [b'a', byte, b'z'];
        let request = Policy::new()
            .receive(|| [("x-request-id", &header[..])], None)
            .into_context();
        let received = request.id().as_str().as_bytes() == header;
        let parses =
            String::from_utf8(header.to_vec()).is_ok_and(|id| id.parse::<CorrelationId>().is_ok());
        assert!(!received || parses);
        valid += usize::from(received);
        let id = request.id().to_string();
        for formatter in [
            formatter("fmt, full"),
            formatter("fmt, JSON"),
            formatter("tracing-logfmt"),
        ] {
            let sink = Capture::default();
            let logger = (formatter.logger)(sink.clone());
            logger.with(|| sync_scope(request.clone(), || info!("paid")));
            let printed = sink.text();
            let lines: Vec<_> = printed.lines().collect();
            let [line] = lines.as_slice() else {
                panic!("{printed:?}");
            };
            match formatter.form {
                Form::Json => {
                    assert_eq!(Object::read(line).str("correlation_id"), Some(id.as_str()));
                }
                Form::Text => {
                    let (_, last) = line.rsplit_once(" correlation_id=").unwrap();
                    assert_eq!(last, id);
                    assert!(
                        line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                        "{line:?}"
                    );
                }
            }
        }
    }
    assert!(valid >= 26 + 26 + 10 + 3, "{valid}");
}
