//! The demo as a user runs it: the real program, its five processes and their log files.

#![cfg(unix)]

mod browser;
mod end;
mod mistakes;
mod page;
#[cfg(feature = "servers")]
mod queue;
mod shop;
mod story;
