//! The forms in which a timeline is printed.

mod json;
mod text;

pub use json::Json;
pub use text::Text;
