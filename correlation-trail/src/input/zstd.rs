//! Zstandard files of several frames.

use std::error::Error;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The content of all frames of a file (RFC 8878, section 3). The decoder itself reads only one.
pub(super) struct Frames<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source: BufReader::new(source),
            decoder: FrameDecoder::new(),
        }
    }

    /// Begins the next frame. Returns `false` at the end of the file.
    fn next(&mut self) -> io::Result<bool> {
        if self
            .decoder
            .get_checksum_from_data()
            .is_some_and(|sum| Some(sum) != self.decoder.get_calculated_checksum())
        {
            return Err(invalid("the checksum is wrong"));
        }
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.decoder.reset(&mut self.source) {
            Ok(()) => Ok(true),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let mut skipped = self.source.by_ref().take(u64::from(length));
                match io::copy(&mut skipped, &mut io::sink())? == u64::from(length) {
                    true => Ok(true),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                }
            }
            Err(error) => Err(invalid(error)),
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder
                    .decode_blocks(&mut self.source, one)
                    .map_err(invalid)?;
            } else if !self.next()? {
                return Ok(0);
            }
        }
        self.decoder.read(buffer)
    }
}

fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
