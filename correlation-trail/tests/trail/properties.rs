//! Whatever is in a log, it is read without a panic, and nothing is made up.

use std::io::{self, Read};

use correlation_trail::{Timeline, Trail};
use proptest::prelude::*;

/// Hands out a few bytes at a time, as a pipe does.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

fn told(id: &str, log: &[u8], step: usize) -> Timeline {
    let mut trail = Trail::new(id);
    // Two bytes can make anything a broken gzip file.
    let _ = trail.reader("shop", Trickle(log, step));
    trail.finish()
}

/// Lines made of what the parsers look for.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"abc"[..]),
        Just(&b"\n"[..]),
        Just(&b" "[..]),
        Just(&b"2026-11-22T14:15:50.123Z"[..]),
        Just(&b"2026-11-22 14:15:5"[..]),
        Just(&b" INFO "[..]),
        Just(&b"correlation_id="[..]),
        Just(&b"{\"message\":\""[..]),
        Just(&b"{\"log\":\"abc"[..]),
        Just(&b"\"}"[..]),
        Just(&b"\\"[..]),
        Just(&b"ts="[..]),
        Just(&b"a{b=\"c"[..]),
        Just(&b"["[..]),
        Just(&b"]"[..]),
        Just(&b": "[..]),
        Just(&b"shop-1 | "[..]),
        Just(&b"stdout F "[..]),
        Just(&b"\x1b["[..]),
        Just(&b"\r"[..]),
        Just(&b"\xc3"[..]),
        Just("\u{20ac}".as_bytes()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    // What fails is printed; files in the tree would be somebody's to clean up.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(log in prop::collection::vec(any::<u8>(), 0..400), id in "[a-c\"= ]{0,3}") {
        let timeline = told(&id, &log, 7);
        let _ = (timeline.to_string(), timeline.json().to_string());
    }

    #[test]
    fn lines_of_parts_are_read_and_pieces_do_not_matter(log in lines(), step in 1..50_usize) {
        let whole = told("abc", &log, usize::MAX);
        let text = whole.to_string();
        prop_assert!(!text.contains('\u{1b}'), "no escape sequence gets through");
        prop_assert_eq!(&text, &told("abc", &log, step).to_string());
        let hits = String::from_utf8_lossy(&log).matches("abc").count();
        prop_assert!(whole.records().len() <= hits, "a record for each hit at most");
        for record in whole.records() {
            prop_assert!(record.line >= 1 && record.line <= log.split(|&byte| byte == b'\n').count() as u64);
        }
    }
}
