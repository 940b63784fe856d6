//! Where in a written record the ID goes.

mod writer;

use memchr::{memchr_iter, memmem};

pub(crate) use writer::Lines;

use crate::Context;

/// The keys to write, and how to find out that one is there.
#[derive(Debug)]
pub(crate) struct Keys {
    id: Key,
    trace_id: Key,
    upstream_id: Key,
}

impl Keys {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: Key::new(id),
            trace_id: Key::new("trace_id"),
            upstream_id: Key::new("upstream_id"),
        }
    }

    /// Appends `record`, one or more whole lines, to `out`, each with the fields of `context`.
    pub(crate) fn tag(&self, out: &mut Vec<u8>, record: &[u8], context: &Context) {
        let trace = context
            .trace()
            .map(|trace| (&self.trace_id, trace.parent.trace_id_str()));
        let mut upstream = context
            .take_upstream_id()
            .map(|id| (&self.upstream_id, id.as_str()));
        let id = (&self.id, context.id().as_str());
        let mut start = 0;
        for end in memchr_iter(b'\n', record)
            .map(|at| at + 1)
            .chain([record.len()])
        {
            let (line, ending) = split_ending(&record[start..end]);
            start = end;
            if line.trim_ascii().is_empty() {
                out.extend_from_slice(line);
            } else {
                let fields = [Some(id), trace, upstream.take()];
                tag_line(out, line, fields.into_iter().flatten());
            }
            out.extend_from_slice(ending);
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::new("correlation_id")
    }
}

#[derive(Debug)]
struct Key {
    /// `key=`
    text: String,
    finder: memmem::Finder<'static>,
    /// `"key":`
    json: String,
    json_finder: memmem::Finder<'static>,
}

impl Key {
    fn new(key: &str) -> Self {
        let (text, json) = (format!("{key}="), format!("\"{key}\":"));
        Self {
            finder: memmem::Finder::new(&text).into_owned(),
            json_finder: memmem::Finder::new(&json).into_owned(),
            text,
            json,
        }
    }

    /// Whether a line of text has `key=value` or `key="value"` as a word of its own. Another
    /// value under the same key is somebody else's field.
    fn is_in_text(&self, line: &[u8], value: &str) -> bool {
        // Mostly it is not there, and one search is cheaper than to prepare for many.
        if self.finder.find(line).is_none() {
            return false;
        }
        self.finder.find_iter(line).any(|at| {
            let rest = &line[at + self.text.len()..];
            let starts = at
                .checked_sub(1)
                .is_none_or(|before| !is_word(line[before]));
            let quoted = rest.strip_prefix(b"\"").unwrap_or(rest);
            let after = quoted.strip_prefix(value.as_bytes());
            starts && after.is_some_and(|after| after.first().is_none_or(|&byte| !is_id(byte)))
        })
    }

    /// Whether a JSON object has the key, itself, not in something inside of it.
    fn is_in_json(&self, object: &[u8]) -> bool {
        if self.json_finder.find(object).is_none() {
            return false;
        }
        let mut hits = self.json_finder.find_iter(object).peekable();
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        for (at, &byte) in object.iter().enumerate() {
            if depth == 1 && !in_string && hits.peek() == Some(&at) {
                return true;
            }
            while hits.next_if(|&hit| hit <= at).is_some() {}
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        false
    }
}

fn tag_line<'f>(out: &mut Vec<u8>, line: &[u8], fields: impl Iterator<Item = (&'f Key, &'f str)>) {
    // Two bytes and the last: `{not json}` is text, and so is a JSON object with a tail.
    if let Some(members) = line.strip_prefix(b"{").filter(|rest| is_object(rest)) {
        out.push(b'{');
        for (key, value) in fields.filter(|(key, _)| !key.is_in_json(line)) {
            for part in [&key.json, "\"", value, "\","] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        if members.trim_ascii() == b"}" && out.last() == Some(&b',') {
            out.pop();
        }
        out.extend_from_slice(members);
    } else {
        out.extend_from_slice(line);
        for (key, value) in fields.filter(|(key, value)| !key.is_in_text(line, value)) {
            for part in [" ", &key.text, value] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
}

/// Whether what follows a `{` makes it a JSON object.
fn is_object(rest: &[u8]) -> bool {
    matches!(rest, [b'"', .., b'}'] | [b'}'])
}

fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    let without = line
        .strip_suffix(b"\n")
        .map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
    line.split_at(without.len())
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// Whether an ID goes on with this byte.
const fn is_id(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b':' | b'+' | b'/' | b'=' | b'#' | b'@' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Policy, Trust};

    fn tagged(record: &str) -> String {
        let mut out = Vec::new();
        let context = Context::new("abc".parse().unwrap());
        Keys::default().tag(&mut out, record.as_bytes(), &context);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_has_it_at_the_end_of_every_line() {
        assert_eq!(tagged("INFO done\n"), "INFO done correlation_id=abc\n");
        assert_eq!(tagged("no newline"), "no newline correlation_id=abc");
        assert_eq!(
            tagged("a\n\n  \nb\n"),
            "a correlation_id=abc\n\n  \nb correlation_id=abc\n"
        );
        assert_eq!(
            tagged("a\r\n\r\nb"),
            "a correlation_id=abc\r\n\r\nb correlation_id=abc"
        );
        assert_eq!(tagged(""), "");
    }

    #[test]
    fn json_has_it_as_first_key() {
        assert_eq!(
            tagged("{\"a\":1}\n"),
            "{\"correlation_id\":\"abc\",\"a\":1}\n"
        );
        assert_eq!(tagged("{}\n"), "{\"correlation_id\":\"abc\"}\n");
        assert_eq!(
            tagged("{\"a\":1}\r\n{\"b\":2}\n"),
            "{\"correlation_id\":\"abc\",\"a\":1}\r\n{\"correlation_id\":\"abc\",\"b\":2}\n"
        );
    }

    #[test]
    fn what_looks_like_json_is_text() {
        for text in ["{not json}", "{\"a\":1} and more", "{", "{ }", "[1]"] {
            assert_eq!(tagged(text), format!("{text} correlation_id=abc"));
        }
    }

    #[test]
    fn text_is_not_tagged_twice() {
        for there in [
            "a correlation_id=abc b",
            "correlation_id=\"abc\"",
            "{correlation_id=abc}",
        ] {
            assert_eq!(tagged(there), there);
        }
        for other in [
            "correlation_id=abcd",
            "correlation_id=",
            "my_correlation_id=abc",
            "abc",
        ] {
            assert_eq!(tagged(other), format!("{other} correlation_id=abc"));
        }
    }

    #[test]
    fn json_is_not_tagged_twice_but_for_nested_keys() {
        for there in [
            "{\"correlation_id\":\"x\"}",
            "{\"a\":{\"b\":[1]},\"correlation_id\":null}",
        ] {
            assert_eq!(tagged(there), there);
        }
        for other in [
            r#""span":{"correlation_id":"x"}"#,
            r#""message":"\"correlation_id\":\"x\"""#,
            r#""message":"{\"correlation_id\":","n":{"correlation_id":1}"#,
            r#""a":"\\","list":[{"correlation_id":"x"}]"#,
        ] {
            assert_eq!(
                tagged(&format!("{{{other}}}")),
                format!(r#"{{"correlation_id":"abc",{other}}}"#)
            );
        }
    }

    #[test]
    fn trace_and_upstream_stand_beside_it() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let headers = [("traceparent", trace), ("x-request-id", "abc")];
        let receive =
            |policy: Policy| policy.receive(|| headers.map(|(n, v)| (n, v.as_bytes())), None);
        let lines = |context: &Context| {
            let mut out = Vec::new();
            Keys::new("id").tag(&mut out, b"one\ntwo\n{\"a\":1}", context);
            String::from_utf8(out).unwrap()
        };
        let known = receive(Policy::new()).unwrap();
        let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            lines(&known),
            format!(
                "one id=abc trace_id={trace_id}\ntwo id=abc trace_id={trace_id}\n\
                 {{\"id\":\"abc\",\"trace_id\":\"{trace_id}\",\"a\":1}}"
            )
        );
        let stranger = receive(Policy::new().trust(Trust::Never)).unwrap();
        let id = stranger.id();
        assert_eq!(
            lines(&stranger),
            format!("one id={id} upstream_id=abc\ntwo id={id}\n{{\"id\":\"{id}\",\"a\":1}}")
        );
        assert!(!lines(&stranger).contains("upstream"), "once a request");
    }
}
