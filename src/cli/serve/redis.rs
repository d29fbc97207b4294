//! What `picklock serve redis` is set up with.

use clap::ValueEnum;
use picklock_models::redis::{Config, Persistence, Redis, VERSION};
use picklock_sim::host::HostName;
use picklock_sim::serve::Server;

use super::Listen;
use crate::cli::CliResult;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    listen: Listen<6379>,
    /// What CONFIG GET says of the append-only file. Nothing reaches a disk in any case.
    #[arg(long, value_enum, default_value_t = Aof::None)]
    persistence: Aof,
    /// Ask clients for a password (AUTH, or HELLO with AUTH). Other users of this machine may see it
    /// in the list of processes.
    #[arg(long, value_name = "PASSWORD")]
    requirepass: Option<String>,
}

/// [`Persistence`] as an argument: the models know no command line.
#[derive(Clone, Copy, ValueEnum)]
enum Aof {
    None,
    #[value(name = "aof-everysec")]
    Everysec,
    #[value(name = "aof-always")]
    Always,
}

pub(super) fn run(args: &Args) -> CliResult {
    let persistence = match args.persistence {
        Aof::None => Persistence::None,
        Aof::Everysec => Persistence::AofEverysec,
        Aof::Always => Persistence::AofAlways,
    };
    let password = args.requirepass.clone().map(|password| ("requirepass".to_owned(), password));
    let settings = password.into_iter().collect();
    let config = Config { persistence, settings, ..Config::default() };
    let server = Server::<Redis>::new(HostName::REDIS, config, Vec::new());
    super::serve(&args.listen, &format!("Redis {VERSION} (model)"), server)
}
