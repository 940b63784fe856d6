//! A line of text, as `tracing`, `env_logger`, logback, Python, nginx, PostgreSQL and others write
//! it.
//!
//! It has a time, a level, a place in the code and a message, in this order or another.

use super::head::{Head, MOST_WORDS, SEPARATORS, group, head, is_path, level, php};
use super::{Parsed, access, fields, json};
use crate::record::Level;
use crate::time::{Time, is_number};

/// Reads any line.
pub(super) fn parse(line: &str) -> Option<Parsed> {
    let text = line.trim();
    let (before, time, after) = match time(line) {
        Some((before, time, after)) => (before.trim(), Some(time), after),
        None => ("", None, text),
    };
    let mut parsed = Parsed {
        time,
        ..Parsed::default()
    };
    // A bracket may be open: `[TIME LEVEL target] message`, `[TIME] ..`.
    let (before, open) = match before.strip_suffix(['[', '(']) {
        Some(before) => (before.trim_end(), !after.starts_with([']', ')'])),
        None => (before, false),
    };
    let after = after.strip_prefix([']', ')', '"']).unwrap_or(after);
    // `I, [2026-11-22T14:15:50.200123 #7]  INFO -- : ..` of Ruby
    let process = after.trim_start().strip_prefix('#').filter(|_| open);
    let process = process.and_then(|after| after.split_once(']'));
    let (open, after) = process.map_or((open, after), |(_, after)| (false, after));
    let served = access::level(text);
    // `2026-11-22T14:15:50.200Z error ..` of Node: after a time, a word in small letters is also a
    // level.
    let first = after.trim_start();
    let small = first.split(' ').next().unwrap_or_default();
    let is_small = parsed.time.is_some() && small.bytes().all(|byte| byte.is_ascii_lowercase());
    let small = Level::parse(small)
        .filter(|_| is_small && small.len() > 3)
        .map(|level| Head {
            level,
            target: None,
            pairs: Vec::new(),
            rest: &first[small.len()..],
        });
    let small = small.or_else(|| php(first));
    let before_level = level(before).map(|(level, rest)| (level, before, rest));
    let rest = match (before_level, small.or_else(|| head(after))) {
        (Some((level, _, _)), None) => {
            parsed.level = Some(level);
            after
        }
        (_, Some(head)) => {
            parsed.level = Some(head.level);
            parsed.target = head.target;
            parsed.fields = head.pairs;
            head.rest
        }
        (None, None) => after,
    };
    let rest = parsed.redis(before, rest);
    let open = open && !after[..after.len() - rest.len()].contains(']');
    if let Some(level) = served {
        parsed.whole = true;
        parsed.level = level.or(parsed.level);
        let rest = rest.trim_start_matches([' ', '-', ':', ']']);
        let (message, fields) = fields::split_off(rest);
        parsed.message = [before, message].join(" ").trim().to_owned();
        parsed.fields.extend(fields);
        return Some(parsed);
    }
    let message = message(after, rest, open, &mut parsed);
    let (message, pairs) = trailing_objects(message, &mut parsed);
    let (message, more) = if pairs {
        (message, Vec::new())
    } else {
        fields::split_off(message)
    };
    parsed.fields.extend(more);
    let message = logger_in_brackets(message, &mut parsed);
    parsed.level = parsed
        .level
        .or_else(|| is_panic(message).then_some(Level::Error));
    parsed.message = message.to_owned();
    if message.is_empty() && before.contains(' ') {
        // `Started GET "/" for 10.0.0.1 at 2026-11-22 14:15:50 +0000` of Rails
        parsed.message = before.to_owned();
    } else if parsed.target.is_none() && is_path(before) && level(before).is_none() {
        parsed.target = Some(before.to_owned());
    }
    // Monolog's context contains the lines of an exception.
    if let Some(at) = message
        .find(" {\"")
        .filter(|_| message.contains("\":\"[object] ("))
    {
        parsed.field("context", message[at + 1..].to_owned());
        parsed.message.truncate(at);
    }
    parsed.finish();
    Some(parsed)
}

impl Parsed {
    /// Redis: `12:M 22 Nov 2026 14:15:50.200 # message`.
    fn redis<'l>(&mut self, before: &str, rest: &'l str) -> &'l str {
        let process = before
            .split_once(':')
            .filter(|(pid, role)| is_number(pid) && role.len() == 1);
        let mark = process.and_then(|_| rest.trim_start().split_once(' '));
        let Some((mark, message)) = mark else {
            return rest;
        };
        self.level = Some(match mark {
            "." => Level::Debug,
            "-" | "*" => Level::Info,
            "#" => Level::Warn,
            _ => return rest,
        });
        message
    }
}

/// Returns the time, the text before it and the text after it.
///
/// The time is at the start, in brackets, or after words that are not a message: a level, brackets,
/// a number, and at most one other word.
fn time(line: &str) -> Option<(&str, Time, &str)> {
    let mut strange = 0;
    let mut previous = "";
    let mut at = line.len() - line.trim_start().len();
    let indented = at > 0;
    for number in 0..MOST_WORDS {
        let rest = &line[at..];
        let inner = rest.trim_start_matches(['[', '(', '"', '<']);
        let start = line.len() - inner.len();
        let bracketed = rest.starts_with('[');
        if let Some((time, after)) = Time::leading(inner) {
            let first = number == 0 || bracketed || level(previous).is_some();
            // `Started GET "/" for 10.0.0.1 at 2026-11-22 14:15:50 +0000` of Rails
            let rails = previous == "at" && line.starts_with("Started ");
            let stands = first || strange <= 1 && time.has_date() && !indented || rails;
            return stands.then_some((&line[..start], time, after));
        }
        let end = rest.find([' ', '\t'])?;
        let word = &rest[..end];
        let plain = word.starts_with(['[', '(']) || word.ends_with(']') || level(word).is_some();
        let plain = plain || is_number(word) || ["-", "|", "#", "---"].contains(&word);
        strange += usize::from(!plain);
        previous = word;
        at += end + rest[end..].len() - rest[end..].trim_start().len();
    }
    None
}

/// Returns the message after the thread, process, request and logger.
fn message<'l>(whole: &str, rest: &'l str, open: bool, parsed: &mut Parsed) -> &'l str {
    if open && let Some((target, message)) = rest.split_once(']') {
        // env_logger: `[TIME LEVEL target] message`
        let target = target.trim();
        if !target.is_empty() && is_path(target) {
            parsed.target = Some(target.to_owned());
        }
        return message.trim_start();
    }
    let headed = parsed.level.is_some();
    let colon = whole[..whole.len() - rest.len()].ends_with(':');
    // `LOG:  statement: select 1` of PostgreSQL
    if headed && colon && rest.starts_with("  ") {
        return rest.trim_start();
    }
    // `ERROR:shop.orders:payment failed` of Python
    if headed
        && colon
        && !rest.starts_with(' ')
        && let Some((logger, message)) = rest.split_once(':').filter(|(logger, _)| is_path(logger))
    {
        parsed.target = Some(logger.to_owned());
        return message;
    }
    let mut rest = rest.trim_start_matches(SEPARATORS);
    // `views 12 140 ` of Django: module, process, thread
    let mut words = rest.splitn(4, ' ');
    if let [Some(module), Some(process), Some(thread), Some(message)] =
        [words.next(), words.next(), words.next(), words.next()]
        && headed
        && is_path(module)
        && is_number(process)
        && is_number(thread)
    {
        parsed.target = Some(module.to_owned());
        return message;
    }
    let mut first = None;
    // `12#12: *1 ` of nginx, `1234 --- ` of Spring, `-- : ` of Ruby, `(12): ` of pino
    let mut groups = Vec::new();
    for _ in 0..MOST_WORDS {
        let after = rest.trim_start_matches([' ', '\t', '|']);
        let dash = ["- ", "-- ", "--- ", ": "]
            .iter()
            .find_map(|dash| after.strip_prefix(dash));
        let word = after.split(' ').next().unwrap_or_default();
        let number = word.trim_end_matches(':').split('#').all(is_number);
        let connection = word.strip_prefix('*').is_some_and(is_number);
        let follows = after[word.len()..].starts_with(" ---") || word.contains('#');
        rest = if let Some(dash) = dash.filter(|_| headed) {
            dash
        } else if headed && (number && follows || connection) {
            &after[word.len()..]
        } else if let Some((inner, behind)) = group(after).filter(|&(_, behind)| {
            headed
                && !after.starts_with('{')
                && (!after.starts_with('(') || behind.starts_with(':'))
        }) {
            if first.is_none() && !is_process(inner.trim()) {
                first = Some(after);
            }
            groups.push(inner.trim());
            behind.strip_prefix(':').unwrap_or(behind)
        } else {
            break;
        };
    }
    let rest = rest.trim_start_matches(SEPARATORS);
    let (found, message) = target(rest, headed);
    if !found.is_empty() {
        parsed.target = Some(found.to_owned());
        return message;
    }
    if let Some(logger) = groups.iter().find(|group| is_logger(group)) {
        parsed.target = Some((*logger).to_owned());
        return message;
    }
    first.unwrap_or(message)
}

/// Returns whether brackets hold a module.
fn is_logger(text: &str) -> bool {
    is_path(text)
        && text.contains(['.', ':'])
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() < 100
}

/// Returns whether brackets hold a thread, a process, a client or the like.
fn is_process(text: &str) -> bool {
    let starts = [
        "pid ", "tid ", "client ", "remote ", "nio-", "http-", "main", "thread", "Thread", "pool-",
    ];
    is_number(text)
        || text.starts_with('#')
        || starts.iter().any(|start| text.starts_with(start))
        || text.starts_with(|c: char| c.is_ascii_digit())
        || text.contains(',') && !text.contains(' ')
}

/// Splits the target from the message in `tracing`'s format, `span{field=1}: target: message`, or
/// in its compact form, `span:span: target: message`. If the line has a level, it also accepts
/// `target - message` and `target : message`.
fn target(text: &str, headed: bool) -> (&str, &str) {
    let (first, rest) = split_prefix(text, headed);
    let (second, message) = split_prefix(rest, false);
    let span = first.contains('{');
    if is_path(second) && (span || second.contains("::") && !first.contains("::")) {
        (second, message)
    } else if span {
        ("", rest)
    } else if is_path(first) {
        (first, rest)
    } else {
        ("", text)
    }
}

/// Splits `target: ` or `span{field="a b"}: ` from the rest. A first word without a colon is part
/// of the message.
fn split_prefix(text: &str, headed: bool) -> (&str, &str) {
    // zap
    if let Some((first, rest)) = text
        .split_once('\t')
        .filter(|(first, _)| headed && is_path(first))
    {
        return (first, rest);
    }
    let first = fields::words(text).next().map_or("", |(_, word)| word);
    let rest = &text[first.len()..];
    let apart = [" - ", " -- ", ": ", "\t"];
    let apart = apart.iter().find_map(|apart| match *apart {
        ": " => rest.trim_start().strip_prefix(": "),
        apart => rest.strip_prefix(apart),
    });
    match first.strip_suffix(':') {
        Some(prefix) => (prefix, rest.trim_start_matches(' ')),
        None if headed && apart.is_some() && is_path(first) => {
            (first, apart.unwrap_or(rest).trim_start())
        }
        None => ("", text),
    }
}

/// Removes objects from the end: the fields of winston, monolog and zap. Returns whether there was
/// one.
fn trailing_objects<'l>(message: &'l str, parsed: &mut Parsed) -> (&'l str, bool) {
    let (mut rest, mut found) = (message.trim_end(), false);
    for _ in 0..MOST_WORDS {
        if let Some(shorter) = rest
            .strip_suffix(" []")
            .or_else(|| rest.strip_suffix(" {}"))
        {
            rest = shorter.trim_end();
            continue;
        }
        let object = |(at, _): (usize, &str)| Some((at, json::members(rest[at..].trim_start())?));
        let starts = rest.match_indices("{\"").take(MOST_WORDS);
        let mut starts = starts.filter(|&(at, _)| at == 0 || rest[..at].ends_with([' ', '\t']));
        let Some((at, members)) = rest
            .ends_with('}')
            .then(|| starts.find_map(object))
            .flatten()
        else {
            break;
        };
        for (key, value) in members {
            match key.as_str() {
                "message" | "msg" => parsed.field(&key, json::text(value)),
                key => parsed.set(key, json::text(value)),
            }
        }
        (rest, found) = (rest[..at].trim_end(), true);
    }
    parsed.settle();
    (rest, found)
}

/// Takes the logger from a line of structlog's console: `order paid                    
/// [shop.orders]`.
fn logger_in_brackets<'l>(message: &'l str, parsed: &mut Parsed) -> &'l str {
    let logger = message
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once("  ["));
    match logger.filter(|(_, logger)| is_path(logger)) {
        Some((message, logger)) => {
            parsed.target = Some(logger.to_owned());
            message.trim_end()
        }
        None => message,
    }
}

/// Returns whether the line is the first one of Rust's report of a panic, which has no level.
fn is_panic(message: &str) -> bool {
    let ends = ["' panicked at ", ") panicked at "];
    message.starts_with("thread '") && ends.iter().any(|end| message.contains(end))
}
