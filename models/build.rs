//! Compiles the etcd messages, without `protoc` on the machine: `protox` reads them, `prost-build`
//! writes the Rust. They lie below `src` so that they count as sources of this build.

use std::error::Error;

const PROTOS: &str = "src/etcd/proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PROTOS}");
    let files = protox::compile(["rpc.proto"], [PROTOS])?;
    prost_build::Config::new().bytes(["."]).compile_fds(files)?;
    Ok(())
}
