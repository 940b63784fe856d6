//! Unpacks the text of a log: compression, and encodings other than UTF-8.

use std::io::{self, Cursor, ErrorKind, Read};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;

#[cfg(feature = "compression")]
mod gzip;
#[cfg(feature = "compression")]
mod zstd;

/// Returns the text that `reader` holds, as UTF-8.
///
/// The first bytes show how it is packed. The name does not, because standard input has none and
/// rotated files may have any.
///
/// # Errors
///
/// If the format is not supported, or the reader fails.
pub(crate) fn text<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let (head, packed) = peek(reader, HEAD);
    let Some(format) = format(&head) else {
        return decoded(&head, packed);
    };
    let (head, inner) = peek(unpacked(format, packed)?, HEAD);
    match self::format(&head) {
        Some(inner) => Err(not_read(&format!("{inner} in {format}"))),
        None => decoded(&head, inner),
    }
}

/// Returns the first bytes, at most `most`, and a reader of all bytes. That reader reports an error
/// where it occurred.
pub(crate) fn peek<'r>(mut reader: impl Read + 'r, most: u64) -> (Vec<u8>, Box<dyn Read + 'r>) {
    let mut head = Vec::new();
    let error = reader.by_ref().take(most).read_to_end(&mut head).err();
    let whole = Cursor::new(head.clone()).chain(Failed(error)).chain(reader);
    (head, Box::new(whole))
}

/// A reader that fails once if there is an error.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Returns the format of a file that is not text, from its first bytes. The names are for users.
fn format(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        // RFC 1952, section 2.3.1
        [0x1f, 0x8b, ..] => "gzip",
        // RFC 8878, section 3.1.1, and section 3.1.2 for skippable frames, with which pzstd begins
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => "Zstandard",
        // <https://tukaani.org/xz/xz-file-format.txt>, section 2.1.1.1
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz",
        // The first block or the end has to follow, because a log may begin with `BZh1`.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => "bzip2",
        [b'P', b'K', 3, 4, ..] => "zip",
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "7z",
        [0x04, 0x22, 0x4d, 0x18, ..] => "LZ4",
        [b'L', b'Z', b'I', b'P', 1, ..] => "lzip",
        [0x1f, 0x9d, ..] => "compress",
        b"LPKSHHRH" => "systemd's journal (try `journalctl -o json`)",
        _ => return None,
    })
}

/// Unpacks a stream, so that a small file of many gigabytes needs no more memory than another. Each
/// format allows several archives in a row, as `cat a.gz b.gz` and appending rotators write them.
#[cfg(feature = "compression")]
fn unpacked<'r>(format: &str, packed: Box<dyn Read + 'r>) -> io::Result<Box<dyn Read + 'r>> {
    Ok(match format {
        "gzip" => Box::new(gzip::Members::new(packed)),
        "Zstandard" => Box::new(zstd::Frames::new(packed)),
        "xz" => Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, XZ_KIB)),
        "bzip2" => Box::new(bzip2::read::MultiBzDecoder::new(packed)),
        _ => return Err(not_read(format)),
    })
}

#[cfg(not(feature = "compression"))]
fn unpacked<'r>(format: &str, _: Box<dyn Read + 'r>) -> io::Result<Box<dyn Read + 'r>> {
    Err(not_read(format))
}

fn not_read(format: &str) -> io::Error {
    let without = if cfg!(feature = "compression") {
        ""
    } else {
        " without the feature `compression`"
    };
    let message = format!("the format {format} is not supported{without}");
    io::Error::new(ErrorKind::Unsupported, message)
}

/// Converts UTF-16 to UTF-8. All other text stays unchanged.
fn decoded<'r>(head: &[u8], reader: Box<dyn Read + 'r>) -> io::Result<Box<dyn Read + 'r>> {
    let encoding: &'static Encoding = match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Err(not_read("UTF-32")),
        // Without a byte order mark, every second byte of ASCII is zero.
        [0xff, 0xfe, ..] | [1..=0xff, 0, 1..=0xff, 0, ..] => UTF_16LE,
        [0xfe, 0xff, ..] | [0, 1..=0xff, 0, 1..=0xff, ..] => UTF_16BE,
        _ => return Ok(reader),
    };
    let mut decoder = DecodeReaderBytesBuilder::new();
    decoder.encoding(Some(encoding)).strip_bom(true);
    Ok(Box::new(decoder.build(reader)))
}

/// The number of bytes that show the format.
const HEAD: u64 = 8;

/// The maximum memory that an xz file may request. `xz -9` requests 64 MiB.
#[cfg(feature = "compression")]
const XZ_KIB: u32 = 256 * 1024;
