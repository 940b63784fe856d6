#![doc = include_str!("../README.md")]

mod formatter;
mod logger;
mod situation;

pub use correlation_testkit::Capture;
pub use formatter::{ALL, Form, Formatter};
pub use logger::{Logger, printed};
pub use situation::{SITUATIONS, Situation};
