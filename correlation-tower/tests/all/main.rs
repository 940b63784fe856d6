//! What is tower's own, beside the contracts of servers and clients.

mod allocations;
mod client;
mod layers;
mod server;
