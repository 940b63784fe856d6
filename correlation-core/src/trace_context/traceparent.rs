use arrayvec::ArrayString;
use uuid::Uuid;

use super::TraceId;

/// A valid `traceparent` in the form that is sent: version 00, with known flags only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Traceparent(ArrayString<LEN>);

impl Traceparent {
    /// Parses a header value without surrounding white space (section 3.2.2 for version 00, section
    /// 3.2.4 for later versions). `None` restarts the trace.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let (known, tail) = value.split_at_checked(LEN)?;
        if value.len() > MAX_LEN {
            return None;
        }
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
        // Only `sampled` and `random` are known. A sender sets all other bits to zero (section
        // 3.2.2.5.3).
        let flags = char::from(known[LEN - 1]).to_digit(16)? & 0b11;
        text.truncate(LEN - 2);
        text.push_str(FLAGS[usize::try_from(flags).ok()?]);
        if version != b"00" {
            text = ArrayString::from(&format!("00{}", &text[2..])).ok()?;
        }
        Some(Self(text))
    }

    /// Starts a trace. It has no parent yet, since each call gets a separate parent-id.
    pub(super) fn new(trace_id: &[u8; 16], sampled: bool, random: bool) -> Self {
        let mut text = ArrayString::from("00-").unwrap_or_default();
        text.push_str(
            Uuid::from_bytes(*trace_id)
                .simple()
                .encode_lower(&mut [0; 32]),
        );
        text.push_str("-0000000000000001-");
        text.push_str(FLAGS[usize::from(sampled) + 2 * usize::from(random)]);
        Self(text)
    }

    /// Continues the same trace under a new parent-id. Everything else stays, including the flags.
    pub(super) fn with_parent_id(&self, parent_id: &[u8; 8]) -> Self {
        let mut text = ArrayString::from(&self.0[..PARENT_ID.start]).unwrap_or_default();
        for byte in parent_id {
            text.push(HEX[usize::from(byte >> 4)]);
            text.push(HEX[usize::from(byte & 15)]);
        }
        text.push_str(&self.0[PARENT_ID.end..]);
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn parent_id_str(&self) -> &str {
        &self.0[PARENT_ID]
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        // 32 bytes always fit.
        TraceId(ArrayString::from(self.trace_id_str()).unwrap_or_default())
    }

    pub(crate) fn trace_id_str(&self) -> &str {
        &self.0[TRACE_ID]
    }
}

/// Returns the bytes of an ID that is a UUID or 32 hexadecimal digits, and not all zero.
pub(super) fn trace_id_of(id: &str) -> Option<[u8; 16]> {
    let uuid = Uuid::try_parse(id)
        .ok()
        .filter(|_| matches!(id.len(), 32 | 36))?;
    (!uuid.is_nil()).then(|| uuid.into_bytes())
}

/// The length of version 00 in bytes. Every later version begins with as many bytes of the same
/// form.
const LEN: usize = 55;
/// The maximum length in bytes. Later versions may be longer than [`LEN`], but the library refuses
/// one that is prohibitively large (section 3.2.4).
const MAX_LEN: usize = 512;
const TRACE_ID: std::ops::Range<usize> = 3..35;
const PARENT_ID: std::ops::Range<usize> = 36..52;
/// The flags: none, `sampled`, `random`, and both.
const FLAGS: [&str; 4] = ["00", "01", "02", "03"];
const HEX: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
];

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

    #[test]
    fn a_trace_that_begins_here_is_valid() {
        for (sampled, random, flags) in [
            (false, false, "00"),
            (true, false, "01"),
            (false, true, "02"),
            (true, true, "03"),
        ] {
            let begun = Traceparent::new(&[0xab; 16], sampled, random).with_parent_id(&[0x0f; 8]);
            let expected = format!("00-{}-{}-{flags}", "ab".repeat(16), "0f".repeat(8));
            assert_eq!(begun.as_str(), expected);
            assert_eq!(Traceparent::parse(begun.as_str().as_bytes()), Some(begun));
        }
    }

    #[test]
    fn an_id_in_the_form_of_a_trace_id_is_one() {
        let bytes = [
            0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e,
            0x47, 0x36,
        ];
        assert_eq!(trace_id_of("4bf92f3577b34da6a3ce929d0e0e4736"), Some(bytes));
        assert_eq!(
            trace_id_of("4bf92f35-77b3-4da6-a3ce-929d0e0e4736"),
            Some(bytes)
        );
        for other in [
            "click-1",
            "00000000000000000000000000000000",
            "urn:uuid:4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        ] {
            assert_eq!(trace_id_of(other), None, "{other}");
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
