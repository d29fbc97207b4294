//! ZooKeeper in the differential suite.
//!
//! A step is a line of a transcript: what was drawn, what is carried out and what is written down are the
//! same text. All nodes are below one root that is made anew each time, because a parent remembers how many
//! children it ever had.

use std::collections::BTreeMap;

use picklock::store::StoreKind;
use picklock_models::transcript::notation::Note;
use picklock_models::transcript::{self, Line, Tamper, TranscriptError};
use picklock_models::zookeeper::{Operation, ZooKeeper};
use proptest::strategy::BoxedStrategy;

use super::streams::{self, Heard, Tolerance};
use super::{ConversationError, Dialect, Difference};
use crate::servers::{self, Running, ServerError};

mod converse;
mod draw;
mod janitor;
mod wire;

/// Above all nodes that conversations make.
const ROOT: &str = "/r";
/// Whoever shows these may do everything with every node there, so that it can be cleaned up.
const CREDENTIALS: &str = "keeper:secret";

/// What the suite has to know of ZooKeeper.
#[derive(Clone, Copy, Debug)]
pub struct ZooKeepers;

impl Dialect for ZooKeepers {
    const STORE: StoreKind = StoreKind::ZooKeeper;
    const SERVERS: usize = 6;
    const MAY_DIFFER: &'static [(&'static str, &'static str)] = &[
        ("numbers of sessions, passwords", "made from the time; the same ones have the same names"),
        ("zxid", "counted from the beginning of the transcript"),
        ("ctime, mtime", "counted from there too; 400 ms of tolerance for a busy machine"),
        ("order of children, of a session's ephemeral nodes, of credentials", "hash tables"),
        ("order of events when several nodes are deleted at once", "a session's nodes, as above"),
        ("when exactly a session ends", "within a tick; nothing is sent meanwhile"),
        (
            "which of several sessions of one tick ends first; nothing is compared after that",
            "the server has a hash table",
        ),
        ("order across connections", "nobody promises one"),
    ];

    type Step = String;
    type Model = ZooKeeper;

    fn start() -> Result<Running, ServerError> {
        servers::zookeeper::start_with_tick(converse::TICK_MS)
    }

    fn sequences() -> BoxedStrategy<Vec<String>> {
        draw::sequences()
    }

    fn converse(server: &Running, steps: &[String]) -> Result<String, ConversationError> {
        converse::converse(server, steps)
    }

    fn replay(
        transcript: &str,
        tamper: &mut dyn Tamper<ZooKeeper>,
    ) -> Result<String, TranscriptError> {
        transcript::zookeeper::replay(transcript, tamper)
    }

    fn differences(real: &str, model: &str) -> Vec<Difference> {
        streams::differences(&heard(real), &heard(model), Tolerance(400))
    }

    fn commands(transcript: &str) -> Vec<String> {
        let sent = transcript::lines(transcript).filter(|line| line.sign == ">");
        sent.flat_map(|line| names(line.text)).collect()
    }

    fn known() -> Vec<String> {
        let operations = Operation::names().iter().map(|name| (*name).to_owned());
        operations.chain(["Connect".to_owned()]).collect()
    }
}

/// What came on each connection.
fn heard(transcript: &str) -> BTreeMap<String, Vec<Heard<'_>>> {
    let connection = |line: &Line<'_>| line.connection.to_string();
    let end = lottery(transcript);
    let mut heard = streams::heard(transcript, |line| {
        (line.number <= end).then(|| (connection(line), line.text))
    });
    for heard in heard.values_mut() {
        streams::settle(heard, |run| run.iter().filter(|heard| is_deletion(heard)).count() > 1);
        streams::forget_last_words(heard);
    }
    heard
}

/// The line after which it is luck what comes: when several sessions have ended in one tick, who was first
/// can be seen for ever in what their nodes leave behind.
fn lottery(transcript: &str) -> usize {
    let exchanges = transcript::exchanges(transcript);
    let several = exchanges.into_iter().find(|exchange| {
        let ended = exchange.answers.iter().filter(|line| line.sign == "x").count();
        exchange.step.sign == "@" && ended > 1
    });
    several
        .and_then(|exchange| exchange.answers.last().map(|line| line.number))
        .unwrap_or(usize::MAX)
}

fn is_deletion(heard: &Heard<'_>) -> bool {
    let what = heard.note.as_ref().and_then(|note| note.field("is"));
    streams::is_event(heard) && what == Some(&Note::word("Deleted"))
}

/// The operations that a line has, also those within a transaction.
fn names(text: &str) -> Vec<String> {
    let starts = text.match_indices('{').map(|(at, _)| &text[..at]);
    let words = starts.map(|before| {
        let start = before.rfind(|c: char| !c.is_alphanumeric()).map_or(0, |at| at + 1);
        before[start..].to_owned()
    });
    words.filter(|word| word.starts_with(char::is_uppercase)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_in_transactions_count() {
        let text = "> Multi{value=[Check{path=\"/r\"} Create{path=\"{Not{\"}]}\n> \"ruok\"\n";
        assert_eq!(ZooKeepers::commands(text), ["Multi", "Check", "Create", "Not"]);
    }
}
