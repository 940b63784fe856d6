//! The level of a line of text, and the text before it.

use super::fields;
use crate::record::Level;
use crate::time::is_number;

/// The part of a line before the message.
pub(super) struct Head<'l> {
    pub(super) level: Level,
    pub(super) target: Option<String>,
    pub(super) pairs: Vec<(String, String)>,
    pub(super) rest: &'l str,
}

/// Looks for the level after the text that may stand between a time and the level: brackets,
/// numbers, pairs, a logger, a user. A level after a sentence is part of that sentence.
pub(super) fn head(text: &str) -> Option<Head<'_>> {
    let (mut target, mut pairs) = (None, Vec::new());
    let (mut rest, mut words) = (text, 0);
    for _ in 0..MOST_WORDS {
        rest = rest.trim_start_matches(SEPARATORS);
        rest = ["- ", "-- ", "--- ", ": "]
            .iter()
            .find_map(|dash| rest.strip_prefix(dash))
            .unwrap_or(rest);
        rest = rest.trim_start_matches(SEPARATORS);
        if let Some((level, behind)) = level(rest) {
            // `Stack trace:`
            let small = words > 0 && rest.starts_with(|c: char| c.is_ascii_lowercase());
            let rest = Some(behind).filter(|_| !small)?;
            return Some(Head {
                level,
                target,
                pairs,
                rest,
            });
        }
        let group = group(rest).map(|(_, after)| rest.len() - after.len());
        let end = group
            .or_else(|| rest.find([' ', '\t', '|']))
            .filter(|&end| end > 0)?;
        let (word, after) = rest.split_at(end);
        if let Some((key, value)) = fields::pair(word) {
            pairs.push((key.to_owned(), value));
        } else if group.is_none() && !is_number(word) {
            // `host shop[123] WARNING ..`
            words += usize::from(!word.ends_with(']'));
            let name = word.split('[').next().unwrap_or(word).trim_end_matches(',');
            if words > 1 || !is_path(&name.replace('@', "")) || word.ends_with(':') {
                return None;
            }
            target = Some(name.to_owned());
        }
        rest = after;
    }
    None
}

/// Reads a level and returns it with the text after it. Examples are `INFO`, `[info]`, `INFO:`,
/// `<Information>`, `INFO/MainProcess`, `shop.INFO:`, `[proxy:error]` and `warn:`. Outside
/// brackets, a level is in capital letters or has a colon.
pub(super) fn level(text: &str) -> Option<(Level, &str)> {
    if let Some((inner, rest)) = group(text) {
        let inner = inner.trim();
        let last = inner.rsplit([':', '.']).next().unwrap_or(inner);
        let word = if inner.contains(' ') {
            inner.split(' ').next()?
        } else {
            last
        };
        let known =
            Level::parse(word).filter(|_| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        return known.map(|level| (level, rest));
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    let last = word.rsplit('.').next().unwrap_or(word);
    let letters = last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let capital = last.bytes().all(|byte| byte.is_ascii_uppercase());
    // `error: ..` and, between tabs, `error`. Go begins its reports with `panic: `.
    let lower =
        last.bytes().all(|byte| byte.is_ascii_lowercase()) && last == word && last != "panic";
    let colon = rest.starts_with(':') || rest.starts_with('\t');
    let channel = last.len() < word.len();
    let stands = if channel {
        capital && rest.starts_with(": ")
    } else {
        capital || lower && colon
    };
    let level = Level::parse(last).filter(|_| letters && stands)?;
    let ends = rest.is_empty() || rest.starts_with([' ', ':', '|', '\t', ']', '/', '[', '(', ',']);
    // `WARN[0000] ..` of logrus, `INFO (12): ..` of pino, `INFO/MainProcess] ..` of Celery
    let rest = match rest.bytes().next() {
        Some(b'/') => rest.split_once(']').map_or(rest, |(_, rest)| rest),
        Some(b'[') => group(rest).map_or(rest, |(_, rest)| rest),
        Some(b':') => &rest[1..],
        _ => rest,
    };
    ends.then_some((level, rest))
}

/// `PHP Fatal error:  Uncaught ..`
pub(super) fn php(text: &str) -> Option<Head<'_>> {
    let (kind, rest) = text.strip_prefix("PHP ")?.split_once(": ")?;
    let level = match kind {
        "Deprecated" | "Warning" => Level::Warn,
        "Notice" => Level::Info,
        _ if kind.ends_with("error") => Level::Error,
        _ => return None,
    };
    Some(Head {
        level,
        target: None,
        pairs: Vec::new(),
        rest,
    })
}

/// Returns the content of brackets at the start, and the text after them.
pub(super) fn group(text: &str) -> Option<(&str, &str)> {
    let close = match text.bytes().next()? {
        b'[' => ']',
        b'<' => '>',
        b'{' => '}',
        b'(' => ')',
        _ => return None,
    };
    text[1..]
        .split_once(close)
        .filter(|(inner, _)| inner.len() < 200)
}

/// Returns whether the text looks like a module or crate.
pub(super) fn is_path(text: &str) -> bool {
    let plain = |byte| crate::id::is_word(byte) || matches!(byte, b':' | b'/' | b'$');
    !text.is_empty() && text.bytes().all(plain)
}

pub(super) const SEPARATORS: [char; 3] = [' ', '\t', '|'];

/// The maximum number of words before a time or a level.
pub(super) const MOST_WORDS: usize = 10;
