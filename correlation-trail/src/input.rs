//! Compressed input.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

/// What `reader` holds, unpacked if it is gzip. The first bytes tell, not the name: standard
/// input has none, and rotated files have any.
pub(crate) fn decompressed<'r>(mut reader: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut head = Vec::with_capacity(GZIP.len());
    reader
        .by_ref()
        .take(GZIP.len() as u64)
        .read_to_end(&mut head)?;
    let gzip = head == GZIP;
    let whole = Cursor::new(head).chain(reader);
    // Several members, as `cat a.gz b.gz` and appending rotators write them.
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(whole))
    } else {
        Box::new(whole)
    })
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn unpacked(bytes: &[u8]) -> String {
        let mut text = String::new();
        decompressed(bytes)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["", "a", "ab", "a\nb\n"] {
            assert_eq!(unpacked(text.as_bytes()), text);
        }
    }

    #[test]
    fn all_members_are_unpacked() {
        assert_eq!(
            unpacked(&[gzip("one\n"), gzip("two\n")].concat()),
            "one\ntwo\n"
        );
    }

    #[test]
    fn a_file_cut_short_is_an_error() {
        let packed = gzip("one\n");
        let cut = &packed[..packed.len() - 4];
        let mut text = String::new();
        let error = decompressed(cut).unwrap().read_to_string(&mut text);
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
