//! What only actix-web has. The contract of every adapter runs in `tests/conformance`.

#[cfg(feature = "awc")]
mod awc;
mod bodies;
mod errors;
mod misuse;
mod panics;
mod peers;
mod server;
