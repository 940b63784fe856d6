#![doc = include_str!("../README.md")]

pub mod policies;
pub mod service;
pub mod spans;
pub mod telemetry;
pub mod trace_line;
