//! `picklock serve STORE`: a model on a real port, in real time, for whatever speaks its protocol.
//!
//! One file for each store says what the store is set up with; where it listens and how it stops is
//! the same for all.

mod etcd;
mod redis;
mod zookeeper;

use std::net::{Ipv4Addr, SocketAddr};

use clap::Subcommand;
use miette::miette;
use picklock_sim::serve::{Server, Store};

use super::{CliError, CliResult};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    store: StoreArgs,
}

#[derive(Subcommand)]
enum StoreArgs {
    /// Redis 7.0.15, as far as docs/MODELS.md says.
    ///
    /// All data is in memory and gone when it stops. Ctrl-C and SIGTERM stop it, with exit code 0.
    Redis(redis::Args),
    /// ZooKeeper 3.8, as far as docs/MODELS.md says.
    ///
    /// All data is in memory and gone when it stops. Ctrl-C and SIGTERM stop it, with exit code 0.
    #[command(name = "zookeeper")]
    ZooKeeper(zookeeper::Args),
    /// etcd's v3 API, one member, as far as docs/MODELS.md says.
    ///
    /// All data is in memory and gone when it stops. Ctrl-C and SIGTERM stop it, with exit code 0.
    Etcd(etcd::Args),
}

/// Where a store listens.
#[derive(clap::Args)]
struct Listen {
    /// Address and port: 127.0.0.1 and the store's usual port if not given. Port 0 takes any free one,
    /// which the first line of output names.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Allow an address that other machines can reach.
    #[arg(long)]
    allow_remote: bool,
}

pub(super) fn run(args: &Args) -> CliResult {
    match &args.store {
        StoreArgs::Redis(args) => redis::run(args),
        StoreArgs::ZooKeeper(args) => zookeeper::run(args),
        StoreArgs::Etcd(args) => etcd::run(args),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    local.as_deref().unwrap_or(text).parse().map_err(|_| {
        "write an IP address and a port, such as 127.0.0.1:6379, [::1]:6379 or 127.0.0.1:0".into()
    })
}

impl Listen {
    /// Where to listen; `port` is the store's usual one.
    ///
    /// # Errors
    /// If others could reach the address and nobody said that they may.
    fn address(&self, port: u16) -> Result<SocketAddr, CliError> {
        let address = self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into());
        if self.allow_remote || address.ip().is_loopback() {
            return Ok(address);
        }
        let error = miette!(
            help = "listen on 127.0.0.1 or [::1]; or add --allow-remote if other machines are meant to \
                    use it",
            "--listen {address}: other machines can reach this address"
        );
        Err(CliError::Input(error))
    }
}

/// Serves until somebody asks it to stop. `port` is the store's usual one, `name` what the ready line
/// calls it.
#[cfg(feature = "real")]
fn serve<S: Store>(listen: &Listen, port: u16, name: &str, server: Server<S>) -> CliResult {
    use picklock_sim::env::{Either, Env, race};
    use picklock_sim::real::{self, RealEnv};
    use picklock_sim::seed::Seed;

    let internal = |error| CliError::Internal(miette!("{name}: {error}"));
    let wanted = listen.address(port)?;
    real::allow_many_connections();
    let served = real::block_on(async {
        let env = RealEnv::new(Seed(0)).at(wanted.ip());
        let stop = real::asked_to_stop().map_err(internal)?;
        let listener = env.listen(wanted.port()).await;
        let listener = listener.map_err(|error| cannot_listen(wanted, &error))?;
        let address = listener.local_addr().map_err(internal)?;
        super::output::result(&format!("picklock serves {name} on {address}\n"))?;
        let serving = std::rc::Rc::new(server).serve_on(env, real::unheard(), listener);
        match race(stop, serving).await {
            Either::Left(()) => Ok(crate::exit_code::Exit::AsExpected),
            Either::Right(ended) => {
                Err(internal(ended.err().unwrap_or(std::io::ErrorKind::Other.into())))
            }
        }
    });
    served.map_err(internal)?
}

#[cfg(feature = "real")]
fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> CliError {
    use std::io::ErrorKind;
    let help = match error.kind() {
        ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another port; port 0 takes any free one"
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address: 127.0.0.1 is always there"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 are for the administrator: choose a higher one"
        }
        _ => "choose another address or port with --listen",
    };
    CliError::Input(miette!(help = help, "--listen {address}: {error}"))
}

/// A build without real sockets.
#[cfg(not(feature = "real"))]
fn serve<S: Store>(listen: &Listen, port: u16, name: &str, _: Server<S>) -> CliResult {
    listen.address(port)?;
    let error = miette!(
        help = "build it with its default features, or at least with `--features real`",
        "this picklock was built without real sockets and cannot serve {name}"
    );
    Err(CliError::Input(error))
}
