//! The grammar of the headers that are sent, written a second time.

/// Returns whether this is a `traceparent` that may be sent: version 00 (section "traceparent
/// Header Field Values") with no unknown flag.
#[must_use]
pub fn is_traceparent(value: &str) -> bool {
    let parts: Vec<_> = value.split('-').collect();
    let hex = |part: &str| part.bytes().all(|b| b"0123456789abcdef".contains(&b));
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [2, 32, 16, 2]
        && parts.iter().all(|part| hex(part))
        && parts[0] == "00"
        && parts[1].contains(|c| c != '0')
        && parts[2].contains(|c| c != '0')
        && ["00", "01", "02", "03"].contains(&parts[3])
}

/// Returns whether this is a `tracestate` that may be sent: the grammar of lists (section
/// "tracestate Header Field Values"), no empty member, no duplicate keys, at most 512 bytes.
#[must_use]
pub fn is_tracestate(list: &str) -> bool {
    let members: Vec<_> = list
        .split(',')
        .map(|member| member.split_once('='))
        .collect();
    let key = |key: &str| {
        key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && key.len() <= 256
            && key
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-*/@".contains(c))
    };
    let value = |value: &str| {
        (1..=256).contains(&value.len())
            && value.chars().all(|c| (' '..='~').contains(&c) && c != '=')
            && !value.ends_with(' ')
    };
    let twins = |(at, member): (usize, &Option<(&str, &str)>)| {
        let key = member.map(|(key, _)| key);
        members[..at]
            .iter()
            .any(|known| known.map(|(key, _)| key) == key)
    };
    (1..=32).contains(&members.len())
        && list.len() <= 512
        && members
            .iter()
            .all(|member| member.is_some_and(|(k, v)| key(k) && value(v)))
        && !members.iter().enumerate().any(twins)
}
