//! What the real Redis and the model may do differently, and everything else.
//!
//! What came on a connection is taken apart into tokens, one for each header and each value, and the tokens
//! are compared. Which of them may differ, and by how much, depends on what was asked: that is [`Rules`].

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use picklock_models::redis::Reply;
use picklock_models::redis::resp::{decode_reply, encode_reply};
use picklock_models::transcript::{Exchange, exchanges, unescape};
use sha1::{Digest, Sha1};

use super::step::commands;
use crate::conformance::Difference;

/// How much a remaining time may differ, in milliseconds: a step may take 15 until its conversation is held
/// anew, and the transcript counts whole ones.
const TOLERANCE_MS: f64 = 20.0;

/// The list of what may differ; each row is a rule below.
pub(super) const MAY_DIFFER: &[(&str, &str)] = &[
    (
        "PTTL, PEXPIRETIME and what a script makes of them: 20 ms; TTL, EXPIRETIME: 1 s",
        "the time between two steps is measured from outside",
    ),
    ("TIME, LASTSAVE: any time", "as above"),
    (
        "OBJECT IDLETIME: any time",
        "a small integer has one idle time for all keys that hold it, also those of conversations before",
    ),
    (
        "RANDOMKEY, SRANDMEMBER, HRANDFIELD, ZRANDMEMBER: any of the same kind and number",
        "the real server draws from a generator seeded by its clock",
    ),
    (
        "KEYS, SCAN and its kin, SMEMBERS, SINTER, SUNION, SDIFF, CONFIG GET, PUBSUB, UNSUBSCRIBE without a \
         name, messages by several patterns: any order",
        "the real server has hash tables with a secret seed",
    ),
    (
        "what comes while nobody sends anything (expired events, ends of waits): any order within one wait",
        "it depends on when the real server's 100 ms timer comes round, and in which order it samples keys",
    ),
    (
        "who is cut off by CLIENT KILL or for speaking HTTP: may or may not get what was answered before",
        "the real server drops it; the model has already said it",
    ),
    (
        "CLIENT LIST and INFO: addresses, file numbers, ages, buffers, memory, the flag u",
        "the model has none of them",
    ),
    (
        "INFO: all but the version, the role, and the numbers of clients, keys and expiries",
        "most are figures of the process",
    ),
];

/// Where the model's transcript differs from the real one beyond that.
pub(super) fn differences(real: &str, model: &str) -> Vec<Difference> {
    let mut asked = Asked::default();
    let mut differences = Vec::new();
    for (theirs, ours) in exchanges(real).iter().zip(&exchanges(model)) {
        asked.hear(theirs);
        if !asked.agree(theirs, ours) {
            let lines = |exchange: &Exchange<'_>| {
                exchange.answers.iter().map(|line| format!("{}\n", line.whole)).collect()
            };
            differences.push(Difference {
                line: theirs.step.number,
                step: theirs.step.whole.to_owned(),
                real: lines(theirs),
                model: lines(ours),
            });
        }
        asked.end(theirs);
    }
    differences
}

/// What may differ in the answer to some commands.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    /// Numbers are times in milliseconds.
    milliseconds: bool,
    /// .. in seconds.
    seconds: bool,
    any_order: bool,
    any_value: bool,
}

/// What connections have asked and not heard of yet, which may be several commands: queued ones, or those
/// behind one that waits.
#[derive(Default)]
struct Asked {
    commands: BTreeMap<u64, Vec<Vec<Vec<u8>>>>,
    answered: BTreeSet<u64>,
    /// Scripts that tell times, by their text or its SHA-1.
    telling_times: BTreeSet<Vec<u8>>,
    /// Whether a script has made scores of times.
    scores_are_times: bool,
}

impl Asked {
    fn hear(&mut self, exchange: &Exchange<'_>) {
        let connection = exchange.step.connection;
        for command in commands(&exchange.step) {
            if self.answered.remove(&connection) {
                self.commands.remove(&connection);
            }
            for word in &command {
                let text = String::from_utf8_lossy(word).to_lowercase();
                if text.contains("ttl") && text.contains("redis.call") {
                    self.scores_are_times |= text.contains("zadd");
                    self.telling_times.insert(hex(&Sha1::digest(word)));
                    self.telling_times.insert(word.clone());
                }
            }
            self.commands.entry(connection).or_default().push(command);
        }
    }

    /// Notes who got an answer that was not just `+QUEUED`.
    fn end(&mut self, exchange: &Exchange<'_>) {
        for line in exchange.answers.iter().filter(|line| line.sign == "<") {
            if !line.text.replace("+QUEUED\\r\\n", "").is_empty() {
                self.answered.insert(line.connection);
            }
        }
    }

    fn agree(&self, theirs: &Exchange<'_>, ours: &Exchange<'_>) -> bool {
        if theirs.answers.iter().map(|line| line.whole).eq(ours.answers.iter().map(|l| l.whole)) {
            return true;
        }
        let who = |exchange: &Exchange<'_>| -> Vec<(u64, String)> {
            exchange.answers.iter().map(|line| (line.connection, line.sign.to_owned())).collect()
        };
        if self.cuts_off(theirs) {
            // What the model answered before is still sent.
            let left = |exchange| who(exchange).into_iter().filter(|(_, sign)| sign == "x");
            return left(theirs).eq(left(ours));
        }
        who(theirs) == who(ours)
            && theirs.answers.iter().zip(&ours.answers).all(|(server, model)| {
                let mut rules = self.rules(server.connection);
                rules.any_order |= theirs.step.sign == "@";
                rules.same(server.text, model.text)
            })
    }

    /// Whether the step ends connections without what was answered before.
    fn cuts_off(&self, exchange: &Exchange<'_>) -> bool {
        let killing = |command: &Vec<Vec<u8>>| match command.as_slice() {
            [name, what, ..] if name.eq_ignore_ascii_case(b"CLIENT") => {
                what.eq_ignore_ascii_case(b"KILL")
            }
            [name, ..] => name.eq_ignore_ascii_case(b"POST"),
            [] => false,
        };
        let ended = exchange.answers.iter().filter(|line| line.sign == "x");
        let mut concerned = ended.map(|line| line.connection).peekable();
        let caller = Some(exchange.step.connection).filter(|_| exchange.step.sign != "@");
        concerned.peek().is_some()
            && (concerned.chain(caller).filter_map(|connection| self.commands.get(&connection)))
                .flatten()
                .any(killing)
    }

    fn rules(&self, connection: u64) -> Rules {
        let mut rules = Rules::default();
        for command in self.commands.get(&connection).into_iter().flatten() {
            let name = String::from_utf8_lossy(&command[0]).to_uppercase();
            match name.as_str() {
                "PTTL" | "PEXPIRETIME" => rules.milliseconds = true,
                "TTL" | "EXPIRETIME" => rules.seconds = true,
                "OBJECT" => {
                    let idle = |word: &Vec<u8>| word.eq_ignore_ascii_case(b"IDLETIME");
                    rules.any_value |= command.get(1).is_some_and(idle);
                }
                "TIME" | "LASTSAVE" | "RANDOMKEY" | "SRANDMEMBER" | "HRANDFIELD"
                | "ZRANDMEMBER" => {
                    rules.any_value = true;
                }
                "KEYS" | "SCAN" | "SSCAN" | "HSCAN" | "ZSCAN" | "SMEMBERS" | "SINTER"
                | "SUNION" | "SDIFF" | "CONFIG" | "PUBSUB" | "UNSUBSCRIBE" | "PUNSUBSCRIBE"
                | "SUNSUBSCRIBE" => rules.any_order = true,
                _ => {}
            }
            rules.milliseconds |= command.iter().any(|word| self.telling_times.contains(word));
            rules.milliseconds |= self.scores_are_times && name.contains('Z');
        }
        rules
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

impl Rules {
    /// Whether two escaped runs of replies are the same as far as they must be.
    fn same(self, theirs: &str, ours: &str) -> bool {
        let (mut theirs, mut ours) = (tokens(theirs), tokens(ours));
        let any_order = self.any_order || theirs.iter().any(|token| token == "$pmessage");
        if any_order {
            theirs.sort();
            ours.sort();
        }
        theirs.len() == ours.len()
            && theirs.iter().zip(&ours).all(|(theirs, ours)| self.same_token(theirs, ours))
    }

    fn same_token(self, theirs: &str, ours: &str) -> bool {
        if theirs == ours {
            return true;
        }
        let (Some(kind), true) = (theirs.chars().next(), theirs.get(..1) == ours.get(..1)) else {
            return false;
        };
        if self.any_value {
            return matches!(kind, '$' | ':' | ',');
        }
        let number = |token: &str| token[1..].parse::<f64>().ok().filter(|number| *number >= 0.0);
        let (Some(theirs), Some(ours)) = (number(theirs), number(ours)) else { return false };
        let tolerance = match self {
            Rules { milliseconds: true, .. } => TOLERANCE_MS,
            Rules { seconds: true, .. } => 1.0,
            _ => 0.0,
        };
        (theirs - ours).abs() <= tolerance
    }
}

/// A token for each header and each value: `*2`, `$lock`, `:1`. What is no reply is a token as it is.
fn tokens(escaped: &str) -> Vec<String> {
    let mut bytes = BytesMut::from(unescape(escaped).unwrap_or_default().as_slice());
    let mut tokens = Vec::new();
    while let Ok(Some(reply)) = decode_reply(&mut bytes) {
        flatten(&reply, &mut tokens);
    }
    if !bytes.is_empty() {
        tokens.push(bytes.escape_ascii().to_string());
    }
    tokens
}

fn flatten(reply: &Reply, tokens: &mut Vec<String>) {
    let mut list = |sign: char, elements: &[Reply]| {
        tokens.push(format!("{sign}{}", elements.len()));
        for element in elements {
            flatten(element, tokens);
        }
    };
    match reply {
        Reply::Array(elements) => list('*', elements),
        Reply::Set(elements) => list('~', elements),
        Reply::Push(elements) => list('>', elements),
        Reply::Map(pairs) => {
            tokens.push(format!("%{}", pairs.len()));
            for (key, value) in pairs {
                flatten(key, tokens);
                flatten(value, tokens);
            }
        }
        Reply::Bulk(text) => {
            tokens.push(format!("${}", essential(&text.escape_ascii().to_string())))
        }
        Reply::Verbatim(_, text) => {
            tokens.push(format!("={}", essential(&text.escape_ascii().to_string())));
        }
        // Not as they are written, `$-1` and `*-1`: there are byte strings that say -1.
        Reply::Null => tokens.push("null".to_owned()),
        Reply::NullArray => tokens.push("null array".to_owned()),
        other => {
            let mut bytes = BytesMut::new();
            encode_reply(other, &mut bytes);
            tokens.push(bytes.escape_ascii().to_string().replace("\\r\\n", ""));
        }
    }
}

/// Fields of CLIENT LIST that a model can know.
const CLIENT_FIELDS: &[&str] =
    &["id", "name", "flags", "db", "sub", "psub", "ssub", "multi", "cmd", "user", "redir", "resp"];
/// Fields of INFO that do not depend on the process.
const INFO_FIELDS: &[&str] = &[
    "redis_version",
    "redis_mode",
    "hz",
    "connected_clients",
    "blocked_clients",
    "tracking_clients",
    "maxclients",
    "role",
    "connected_slaves",
    "master_failover_state",
];

/// What must be the same in a text: all of it, but for CLIENT LIST and INFO.
fn essential(text: &str) -> String {
    if text.starts_with("id=") && text.contains(" laddr=") {
        let known = |field: &&str| {
            CLIENT_FIELDS.iter().any(|name| field.split_once('=').is_some_and(|it| it.0 == *name))
        };
        let lines = text.split("\\n").map(|line| line.split(' ').filter(known).collect::<Vec<_>>());
        let lines = lines.map(|fields| fields.join(" ")).collect::<Vec<_>>().join("\n");
        // A client that was served a moment ago and has not gone on: here it has.
        return lines.replace("flags=u ", "flags=N ");
    }
    if text.starts_with("# ") {
        let known = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default();
            INFO_FIELDS.contains(&name) || name.starts_with("db")
        };
        let lines = text.split("\\r\\n").filter(known);
        let lines = lines.map(|line| line.split(",avg_ttl").next().unwrap_or_default());
        return lines.collect::<Vec<_>>().join("\n");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::differences;

    /// How many steps differ when a server answers `theirs` to `step`, and a model `ours`.
    fn differing(step: &str, theirs: &str, ours: &str) -> usize {
        let text = |answer: &str| format!("= redis 7.0.15\n{step}\n{answer}\n");
        differences(&text(theirs), &text(ours)).len()
    }

    #[test]
    fn remaining_times_may_differ_a_little_and_signs_of_none_may_not() {
        assert_eq!(differing("> PTTL k", "< :995\\r\\n", "< :998\\r\\n"), 0);
        assert_eq!(differing("> PTTL k", "< :995\\r\\n", "< :940\\r\\n"), 1);
        assert_eq!(differing("> PTTL k", "< :-1\\r\\n", "< :-2\\r\\n"), 1);
        assert_eq!(differing("> TTL k", "< :10\\r\\n", "< :9\\r\\n"), 0);
        assert_eq!(differing("> TTL k", "< :10\\r\\n", "< :8\\r\\n"), 1);
        assert_eq!(differing("> INCR k", "< :995\\r\\n", "< :998\\r\\n"), 1);
    }

    #[test]
    fn a_transaction_is_judged_by_what_was_queued() {
        let text = |ms| {
            format!(
                "> MULTI\n< +OK\\r\\n\n> PTTL k\n< +QUEUED\\r\\n\n> EXEC\n< *1\\r\\n:{ms}\\r\\n\n"
            )
        };
        assert_eq!(differences(&text(500), &text(503)), []);
        assert_eq!(differences(&text(500), &text(550)).len(), 1);
    }

    #[test]
    fn order_matters_where_it_is_not_a_hash_table_s() {
        let (one, other) = ("< *2\\r\\n+a\\r\\n+b\\r\\n", "< *2\\r\\n+b\\r\\n+a\\r\\n");
        assert_eq!(differing("> KEYS *", one, other), 0);
        assert_eq!(differing("> LRANGE q 0 -1", one, other), 1);
        assert_eq!(differing("@ 300", one, other), 0);
    }

    #[test]
    fn who_hears_something_matters_and_so_does_an_error_s_text() {
        assert_eq!(differing("> GET k", "< +a\\r\\n", "2< +a\\r\\n"), 1);
        assert_eq!(differing("> GET k", "< +a\\r\\n", ""), 1);
        assert_eq!(differing("> GET k", "x", ""), 1);
        assert_eq!(differing("> KEYS", "< -ERR one\\r\\n", "< -ERR two\\r\\n"), 1);
        assert_eq!(differing("> RANDOMKEY", "< $1\\r\\na\\r\\n", "< $2\\r\\nbc\\r\\n"), 0);
        assert_eq!(differing("> RANDOMKEY", "< $1\\r\\na\\r\\n", "< $-1\\r\\n"), 1);
        assert_eq!(differing("> GET k", "< $2\\r\\n-1\\r\\n", "< $-1\\r\\n"), 1);
    }
}
