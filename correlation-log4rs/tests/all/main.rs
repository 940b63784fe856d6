//! The encoder in configured loggers.

mod destructor;
mod file;
