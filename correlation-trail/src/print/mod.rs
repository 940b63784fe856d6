//! How a timeline looks.

mod json;
mod text;

pub use json::Json;
pub use text::Text;
