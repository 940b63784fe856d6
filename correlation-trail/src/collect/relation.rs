//! What a line without a time says about where it belongs.

/// Whether it is the inside of something: a frame of a backtrace, the `at` of a pretty record.
pub(super) fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// What Rust prints above the frames of a backtrace.
pub(super) fn is_heading(line: &str) -> bool {
    line.starts_with("stack backtrace:") || line.starts_with("note: ")
}

/// Whether a line without the ID has another: in text every line of a record has its ID.
pub(super) fn is_of_other(line: &str) -> bool {
    line.contains("correlation_id")
}
