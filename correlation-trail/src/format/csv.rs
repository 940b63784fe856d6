//! PostgreSQL's `csvlog`.

use super::Parsed;
use crate::record::Level;
use crate::time::Time;

/// Reads a line with the columns of
/// <https://www.postgresql.org/docs/current/runtime-config-logging.html>, or only their beginning,
/// because a query may have several lines.
pub(super) fn postgres(line: &str) -> Option<Parsed> {
    let (time, rest) = Time::leading(line)?;
    let (columns, is_open) = columns(rest.strip_prefix(',')?);
    let column = |number: usize| columns.get(number - 1).filter(|text| !text.is_empty());
    let mut parsed = Parsed {
        time: Some(time),
        level: Some(Level::parse(column(SEVERITY)?)?),
        message: column(MESSAGE)?.clone(),
        whole: !is_open,
        is_open,
        ..Parsed::default()
    };
    for (number, name) in [
        (2, "db"),
        (14, "detail"),
        (15, "hint"),
        (19, "query"),
        (22, "app"),
    ] {
        if let Some(value) = column(number) {
            parsed.field(name, value.clone());
        }
    }
    Some(parsed)
}

/// Returns the columns after the first, and whether the last one has no end. A quote within quotes
/// is doubled.
fn columns(text: &str) -> (Vec<String>, bool) {
    let (mut columns, mut quoted) = (vec![String::new()], false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(column) = columns.last_mut() else {
            break;
        };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                column.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => columns.push(String::new()),
            _ => column.push(c),
        }
    }
    (columns, quoted)
}

const SEVERITY: usize = 11;
const MESSAGE: usize = 13;
