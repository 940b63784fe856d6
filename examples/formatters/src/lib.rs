#![doc = include_str!("../README.md")]

mod formatter;
mod logger;
mod situation;

pub use formatter::{ALL, Form, Formatter};
pub use logger::{Logger, Sink, printed};
pub use situation::{SITUATIONS, Situation};
