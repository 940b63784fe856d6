//! How a timeline looks.

mod json;
mod paint;
mod text;

pub use json::Json;
pub use text::Text;
