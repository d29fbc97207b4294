//! `picklock new NAME`: a crate with a lock and the tests of its promises, ready to run.
//!
//! What is written is one of the examples with another name, so it is a crate that CI builds and runs.

use std::path::{Path, PathBuf};

use super::output;
use super::{CliError, CliResult};
use crate::exit_code::Exit;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the crate, and of the folder that is made for it here.
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder of the picklock checkout that the crate depends on (default: where this binary
    /// was built).
    #[arg(long, value_name = "FOLDER", default_value = env!("CARGO_MANIFEST_DIR"))]
    picklock: PathBuf,
    /// What the lock talks with: a trait of its own, or a client crate.
    #[arg(long, value_enum, default_value_t, value_name = "CLIENT")]
    client: Client,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Client {
    /// A trait that says what the lock needs, so that it has any client; runs on the event engine.
    #[default]
    Own,
    /// The crate `redis`, unmodified; runs on the turmoil engine.
    RedisRs,
}

/// An example: its files with their texts, and how it calls itself: as a crate, as a lock, as a type.
struct Example {
    files: &'static [(&'static str, &'static str)],
    crate_name: &'static str,
    lock: &'static str,
    type_name: &'static str,
}

/// The files of the example in this folder.
macro_rules! files {
    ($folder:literal: $($file:literal,)*) => {
        &[$(($file, include_str!(concat!("../../examples/", $folder, "/", $file))),)*]
    };
}

const MY_LOCK: Example = Example {
    files: files! { "my_lock":
        "Cargo.toml", ".gitignore", "src/lib.rs", "tests/promises.rs", "tests/adapter/mod.rs",
    },
    crate_name: "my_lock",
    lock: "my-lock",
    type_name: "MyLock",
};

const REDIS_RS_LOCK: Example = Example {
    files: files! { "redis_rs_lock":
        "Cargo.toml", ".cargo/config.toml", ".gitignore", "src/lib.rs", "tests/promises.rs",
        "tests/adapter/mod.rs",
    },
    crate_name: "redis_rs_lock",
    lock: "redis-rs-lock",
    type_name: "RedisLock",
};

/// Where the examples find picklock.
const DEPENDENCY: &str = "picklock = { path = \"../..\"";

pub(super) fn run(args: &Args) -> CliResult {
    check(args)?;
    let folder = Path::new(&args.name);
    let crate_name = args.name.replace('-', "_");
    let picklock = args.picklock.canonicalize().unwrap_or_else(|_| args.picklock.clone());
    let dependency =
        format!("picklock = {{ path = {}", toml::Value::from(picklock.display().to_string()));
    let example = match args.client {
        Client::Own => MY_LOCK,
        Client::RedisRs => REDIS_RS_LOCK,
    };
    for (file, text) in example.files {
        let text = text
            .replace(DEPENDENCY, &dependency)
            .replace(example.crate_name, &crate_name)
            .replace(example.lock, &args.name.replace('_', "-"))
            .replace(example.type_name, &type_name(&args.name));
        output::write_file(&folder.join(file), |out| out.write_all(text.as_bytes()))?;
    }
    output::result(&format!(
        "wrote {name}: a lock in src/lib.rs, its promises in tests/promises.rs\n\
         try it: cd {name} && cargo test\n",
        name = args.name
    ))?;
    Ok(Exit::AsExpected)
}

fn check(args: &Args) -> Result<(), CliError> {
    let input = |help: &str, text: String| CliError::Input(miette::miette!(help = help, "{text}"));
    let name = &args.name;
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(letters) {
        let help = "take letters, digits, `-` and `_`, a letter first";
        return Err(input(help, format!("`{name}` is no name for a crate")));
    }
    if name.replace('-', "_") == "picklock" {
        return Err(input("take another name", "the crate cannot depend on itself".to_owned()));
    }
    if Path::new(name).exists() {
        return Err(input(
            "take another name, or move it away",
            format!("`{name}` is there already"),
        ));
    }
    if !args.picklock.join("Cargo.toml").is_file() {
        let help = "name the folder of a picklock checkout with --picklock";
        return Err(input(help, format!("{}: holds no Cargo.toml", args.picklock.display())));
    }
    Ok(())
}

/// `stock_lock` becomes `StockLock`.
fn type_name(name: &str) -> String {
    let words = name.split(['-', '_']).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}
