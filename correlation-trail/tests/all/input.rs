//! Compressed files, and encodings other than UTF-8.

use std::fs;

use proptest::prelude::*;

use super::{ID, file, stderr, stdout, told, trail, trail_with};

#[test]
fn packed_files_tell_what_the_plain_file_tells() {
    let plain = trail(&[ID, "tests/fixtures/orders.log"]);
    assert!(stdout(&plain).contains("order stored order=1"));
    for extension in PACKED {
        let path = format!("tests/fixtures/packed/orders.log.{extension}");
        let output = trail(&[ID, &path]);
        assert_eq!(stdout(&output), stdout(&plain), "{extension}");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    }
}

#[test]
fn archives_in_a_row_are_all_read() {
    let orders = fs::read("tests/fixtures/orders.log").unwrap();
    let twice = trail_with(&[ID, "-"], &orders.repeat(2), &[]);
    assert!(stdout(&twice).contains("  stdin  "));
    for extension in PACKED {
        let packed = packed(extension).repeat(2);
        let output = trail_with(&[ID, "-"], &packed, &[]);
        assert_eq!(stdout(&output), stdout(&twice), "{extension}");
    }
    // Zeros, as gzip allows them behind a member.
    let padded = [packed("gz"), vec![0; 20_000]].concat().repeat(2);
    let output = trail_with(&[ID, "-"], &padded, &[]);
    assert_eq!((stdout(&output), stderr(&output)), (stdout(&twice), ""));
    // A frame to skip: what pzstd writes before each frame.
    let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd".to_vec();
    let skipped = [skipped, packed("zst")].concat().repeat(2);
    let output = trail_with(&[ID, "-"], &skipped, &[]);
    assert_eq!(stdout(&output), stdout(&twice));
}

#[test]
fn what_is_cut_or_broken_is_said_and_the_rest_is_told() {
    for extension in PACKED {
        let whole = packed(extension);
        let cut = [whole.clone(), whole[..whole.len() - 9].to_vec()].concat();
        let path = file(&format!("cut/orders.{extension}"), &cut);
        let output = trail(&[ID, &path]);
        assert_eq!(output.status.code(), Some(2), "{extension}");
        let error = format!("trail: cannot read {path}: ");
        assert!(stderr(&output).starts_with(&error), "{}", stderr(&output));
        assert!(stdout(&output).contains("order stored"), "{extension}");
    }
    // The content is unpacked, and is not what was packed.
    let mut broken = packed("zst");
    *broken.last_mut().unwrap() ^= 1;
    let output = trail_with(&[ID, "-"], &broken, &[]);
    assert!(stderr(&output).contains("checksum"), "{}", stderr(&output));
}

#[test]
fn what_wants_too_much_memory_is_an_error() {
    let log = b"2026-11-22T14:15:50Z  INFO shop::x: wide abc\n";
    // RFC 8878, section 3.1.1.1.2: the second byte is the size of the window.
    let zst = |window| {
        let block = [(log.len() << 3) as u8 | 1, (log.len() >> 5) as u8, 0];
        [&b"\x28\xb5\x2f\xfd\x00"[..], &[window], &block, log].concat()
    };
    // A dictionary of 512 MiB
    let xz = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\"\0\0\0\x82@\xac\xdc\x01\0,";
    let end = b"\0\0\0\0K,\xd72\x9d\x8ax\xc0\0\x01E-\x1eRW\xe8\x1f\xb6\xf3}\x01\0\0\0\0\x04YZ";
    for (name, packed, code) in [
        ("128 MiB", zst(0x88), 0),
        ("256 MiB", zst(0x90), 2),
        ("512 MiB", [&xz[..], log, end].concat(), 2),
    ] {
        let output = trail_with(&["abc", "-"], &packed, &[]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{name}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn what_is_not_read_is_named() {
    for (name, format) in [("zip", "zip"), ("lz4", "LZ4")] {
        let path = format!("tests/fixtures/packed/orders.log.{name}");
        let output = trail(&[ID, &path]);
        let error = format!("trail: cannot read {path}: the format {format} is not supported\n");
        assert_eq!((output.status.code(), stderr(&output)), (Some(2), &*error));
        assert_eq!(stdout(&output), "");
    }
    let inside = trail_with(&[ID, "-"], b"\xff\xfe\0\0a\0\0\0", &[]);
    assert!(stderr(&inside).contains("UTF-32 is not supported"));
}

#[test]
fn logs_of_windows_are_read() {
    let log = "2026-11-22T14:15:50Z  INFO shop: K\u{e4}se \u{1f9c0} correlation_id=5cb8f0c2\r\n";
    let plain = stdout(&trail_with(&[ID, "-"], log.as_bytes(), &[])).to_owned();
    assert!(plain.contains(" K\u{e4}se \u{1f9c0}\n"), "{plain}");
    let little: Vec<u8> = log.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = log.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (encoding, bytes) in [
        (
            "UTF-8 with a mark",
            [b"\xef\xbb\xbf", log.as_bytes()].concat(),
        ),
        ("UTF-16LE", [b"\xff\xfe", &*little].concat()),
        ("UTF-16BE", [b"\xfe\xff", &*big].concat()),
        ("UTF-16LE without a mark", little),
        ("UTF-16BE without a mark", big),
    ] {
        let output = trail_with(&[ID, "-"], &bytes, &[]);
        assert_eq!(stdout(&output), plain, "{encoding}");
    }
    let half = trail_with(&[ID, "-"], b"\xff\xfea\0b", &[]);
    assert_eq!((half.status.code(), stderr(&half)), (Some(1), ""));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_archives_are_errors(which in 0..4_usize, at in any::<prop::sample::Index>(), byte: u8, step in 1..50_usize) {
        let mut packed = packed(PACKED[which]);
        let at = at.index(packed.len());
        packed[at] = byte;
        let _ = told(ID, &packed, step);
    }
}

fn packed(extension: &str) -> Vec<u8> {
    fs::read(format!("tests/fixtures/packed/orders.log.{extension}")).unwrap()
}

const PACKED: [&str; 4] = ["gz", "zst", "xz", "bz2"];
