//! One process of `picklock verify`: it runs a plan, on one thread or on several at once, leaves the
//! trail and tells its parent how it went. Not for people, so no help shows it.

use std::path::{Path, PathBuf};

use picklock_sim::digest::Digest;
use picklock_sim::run::WorldError;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::{CliError, CliResult, output};
use crate::engine::Engine;
use crate::exit_code::Exit;
use crate::pipeline;
use crate::scenario;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    plan: PathBuf,
    #[arg(long, value_enum)]
    engine: Engine,
    /// How many threads run it at the same time; 0: as many as there are cores.
    #[arg(long)]
    threads: usize,
    /// Trails are written to this name with a number.
    #[arg(long)]
    trail: PathBuf,
}

/// What a process has to tell.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    /// How many times the plan was run.
    pub(super) runs: usize,
    /// How it ended; two if not all of these runs ended the same way.
    pub(super) ends: Vec<End>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// As it should.
    Whole {
        /// Its digest.
        digest: Digest,
        /// How many items were mixed into it.
        items: u64,
        /// Where its trail is.
        trail: PathBuf,
    },
    /// With an error.
    Failed {
        /// What it said.
        error: String,
        /// Whether the user can mend it.
        is_input: bool,
    },
}

impl End {
    /// Whether two runs ended alike, wherever their trails are.
    pub(super) fn is_like(&self, other: &End) -> bool {
        match (self, other) {
            (End::Whole { digest: one, .. }, End::Whole { digest: other, .. }) => one == other,
            _ => self == other,
        }
    }
}

pub(in crate::cli) fn run(args: &Args) -> CliResult {
    let plan = scenario::load_plan(&args.plan)?;
    let mut ended = output::on_threads(args.threads, || {
        let copies = rayon::current_num_threads();
        let run = |_| pipeline::trace(&plan, args.engine);
        (0..copies).into_par_iter().with_max_len(1).map(run).collect::<Vec<_>>()
    })?;
    let runs = ended.len();
    let first = ended.swap_remove(0);
    let same = |one: &Traced, other: &Traced| match (one, other) {
        (Ok((one, _)), Ok((other, _))) => one == other,
        (Err(one), Err(other)) => one == other,
        _ => false,
    };
    let other = ended.into_iter().find(|other| !same(&first, other));
    let mut ends = Vec::new();
    for (number, traced) in [Some(first), other].into_iter().flatten().enumerate() {
        ends.push(end(traced, &args.trail.with_extension(format!("{number}.trail")))?);
    }
    output::json(&Told { runs, ends })?;
    Ok(Exit::AsExpected)
}

type Traced = Result<(Digest, picklock_sim::trail::Trail), WorldError>;

fn end(traced: Traced, path: &Path) -> Result<End, CliError> {
    match traced {
        Ok((digest, trail)) => {
            output::write_file(path, |out| trail.write(out))?;
            Ok(End::Whole { digest, items: trail.items(), trail: path.to_owned() })
        }
        Err(error) => {
            let text = error.to_string();
            let is_input = matches!(CliError::from(error), CliError::Input(_));
            Ok(End::Failed { error: text, is_input })
        }
    }
}
