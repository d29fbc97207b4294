//! `picklock-adapters load`: many clients on each real server, then a look at what is left.

use std::time::Duration;

use clap::value_parser;
use miette::IntoDiagnostic;
use picklock::exit_code::Exit;

use super::CliResult;
use super::servers::Store;
use crate::load::{self, Load};
use crate::servers::STORES;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Which stores' servers (default: all).
    #[arg(value_name = "STORE")]
    stores: Vec<Store>,
    /// Clients at once, all after one lock.
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u16).range(1..))]
    clients: u16,
    /// For so long, on each server.
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

pub(super) fn run(args: &Args) -> CliResult {
    let load = Load { clients: args.clients, duration: Duration::from_secs(args.seconds) };
    let named: Vec<_> = args.stores.iter().map(|store| (*store).into()).collect();
    let stores = if named.is_empty() { STORES.to_vec() } else { named };
    let mut exit = Exit::AsExpected;
    for store in stores {
        let account = load::run(store, load).into_diagnostic()?;
        super::result(&account.to_string());
        if !account.is_good() {
            exit = Exit::Unexpected;
        }
    }
    Ok(exit)
}
