//! The contract, run against each framework: in this process, and against its binary.
//! And the axum service behind the proxies of `examples/edge`.

mod actix;
mod axum;
mod custom;
mod edge;
mod rocket;
mod warp;
