//! What the quickstart prints when two purchases are made at once.

#[test]
fn every_line_of_a_request_has_its_id() {
    correlation_testkit::service::quickstart(env!("CARGO_BIN_EXE_quickstart-axum"));
}
