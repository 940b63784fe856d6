//! Reads whole lines from a reader, in large pieces.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr, memrchr};

/// Calls `each(bytes, from)` with pieces of `reader`. `bytes[from..]` are new lines, and
/// `bytes[..from]` are lines of earlier calls. Only the very last line of the reader may lack its
/// end.
pub(crate) fn read(mut reader: impl Read, mut each: impl FnMut(&[u8], usize)) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    // `..start` was already passed to `each`, and `start..end` was not.
    let (mut start, mut end) = (0, 0);
    loop {
        if end == buffer.len() {
            let keep = first_kept(&buffer[..start]);
            buffer.copy_within(keep..end, 0);
            (start, end) = (start - keep, end - keep);
            if end > buffer.len() / 2 {
                buffer.resize(buffer.len() * 2, 0);
            }
        }
        let count = match reader.read(&mut buffer[end..]) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // The bytes before the error have been read.
            Err(error) => {
                each(&buffer[..end], start);
                return Err(error);
            }
        };
        let whole = memrchr(b'\n', &buffer[end..end + count]).map(|at| end + at + 1);
        end += count;
        let cut = (count == 0 || end - start >= LONGEST_LINE).then_some(end);
        if let Some(whole) = whole.or(cut) {
            each(&buffer[..whole], start);
            start = whole;
        }
        if count == 0 {
            return Ok(());
        }
    }
}

/// Returns the start of the old lines that stay in view.
fn first_kept(seen: &[u8]) -> usize {
    let far = seen.len().saturating_sub(KEPT);
    match memchr(b'\n', &seen[far..]) {
        Some(_) if far == 0 => 0,
        Some(at) => far + at + 1,
        None => seen.len(),
    }
}

/// It is small enough to stay in the processor's cache between the kernel's copy and the search.
const PIECE: usize = 256 * 1024;

/// The number of old bytes that stay in view, to look back for the start of a record.
const KEPT: usize = 16 * 1024;

/// The maximum length of a line. A longer one is read as several, because a file may be anything,
/// and may have no line end.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that returns a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    fn pieces(bytes: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        read(Trickle(bytes, step), |lines, from| {
            assert!(from == 0 || lines[from - 1] == b'\n' || lines.len() > LONGEST_LINE);
            pieces.push(lines[from..].to_vec());
        })
        .unwrap();
        pieces
    }

    #[test]
    fn nothing_is_lost_and_lines_are_whole() {
        let line = |n: usize| format!("{n} {}\n", "x".repeat(n % 97));
        let text: String = (0..20_000).map(line).collect();
        let text = text.trim_end().as_bytes();
        assert!(text.len() > 3 * PIECE);
        let mut calls = 0;
        let looks_back = |_: &[u8], from| {
            assert!(calls == 0 || from > KEPT - 100, "enough to look back");
            calls += 1;
        };
        read(text, looks_back).unwrap();
        for step in [7_777, usize::MAX] {
            let pieces = pieces(text, step);
            assert_eq!(pieces.concat(), text);
            let (_, but_last) = pieces.split_last().unwrap();
            assert!(
                but_last
                    .iter()
                    .all(|piece| piece.is_empty() || piece.ends_with(b"\n"))
            );
        }
    }

    #[test]
    fn lines_longer_than_a_piece_are_whole_up_to_a_limit() {
        let long = [vec![b'x'; 3 * PIECE], b"\nnext\n".to_vec()].concat();
        assert_eq!(pieces(&long, usize::MAX)[0].len(), long.len());
        let endless = vec![b'x'; LONGEST_LINE * 2];
        let pieces = pieces(&endless, usize::MAX);
        assert_eq!(pieces.concat(), endless);
        assert!(pieces.iter().all(|piece| piece.len() <= 2 * LONGEST_LINE));
        assert!(pieces.len() > 1);
    }
}
