//! The text that containers, collectors and stores write around a line.

use std::borrow::Cow;

use super::objects::objects;
use super::trace::is_trace;
use super::{Parsed, fields};
use crate::id::is_word;
use crate::record::Level;
use crate::time::{Time, is_number};

/// The line as the service wrote it, and the values from the wrappers around it.
#[derive(Debug)]
pub(crate) struct Body<'l> {
    pub(crate) text: Cow<'l, str>,
    pub(crate) known: Parsed,
    /// The line continues in the next one of the same source.
    pub(crate) is_piece: bool,
    /// The source of the line, because lines of several containers may be mixed.
    pub(crate) source: String,
    /// A time is in front of it, as in front of each line of the file.
    pub(crate) is_timed: bool,
    pub(crate) depth: usize,
}

impl<'l> Body<'l> {
    /// Removes all wrappers of a line.
    pub(crate) fn of(line: &'l str) -> Self {
        let mut body = Self::new(line);
        body.peel();
        body
    }

    /// Removes the wrappers up to the one that may have cut the line.
    pub(crate) fn outer(line: &'l str) -> Self {
        let mut body = Self::new(line);
        while body.peel_one() == Some(false) {}
        body
    }

    fn new(line: &'l str) -> Self {
        Self {
            text: Cow::Borrowed(line),
            known: Parsed::default(),
            is_piece: false,
            source: String::new(),
            is_timed: false,
            depth: 0,
        }
    }

    pub(crate) fn peel(&mut self) {
        while self.peel_one().is_some() {}
    }

    /// Removes one wrapper. Returns whether the wrapper names the stream.
    fn peel_one(&mut self) -> Option<bool> {
        if self.depth == DEEPEST {
            return None;
        }
        self.depth += 1;
        fn peel(text: &str) -> Option<Peeled<'_>> {
            WRAPPERS.iter().find_map(|wrapper| wrapper(text))
        }
        let peeled = match &self.text {
            Cow::Borrowed(text) => peel(text)?,
            Cow::Owned(text) => peel(text)?.into_owned(),
        };
        self.text = peeled.rest;
        self.is_piece |= peeled.is_piece;
        self.source.push_str(&peeled.origin);
        self.source.push_str(peeled.stream.unwrap_or_default());
        self.is_timed |= peeled.is_timed;
        self.known = peeled.known.within(std::mem::take(&mut self.known));
        if let Some(time) = self.known.time.take() {
            self.known.outer_times.insert(0, time);
        }
        Some(peeled.stream.is_some())
    }

    /// Removes the time that is in front of each line of the file.
    pub(crate) fn peel_time(&mut self) {
        if let Some((time, rest)) = Time::leading(&self.text) {
            let rest = rest.strip_prefix(' ').unwrap_or(rest).to_owned();
            self.known.outer_times.insert(0, time);
            self.text = Cow::Owned(rest);
            self.is_timed = true;
        }
    }

    /// Adds the values of the wrappers where the line itself has none.
    pub(crate) fn complete(&self, parsed: Parsed) -> Parsed {
        parsed.within(self.known.clone())
    }
}

/// The values of one wrapper, and the rest of the line.
pub(super) struct Peeled<'l> {
    pub(super) known: Parsed,
    pub(super) rest: Cow<'l, str>,
    /// The source of the line, because lines of several sources may be mixed.
    pub(super) origin: String,
    pub(super) stream: Option<&'static str>,
    pub(super) is_piece: bool,
    pub(super) is_timed: bool,
}

impl<'l> Peeled<'l> {
    pub(super) fn new(known: Parsed, rest: &'l str) -> Self {
        Self {
            known,
            rest: Cow::Borrowed(rest),
            origin: String::new(),
            stream: None,
            is_piece: false,
            is_timed: false,
        }
    }

    fn from(self, origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            ..self
        }
    }

    fn into_owned(self) -> Peeled<'static> {
        Peeled {
            rest: Cow::Owned(self.rest.into_owned()),
            ..self
        }
    }
}

/// The wrappers. The first one that knows a line removes its own text.
const WRAPPERS: [fn(&str) -> Option<Peeled<'_>>; 11] = [
    objects,
    containerd,
    compose,
    kubectl_prefix,
    syslog_5424,
    syslog,
    heroku,
    stern,
    aws_tail,
    time_in_front,
    priority,
];

/// Reads the files of Kubernetes, in the format of the container runtime interface: `TIME stdout F
/// line`.
fn containerd(line: &str) -> Option<Peeled<'_>> {
    let (time, rest) = Time::leading(line)?;
    let (stream, rest) = match rest.split_at_checked(" stdout ".len())? {
        (" stdout ", rest) => ("out", rest),
        (" stderr ", rest) => ("err", rest),
        _ => return None,
    };
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let partial = tags.split(':').next()?;
    let known = Parsed {
        time: Some(time),
        ..Parsed::default()
    };
    matches!(partial, "P" | "F").then(|| Peeled {
        stream: Some(stream),
        is_piece: partial == "P",
        ..Peeled::new(known, text)
    })
}

/// Reads `docker compose logs`, with a number or a chosen name (`gateway  | line`), and `docker
/// service logs` (`shop_web.1.x8k@node    | line`), each also with `-t`.
fn compose(line: &str) -> Option<Peeled<'_>> {
    let timed = Time::leading(line).filter(|(_, rest)| rest.starts_with(' '));
    let (time, line) = timed.map_or((None, line), |(time, rest)| (Some(time), rest.trim_start()));
    let (name, rest) = line.split_once('|').filter(|(name, _)| name.len() < 128)?;
    let text = rest
        .strip_prefix(' ')
        .or_else(|| rest.is_empty().then_some(""))?;
    let plain = name.trim_end();
    let (task, node) = plain.split_once('@').unwrap_or((plain, ""));
    let is_name = !task.is_empty() && task.bytes().chain(node.bytes()).all(is_word);
    let service = if node.is_empty() {
        let numbered = task
            .rsplit_once(['-', '_'])
            .filter(|(_, number)| is_number(number));
        let chosen = name.ends_with("  ") && Level::parse(task).is_none() && time.is_none();
        numbered.map(|(name, _)| name).or(chosen.then_some(task))?
    } else {
        task.split('.').next()?
    };
    let known = Parsed {
        time,
        service: Some(service.to_owned()),
        ..Parsed::default()
    };
    (is_name && !service.is_empty() && name.ends_with(' '))
        .then(|| Peeled::new(known, text).from(plain))
}

/// `kubectl logs --prefix`: `[pod/shop-7d4b9c6f5-x2x4z/shop] line`.
fn kubectl_prefix(line: &str) -> Option<Peeled<'_>> {
    let (prefix, rest) = line.strip_prefix("[pod/")?.split_once(']')?;
    let (_, container) = prefix.split_once('/')?;
    let known = Parsed {
        service: Some(container.to_owned()),
        ..Parsed::default()
    };
    Some(Peeled::new(known, rest.strip_prefix(' ').unwrap_or(rest)).from(prefix))
}

/// Reads stern: `shop-7d4b9c6f5-x2x4z shop line`. With several namespaces, the namespace is in
/// front.
fn stern(line: &str) -> Option<Peeled<'_>> {
    let mut words = line.splitn(4, ' ');
    let [first, second, third] = [words.next()?, words.next()?, words.next()?];
    let is_label = |word: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        word.bytes().all(plain) && word.starts_with(|c: char| c.is_ascii_lowercase())
    };
    // What Kubernetes makes up for a name has no vowels, so that it is no word.
    let made = |part: &str, least| {
        let safe = |c: char| "bcdfghjklmnpqrstvwxz2456789".contains(c);
        part.len() >= least && part.chars().all(safe) && !is_number(part)
    };
    // `worker-1 started` is a sentence, so the pod has to have the name of its container, or two
    // such parts.
    let is_pod = |pod: &str, container: &str| {
        let mut parts = pod.rsplit('-');
        let [last, before] = [parts.next(), parts.next()].map(Option::unwrap_or_default);
        let own = pod
            .strip_prefix(container)
            .is_some_and(|rest| rest.starts_with('-'));
        let deployed = made(last, 5) && made(before, 6) && parts.next().is_some();
        is_label(pod)
            && is_label(container)
            && (deployed || own && (is_number(last) || made(last, 5)))
    };
    let (container, rest) = if is_pod(first, second) {
        (second, &line[first.len() + second.len() + 2..])
    } else if is_label(first) && is_pod(second, third) {
        (third, words.next().unwrap_or_default())
    } else {
        return None;
    };
    let known = Parsed {
        service: Some(container.to_owned()),
        ..Parsed::default()
    };
    Some(Peeled::new(known, rest).from(&line[..line.len() - rest.len()]))
}

/// Reads RFC 5424: `<165>1 TIME HOST APP PROCID MSGID [SD] MSG`.
fn syslog_5424(line: &str) -> Option<Peeled<'_>> {
    // In a stream, the number of bytes comes first (RFC 6587, section 3.4.1).
    let counted = line.split_once(' ').filter(|(count, _)| is_number(count));
    let (level, rest) = severity(counted.map_or(line, |(_, rest)| rest))?;
    let mut words = rest.strip_prefix("1 ")?.splitn(6, ' ');
    let time = words.next()?;
    let [_, app, _, _] = [words.next()?, words.next()?, words.next()?, words.next()?];
    let mut rest = words.next().unwrap_or_default();
    let mut known = Parsed {
        time: Some(Time::parse(time).filter(|_| time != "-")?),
        level: Some(level),
        service: (app != "-").then(|| app.to_owned()),
        ..Parsed::default()
    };
    if let Some(text) = rest.strip_prefix('-') {
        rest = text;
    }
    while let Some(element) = rest.strip_prefix('[') {
        let (mut quoted, mut escaped) = (false, false);
        let end = element.find(|c| {
            let ends = c == ']' && !quoted;
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let pairs = fields::words(&element[..end]).filter_map(|(_, word)| fields::pair(word));
        known
            .fields
            .extend(pairs.map(|(key, value)| (key.to_owned(), value)));
        rest = &element[end + 1..];
    }
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    Some(Peeled::new(known, rest.trim_start_matches('\u{feff}')))
}

/// Reads RFC 3164, the files of rsyslog, and `journalctl`: `<34>Nov 22 14:15:50 host shop[12]:
/// line`.
fn syslog(line: &str) -> Option<Peeled<'_>> {
    let (level, rest) = severity(line).map_or((None, line), |(level, rest)| (Some(level), rest));
    let (time, rest) = Time::leading(rest).filter(|(time, _)| time.has_date())?;
    let mut words = rest.strip_prefix(' ')?.splitn(3, ' ');
    let (host, tag) = (words.next()?, words.next()?);
    let name = tag.strip_suffix(':')?;
    let (name, pid) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((name, pid)) => (name, pid),
        None => (name, ""),
    };
    let is_name = |name: &str| {
        let plain = |byte| is_word(byte) || byte == b'/' || byte == b'@' || byte == b':';
        !name.is_empty() && name.bytes().all(plain)
    };
    // `TIME INFO shop: ..` and `TIME sending order[7]: ..` look the same.
    let sure = level.is_some() || is_number(pid) && time.has_zone() || rest_is_bsd(line);
    let host = is_name(host) && Level::parse(host).is_none() && !host.ends_with(':');
    let named = is_name(name) && !name.contains("::") && (pid.is_empty() || is_number(pid));
    let service = name.strip_suffix(".service").unwrap_or(name);
    let known = Parsed {
        time: Some(time),
        level,
        service: Some(service.to_owned()),
        ..Parsed::default()
    };
    let rest = words.next().unwrap_or_default();
    let rest = rest.strip_prefix("@cee: ").unwrap_or(rest);
    (sure && host && named).then(|| Peeled::new(known, rest).from(tag))
}

/// Returns whether a line begins with a month, as only syslog lines do.
fn rest_is_bsd(line: &str) -> bool {
    let text = line.split_once('>').filter(|_| line.starts_with('<'));
    let text = text.map_or(line, |(_, rest)| rest).as_bytes();
    text.len() > 3 && text[..3].iter().all(u8::is_ascii_alphabetic) && text[3] == b' '
}

/// Reads Heroku's `logs`: `TIME app[web.1]: line`, `TIME heroku[router]: line`.
fn heroku(line: &str) -> Option<Peeled<'_>> {
    let (time, rest) = Time::leading(line)?;
    let (tag, rest) = rest.strip_prefix(' ')?.split_once("]: ")?;
    let (source, dyno) = tag.split_once('[')?;
    let service = dyno.split('.').next()?;
    let known = Parsed {
        time: Some(time),
        service: Some(service.to_owned()),
        ..Parsed::default()
    };
    let plain = dyno.bytes().all(is_word) && ["app", "heroku"].contains(&source);
    plain.then(|| Peeled::new(known, rest).from(tag))
}

/// Reads `aws logs tail`: `TIME STREAM line`. The stream is `prefix/container/task` with a long number
/// in hexadecimal, or `2026/11/22/[$LATEST]..` of a function.
fn aws_tail(line: &str) -> Option<Peeled<'_>> {
    let (time, rest) = Time::leading(line)?;
    let (stream, text) = rest.strip_prefix(' ')?.split_once(' ')?;
    let (prefix, task) = stream.rsplit_once('/')?;
    let task = task.rsplit_once(']').map_or(task, |(_, instance)| instance);
    let plain = prefix.bytes().all(|byte| is_word(byte) || byte == b'/') && prefix.contains('/');
    let made = task.len() >= 16 && task.bytes().all(|byte| byte.is_ascii_hexdigit());
    let service = service_of(stream);
    let known = Parsed {
        time: Some(time),
        service: (!service.is_empty()).then(|| service.to_owned()),
        ..Parsed::default()
    };
    (plain && made).then(|| Peeled::new(known, text).from(stream))
}

/// Returns the container from the stream of an ECS task, and nothing from the stream of a function.
pub(super) fn service_of(stream: &str) -> &str {
    let mut parts = stream.split('/');
    match [parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(year), ..] if is_number(year) => "",
        [Some(_), Some(container), Some(_), None] => container,
        _ => stream.strip_suffix(".service").unwrap_or(stream),
    }
}

/// Reads `kubectl logs --timestamps`, `docker logs -t` and `docker compose logs -t`. The time is in
/// front of a line that has a time itself, of an object, or of a line of a stack trace.
fn time_in_front(line: &str) -> Option<Peeled<'_>> {
    let (time, rest) = Time::leading(line)?;
    let rest = rest.strip_prefix(' ').filter(|_| line.contains('T'))?;
    let inner = rest.trim_start_matches(['[', '(']);
    let timed = Time::leading(inner).is_some() || super::lines::klog(rest).is_some();
    let known = Parsed {
        time: Some(time),
        ..Parsed::default()
    };
    let wrapped = timed || rest.starts_with("{\"") || is_trace(rest);
    wrapped.then(|| Peeled {
        is_timed: true,
        ..Peeled::new(known, rest)
    })
}

/// Reads the level of systemd (sd-daemon(3)), as .NET's console writes it: `<4>line`.
fn priority(line: &str) -> Option<Peeled<'_>> {
    let (level, rest) = severity(line)?;
    let known = Parsed {
        level: Some(level),
        ..Parsed::default()
    };
    Some(Peeled::new(known, rest))
}

/// Reads `<165>`: facility and severity (RFC 5424, section 6.2.1).
fn severity(line: &str) -> Option<(Level, &str)> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    let number: u8 = number.parse().ok().filter(|_| is_number(number))?;
    let level = Level::parse(&(number % 8).to_string())?;
    (number < 192).then_some((level, rest))
}

/// The maximum number of wrappers around a line.
const DEEPEST: usize = 8;
