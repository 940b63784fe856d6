//! What strangers write into logs and file names commands no terminal.

use std::ops::RangeInclusive;

use correlation_trail::printable;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{file, stderr, told, trail};

/// What a terminal obeys, or what changes the order of a text.
const HOSTILE: [RangeInclusive<char>; 7] = [
    '\0'..='\u{1f}',
    '\u{7f}'..='\u{9f}',
    '\u{61c}'..='\u{61c}',
    '\u{200e}'..='\u{200f}',
    '\u{2028}'..='\u{2029}',
    '\u{202a}'..='\u{202e}',
    '\u{2066}'..='\u{2069}',
];

fn is_hostile(c: char) -> bool {
    HOSTILE.iter().any(|range| range.contains(&c))
}

/// The hostile characters of a text of lines and tabs.
fn hostile(text: &str) -> Vec<char> {
    let hostile = text.chars().filter(|&c| is_hostile(c));
    hostile.filter(|c| !"\n\t".contains(*c)).collect()
}

fn strange() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        prop::sample::select(HOSTILE.iter().cloned().flatten().collect::<Vec<_>>()),
        prop::sample::select(vec!['a', ' ', '"', '\\', '=', '{', '\u{e4}', '\u{1f9c0}']),
        any::<char>(),
    ];
    prop::collection::vec(one, 0..12).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_obeyed_and_json_is_exact([service, target, message, key, value] in [(); 5].map(|()| strange())) {
        let line = json!({
            "correlation_id": "abc", "timestamp": "2026-11-22T14:15:50Z", "service": service,
            "target": target, "message": message, format!("x{key}"): value,
        });
        for line in [line.to_string(), format!("{message}{value} abc"), format!("abc {key}={value}\n {message}")] {
            let timeline = told("abc", line.as_bytes(), usize::MAX);
            let (text, json) = (timeline.to_string(), timeline.json().to_string());
            prop_assert_eq!(hostile(&text), []);
            prop_assert_eq!(hostile(&json), []);
            prop_assert_eq!(json.lines().count(), timeline.records().len());
            for (json, record) in json.lines().zip(timeline.records()) {
                let json: Value = serde_json::from_str(json).unwrap();
                prop_assert_eq!(&json["message"], &record.message);
                prop_assert_eq!(&json["service"], &record.service);
                prop_assert_eq!(&json["target"], &json!(record.target));
                prop_assert_eq!(&json["continuation"], &json!(record.continuation));
                for (key, value) in &record.fields {
                    prop_assert!(json["fields"].get(key).is_some(), "{} {}", key, value);
                }
            }
        }
        prop_assert_eq!(hostile(&printable(&message)), []);
        prop_assert_eq!(printable(&message).chars().count(), message.chars().count());
    }
}

#[test]
fn each_hostile_character_is_escaped() {
    for c in HOSTILE.iter().cloned().flatten() {
        let value = format!("a{c}b");
        let line = json!({"id": "abc", "value": value}).to_string();
        let timeline = told("abc", line.as_bytes(), usize::MAX);
        assert_eq!(timeline.records()[0].fields[1].1, value);
        let json = timeline.json().to_string();
        assert_eq!(hostile(&json), [], "{c:?}");
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["fields"]["value"], value, "{json}");
        assert_eq!(hostile(&timeline.to_string()), [], "{c:?}");
    }
    assert_eq!(printable("a\tb\u{1b}[31m"), "a\tb\u{fffd}[31m");
}

/// A name may come from the pattern of a shell, and is then anybody's.
#[test]
fn errors_repeat_no_name_as_it_is() {
    let name = "\u{1b}[31m\u{9b}\u{202e}\u{200f}\u{2028}\r";
    let bad = format!("no/such{name}");
    let broken = file(&format!("hostile/{name}.gz"), b"\x1f\x8b\x08");
    for arguments in [
        &["abc", &bad][..],
        &["abc", &broken],
        &["abc", &format!("{bad}/[")],
        &["abc", &format!("{bad}*")],
        &["abc", "f", &format!("--{name}")],
        &["abc", "f", &format!("--color={name}")],
        &["abc", "f", &format!("--zone={name}")],
        &["-f", "abc", &bad],
    ] {
        let output = trail(arguments);
        assert_eq!(output.status.code(), Some(2));
        let error = stderr(&output);
        assert!(error.starts_with("trail: "), "{error}");
        assert_eq!(hostile(error), [], "{arguments:?}: {error:?}");
    }
}

/// One long name does not make each line as long.
#[test]
fn the_output_grows_with_the_input() {
    let name = "n".repeat(10_000);
    let line = |service: &str| format!("ts=2026-11-22T14:15:50Z msg=x service={service} id=abc\n");
    let log = (0..1_000).map(|n| line(&n.to_string())).collect::<String>() + &line(&name);
    let timeline = told("abc", log.as_bytes(), usize::MAX);
    assert_eq!(timeline.services().len(), 1_001);
    let text = timeline.to_string();
    assert!(
        text.len() < 2 * log.len(),
        "{} of {}",
        text.len(),
        log.len()
    );
}
