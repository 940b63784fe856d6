//! Lines of text with a unique form.

use super::{Parsed, fields};
use crate::record::Level;
use crate::time::{Time, is_number};

/// Reads a line of Kubernetes itself:
/// `W1122 14:15:50.200000       1 main.go:10] "order paid" id="7"`.
pub(super) fn klog(line: &str) -> Option<Parsed> {
    let level = letter(line.get(..1)?).filter(|_| !line.starts_with(['T', 'V']))?;
    let dated = line[1..].bytes().take(4).all(|byte| byte.is_ascii_digit());
    // glog also writes the year.
    let (time, rest) = Time::leading(&line[1..])
        .or_else(|| Time::of_klog(&line[1..]))
        .filter(|_| dated)?;
    let (place, message) = rest
        .split_once(']')
        .filter(|(place, _)| place.len() < 100)?;
    let (message, fields) = fields::split_off(message.trim());
    Some(Parsed {
        time: Some(time),
        level: Some(level),
        target: place.split_whitespace().last().map(str::to_owned),
        message: fields::unquoted(message),
        fields,
        ..Parsed::default()
    })
}

/// Reads a line of Android's `threadtime`, `11-22 14:15:50.200  1234  1250 W Shop  : order paid`,
/// or of its `brief`, `W/Shop( 1234): order paid`.
pub(super) fn logcat(line: &str) -> Option<Parsed> {
    let (time, rest) = Time::leading(line).map_or((None, line), |(t, rest)| (Some(t), rest));
    let (rest, numbers) = skip_numbers(rest);
    let (first, rest) = rest.split_at_checked(1)?;
    let level = letter(first)?;
    let brief = rest.strip_prefix('/').filter(|_| numbers == 0);
    let long = rest
        .strip_prefix(' ')
        .filter(|_| numbers >= 2 && time.is_some());
    let (tag, message) = brief.or(long)?.split_once(": ")?;
    let tag = brief.map_or(tag, |_| tag.split('(').next().unwrap_or(tag));
    if brief.is_some() && !rest.contains("):") {
        return None;
    }
    let (message, fields) = fields::split_off(message);
    Some(Parsed {
        time,
        level: Some(level),
        target: Some(tag.trim().to_owned()),
        message: message.to_owned(),
        fields,
        ..Parsed::default()
    })
}

fn skip_numbers(mut text: &str) -> (&str, usize) {
    let mut count = 0;
    loop {
        text = text.trim_start_matches(' ');
        let end = text.find(' ').unwrap_or(text.len());
        if !is_number(&text[..end]) {
            return (text, count);
        }
        text = &text[end..];
        count += 1;
    }
}

fn letter(text: &str) -> Option<Level> {
    Some(match text {
        "V" | "T" => Level::Trace,
        "D" => Level::Debug,
        "I" => Level::Info,
        "W" => Level::Warn,
        "E" | "F" | "A" => Level::Error,
        _ => return None,
    })
}

/// Reads a line of .NET's simple console, `warn: Shop.Orders[0]`. The message is on the next line,
/// or on this line after a time and with `SingleLine`. It also reads the first of the two lines of
/// `java.util.logging`, `Nov 22, 2026 2:15:50 PM shop.Orders pay`, and the text that MySQL writes
/// above a slow query.
pub(super) fn dotnet(line: &str) -> Option<Parsed> {
    let (time, rest) = Time::leading(line).map_or((None, line), |(t, rest)| (Some(t), rest));
    let rest = rest.trim_start_matches(['[', ']', ' ']);
    let head = Parsed {
        time,
        is_head: true,
        ..Parsed::default()
    };
    if let Some(rest) = line.strip_prefix("# Time: ") {
        let (time, _) = Time::leading(rest)?;
        return Some(Parsed {
            time: Some(time),
            target: Some("slow".to_owned()),
            ..head
        });
    }
    let halves = line[..line.len() - rest.len()].trim_end();
    if halves.ends_with("AM") || halves.ends_with("PM") {
        let (class, method) = rest.split_once(' ')?;
        let plain = !method.contains(' ') && class.contains('.');
        return plain.then(|| Parsed {
            target: Some(class.to_owned()),
            ..head
        });
    }
    // .NET's systemd console has the level in front: `<4>Shop.Orders[0] order paid`
    if let Some((category, message)) = rest.split_once(' ').and_then(|(word, message)| {
        let (category, event) = word.strip_suffix(']')?.split_once('[')?;
        let named =
            category.contains('.') && category.starts_with(|c: char| c.is_ascii_uppercase());
        (named && is_number(event)).then_some((category, message))
    }) {
        let (message, fields) = fields::split_off(message.trim());
        return Some(Parsed {
            target: Some(category.to_owned()),
            message: message.to_owned(),
            fields,
            is_head: false,
            ..head
        });
    }
    let (level, rest) = rest.split_once(": ")?;
    let short = ["trce", "dbug", "info", "warn", "fail", "crit"].contains(&level);
    // The event is a number, which may be negative.
    let level = Level::parse(level).filter(|_| short)?;
    let (category, message) = rest.split_once(']')?;
    let (category, event) = category.split_once('[')?;
    let is_event = is_number(event.trim_start_matches('-')) && !category.contains(' ');
    let (message, fields) = fields::split_off(message.trim());
    is_event.then(|| Parsed {
        level: Some(level),
        target: Some(category.to_owned()),
        message: message.to_owned(),
        fields,
        ..head
    })
}
