//! Access log lines: a request in quotes, and its status.

use crate::record::Level;

/// Returns the level of an access log line. The inner value is `None` if its status is not an
/// error.
///
/// The status comes right after the request (nginx, Apache, Envoy, uvicorn, Django, morgan). Or it
/// is the first number of three digits before the request (HAProxy, the load balancers of Amazon).
/// In the logs of IIS, which have no quotes, two more numbers follow it.
pub(super) fn level(line: &str) -> Option<Option<Level>> {
    let status = quoted(line).or_else(|| bare(line))?;
    Some((status >= 500).then_some(Level::Error))
}

fn quoted(line: &str) -> Option<u16> {
    let (before, request) = METHODS.iter().find_map(|method| {
        let at = line.find(&format!("\"{method} "))?;
        Some((&line[..at], &line[at + 1..]))
    })?;
    let (request, after) = request.split_once('"')?;
    let after = after.trim_start();
    let next = after.split(' ').next().unwrap_or_default();
    let next = status(next.trim_end_matches(','));
    // `request: "GET / HTTP/1.1"` is a detail of an error.
    let first = || {
        before
            .split(' ')
            .find_map(status)
            .filter(|_| request.contains("HTTP/"))
    };
    next.or_else(|| first().filter(|_| !before.ends_with(": ")))
}

fn bare(line: &str) -> Option<u16> {
    let words: Vec<_> = line.split([' ', '\t']).take(64).collect();
    let method = words.iter().position(|word| METHODS.contains(word))?;
    // CloudFront writes the host between the two.
    let path = words.iter().skip(method + 1).take(2);
    let path = path
        .map(|word| word.starts_with('/'))
        .position(|is_path| is_path)?;
    let words = words.get(method + path + 2..)?;
    // morgan's `dev`: `GET /x 200 5.123 ms - 22`
    let next = words.iter().find(|word| !word.starts_with("HTTP/"));
    let next = next.copied().and_then(status);
    let number = |word: &&str| crate::time::is_number(word);
    let iis = words
        .windows(3)
        .find(|three| three.iter().all(number) && status(three[0]).is_some());
    next.or_else(|| status(iis?.first()?))
}

fn status(word: &str) -> Option<u16> {
    let number = word.parse().ok().filter(|_| word.len() == 3)?;
    (100..600).contains(&number).then_some(number)
}

const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT",
];
