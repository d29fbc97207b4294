//! What `picklock serve zookeeper` is set up with.

use picklock_models::zookeeper::{Config, VERSION, ZooKeeper};
use picklock_sim::host::HostName;
use picklock_sim::serve::Server;

use super::Listen;
use crate::cli::CliResult;

/// `clientPort` of ZooKeeper's own example configuration.
const PORT: u16 = 2181;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    listen: Listen,
    /// `tickTime`, in milliseconds: sessions last 2 to 20 ticks and end at a tick.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tick_ms: u32,
    /// Let nodes have a time to live (`extendedTypesEnabled`).
    #[arg(long)]
    extended_types: bool,
}

pub(super) fn run(args: &Args) -> CliResult {
    let Args { listen, tick_ms, extended_types } = args;
    let config = Config { tick_ms: *tick_ms, extended_types: *extended_types, ..Config::default() };
    // Nothing is recorded here, so the name of its host does not matter.
    let server = Server::<ZooKeeper>::new(HostName::ZOOKEEPER, config, Vec::new());
    super::serve(listen, PORT, &format!("ZooKeeper {VERSION} (model)"), server)
}
