//! The differential suite: do the models answer what the servers answer?
//!
//! A sequence of steps is drawn from a seed and carried out on a real server; the conversation is written
//! down as a transcript, with the time that went by. The same transcript is replayed on the model, which
//! is told that time. So there are two texts to compare, and no second clock that would have to keep pace.
//!
//! - [`Dialect`] is all that differs between stores: what to send, how to talk, what may differ;
//! - `runner` draws, converses on several servers at once, and makes sure of a difference;
//! - `shrink` takes out of a sequence what a difference does not need;
//! - `report` is what is told of it, as text and as Markdown.

use std::fmt::{self, Debug};
use std::io;

use picklock::store::StoreKind;
use picklock_models::model::Model;
use picklock_models::transcript::{Tamper, TranscriptError};
use proptest::strategy::BoxedStrategy;

use crate::servers::{Running, ServerError};

pub mod etcd;
mod pace;
pub mod redis;
mod report;
mod runner;
mod shrink;
mod streams;
pub mod zookeeper;

pub use report::{markdown, report_with};
pub use runner::{Search, Tampers, faithful, run};

/// What the suite has to know of a store.
pub trait Dialect {
    /// Which one it is.
    const STORE: StoreKind;

    /// What may differ, and why: the list that [`Dialect::differences`] goes by, as the report shows it.
    const MAY_DIFFER: &'static [(&'static str, &'static str)];

    /// How many servers are talked to side by side. A conversation is mostly waiting, so this may be more
    /// than there are cores.
    const SERVERS: usize;

    /// One thing that a client does, or a wait. Any sequence of steps must make sense to
    /// [`Dialect::converse`], because shrinking takes some out.
    type Step: Clone + Debug + Send;

    /// The model that is compared.
    type Model: Model + 'static;

    /// A server to talk to.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    fn start() -> Result<Running, ServerError>;

    /// Sequences of steps, weighted to what locks use.
    fn sequences() -> BoxedStrategy<Vec<Self::Step>>;

    /// Empties the server, carries the steps out on it, and writes down what happened. The transcript begins
    /// with its header.
    ///
    /// # Errors
    /// When the server cannot be reached or falls silent.
    fn converse(server: &Running, steps: &[Self::Step]) -> Result<String, ConversationError>;

    /// The transcript as it may have been too: what cannot be seen from outside (when the server's timers
    /// come by, say) filled in differently. It is no difference if the model agrees with one of them.
    fn variants(transcript: &str) -> Vec<String> {
        let _ = transcript;
        Vec::new()
    }

    /// The transcript with the model's answers.
    ///
    /// # Errors
    /// When the transcript is none.
    fn replay(
        transcript: &str,
        tamper: &mut dyn Tamper<Self::Model>,
    ) -> Result<String, TranscriptError>;

    /// Where the model's transcript differs from the real one, but for what may differ.
    fn differences(real: &str, model: &str) -> Vec<Difference>;

    /// The commands that a transcript sent, one for each time, in the spelling of [`Dialect::known`].
    fn commands(transcript: &str) -> Vec<String>;

    /// All commands that the model knows.
    fn known() -> Vec<String>;
}

/// One step after which model and server did not do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The step's line in the transcript, counted from 1.
    pub line: usize,
    /// The step.
    pub step: String,
    /// What the server did, as lines.
    pub real: String,
    /// What the model did, as lines.
    pub model: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "line {}: {}", self.line, self.step)?;
        for (who, lines) in [("server", &self.real), ("model", &self.model)] {
            if lines.is_empty() {
                writeln!(f, "  {who:6}  (nothing)")?;
            }
            for line in lines.lines() {
                writeln!(f, "  {who:6}  {line}")?;
            }
        }
        Ok(())
    }
}

/// A conversation that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// The connection to the server failed.
    #[error("the connection to the server failed: {0}; its log says whether it died")]
    Io(#[from] io::Error),
    /// The server did something that leaves no sense in going on.
    #[error("{what}, after\n{step}")]
    Lost {
        /// The step, as in the transcript, perhaps with those before it.
        step: String,
        /// What happened.
        what: String,
    },
}

impl ConversationError {
    /// Something that leaves no sense in going on after `step`.
    fn lost(step: &str, what: impl ToString) -> Self {
        Self::Lost { step: step.to_owned(), what: what.to_string() }
    }
}

/// A run of the suite that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// There is no server to talk to.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The same sequence failed on a second, fresh server too.
    #[error("sequence {sequence}, also on a fresh server: {error}")]
    Conversation {
        /// Its number.
        sequence: u64,
        /// What happened.
        error: ConversationError,
    },
    /// What was written down cannot be read.
    #[error("sequence {sequence}: {error}; this is a mistake in the suite")]
    Transcript {
        /// Its number.
        sequence: u64,
        /// What is wrong with it.
        error: TranscriptError,
    },
}

/// A difference that was found, and made sure of.
#[derive(Clone, Debug)]
pub struct Found {
    /// The number of the sequence.
    pub sequence: u64,
    /// The real transcript of the few steps that are left of it.
    pub transcript: String,
    /// Where the model differs there.
    pub differences: Vec<Difference>,
}

/// How far a model is what its server is: the account of one run of the suite.
#[derive(Clone, Debug)]
pub struct Fidelity {
    /// Which store.
    pub store: StoreKind,
    /// The version of the server.
    pub version: String,
    /// The seed that the sequences were drawn from.
    pub seed: u64,
    /// How many were drawn.
    pub sequences: u64,
    /// How many steps they had.
    pub steps: u64,
    /// Commands that the model knows, sorted, with how often each was sent.
    pub commands: Vec<(String, u64)>,
    /// How often something was sent that the model does not know, or that is no command.
    pub strangers: u64,
    /// What may differ, and why.
    pub may_differ: &'static [(&'static str, &'static str)],
    /// The differences found, by sequence.
    pub found: Vec<Found>,
}
