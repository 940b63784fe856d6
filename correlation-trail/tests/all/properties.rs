//! Whatever is in a log, it is read without a panic, and nothing is made up.

use proptest::prelude::*;

use super::told;

/// Lines made of what the parsers look for.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<_> = PIECES.split(|&byte| byte == b',').collect();
    let piece = prop::sample::select(pieces);
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

const PIECES: &[u8] =
    b"abc,\n, ,2026-11-22T14:15:50.123Z,2026-11-22 14:15:5, INFO ,correlation_id=,\
    {\"message\":\",{\"log\":\"abc,\"},\\,ts=,a{b=\"c,[,],: ,shop-1 | ,stdout F ,\x1b[,\r,\xc3,\
    \xe2\x82\xac";
