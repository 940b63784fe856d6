//! The name of a service, as the name of its log file tells it.

use std::path::Path;

/// `orders` for `orders.log`, `orders.log.2.gz`, `orders.2026-11-22.log`, `orders-20261122.json`.
pub(crate) fn of_file(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let mut rest = name.as_ref();
    while let Some(at) = rest.rfind(['.', '-', '_']).filter(|&at| at > 0) {
        let rotated = rest.char_indices().rev().find(|&(_, c)| !is_date(c));
        let dated = rotated.map_or(0, |(at, c)| at + c.len_utf8());
        let date = &rest[dated..];
        let digits = date.bytes().filter(u8::is_ascii_digit).count();
        let last = &rest[at + 1..];
        let extension = rest.as_bytes()[at] == b'.';
        rest = if extension
            && EXTENSIONS
                .iter()
                .any(|known| last.eq_ignore_ascii_case(known))
        {
            &rest[..at]
        } else if dated > 0 && digits >= 8 && date.starts_with(['.', '-', '_']) {
            &rest[..dated]
        } else if extension && !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
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

const EXTENSIONS: [&str; 9] = [
    "gz", "log", "txt", "json", "jsonl", "ndjson", "out", "err", "logfmt",
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
