//! The progress of a long search.

use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, Instant};

use super::files::Source;

/// A line on standard error, if it is a terminal and the search takes longer than a second.
pub(crate) struct Progress {
    total: u64,
    done: u64,
    /// The time when the line is due again. `None` if standard error is not a terminal.
    due: Option<Instant>,
    drawn: bool,
}

impl Progress {
    pub(crate) fn new(sources: &[Source]) -> Self {
        let files = sources.iter().flatten();
        let sizes = files.filter_map(|path| Some(path.metadata().ok()?.len()));
        let seen = io::stderr().is_terminal();
        Self {
            total: sizes.sum(),
            done: 0,
            due: seen.then(|| Instant::now() + PATIENCE),
            drawn: false,
        }
    }

    /// Counts the bytes that are read from `reader`.
    pub(crate) fn of<R: Read>(&mut self, reader: R) -> Counted<'_, R> {
        Counted(self, reader)
    }

    /// Removes the line before other text is printed.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn add(&mut self, count: usize, now: Instant) -> Option<String> {
        self.done += count as u64;
        self.due.filter(|&due| due <= now)?;
        self.due = Some(now + PAUSE);
        self.drawn = true;
        let done = self.done >> 20;
        // Piped input has no known size.
        if self.done > self.total {
            return Some(format!("{done} MiB"));
        }
        let percent = self.done * 100 / self.total.max(1);
        let bar = "#".repeat((percent / 5) as usize);
        let total = self.total >> 20;
        Some(format!("[{bar:20}] {percent} %, {done} of {total} MiB"))
    }
}

pub(crate) struct Counted<'p, R>(&'p mut Progress, R);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.read(buffer)?;
        if let Some(line) = self.0.add(count, Instant::now()) {
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
        }
        Ok(count)
    }
}

const PATIENCE: Duration = Duration::from_secs(1);

const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_has_a_line_after_a_second() {
        let start = Instant::now();
        let mut progress = Progress {
            total: 200 << 20,
            done: 0,
            due: Some(start + PATIENCE),
            drawn: false,
        };
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(progress.add(50 << 20, after(999)), None);
        assert!(!progress.drawn);
        let line = progress.add(50 << 20, after(1_000));
        assert_eq!(
            line.as_deref(),
            Some("[##########          ] 50 %, 100 of 200 MiB")
        );
        assert_eq!(progress.add(1, after(1_050)), None);
        assert!(progress.drawn);
        let line = progress.add(100 << 20, after(1_100));
        assert_eq!(line.as_deref(), Some("200 MiB"), "more than there was");
        progress.due = None;
        assert_eq!(progress.add(1, after(9_000)), None, "nobody sees it");
    }
}
