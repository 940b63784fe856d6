use arrayvec::ArrayString;

use super::TraceId;

/// A valid `traceparent`, in the form in which it is sent: version 00, known flags only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Traceparent(ArrayString<LEN>);

impl Traceparent {
    /// Reads a header value whose surrounding white space is removed (section 3.2.2 for version
    /// 00, section 4 "Versioning of traceparent" for the others). `None` restarts the trace.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let (known, tail) = value.split_at_checked(LEN)?;
        let version = &known[..2];
        let shape = known.iter().enumerate().all(|(at, &byte)| match at {
            2 | 35 | 52 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
        let tail_fits = match version {
            b"00" => tail.is_empty(),
            b"ff" => false,
            _ => tail.first().is_none_or(|&byte| byte == b'-'),
        };
        let zero = |id: &[u8]| id.iter().all(|&digit| digit == b'0');
        if !shape || !tail_fits || zero(&known[TRACE_ID]) || zero(&known[PARENT_ID]) {
            return None;
        }
        let mut text = ArrayString::from(std::str::from_utf8(known).ok()?).ok()?;
        // Only `sampled` and `random` are known; a sender sets all other bits to zero
        // (section 3.2.2.5.3).
        let flags = hex_digit(known[LEN - 1]) & 0b11;
        text.truncate(LEN - 2);
        text.push_str(["00", "01", "02", "03"][usize::from(flags)]);
        if version != b"00" {
            text = ArrayString::from(&format!("00{}", &text[2..])).ok()?;
        }
        Some(Self(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        // 32 bytes always fit.
        TraceId(ArrayString::from(self.trace_id_str()).unwrap_or_default())
    }

    pub(crate) fn trace_id_str(&self) -> &str {
        &self.0[TRACE_ID]
    }
}

const fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.wrapping_sub(b'a').wrapping_add(10),
    }
}

/// The bytes of version 00, and of what every later version begins with.
const LEN: usize = 55;
const TRACE_ID: std::ops::Range<usize> = 3..35;
const PARENT_ID: std::ops::Range<usize> = 36..52;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn parse(value: &str) -> Option<String> {
        Traceparent::parse(value.as_bytes()).map(|parent| parent.as_str().to_owned())
    }

    #[test]
    fn version_00_is_55_bytes_exactly() {
        assert_eq!(parse(VALID).as_deref(), Some(VALID));
        for tail in ["-", "-00", "0", " "] {
            assert_eq!(parse(&format!("{VALID}{tail}")), None, "tail {tail:?}");
        }
        assert_eq!(parse(&VALID[..54]), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_later_version_is_read_by_its_known_part_and_sent_as_00() {
        let later = |tail: &str| parse(&format!("cc{}{tail}", &VALID[2..]));
        assert_eq!(later("").as_deref(), Some(VALID));
        assert_eq!(later("-what-comes").as_deref(), Some(VALID));
        assert_eq!(later("-").as_deref(), Some(VALID));
        assert_eq!(later(".what"), None);
        assert_eq!(parse(&format!("ff{}", &VALID[2..])), None);
    }

    #[test]
    fn ids_and_dashes_are_checked() {
        let zero_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let zero_parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        for bad in [
            &zero_trace,
            &zero_parent,
            &VALID.to_uppercase(),
            &VALID.replace('-', "_"),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        for at in 0..55 {
            for bad in ["g", "A", "+", " ", "\u{0}"] {
                let mut text = VALID.to_owned();
                text.replace_range(at..=at, bad);
                assert_eq!(parse(&text), None, "{text}");
            }
        }
    }

    #[test]
    fn only_the_two_known_flags_are_sent() {
        for flags in 0..=u8::MAX {
            let value = format!("{}{flags:02x}", &VALID[..53]);
            let sent = format!("{}{:02x}", &VALID[..53], flags & 3);
            assert_eq!(parse(&value), Some(sent));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Traceparent::parse(&value);
        }

        #[test]
        fn what_is_sent_parses_to_itself(value in "[0-9a-e]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,9})?") {
            if let Some(sent) = parse(&value) {
                prop_assert_eq!(parse(&sent), Some(sent));
            }
        }
    }
}
