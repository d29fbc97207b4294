//! Draws sequences, has them carried out on several servers at once, and makes sure of a difference.
//!
//! Sequence `n` of a seed is always the same, whoever carries it out. What cannot repeat to the byte is a
//! real server's timing: so a difference counts only if it shows at least twice in three conversations,
//! and what is left after shrinking must too.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use picklock_models::model::Model;
use picklock_models::transcript::{Faithful, Tamper, TranscriptError};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::shrink::shrink;
use super::{ConversationError, Dialect, Difference, Fidelity, Found, SuiteError};
use crate::servers::Running;

/// Conversations that one shrinking may take. A sequence has some thirty steps, of which most go at once.
const SHRINKING: usize = 150;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// All sequences are drawn from it.
    pub seed: u64,
    /// The number of the first sequence.
    pub first: u64,
    /// How many there are.
    pub sequences: u64,
    /// After as many differences nothing new is begun: a model that is wrong everywhere is known to be
    /// after a few.
    pub most_found: usize,
}

/// Makes what gets between model and world, anew for each replay.
pub type Tampers<M> = dyn Fn() -> Box<dyn Tamper<M>> + Sync;

/// The model as it is.
pub fn faithful<M: Model + 'static>() -> Box<dyn Tamper<M>> {
    Box::new(Faithful)
}

/// Carries the search out. `seen` is shown each transcript whose model agrees, with the sequence's number and the
/// model's transcript, from several threads and in no particular order.
///
/// # Errors
/// When there is no server, or a conversation fails on two servers.
pub fn run<D: Dialect>(
    search: Search,
    tampers: &Tampers<D::Model>,
    seen: &(dyn Fn(u64, &str, &str) + Sync),
) -> Result<Fidelity, SuiteError> {
    let progress = Progress::default();
    let threads = D::SERVERS.min(usize::try_from(search.sequences).unwrap_or(usize::MAX)).max(1);
    let accounts: Vec<Result<Account, SuiteError>> = thread::scope(|scope| {
        let work = || {
            let account = Worker::<D> { search, tampers, seen, progress: &progress }.work();
            if account.is_err() {
                progress.stop.store(true, Ordering::Relaxed);
            }
            account
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join());
        ended.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut sum = Account::default();
    for account in accounts {
        sum.add(account?);
    }
    Ok(sum.fidelity::<D>(search))
}

/// What all workers share.
#[derive(Default)]
struct Progress {
    next: AtomicU64,
    found: AtomicU64,
    stop: AtomicBool,
}

/// What one worker did.
#[derive(Default)]
struct Account {
    version: String,
    sequences: u64,
    steps: u64,
    commands: BTreeMap<String, u64>,
    found: Vec<Found>,
}

impl Account {
    fn add(&mut self, other: Account) {
        self.version = other.version;
        self.sequences += other.sequences;
        self.steps += other.steps;
        for (command, count) in other.commands {
            *self.commands.entry(command).or_default() += count;
        }
        self.found.extend(other.found);
    }

    fn fidelity<D: Dialect>(mut self, search: Search) -> Fidelity {
        self.found.sort_by_key(|found| found.sequence);
        let mut known = D::known();
        known.sort();
        let sent = |name: String| {
            let count = self.commands.remove(&name).unwrap_or(0);
            (name, count)
        };
        let commands = known.into_iter().map(sent).collect();
        Fidelity {
            store: D::STORE,
            version: self.version,
            seed: search.seed,
            sequences: self.sequences,
            steps: self.steps,
            commands,
            strangers: self.commands.values().sum(),
            may_differ: D::MAY_DIFFER,
            found: self.found,
        }
    }
}

struct Worker<'a, D: Dialect> {
    search: Search,
    tampers: &'a Tampers<D::Model>,
    seen: &'a (dyn Fn(u64, &str, &str) + Sync),
    progress: &'a Progress,
}

/// A real transcript, the model's, and where they differ.
struct Comparison {
    real: String,
    model: String,
    differences: Vec<Difference>,
}

impl<D: Dialect> Worker<'_, D> {
    /// Takes sequences until there are none left.
    fn work(&self) -> Result<Account, SuiteError> {
        let mut server = D::start()?;
        let mut account = Account { version: server.version().to_owned(), ..Account::default() };
        while let Some(sequence) = self.next() {
            let steps = draw::<D>(self.search.seed, sequence);
            let first = self.compare_on_any(sequence, &mut server, &steps)?;
            account.sequences += 1;
            account.steps += steps.len() as u64;
            for command in D::commands(&first.real) {
                *account.commands.entry(command).or_default() += 1;
            }
            if first.differences.is_empty() {
                (self.seen)(sequence, &first.real, &first.model);
            } else if let Some(found) = self.make_sure(sequence, &mut server, steps)? {
                self.progress.found.fetch_add(1, Ordering::Relaxed);
                account.found.push(found);
            }
        }
        Ok(account)
    }

    fn next(&self) -> Option<u64> {
        let enough = self.progress.found.load(Ordering::Relaxed) >= self.search.most_found as u64;
        if enough || self.progress.stop.load(Ordering::Relaxed) {
            return None;
        }
        let index = self.progress.next.fetch_add(1, Ordering::Relaxed);
        (index < self.search.sequences).then_some(self.search.first + index)
    }

    /// The sequence with the steps that its difference needs, if there is one.
    fn make_sure(
        &self,
        sequence: u64,
        server: &mut Running,
        steps: Vec<D::Step>,
    ) -> Result<Option<Found>, SuiteError> {
        if self.repeats(sequence, server, &steps, 1)?.is_none() {
            return Ok(None);
        }
        let mut failure = None;
        let left = shrink(steps.clone(), SHRINKING, |steps| {
            let repeats = failure.is_none().then(|| self.repeats(sequence, server, steps, 0));
            match repeats {
                Some(Ok(comparison)) => comparison.is_some(),
                Some(Err(error)) => {
                    failure = Some(error);
                    false
                }
                None => false,
            }
        });
        failure.map_or(Ok(()), Err)?;
        for steps in [left, steps] {
            if let Some(Comparison { real, differences, .. }) =
                self.repeats(sequence, server, &steps, 0)?
            {
                return Ok(Some(Found { sequence, transcript: real, differences }));
            }
        }
        Ok(None)
    }

    /// A comparison that differs, if two of three do; `before` of them did already.
    fn repeats(
        &self,
        sequence: u64,
        server: &mut Running,
        steps: &[D::Step],
        before: usize,
    ) -> Result<Option<Comparison>, SuiteError> {
        let mut differing = before;
        for conversation in before..3 {
            let comparison = self.compare_on_any(sequence, server, steps)?;
            differing += usize::from(!comparison.differences.is_empty());
            if differing == 2 && !comparison.differences.is_empty() {
                return Ok(Some(comparison));
            }
            if differing + (2 - conversation) < 2 {
                break;
            }
        }
        Ok(None)
    }

    /// On this server, or on a fresh one if that fails: a server may have died of the sequence before.
    fn compare_on_any(
        &self,
        sequence: u64,
        server: &mut Running,
        steps: &[D::Step],
    ) -> Result<Comparison, SuiteError> {
        let real = match D::converse(server, steps) {
            Ok(real) => real,
            Err(_) => {
                *server = D::start()?;
                let again = D::converse(server, steps);
                again.map_err(|error: ConversationError| SuiteError::Conversation {
                    sequence,
                    error,
                })?
            }
        };
        self.compare(real).map_err(|error| SuiteError::Transcript { sequence, error })
    }

    /// With the model, and if that differs, with what else the server may have been like.
    fn compare(&self, real: String) -> Result<Comparison, TranscriptError> {
        let compare = |real: String| {
            let model = D::replay(&real, &mut *(self.tampers)())?;
            let differences = D::differences(&real, &model);
            Ok(Comparison { real, model, differences })
        };
        let first = compare(real)?;
        if first.differences.is_empty() {
            return Ok(first);
        }
        for variant in D::variants(&first.real) {
            let other = compare(variant)?;
            if other.differences.is_empty() {
                return Ok(other);
            }
        }
        Ok(first)
    }
}

/// Sequence `number` of a seed.
fn draw<D: Dialect>(seed: u64, number: u64) -> Vec<D::Step> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = D::sequences().new_tree(&mut runner);
    tree.expect("nothing is rejected").current()
}
