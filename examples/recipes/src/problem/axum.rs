//! axum: `.layer(map_response(problem)).layer(CorrelationLayer::new())`, after the routes. It also
//! covers 404, 405 and the rejections of extractors.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use axum::response::Response;

/// Turns an error into a problem document. Other headers stay, such as `Allow`.
pub async fn problem(response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let title = status.canonical_reason().unwrap_or("Error");
    let mut response = response.map(|_| Body::from(super::document(status.as_u16(), title)));
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(super::MEDIA_TYPE));
    response
}
