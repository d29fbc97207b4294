//! `picklock-adapters conformance`: the differential suite, and the fidelity report.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use miette::{IntoDiagnostic, WrapErr};
use picklock::exit_code::Exit;
use picklock::files;
use picklock::store::StoreKind;
use picklock_models::transcript::{exchanges, without_times};

use super::servers::Store;
use super::{CliResult, result, talk};
use crate::conformance::etcd::Etcds;
use crate::conformance::redis::Resp;
use crate::conformance::zookeeper::ZooKeepers;
use crate::conformance::{
    Dialect, Fidelity, Search, SuiteError, faithful, markdown, report_with, run as search,
};
use crate::servers::STORES;

/// A difference of each kind shows within a few; more would say the same again.
const MOST_FOUND: usize = 10;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Which stores; all without this.
    #[arg(value_name = "STORE")]
    stores: Vec<Store>,
    /// How many sequences are drawn for each store.
    #[arg(long, default_value_t = 500)]
    sequences: u64,
    /// What they are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first sequence.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Write the transcript of every sequence that the model repeats to the byte into this folder.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Write the report into this file as Markdown; the sections of other stores in it stay.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> CliResult {
    let chosen: Vec<StoreKind> = args.stores.iter().map(|store| (*store).into()).collect();
    let mut exit = Exit::AsExpected;
    for store in STORES {
        if !chosen.is_empty() && !chosen.contains(&store) {
            continue;
        }
        let fidelity = match store {
            StoreKind::Redis => compare::<Resp>(args)?,
            StoreKind::Etcd => compare::<Etcds>(args)?,
            StoreKind::ZooKeeper => compare::<ZooKeepers>(args)?,
        };
        let section = markdown(&fidelity);
        result(&section);
        if let Some(file) = &args.report {
            write_section(file, &fidelity, &section)?;
        }
        for found in &fidelity.found {
            exit = Exit::Unexpected;
            let (seed, sequence) = (args.seed, found.sequence);
            talk(format_args!(
                "repeat it: cargo adapters conformance {} --seed {seed} --first {sequence} --sequences 1",
                store.name()
            ));
        }
    }
    Ok(exit)
}

fn compare<D: Dialect>(args: &Args) -> miette::Result<Fidelity> {
    let Args { sequences, seed, first, .. } = *args;
    let wanted = Search { seed, first, sequences, most_found: MOST_FOUND };
    let (done, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let seen = |sequence: u64, real: &str, model: &str| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done % 500 == 0 {
            talk(format_args!("{}: {done} of {sequences} sequences", D::STORE.name()));
        }
        if let Some(folder) = args.record.as_deref().filter(|_| repeats(real, model))
            && record(folder, seed, sequence, real).is_err()
        {
            failed.fetch_add(1, Ordering::Relaxed);
        }
    };
    let fidelity = search::<D>(wanted, &faithful::<D::Model>, &seen);
    let fidelity = fidelity.map_err(|error: SuiteError| miette::miette!("{error}"))?;
    match failed.into_inner() {
        0 => Ok(fidelity),
        failed => Err(miette::miette!(
            "{failed} transcripts could not be written; is the folder of --record there, and may it be \
             written to?"
        )),
    }
}

/// Whether the model answers the same bytes, so that the transcript can be replayed without the list of
/// what may differ.
fn repeats(real: &str, model: &str) -> bool {
    let answers = |text| {
        let exchanges = exchanges(text);
        exchanges
            .iter()
            .flat_map(|one| &one.answers)
            .map(|line| without_times(line.whole))
            .collect()
    };
    let (theirs, ours): (Vec<String>, Vec<String>) = (answers(real), answers(model));
    theirs == ours
}

fn record(folder: &Path, seed: u64, sequence: u64, transcript: &str) -> std::io::Result<()> {
    fs::write(folder.join(format!("drawn-{seed}-{sequence:04}.txt")), transcript)
}

fn write_section(file: &Path, fidelity: &Fidelity, section: &str) -> miette::Result<()> {
    let before = fs::read_to_string(file).unwrap_or_default();
    let report = report_with(&before, fidelity.store, section);
    files::write(file, |out| out.write_all(report.as_bytes()))
        .into_diagnostic()
        .wrap_err_with(|| format!("{} cannot be written", file.display()))
}
