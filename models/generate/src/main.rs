//! Writes `models/src/etcd/pb/` from `models/src/etcd/proto/`; with `--check` it only says whether what is
//! there is what it would write.
//!
//! The result is committed, so that a build needs none of this. After a change of a .proto file:
//!
//! ```sh
//! cargo run --manifest-path models/generate/Cargo.toml
//! ```

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use prost_build::Module;

const HEAD: &str = "\
//! Made by `models/generate` from `etcd/proto`.
//!
//! Long because it is all messages of a protocol, and nobody reads it: read the .proto files.

";

fn main() -> Result<(), Box<dyn Error>> {
    let etcd = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/etcd");
    let check = env::args().any(|argument| argument == "--check");
    let roots = ["v3lock.proto", "v3election.proto"];
    let files = protox::compile(roots, [etcd.join("proto")])?.file.into_iter();
    let files = files.map(|file| (Module::from_protobuf_package_name(file.package()), file));
    let made = prost_build::Config::new().bytes(["."]).generate(files.collect())?;
    for (module, text) in made {
        let file = etcd.join("pb").join(module.to_file_name_or("none"));
        let text = format!("{HEAD}{text}");
        if !check {
            fs::write(file, text)?;
        } else if fs::read_to_string(&file)? != text {
            return Err(format!("{} is not what its .proto file says", file.display()).into());
        }
    }
    Ok(())
}
