//! What the ID costs on its way.

use super::HEADER;
use super::cells::line;

pub(super) fn carrier_bytes() -> String {
    const UUID: usize = 36;
    let name = HEADER.len();
    let short_name = huffman(HEADER.bytes().map(bits_of));
    let digits = std::iter::repeat_n(digit_bits(), 32);
    let short_uuid = huffman(digits.chain(std::iter::repeat_n(bits_of(b'-'), 4)));
    let mut table = String::from("| the ID is a UUID | bytes |\n|---|---:|\n");
    for (carrier, bytes) in [
        ("header of HTTP/1.1", name + ": \r\n".len() + UUID),
        // RFC 7541, section 6.2.1: a byte for the kind, and a byte for the length of each text.
        (
            "header of HTTP/2, first of its connection",
            1 + (1 + short_name) + (1 + short_uuid),
        ),
        // The name is in the table of the connection then: two bytes say where.
        ("header of HTTP/2, each further one", 2 + (1 + short_uuid)),
        // RFC 7541, section 4.1.
        (
            "... and in the table of the connection, of 4,096 bytes",
            name + UUID + 32,
        ),
        // AMQP 0-9-1, section 4.2.5.5: a length, a letter for the type, a length of four bytes.
        ("header of AMQP 0-9-1", (1 + name) + 1 + (4 + UUID)),
        // Kafka's record format: a byte for each length, up to 63.
        ("header of Kafka", (1 + name) + (1 + UUID)),
    ] {
        line(&mut table, &[carrier, &bytes.to_string()]);
    }
    table
}

/// Bits of a character in the code of RFC 7541, appendix B.
fn bits_of(character: u8) -> f64 {
    match character {
        b'0'..=b'2' | b'a' | b'c' | b'e' | b'i' | b'o' | b's' | b't' => 5.0,
        b'j' | b'k' | b'q' | b'v'..=b'z' => 7.0,
        _ => 6.0,
    }
}

/// On average; the digit of the version and that of the variant are taken for random ones.
fn digit_bits() -> f64 {
    b"0123456789abcdef"
        .iter()
        .map(|digit| bits_of(*digit))
        .sum::<f64>()
        / 16.0
}

fn huffman(bits: impl Iterator<Item = f64>) -> usize {
    let mut bytes = 0;
    let mut left = bits.sum::<f64>();
    while left > 0.0 {
        bytes += 1;
        left -= 8.0;
    }
    bytes
}
