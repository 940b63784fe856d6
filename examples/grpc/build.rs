//! Compiles the `.proto` file in Rust alone: no `protoc` has to be installed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["proto/shop.proto"], ["proto"])?;
    // Channels are made in `client.rs`, with the layer around them.
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
