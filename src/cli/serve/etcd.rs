//! What `picklock serve etcd` is set up with.

use picklock_models::etcd::{Config, Etcd, VERSION};
use picklock_sim::host::HostName;
use picklock_sim::serve::Server;

use super::Listen;
use crate::cli::CliResult;

/// Where etcd listens for clients unless told otherwise.
const PORT: u16 = 2379;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    listen: Listen,
}

pub(super) fn run(args: &Args) -> CliResult {
    let address = args.listen.address(PORT)?;
    // With port 0 nobody knows yet; then MemberList says what a real server does by default.
    let client_url = if address.port() == 0 { String::new() } else { format!("http://{address}") };
    let config = Config { client_url, ..Config::default() };
    let server = Server::<Etcd>::new(HostName::ETCD, config, Vec::new());
    super::serve(&args.listen, PORT, &format!("etcd {VERSION} (model)"), server)
}
