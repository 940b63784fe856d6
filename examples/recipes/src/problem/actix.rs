//! actix-web: `.wrap(ErrorHandlers::new().default_handler(problem)).wrap(Correlation::new())`. It also
//! covers 404, 405 and the errors of extractors.

use actix_web::Result;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::middleware::ErrorHandlerResponse;

/// Turns an error into a problem document. Other headers stay, such as `Allow`.
///
/// # Errors
///
/// None.
pub fn problem<B>(response: ServiceResponse<B>) -> Result<ErrorHandlerResponse<B>> {
    let status = response.status();
    let title = status.canonical_reason().unwrap_or("Error");
    let body = super::document(status.as_u16(), title);
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    let media_type = HeaderValue::from_static(super::MEDIA_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(ErrorHandlerResponse::Response(
        response.map_into_right_body(),
    ))
}
