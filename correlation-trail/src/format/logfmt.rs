//! logfmt: nothing but `key=value`.

use super::{Parsed, fields};

/// Reads a line that starts with a pair and has a time or a level among its pairs.
pub(super) fn parse(line: &str) -> Option<Parsed> {
    let mut words = fields::words(line).map(|(_, word)| word);
    let (key, value) = fields::pair(words.next()?)?;
    let mut parsed = Parsed::default();
    parsed.set(key, value);
    for word in words {
        match fields::pair(word) {
            Some((key, value)) => parsed.set(key, value),
            // A key alone is one that is true.
            None if word.bytes().all(crate::id::is_word) => parsed.field(word, String::new()),
            None => return None,
        }
    }
    (parsed.time.is_some() || parsed.level.is_some()).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn pairs_are_read() {
        for (line, expected) in [
            (
                r#"ts=T level=info target=shop::db span=db message="query \"done\"" rows=3 correlation_id=abc"#,
                "T INFO - shop::db [query \"done\"] rows=3 correlation_id=abc",
            ),
            (
                r#"time="T" level=warning msg="a = b" app=shop cached path=/x?a=b"#,
                "T WARN shop - [a = b] cached= path=/x?a=b",
            ),
            ("level=error msg=short", "- ERROR - - [short]"),
            ("ts=1795356949.44 msg=\"\"", "T - - - []"),
        ] {
            let line = line.replace("=T ", "=2026-11-22T14:15:49.44Z ");
            let line = line.replace("\"T\"", "\"2026-11-22T14:15:49.44Z\"");
            assert_eq!(shown(&parse(&line).unwrap()), expected, "{line}");
        }
    }

    #[test]
    fn text_with_pairs_is_not() {
        for line in [
            "",
            "a=1 b=2",
            "done level=info",
            "level=info and, then",
            "=1 level=info",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
