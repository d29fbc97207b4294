//! The account of a sweep before it is concluded: collected here, from the beginning or from a
//! checkpoint on, or merged from what shards have left.

use std::path::{Path, PathBuf};

use super::progress::Progress;
use super::{Args, account, broken_off};
use crate::cli::{CliError, CliResult, choose, output};
use crate::contender::Contender;
use crate::exit_code::Exit;
use crate::families::Family;
use crate::pipeline;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::search::space::Space;
use crate::search::sweep::{Partial, Question, Shard, Subject, merge};

/// An account to be concluded, and who watched it grow.
pub(super) struct Collected {
    pub(super) account: Partial,
    pub(super) progress: Option<Progress>,
}

/// Tries the seeds of this process.
pub(super) fn collect(
    args: &Args,
    scenario: &Scenario,
    folder: &Path,
) -> Result<Collected, CliError> {
    let seeds = match (&args.seeds, args.time) {
        (Some(seeds), _) => seeds.0.clone(),
        (None, Some(_)) => 0..u64::MAX,
        (None, None) => 0..1000,
    };
    let shard = args.parts.shard.unwrap_or(Shard::WHOLE);
    if u64::from(shard.of()) > seeds.end - seeds.start {
        let help = "use at most as many shards as there are seeds";
        return Err(CliError::Input(miette::miette!(help = help, "shard {shard} has no seed")));
    }
    let contenders = choose::contenders(&args.lock, scenario)?;
    let families = choose::families(&args.family)?;
    let spaces = spaces(scenario, &contenders, families.as_deref());
    let (stop_at_first, recheck) = (args.first, args.recheck);
    let question = Question { spaces, seeds, stop_at_first, recheck };
    let subject = Subject::of(&question, &scenario.name, args.engine);
    let path = account::path(folder, shard);
    let mut account = begun(args, &path, &subject, shard)?
        .unwrap_or_else(|| Partial::new(&question, subject, shard));

    let mut progress = Progress::start(&account, args.time);
    let mut saved = Ok(());
    let mut save_at = args.parts.checkpoint;
    let go_on = |account: &Partial| {
        progress.show(account);
        let elapsed = progress.elapsed();
        if elapsed >= save_at {
            saved = account::write(&path, account);
            save_at = progress.elapsed() + args.parts.checkpoint;
        }
        saved.is_ok() && args.time.is_none_or(|limit| elapsed < limit)
    };
    let run = |plan: &Plan| pipeline::run_until_judged(plan, args.engine);
    let (threads, done) = output::on_threads(args.threads, || {
        (rayon::current_num_threads(), account.go_on(&question, &run, go_on))
    })?;
    progress.stop(&account, threads);
    done.map_err(|error| broken_off(*error, args.engine, &scenario.name))?;
    saved?;
    // From here on nothing is lost: a shard has come to its end, and a whole is only to be shrunk.
    account::write(&path, &account)?;
    Ok(Collected { account, progress: Some(progress) })
}

/// What was done before, if this is to go on with it.
fn begun(
    args: &Args,
    path: &Path,
    subject: &Subject,
    shard: Shard,
) -> Result<Option<Partial>, CliError> {
    if !args.parts.resume {
        return Ok(None);
    }
    let name = path.display();
    if !path.exists() {
        output::talk(format_args!("there is no {name}: starting from the beginning"));
        return Ok(None);
    }
    let account = account::read(path)?;
    if let Some(difference) = subject.difference(&account.subject) {
        return Err(another(path, &difference));
    }
    if account.shard != shard {
        return Err(another(path, &format!("it is shard {}, not {shard}", account.shard)));
    }
    let plans = account.plans();
    output::talk(format_args!(
        "{plans} plans are in {name}: going on at seed {}",
        account.left().start
    ));
    Ok(Some(account))
}

fn another(path: &Path, difference: &str) -> CliError {
    let help =
        "give the command that wrote it, or leave `--resume` out to start from the beginning";
    CliError::Input(miette::miette!(
        help = help,
        "{} is of another sweep: {difference}",
        path.display()
    ))
}

/// Puts together what shards have found around this scenario.
pub(super) fn merged(paths: &[PathBuf], scenario: &Scenario) -> Result<Collected, CliError> {
    let mut parts = Vec::new();
    for file in account::files(paths)? {
        let part = account::read(&file)?;
        parts.push((file, part));
    }
    let first = parts.first().map(|(file, _)| file.clone()).unwrap_or_default();
    let merged = merge(parts).map_err(|error| {
        let help = "merge all the shards of one sweep, each once";
        CliError::Input(miette::miette!(help = help, "{error}"))
    })?;
    let account = merged.expect("every path was found to hold at least one file");
    // The files say what was asked; the scenario must still be the one that was asked about.
    let named: Vec<&Family> =
        account.subject.families.iter().filter_map(|name| Family::find(name)).collect();
    let question = Question {
        spaces: spaces(scenario, &account.subject.contenders, Some(&named)),
        seeds: account.subject.seeds.clone(),
        stop_at_first: account.subject.stop_at_first,
        recheck: account.subject.recheck,
    };
    let subject = Subject::of(&question, &scenario.name, account.subject.engine);
    match subject.difference(&account.subject) {
        None => Ok(Collected { account, progress: None }),
        Some(difference) => Err(another(&first, &difference)),
    }
}

fn spaces(
    scenario: &Scenario,
    contenders: &[Contender],
    families: Option<&[&'static Family]>,
) -> Vec<(Contender, Space)> {
    contenders.iter().map(|one| (*one, Space::of(scenario, *one, families))).collect()
}

impl Collected {
    /// Leaves the account of a shard to whoever merges it, and says where it is.
    pub(super) fn leave(&self, args: &Args, folder: &Path) -> CliResult {
        let Self { account, progress } = self;
        if let Some(progress) = progress {
            progress.end(account.plans(), 0);
        }
        if args.json {
            output::json(account)?;
            return Ok(Exit::AsExpected);
        }
        let Partial { subject, shard, .. } = account;
        let seeds = shard.share(&subject.seeds);
        output::result(&format!(
            "{}: shard {shard}, {} plans (seeds {}..{}) for each of {} contenders, {} engine\n\
             a promise broken in {} runs; which failures these are is told when all shards are merged\n\
             account: {}\n\
             merge: cargo picklock sweep {} --merge {}\n",
            subject.scenario,
            account.plans(),
            seeds.start,
            seeds.end,
            subject.contenders.len(),
            subject.engine,
            account.broken(),
            account::path(folder, *shard).display(),
            args.file.display(),
            folder.display(),
        ))?;
        Ok(Exit::AsExpected)
    }
}
