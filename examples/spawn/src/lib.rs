//! Places where the ID gets lost: `cargo clippy` finds them with the `clippy.toml` of this crate.

pub mod lost;
