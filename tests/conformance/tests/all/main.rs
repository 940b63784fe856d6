//! The contract, run against each framework: in this process, and against its binary.
//! And the axum service behind the proxies of `examples/edge`, and how much it can be made to log.

mod actix;
mod axum;
mod custom;
mod edge;
mod flood;
mod records;
mod rocket;
mod warp;
