//! What callers have handlers write.

use std::fmt::Write as _;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::ledger::{FORGED, Said};

/// What the caller has the handler write: each line of it has the mark.
pub(super) fn say(rng: &mut StdRng, mark: &str, kept: Option<&str>, text: bool) -> Said {
    let own = kept.unwrap_or("-");
    let mut exact = true;
    let text = match rng.random_range(0..40) {
        0 => format!(" {mark} correlation_id={FORGED}-1"),
        1 => format!(" {mark}\",\"correlation_id\":\"{FORGED}-2"),
        2 => format!(" {mark}\n{mark} correlation_id={FORGED}-3"),
        3 => format!(" {mark}\r\n{{\"correlation_id\":\"{FORGED}-4\"}} {mark}"),
        4 => {
            // What terminals obey is replaced in text.
            exact = false;
            format!(" {mark} correlation_id={FORGED}-5\u{1b}[0m")
        }
        5 => format!(" {mark} }}{{\"correlation_id\":\"{FORGED}-6\"}}{{"),
        6 => {
            // A line that ends so is left as it is.
            exact = !text;
            format!(" {mark} correlation_id={own}")
        }
        7 => format!(
            " {mark} {}",
            "lorem-ipsum.".repeat(rng.random_range(1..300))
        ),
        8 => format!(" {mark}\u{2028}correlation_id={FORGED}-8 é 日本 🦀"),
        9 => format!(" {mark}\n\n \n{mark} x\n"),
        10 => format!(" {mark}\r"),
        11 => format!(" {mark} correlation_id={FORGED}-11 "),
        12 => format!(" {mark} \\\"}}\\n{{\\\"correlation_id\\\":\\\"{FORGED}-12\\\"}}"),
        13 => format!(" {mark}\n{{\"correlation_id\":\"{FORGED}-13\",\"a\":\"{mark}\"}}\n"),
        _ => format!(" {mark}"),
    };
    Said { text, exact }
}

pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
