//! Long lines that a container's log holds in pieces.

use std::borrow::Cow;

use memchr::memmem;

use crate::format::{self, Body};

/// The pieces of lines that have not ended.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Returns whether a line is a piece that continues, if the file may have pieces.
    is_piece: Option<fn(&[u8]) -> bool>,
    open: Vec<(u64, Body<'static>)>,
}

impl Pieces {
    /// Checks whether a file with this start may have pieces.
    pub(super) fn learn(&mut self, start: &[u8]) {
        let near = &start[..start.len().min(256)];
        let has = |needle: &[u8]| memmem::find(near, needle).is_some();
        if has(b" stdout ") || has(b" stderr ") {
            self.is_piece = Some(|line| memmem::find(&line[..line.len().min(64)], b" P").is_some());
        } else if near.starts_with(b"{\"log\":") && memmem::find(start, DOCKER_END).is_some() {
            // Docker keeps the ends of lines. A file in this format without them has no pieces.
            self.is_piece = Some(|line| {
                memmem::find(&line[line.len().saturating_sub(512)..], DOCKER_END).is_none()
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn may_be(&self) -> bool {
        self.is_piece.is_some()
    }

    /// Returns where the first line starts that continues.
    pub(super) fn next(&self, lines: &[u8]) -> Option<usize> {
        let is_piece = self.is_piece?;
        let mut at = 0;
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            if line.ends_with(b"\n") && is_piece(line) {
                return Some(at);
            }
            at += line.len();
        }
        None
    }

    /// Takes the lines that have not continued: they are as long as a piece can get, or a record
    /// follows them.
    pub(super) fn flushed(&mut self, next: &Body<'_>) -> Vec<(u64, Body<'static>)> {
        let ends = |(_, body): &(u64, Body<'_>)| {
            body.text.len() > MOST_BYTES
                || body.source == next.source
                    && body.text.len() < SMALLEST
                    && body.known.outer_times.is_empty()
                    && format::starts_record(&next.text)
        };
        let at = self.open.iter().position(ends);
        at.map(|at| self.open.remove(at)).into_iter().collect()
    }

    pub(super) fn push(&mut self, piece: Body<'_>, number: u64) {
        let open = self
            .open
            .iter_mut()
            .find(|(_, open)| open.source == piece.source);
        match open {
            Some((_, open)) => open.text.to_mut().push_str(&piece.text),
            None => {
                self.open.truncate(MOST_SOURCES);
                let text = Cow::Owned(piece.text.into_owned());
                self.open.push((number, Body { text, ..piece }));
            }
        }
    }

    /// Returns the whole line if this is its last piece.
    pub(super) fn joined(&mut self, last: &mut Body<'_>) -> Option<(u64, Body<'static>)> {
        let at = self
            .open
            .iter()
            .position(|(_, open)| open.source == last.source)?;
        let (number, mut open) = self.open.remove(at);
        open.text.to_mut().push_str(&last.text);
        open.peel();
        Some((number, open))
    }

    /// Takes the lines that have no end.
    pub(super) fn rest(&mut self) -> Vec<(u64, Body<'static>)> {
        let mut rest = std::mem::take(&mut self.open);
        rest.iter_mut().for_each(|(_, body)| body.peel());
        rest
    }
}

const DOCKER_END: &[u8] = b"\\n\",\"stream\"";

/// Docker and containerd cut lines after this many bytes.
const SMALLEST: usize = 16 * 1024;

const MOST_BYTES: usize = 16 * 1024 * 1024;

const MOST_SOURCES: usize = 15;
