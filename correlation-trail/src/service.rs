//! Finds the name of a service in the name of its log file.

use std::path::Path;

use crate::time::is_number;

/// Returns `orders` for `orders.log`, `orders.log.2.gz`, `orders.2026-11-22.log`,
/// `orders-20261122.json`.
pub(crate) fn of_file(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let mut rest = name.as_ref();
    while let Some(at) = rest.rfind(['.', '-', '_']).filter(|&at| at > 0) {
        let undated = rest.trim_end_matches(is_date);
        let date = &rest[undated.len()..];
        let digits = date.bytes().filter(u8::is_ascii_digit).count();
        let is_dated = !undated.is_empty() && digits >= 8 && date.starts_with(['.', '-', '_']);
        let last = rest[at..].strip_prefix('.').unwrap_or_default();
        let known = EXTENSIONS
            .iter()
            .any(|known| last.eq_ignore_ascii_case(known));
        rest = if !known && is_dated {
            undated
        } else if known || is_number(last) {
            &rest[..at]
        } else {
            break;
        };
    }
    rest.to_owned()
}

fn is_date(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | ':' | 'T' | 'Z' | '+')
}

const EXTENSIONS: [&str; 13] = [
    "gz", "zst", "xz", "bz2", "csv", "log", "txt", "json", "jsonl", "ndjson", "out", "err",
    "logfmt",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_and_extensions_are_no_part_of_the_name() {
        for (file, service) in [
            ("orders.log", "orders"),
            ("/var/log/shop/orders.log.2.gz", "orders"),
            ("orders.2026-11-22.log", "orders"),
            ("orders.log.2026-11-22-14", "orders"),
            ("orders-20261122.json", "orders"),
            ("orders_2026-11-22T14:15:49Z.jsonl.gz", "orders"),
            ("orders.LOG", "orders"),
            ("order-service", "order-service"),
            ("orders-2.log", "orders-2"),
            ("orders.v2.log", "orders.v2"),
            ("stdout", "stdout"),
            (".log", ".log"),
            ("20261122.log", "20261122"),
            ("log", "log"),
            ("..", ".."),
            ("\u{e4}rzte.log", "\u{e4}rzte"),
        ] {
            assert_eq!(of_file(Path::new(file)), service, "{file}");
        }
    }
}
