//! `picklock-adapters servers`: what is installed, and whether it starts; or one of them to play with.

use std::io;

use clap::ValueEnum;
use miette::IntoDiagnostic;
use picklock::exit_code::Exit;
use picklock::store::StoreKind;
use picklock_sim::real;

use super::CliResult;
use crate::servers::{self, ServerError};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Start a server of this store, say where, and stop it on Ctrl-C.
    #[arg(long, value_name = "STORE")]
    hold: Option<Store>,
}

/// A store, as the command line names it.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Store {
    Redis,
    Etcd,
    #[value(name = "zookeeper")]
    ZooKeeper,
}

impl From<Store> for StoreKind {
    fn from(store: Store) -> Self {
        match store {
            Store::Redis => StoreKind::Redis,
            Store::Etcd => StoreKind::Etcd,
            Store::ZooKeeper => StoreKind::ZooKeeper,
        }
    }
}

pub(super) fn run(args: &Args) -> CliResult {
    if let Some(store) = args.hold {
        return hold(store.into()).into_diagnostic();
    }
    let mut exit = Exit::AsExpected;
    for store in servers::STORES {
        let line = match describe(store) {
            Ok(line) => line,
            Err(error) => {
                exit = Exit::BadInput;
                format!("{}: {error}\n", store.name())
            }
        };
        super::result(&line);
    }
    Ok(exit)
}

fn describe(store: StoreKind) -> Result<String, ServerError> {
    let server = servers::start(store)?;
    Ok(format!("{} {} starts and answers\n", store.name(), server.version()))
}

fn hold(store: StoreKind) -> Result<Exit, ServerError> {
    let waited = |result: io::Result<()>| result.map_err(ServerError::io("waiting for Ctrl-C"));
    let server = servers::start(store)?;
    let (name, version) = (store.name(), server.version());
    let (address, pid) = (server.address(), server.pid());
    super::result(&format!("{name} {version} on {address}, process {pid}; Ctrl-C stops it\n"));
    let stopped = real::block_on(async {
        real::asked_to_stop()?.await;
        Ok(())
    });
    waited(stopped.and_then(|result| result))?;
    Ok(Exit::AsExpected)
}
