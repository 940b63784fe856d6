#![doc = include_str!("../README.md")]

mod client;
mod orders;
mod server;
mod stock;

pub use client::{orders_client, stock_client};
pub use orders::Shop;
pub use server::serve;
pub use stock::Shelves;

/// The code that `build.rs` generates from `proto/shop.proto`.
#[expect(
    clippy::allow_attributes,
    clippy::doc_markdown,
    unused_qualifications,
    reason = "generated"
)]
pub mod pb {
    tonic::include_proto!("shop");
}

/// Returns the ambient ID as text for a message. It is empty if there is no ID.
fn id() -> String {
    correlation_core::current().map_or_else(String::new, String::from)
}
