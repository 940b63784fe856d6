#![no_main]

use std::io::Write;

use correlation_core::{sync_scope, tag};
use correlation_testkit::{Capture, id};
use libfuzzer_sys::fuzz_target;
use tracing_subscriber::fmt::MakeWriter;

// The first byte is the size of the pieces in which the rest is written.
fuzz_target!(|data: &[u8]| {
    let Some((&size, record)) = data.split_first() else {
        return;
    };
    if contains(record, b"correlation_id") {
        return;
    }
    let log = Capture::default();
    let tag = tag(log.clone());
    sync_scope(id("abc"), || {
        let mut writer = tag.make_writer();
        for piece in record.chunks(usize::from(size).max(1)) {
            writer.write_all(piece).unwrap();
        }
    });
    let written = log.bytes();
    for (before, after) in record
        .split(|&b| b == b'\n')
        .zip(written.split(|&b| b == b'\n'))
    {
        if serde_json::from_slice::<serde_json::Map<_, _>>(before).is_ok() && before[0] == b'{' {
            let object: serde_json::Value = serde_json::from_slice(after).expect("still JSON");
            assert!(object.get("correlation_id").is_some() || before.starts_with(b"{ "));
        }
    }
    let mut rest = remove(&written, b" correlation_id=abc");
    rest = remove(&rest, b"\"correlation_id\":\"abc\",");
    rest = remove(&rest, b"\"correlation_id\":\"abc\"");
    assert_eq!(rest, record);
});

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn remove(text: &[u8], part: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(part) {
            at += part.len();
        } else {
            rest.push(text[at]);
            at += 1;
        }
    }
    rest
}
