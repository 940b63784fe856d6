//! Gzip files of several members.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// The content of all members of a file (RFC 1952, section 2.2). Zeros may follow, as on tapes.
/// `MultiGzDecoder` takes them for a member that is cut.
pub(super) struct Members<R>(Option<GzDecoder<BufReader<R>>>);

impl<R: Read> Members<R> {
    pub(super) fn new(source: R) -> Self {
        Self(Some(GzDecoder::new(BufReader::new(source))))
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let source = member.get_mut();
            while source.fill_buf()?.first() == Some(&0) {
                source.consume(1);
            }
            let is_over = source.fill_buf()?.is_empty();
            self.0 = self
                .0
                .take()
                .filter(|_| !is_over)
                .map(|member| GzDecoder::new(member.into_inner()));
        }
        Ok(0)
    }
}
