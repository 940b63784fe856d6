use crate::names::trim;

/// Joins the `tracestate` lines of one message into the value that is sent on. Gives `None` if
/// there is nothing to send: there are no members, or the list breaks the rules of section 3.3.2.
///
/// The order stays, and so do spaces at the start of a value. Of members with the same key, the
/// first is kept. If the list is longer than [`MAX_LEN`], whole members are removed (section
/// 3.3.3.1): first those of more than 128 characters, from the right, then the last ones.
pub(super) fn combine<'h>(lines: impl Iterator<Item = &'h [u8]>) -> Option<Box<str>> {
    let mut members: Vec<&str> = Vec::new();
    let mut count = 0;
    for member in lines
        .flat_map(|line| line.split(|&byte| byte == b','))
        .map(trim)
    {
        if member.is_empty() {
            continue;
        }
        count += 1;
        if count > MAX_MEMBERS {
            return None;
        }
        let key_len = valid_member(member)?;
        let member = std::str::from_utf8(member).ok()?;
        let key = &member[..=key_len];
        if !members.iter().any(|known| known.starts_with(key)) {
            members.push(member);
        }
    }
    shorten(&mut members);
    (!members.is_empty()).then(|| members.join(",").into())
}

/// Returns the length of the key, if the member is valid.
fn valid_member(member: &[u8]) -> Option<usize> {
    let equals = member.iter().position(|&byte| byte == b'=')?;
    let (key, value) = (&member[..equals], &member[equals + 1..]);
    let starts = key
        .first()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let key_byte = |b: &u8| {
        b.is_ascii_lowercase()
            || b.is_ascii_digit()
            || matches!(b, b'_' | b'-' | b'*' | b'/' | b'@')
    };
    let value_byte = |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b',' | b'=');
    let valid = starts
        && key.len() <= 256
        && key.iter().all(key_byte)
        && (1..=256).contains(&value.len())
        && value.iter().all(value_byte);
    valid.then_some(equals)
}

fn shorten(members: &mut Vec<&str>) {
    let len = |members: &[&str]| {
        members.iter().map(|member| member.len()).sum::<usize>() + members.len().saturating_sub(1)
    };
    while len(members) > MAX_LEN {
        let long = members.iter().rposition(|member| member.len() > 128);
        members.remove(long.unwrap_or(members.len() - 1));
    }
}

const MAX_MEMBERS: usize = 32;
/// The length that every vendor should propagate at least (section 3.3.3.1).
const MAX_LEN: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn combined(lines: &[&str]) -> Option<String> {
        combine(lines.iter().map(|line| line.as_bytes())).map(String::from)
    }

    #[test]
    fn lines_are_joined_in_order() {
        assert_eq!(
            combined(&["a=1,b=2", "c=3"]).as_deref(),
            Some("a=1,b=2,c=3")
        );
        assert_eq!(
            combined(&[" a=1 , ,\tb=  2 ", ""]).as_deref(),
            Some("a=1,b=  2")
        );
        assert_eq!(combined(&["", " , "]), None);
        assert_eq!(combined(&[]), None);
    }

    #[test]
    fn one_bad_member_spoils_the_list() {
        for bad in [
            "a", "a=", "=1", "A=1", "a b=1", "a=1=2", "_a=1", "a=\u{7f}", "a=é", "a=\u{1}",
        ] {
            assert_eq!(combined(&["ok=1", bad]), None, "{bad}");
        }
        assert_eq!(combined(&[&format!("{}=1", "k".repeat(257))]), None);
        assert_eq!(combined(&[&format!("k={}", "v".repeat(257))]), None);
    }

    #[test]
    fn at_most_32_members_and_no_twins() {
        let list = |n: usize| {
            (0..n)
                .map(|i| format!("k{i}=v"))
                .collect::<Vec<_>>()
                .join(",")
        };
        assert_eq!(combined(&[&list(32)]), Some(list(32)));
        assert_eq!(combined(&[&list(33)]), None);
        assert_eq!(combined(&["a=1,b=2", "a=3"]).as_deref(), Some("a=1,b=2"));
    }

    #[test]
    fn too_long_a_list_loses_long_members_first() {
        let long = format!("long={}", "v".repeat(200));
        let short = (0..20)
            .map(|i| format!("key{i:02}=0123456789"))
            .collect::<Vec<_>>();
        let list = format!("first=1,{long},{}", short.join(","));
        let kept = combined(&[&list]).unwrap();
        assert!(kept.starts_with("first=1,key00=") && kept.ends_with("key19=0123456789"));
        let many = (0..30)
            .map(|i| format!("key{i:02}=0123456789012345"))
            .collect::<Vec<_>>();
        let kept = combined(&[&many.join(",")]).unwrap();
        assert!(kept.len() <= 512 && kept.len() > 512 - 23 && many.join(",").starts_with(&kept));
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(line in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = combine([line.as_slice()].into_iter());
        }

        #[test]
        fn what_is_sent_parses_to_itself(line in "([a-z0-9@]{1,9}=[ -~]{1,9},?){0,9}") {
            if let Some(sent) = combined(&[&line]) {
                prop_assert_eq!(combined(&[&sent]), Some(sent));
            }
        }
    }
}
