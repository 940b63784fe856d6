//! The correlation ID: its alphabet, and how a new one is made.

mod error;
mod generator;
pub(crate) mod random;
#[cfg(feature = "serde")]
mod serde;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use arrayvec::ArrayString;

pub(crate) use error::Fault;
pub use error::InvalidId;
pub use generator::Generator;

/// The ID that ties together all log lines of one user action.
///
/// An ID has 1 to [`MAX_LEN`](Self::MAX_LEN) bytes of `A-Z a-z 0-9 - _ . : + / = # @ | ~`. This
/// alphabet covers the IDs that proxies and frameworks send: UUIDs, and those of nginx, HAProxy,
/// Envoy, Kong, .NET and CloudFront. None of the characters needs escaping in a log line, in JSON
/// or in an SQL comment. Nor does one need it in a header of HTTP, AMQP, NATS or Kafka.
///
/// An ID is kept byte for byte: its case does not change, and it need not be a UUID. It is not a
/// secret and proves nothing about its sender.
///
/// Cloning is cheap. An ID of up to 40 bytes is stored in the value itself, and clones share a
/// longer one.
///
/// ```
/// use correlation_core::CorrelationId;
///
/// let id = CorrelationId::new();
/// assert_eq!(id.as_str().len(), 36); // a random UUIDv4
///
/// let from_haproxy: CorrelationId = "7F000001:8296_4F7B0A69".parse()?;
/// assert_eq!(from_haproxy.to_string(), "7F000001:8296_4F7B0A69");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
#[derive(Clone)]
pub struct CorrelationId(Repr);

#[derive(Clone)]
enum Repr {
    Inline(ArrayString<INLINE>),
    Shared(Arc<str>),
}

impl CorrelationId {
    /// The maximum length of any ID in bytes: the capacity of an AMQP short string.
    ///
    /// A [`Policy`](crate::Policy) accepts at most 128 bytes from a caller, unless you set another
    /// limit with [`Policy::max_len`](crate::Policy::max_len).
    pub const MAX_LEN: usize = 255;

    /// Makes a random UUID, version 4 (RFC 9562, section 5.4), in its hyphenated form of 36
    /// lower-case characters.
    ///
    /// It normally makes no system call and does not allocate. The random bits come from a ChaCha12
    /// generator that each thread has, seeded by the operating system.
    #[expect(
        clippy::new_without_default,
        reason = "a default that is random would surprise"
    )]
    #[must_use]
    pub fn new() -> Self {
        Generator::uuid_v4().generate()
    }

    /// Returns the ID as text.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline(text) => text,
            Repr::Shared(text) => text,
        }
    }

    /// Reads an ID from bytes, if they are a valid ID of at most `max` bytes.
    #[inline]
    pub(crate) fn from_bytes(bytes: &[u8], max: usize) -> Result<Self, Fault> {
        Self::validate(bytes, max).map(Self::from_valid)
    }

    /// Returns the bytes as text, if they are a valid ID of at most `max` bytes.
    #[inline]
    pub(crate) fn validate(bytes: &[u8], max: usize) -> Result<&str, Fault> {
        let len = bytes.len();
        if len == 0 || len > max {
            return Err(match len {
                0 => Fault::Empty,
                _ => Fault::TooLong { len, max },
            });
        }
        if !all_allowed(bytes) {
            // Most IDs are valid, so the position of a bad byte is looked up only after the check
            // fails.
            let bad = bytes.iter().position(|&byte| !is_allowed(byte));
            let position = bad.unwrap_or_default();
            return Err(Fault::Byte {
                byte: bytes[position],
                position,
            });
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => unreachable!("what is allowed is ASCII"),
        }
    }

    /// Makes an ID from text that is already known to be valid. Either it was
    /// [validated](Self::validate), or this crate formatted it.
    #[inline]
    pub(crate) fn from_valid(text: &str) -> Self {
        debug_assert!(text.len() <= Self::MAX_LEN && text.bytes().all(is_allowed));
        Self(match ArrayString::from(text) {
            Ok(inline) => Repr::Inline(inline),
            Err(_) => Repr::Shared(Arc::from(text)),
        })
    }
}

impl FromStr for CorrelationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_bytes(text.as_bytes(), Self::MAX_LEN).map_err(InvalidId)
    }
}

impl TryFrom<&str> for CorrelationId {
    type Error = InvalidId;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<String> for CorrelationId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<&[u8]> for CorrelationId {
    type Error = InvalidId;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        Self::from_bytes(bytes, Self::MAX_LEN).map_err(InvalidId)
    }
}

impl From<CorrelationId> for String {
    fn from(id: CorrelationId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CorrelationId")
            .field(&self.as_str())
            .finish()
    }
}

impl AsRef<str> for CorrelationId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<[u8]> for CorrelationId {
    fn as_ref(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl Borrow<str> for CorrelationId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for CorrelationId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl PartialEq<str> for CorrelationId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for CorrelationId {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Eq for CorrelationId {}

impl PartialOrd for CorrelationId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for CorrelationId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for CorrelationId {
    // The hash equals that of `str`, so you can look up a `CorrelationId` key with a `&str`.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Whether clients that have no ID send this value. If it counted as an ID, the actions of
/// strangers would get the same ID.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let is = |word: &str| value.eq_ignore_ascii_case(word.as_bytes());
    // Every inbound ID is checked here, so the length is compared first.
    match value.len() {
        1 => is("-"),
        3 => is("nil"),
        4 => is("null") || is("none"),
        7 => is("unknown"),
        9 => is("undefined"),
        32 => value[0] == b'0' && is("00000000000000000000000000000000"),
        36 => value[0] == b'0' && is("00000000-0000-0000-0000-000000000000"),
        _ => false,
    }
}

fn all_allowed(bytes: &[u8]) -> bool {
    // Nearly all IDs pass the first check, which needs a quarter of the comparisons.
    all(bytes, is_usual) || all(bytes, is_allowed)
}

#[inline]
fn all(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    // The loop checks 16 bytes at once, and combines the 16 results only at the end. The last block
    // may overlap the block before it. So no bytes are left over, which is faster than padding a
    // copy.
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().all(|&byte| is(byte));
    };
    let mut good = [true; 16];
    let mut check = |block: &[u8; 16]| {
        for (good, &byte) in good.iter_mut().zip(block) {
            *good &= is(byte);
        }
    };
    check(last);
    bytes.as_chunks().0.iter().for_each(check);
    good == [true; 16]
}

/// Whether this is a letter, a digit or one of `-./:`. The tests are bitwise, so that the compiler
/// can check many bytes at once.
const fn is_usual(byte: u8) -> bool {
    const fn within(byte: u8, first: u8, last: u8) -> bool {
        byte.wrapping_sub(first) <= last - first
    }
    within(byte | 0x20, b'a', b'z') | within(byte, b'-', b':')
}

/// Whether the alphabet of IDs has this byte.
const fn is_allowed(byte: u8) -> bool {
    is_usual(byte)
        | (byte == b'_')
        | (byte == b'=')
        | (byte == b'@')
        | (byte & !0x08 == b'#') // and `+`
        | (byte & !0x02 == b'|') // and `~`
}

/// The maximum length of an ID that is stored inline. A UUID and 32 hex digits fit, and
/// `Option<CorrelationId>` has 48 bytes.
const INLINE: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn alphabet_is_exactly_the_documented_one() {
        const ALLOWED: &str =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+/=#@|~";
        // Alone, in each block of 16, and where the last block overlaps the one before. All others
        // are usual, or there is one that is not.
        let around = [
            (0, 0),
            (1, 0),
            (15, 0),
            (16, 0),
            (0, 16),
            (20, 20),
            (3, 14),
            (31, 1),
        ];
        for (byte, (before, after)) in (0..=u8::MAX).flat_map(|byte| around.map(|at| (byte, at))) {
            for other in [b'a', b'_'] {
                let text = [vec![other; before], vec![byte], vec![other; after]].concat();
                let expected = ALLOWED.as_bytes().contains(&byte);
                let valid = CorrelationId::try_from(&text[..]).is_ok();
                assert_eq!(valid, expected, "byte {byte:#04x} behind {before}");
            }
        }
    }

    #[test]
    fn bounds_are_1_and_255_bytes() {
        assert_eq!("".parse::<CorrelationId>(), Err(InvalidId(Fault::Empty)));
        for len in [1, 36, 40, 41, 128, 255] {
            let text = "x".repeat(len);
            assert_eq!(text.parse::<CorrelationId>().unwrap().as_str(), text);
        }
        let error = "x".repeat(256).parse::<CorrelationId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "a correlation ID has at most 255 bytes, not 256"
        );
    }

    #[test]
    fn error_names_the_first_bad_byte() {
        let error = CorrelationId::try_from(&b"good\xff bad"[..]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "byte 0xff at position 4 is not allowed in a correlation ID"
        );
    }

    #[test]
    fn inline_and_shared_ids_behave_alike() {
        for len in [8, 40, 41, 200] {
            let id: CorrelationId = "i".repeat(len).parse().unwrap();
            assert_eq!(id, id.clone());
            assert_eq!(HashMap::from([(id.clone(), 7)]).get(id.as_str()), Some(&7));
            assert_eq!(format!("{id:>260}").len(), 260);
            assert_eq!(AsRef::<str>::as_ref(&id), "i".repeat(len));
            assert_eq!(AsRef::<[u8]>::as_ref(&id), vec![b'i'; len]);
            let greater: CorrelationId = "j".parse().unwrap();
            assert!(id < greater && id != greater && id != "j");
        }
    }

    #[test]
    fn placeholders_are_these_in_any_case() {
        let nil = [
            "0".repeat(32),
            "00000000-0000-0000-0000-000000000000".to_owned(),
        ];
        let words = [
            "-",
            "nil",
            "null",
            "none",
            "unknown",
            "undefined",
            &nil[0],
            &nil[1],
        ];
        for word in words {
            assert!(
                is_placeholder(word.as_bytes()) && is_placeholder(word.to_uppercase().as_bytes())
            );
            // Another text of the same length, and each other length.
            for at in 0..word.len() {
                let mut other = word.as_bytes().to_vec();
                other[at] = b'x';
                assert!(!is_placeholder(&other), "{word} {at}");
                assert!(!is_placeholder(&word.as_bytes()[..at]), "{word} {at}");
            }
        }
    }

    #[test]
    fn an_id_stays_small() {
        assert_eq!(size_of::<CorrelationId>(), 48);
        assert_eq!(size_of::<Option<CorrelationId>>(), 48);
    }
}
