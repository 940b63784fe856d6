//! What `cargo test` cannot see in the code blocks: links, the table of contents, numbers.

mod links;
mod numbers;
