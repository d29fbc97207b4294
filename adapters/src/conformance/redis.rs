//! Redis in the differential suite.
//!
//! - `grammar.txt` is what is sent and how often, `grammar` draws from it;
//! - `step` is what it is made of;
//! - `converse` carries the steps out on a real server, several connections at once;
//! - `compare` knows what may differ.

use picklock::store::StoreKind;
use picklock_models::redis::Redis;
use picklock_models::transcript::{self, Tamper, TranscriptError, lines};
use proptest::strategy::BoxedStrategy;

use super::{ConversationError, Dialect, Difference};
use crate::servers::{self, Running, ServerError};
use step::Step;

mod compare;
mod converse;
mod grammar;
mod step;

/// Redis 7.0 over RESP2 and RESP3.
pub struct Resp;

impl Dialect for Resp {
    const STORE: StoreKind = StoreKind::Redis;
    const MAY_DIFFER: &'static [(&'static str, &'static str)] = compare::MAY_DIFFER;
    // A conversation waits for half a second and works for 20 ms.
    const SERVERS: usize = 16;

    type Step = Step;
    type Model = Redis;

    fn start() -> Result<Running, ServerError> {
        servers::redis::start()
    }

    fn sequences() -> BoxedStrategy<Vec<Step>> {
        grammar::sequences()
    }

    fn converse(server: &Running, steps: &[Step]) -> Result<String, ConversationError> {
        converse::converse(server, steps)
    }

    /// The server's timer comes by every 100 ms, a little more or less. When it does so first nobody knows.
    fn variants(transcript: &str) -> Vec<String> {
        let header = "! unix-ms";
        let with = |(period_ms, phase_ms)| {
            let timer = format!("! timer-ms {period_ms}\n! timer-phase-ms {phase_ms}\n{header}");
            transcript.replacen(header, &timer, 1)
        };
        let phases = (5..100).step_by(10);
        phases
            .flat_map(|phase_ms| [99, 100, 101].map(|period_ms| (period_ms, phase_ms)))
            .map(with)
            .collect()
    }

    fn replay(transcript: &str, tamper: &mut dyn Tamper<Redis>) -> Result<String, TranscriptError> {
        transcript::redis::replay(transcript, tamper)
    }

    fn differences(real: &str, model: &str) -> Vec<Difference> {
        compare::differences(real, model)
    }

    fn commands(transcript: &str) -> Vec<String> {
        lines(transcript).flat_map(|line| step::commands(&line)).map(|words| name(&words)).collect()
    }

    fn known() -> Vec<String> {
        picklock_models::redis::command_names().into_iter().map(spelt).collect()
    }
}

/// As people write it: `CLIENT ID`.
fn spelt(name: &str) -> String {
    name.replace('|', " ").to_uppercase()
}

/// The name of a command, with its subcommand's if there is one.
fn name(words: &[Vec<u8>]) -> String {
    let word = |at: usize| words.get(at).map(|word| String::from_utf8_lossy(word).to_lowercase());
    let name = word(0).unwrap_or_default();
    let whole = format!("{name}|{}", word(1).unwrap_or_default());
    let known = picklock_models::redis::command_names();
    let found = [whole, name.clone()].into_iter().find(|name| known.contains(&name.as_str()));
    spelt(&found.unwrap_or(name))
}
