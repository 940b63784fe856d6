//! What only Rocket has. The contract of every adapter runs in `tests/conformance`.

mod bodies;
mod fairings;
mod local;
mod logs;
mod reject;
mod server;
