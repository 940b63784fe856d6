//! The rules for an ID that comes in, written a second time and for clearness only.

use correlation_testkit::vectors::is_traceparent;

/// What `Policy` documents as an ID.
pub(crate) fn is_id(value: &[u8], max: usize) -> bool {
    const ALPHABET: &[u8] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+/=#@|~";
    (1..=max).contains(&value.len())
        && value.iter().all(|byte| ALPHABET.contains(byte))
        && !is_placeholder(value)
}

pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let words = "- null undefined none nil unknown 00000000000000000000000000000000 \
        00000000-0000-0000-0000-000000000000";
    let mut words = words.split_whitespace();
    words.any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let inner = |byte: &u8| !b" \t".contains(byte);
    match (value.iter().position(inner), value.iter().rposition(inner)) {
        (Some(first), Some(last)) => &value[first..=last],
        _ => b"",
    }
}

/// The one value that all lines of a header give, joined by commas or not.
pub(crate) fn agreed<'h>(lines: &[&'h [u8]]) -> Option<&'h [u8]> {
    let values = lines.iter().flat_map(|line| line.split(|&b| b == b','));
    let mut values = values.map(trim);
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The value of a header in a format of its own, where a comma may be part of it.
pub(crate) fn repeated<'h>(lines: &[&'h [u8]]) -> Option<&'h [u8]> {
    let first = trim(lines.first()?);
    let same = lines.iter().all(|line| trim(line) == first);
    if same { Some(first) } else { agreed(lines) }
}

/// The trace-id of the only line of a `traceparent`.
pub(crate) fn trace_id<'h>(lines: &[&'h [u8]]) -> Option<&'h str> {
    let [line] = lines else {
        return None;
    };
    let value = trim(line);
    let (known, tail) = value.split_at_checked(55)?;
    let known = str::from_utf8(known)
        .ok()
        .filter(|known| known.is_ascii())?;
    let (version, rest) = known.split_at(2);
    let flags = u8::from_str_radix(&known[53..], 16).ok()?;
    // As version 00 with the flags that it knows, which is what goes out.
    let first = format!("00{}{:02x}", &rest[..51], flags & 3);
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let fits = match version {
        "00" => tail.is_empty(),
        "ff" => false,
        _ => (tail.is_empty() || tail.starts_with(b"-")) && value.len() <= 512,
    };
    let valid = is_traceparent(&first) && hex(version) && hex(&known[53..]) && fits;
    valid.then(|| &known[3..35])
}

pub(crate) fn b3(value: &str) -> Option<&str> {
    let id = value.split('-').next()?;
    let zero = id.bytes().all(|byte| byte == b'0');
    let lower = !id.contains(|c: char| !matches!(c, '0'..='9' | 'a'..='f'));
    (lower && !zero && [16, 32].contains(&id.len())).then_some(id)
}

pub(crate) fn amzn(value: &str) -> Option<&str> {
    let is_root = |root: &&str| {
        let parts: Vec<_> = root.split('-').collect();
        let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
        lengths == [1, 8, 24]
            && parts[0] == "1"
            && parts[1..].concat().bytes().all(|b| b.is_ascii_hexdigit())
    };
    let fields = value
        .split(';')
        .map(|field| field.trim_matches([' ', '\t']));
    let mut roots = fields.filter_map(|field| field.strip_prefix("Root="));
    roots.find(is_root)
}

pub(crate) fn cloud_trace(value: &str) -> Option<&str> {
    let id = value.split(['/', ';']).next()?;
    (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

pub(crate) fn request_id(value: &str) -> Option<&str> {
    value.strip_prefix('|').unwrap_or(value).split('.').next()
}

pub(crate) fn sentry(value: &str) -> Option<&str> {
    value.split('-').next()
}
