//! Stack traces.

use crate::id::is_word;

/// Returns whether the line is part of a stack trace, or of the text around one.
pub(crate) fn is_trace(line: &str) -> bool {
    const STARTS: [&str; 23] = [
        "thread '",
        "\tat ",
        "    at ",
        "   at ",
        "  at ",
        "  File \"",
        "\t... ",
        "Caused by: ",
        "\tSuppressed: ",
        "Traceback (most recent call last):",
        "During handling of the above exception",
        "The above exception was the direct cause",
        "goroutine ",
        "stack backtrace:",
        "note: ",
        "panic: ",
        "[signal ",
        "exit status ",
        "[stacktrace]",
        "[previous exception]",
        "created by ",
        " ---> ",
        "   --- End of",
    ];
    let indented = line.starts_with("   ") || line.starts_with('\t');
    STARTS.iter().any(|start| line.starts_with(start))
        || indented
        || line.starts_with('#') && line[1..].starts_with(is_digit)
        || is_exception(line)
}

/// Returns whether the line names an exception: `shop.Declined: no funds`, `ValueError: ..`,
/// `java.io.IOException`.
fn is_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let last = name.rsplit('.').next().unwrap_or_default();
    let named = ["Error", "Exception", "Warning", "Exit", "Interrupt"];
    let is_path = name.bytes().all(|byte| is_word(byte) || byte == b'$');
    let ends = line[name.len()..].starts_with(": ") || line.len() == name.len();
    is_path
        && ends
        && last.starts_with(|c: char| c.is_ascii_uppercase())
        && (named.iter().any(|name| last.ends_with(name)) || name.contains('.'))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}
