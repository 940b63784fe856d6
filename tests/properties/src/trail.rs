use std::io::{self, Read};

use correlation_trail::{Timeline, Trail};
use serde_json::json;

use crate::{contains, lines};

/// The ID of trail's own corpus.
const ID: &str = "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11";

/// A log, in which the story of an ID is looked for: nothing is made up, nothing commands a
/// terminal, the size of the pieces does not matter, and a line that ends with the ID is found.
pub fn trail(data: &[u8]) {
    let whole = told(data, usize::MAX);
    let (text, json) = (whole.to_string(), whole.json().to_string());
    let step = 1 + data.len() % 13;
    let pieces = told(data, step);
    assert_eq!(json, pieces.json().to_string(), "in pieces of {step} bytes");

    for line in text.split('\n').chain(json.split('\n')) {
        assert!(!line.contains(is_obeyed), "{line:?}");
    }
    let told_json: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(told_json.len(), whole.records().len());
    for (json, record) in told_json.iter().zip(whole.records()) {
        assert_eq!(json["message"], record.message);
        assert!(record.line >= 1);
    }
    // UTF-16, escapes, and records that container runtimes have split hold it in another way.
    let in_pieces = contains(data, b" P ") || contains(data, b"\"log\"");
    let plain = !data.iter().any(|byte| b"\0\\\x1b".contains(byte)) && !in_pieces;
    if plain && !whole.records().is_empty() {
        assert!(contains(data, ID.as_bytes()), "{text}");
    }

    let plain = |line: &&[u8]| line.iter().all(|byte| (b' '..=b'~').contains(byte));
    if let Some(line) = lines(data).filter(plain).max_by_key(|line| line.len()) {
        // A stranger's ID is none, and the journal of systemd is no text.
        if contains(&line.to_ascii_lowercase(), b"untrusted_id") || line.starts_with(b"LPKSHHRH") {
            return;
        }
        let line = format!("{} correlation_id={ID}", String::from_utf8_lossy(line));
        let time = "2026-11-22T14:15:50.200123456Z";
        for log in [
            format!("{line}\n"),
            format!("shop-1  | {line}\n"),
            format!("{time} stdout F {line}\n"),
            json!({"log": format!("{line}\n"), "stream": "stdout", "time": time}).to_string(),
            json!({"__REALTIME_TIMESTAMP": "1795356950200000", "MESSAGE": line}).to_string(),
        ] {
            let told = told(log.as_bytes(), usize::MAX);
            assert!(!told.records().is_empty(), "not found: {log}");
        }
    }
}

/// Whether a terminal does something else with it than to show it.
fn is_obeyed(c: char) -> bool {
    match c {
        '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

fn told(log: &[u8], step: usize) -> Timeline {
    let mut trail = Trail::new(ID);
    // What cannot be read to its end is told as far as it can.
    let _ = trail.reader("shop", Trickle(log, step));
    trail.finish()
}

/// Hands out a few bytes at a time, as a pipe does.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}
