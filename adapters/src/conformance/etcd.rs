//! etcd in the differential suite.
//!
//! A step is a line of a transcript: what was drawn, what is carried out and what is written down are the
//! same text.

use std::collections::BTreeMap;

use picklock::store::StoreKind;
use picklock_models::etcd::Etcd;
use picklock_models::etcd::rpc::Method;
use picklock_models::transcript::notation::Note;
use picklock_models::transcript::{self, Line, Tamper, TranscriptError};
use proptest::strategy::BoxedStrategy;

use super::streams::{self, Heard, Tolerance};
use super::{ConversationError, Dialect, Difference};
use crate::servers::{self, Running, ServerError};

mod converse;
mod draw;
mod janitor;
mod wire;

/// What the suite has to know of etcd.
#[derive(Clone, Copy, Debug)]
pub struct Etcds;

impl Dialect for Etcds {
    const STORE: StoreKind = StoreKind::Etcd;
    const SERVERS: usize = 8;
    const MAY_DIFFER: &'static [(&'static str, &'static str)] = &[
        ("revisions", "counted from the beginning of the transcript"),
        ("leases that the server names", "made from the time; the same ones have the same names"),
        (
            "cluster, member and term in headers",
            "each server has its own; that they are there counts",
        ),
        ("what is left of a lease", "1 s of tolerance"),
        ("order of the keys of a lease", "the server has a hash table"),
        ("order across calls, and across the watchers of a call", "nobody promises one"),
        ("when exactly a lease ends", "the server looks every 500 ms; nothing is sent meanwhile"),
    ];

    type Step = String;
    type Model = Etcd;

    fn start() -> Result<Running, ServerError> {
        servers::etcd::start()
    }

    fn sequences() -> BoxedStrategy<Vec<String>> {
        draw::sequences()
    }

    fn converse(server: &Running, steps: &[String]) -> Result<String, ConversationError> {
        converse::converse(server, steps)
    }

    fn replay(transcript: &str, tamper: &mut dyn Tamper<Etcd>) -> Result<String, TranscriptError> {
        transcript::etcd::replay(transcript, tamper)
    }

    fn differences(real: &str, model: &str) -> Vec<Difference> {
        streams::differences(&heard(real), &heard(model), Tolerance(1))
    }

    fn commands(transcript: &str) -> Vec<String> {
        let sent = transcript::lines(transcript).filter(|line| line.sign == ">");
        let name = |line: Line<'_>| {
            let (_, said) = transcript::etcd::on_call(&line).ok()?;
            Some(said.split_once('{')?.0.to_owned())
        };
        sent.filter_map(name).collect()
    }

    fn known() -> Vec<String> {
        Method::ALL.iter().map(|method| method.name().to_owned()).collect()
    }
}

/// What came on each call, and for each watcher of a call.
fn heard(transcript: &str) -> BTreeMap<String, Vec<Heard<'_>>> {
    streams::heard(transcript, |line| {
        let (call, text) = transcript::etcd::on_call(line).ok()?;
        let watcher = text.strip_prefix("Watch{").and_then(|_| Note::parse(text).ok());
        let watcher =
            watcher.as_ref().map(|note| note.field("watch_id").map_or("0".into(), Note::to_string));
        Some((format!("{} {} {}", line.connection, call.0, watcher.unwrap_or_default()), text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_of_a_call_may_overtake_each_other() {
        let told = "> 1 Put{key=\"a\"}\n< 2 Watch{watch_id=1}\n< 2 Watch{created=true}\n";
        let other = "> 1 Put{key=\"a\"}\n< 2 Watch{created=true}\n< 2 Watch{watch_id=1}\n";
        assert_eq!(Etcds::differences(told, other), []);
        assert_eq!(Etcds::commands(told), ["Put"]);
        let less = "> 1 Put{key=\"a\"}\n< 2 Watch{created=true}\n";
        assert_eq!(Etcds::differences(told, less).len(), 1);
    }
}
