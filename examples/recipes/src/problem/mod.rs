//! Error answers that name the ID, so that a user can quote it to support:
//! `application/problem+json` (RFC 9457), with the ID as an extension member (section 3.2).

pub mod actix;
pub mod axum;
pub mod rocket;

/// Returns the document for this status. `about:blank` means that the status says everything
/// (section 4.2.1).
fn document(status: u16, title: &str) -> String {
    let id = correlation_core::current().map(String::from);
    serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status,
        "correlation_id": id,
    })
    .to_string()
}

const MEDIA_TYPE: &str = "application/problem+json";
