//! The numbers of the page "At scale" are those of the program, and its bytes are those of the library.

use correlation_core::{CorrelationId, sync_scope, tag};
use correlation_testkit::Capture;
use guide::scale::{json_bytes, tables, text_bytes};
use tracing::subscriber::with_default;

#[test]
fn the_page_has_each_table_of_the_program() {
    let page = include_str!("../../src/at_scale.md");
    for table in tables() {
        assert!(
            page.contains(&table),
            "the page lacks or has another\n{table}"
        );
    }
}

/// The bytes of a line in a scope, less those of the same line outside.
fn added(json: bool) -> usize {
    let log = || tracing::info!("order placed");
    let written = |scope: Option<CorrelationId>| {
        let kept = Capture::default();
        let builder = tracing_subscriber::fmt()
            .without_time()
            .with_writer(tag(kept.clone()));
        let run = || match scope {
            Some(id) => sync_scope(id, log),
            None => log(),
        };
        if json {
            with_default(builder.json().finish(), run);
        } else {
            with_default(builder.with_ansi(false).finish(), run);
        }
        kept.bytes().len()
    };
    written(Some(CorrelationId::new())) - written(None)
}

#[test]
fn a_line_grows_by_what_the_page_says() {
    assert_eq!(added(false), text_bytes(36));
    assert_eq!(added(true), json_bytes(36));
}
