//! What only warp has. The contract of every adapter runs in `tests/conformance`.

mod filters;
mod nested;
mod server;
