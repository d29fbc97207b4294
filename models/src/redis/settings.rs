//! What CONFIG GET shows and CONFIG SET changes (`src/config.c`): the parameters that clients and
//! tools ask for, with the real server's defaults.
//!
//! Some have an effect here (the password, keyspace events, limits, persistence, when a script counts
//! as busy, when an idle client is dropped); the others are kept and shown.

use std::collections::BTreeMap;

use super::notify::Letters;
use super::{glob, number};

mod check;

pub(super) use check::Refused;

/// What a parameter may be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Not while the server runs.
    Fixed,
    Flag,
    Integer(i64, i64),
    /// Bytes, with a unit.
    Memory(i64, i64),
    Choice(&'static [&'static str]),
    Text,
    Events,
    OutputLimits,
    SavePoints,
}

struct Parameter {
    name: &'static str,
    kind: Kind,
    default: &'static str,
    /// The other name of the same thing.
    alias: Option<&'static str>,
}

const fn row(name: &'static str, kind: Kind, default: &'static str) -> Parameter {
    Parameter { name, kind, default, alias: None }
}

const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];
const FSYNC: &[&str] = &["everysec", "always", "no"];
const LEVELS: &[&str] = &["debug", "verbose", "notice", "warning"];
const MAX: i64 = i64::MAX;
const INT: i64 = i32::MAX as i64;

/// Sorted by name, which is the order of CONFIG GET here; the real server has a hash table.
static PARAMETERS: &[Parameter] = &[
    row("active-expire-effort", Kind::Integer(1, 10), "1"),
    row("activedefrag", Kind::Flag, "no"),
    row("activerehashing", Kind::Flag, "yes"),
    row("appendfsync", Kind::Choice(FSYNC), "everysec"),
    row("appendonly", Kind::Flag, "no"),
    row("bind", Kind::Text, "127.0.0.1"),
    Parameter {
        alias: Some("lua-time-limit"),
        ..row("busy-reply-threshold", Kind::Integer(0, MAX), "5000")
    },
    row("client-output-buffer-limit", Kind::OutputLimits, DEFAULT_OUTPUT_LIMITS),
    row("client-query-buffer-limit", Kind::Memory(1_048_576, MAX), "1073741824"),
    row("cluster-enabled", Kind::Fixed, "no"),
    row("databases", Kind::Fixed, "16"),
    row("dbfilename", Kind::Text, "dump.rdb"),
    row("enable-debug-command", Kind::Fixed, "no"),
    row("hash-max-listpack-entries", Kind::Integer(0, MAX), "512"),
    row("hash-max-listpack-value", Kind::Integer(0, MAX), "64"),
    row("hz", Kind::Integer(0, INT), "10"),
    row("io-threads", Kind::Fixed, "1"),
    row("latency-monitor-threshold", Kind::Integer(0, MAX), "0"),
    row("lazyfree-lazy-user-del", Kind::Flag, "no"),
    row("lazyfree-lazy-user-flush", Kind::Flag, "no"),
    row("list-max-listpack-size", Kind::Integer(-INT - 1, INT), "-2"),
    row("loglevel", Kind::Choice(LEVELS), "notice"),
    Parameter {
        alias: Some("busy-reply-threshold"),
        ..row("lua-time-limit", Kind::Integer(0, MAX), "5000")
    },
    row("maxclients", Kind::Integer(1, INT), "10000"),
    row("maxmemory", Kind::Memory(0, MAX), "0"),
    row("maxmemory-clients", Kind::Memory(0, MAX), "0"),
    row("maxmemory-policy", Kind::Choice(POLICIES), "noeviction"),
    row("maxmemory-samples", Kind::Integer(1, INT), "5"),
    row("min-replicas-max-lag", Kind::Integer(0, INT), "10"),
    row("min-replicas-to-write", Kind::Integer(0, INT), "0"),
    row("notify-keyspace-events", Kind::Events, ""),
    row("port", Kind::Integer(0, 65535), "6379"),
    row("protected-mode", Kind::Flag, "yes"),
    row("proto-max-bulk-len", Kind::Memory(1_048_576, MAX), "536870912"),
    row("repl-backlog-size", Kind::Memory(1, MAX), "1048576"),
    row("repl-timeout", Kind::Integer(1, INT), "60"),
    row("requirepass", Kind::Text, ""),
    row("save", Kind::SavePoints, ""),
    row("set-max-intset-entries", Kind::Integer(0, MAX), "512"),
    row("slowlog-log-slower-than", Kind::Integer(-1, MAX), "10000"),
    row("slowlog-max-len", Kind::Integer(0, MAX), "128"),
    row("stop-writes-on-bgsave-error", Kind::Flag, "yes"),
    row("tcp-backlog", Kind::Fixed, "511"),
    row("tcp-keepalive", Kind::Integer(0, INT), "300"),
    row("timeout", Kind::Integer(0, INT), "0"),
    row("zset-max-listpack-entries", Kind::Integer(0, MAX), "128"),
    row("zset-max-listpack-value", Kind::Integer(0, MAX), "64"),
];

const DEFAULT_OUTPUT_LIMITS: &str =
    "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";

/// The parameters as they stand.
#[derive(Default)]
pub(super) struct Settings {
    /// What differs from the default.
    changed: BTreeMap<&'static str, String>,
    /// Whether a limit in bytes may differ from its default.
    limits_set: bool,
}

fn find(name: &[u8]) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))
}

impl Settings {
    /// What `name` is set to; empty for an unknown one.
    pub(super) fn get(&self, name: &str) -> &str {
        match self.changed.get(name) {
            Some(value) => value,
            None => find(name.as_bytes()).map_or("", |row| row.default),
        }
    }

    /// Whether a limit in bytes was ever set.
    pub(super) fn limits_were_set(&self) -> bool {
        self.limits_set
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name) == "yes"
    }

    /// A number that is not negative.
    pub(super) fn number(&self, name: &str) -> u64 {
        number::parse(self.get(name).as_bytes()).unwrap_or(0).max(0).unsigned_abs()
    }

    /// All parameters that match any of `patterns`, with their values.
    pub(super) fn matching(&self, patterns: &[&[u8]]) -> Vec<(&'static str, String)> {
        let asked = |row: &&Parameter| {
            let name = row.name.as_bytes();
            patterns.iter().any(|pattern| glob::matches(&pattern.to_ascii_lowercase(), name))
        };
        let found = PARAMETERS.iter().filter(asked);
        let shown = |row: &Parameter| match row.kind {
            Kind::Events => self.letters().print(),
            _ => self.get(row.name).to_owned(),
        };
        found.map(|row| (row.name, shown(row))).collect()
    }

    /// Sets what the server was started with; also what cannot be changed later.
    pub(super) fn preset(&mut self, name: &str, value: &str) {
        if let Some(row) = find(name.as_bytes()) {
            self.put(row, value.to_owned());
        }
    }

    /// `configSetCommand`: all pairs or none. The names in the order in which they were set.
    pub(super) fn set(&mut self, pairs: &[(&[u8], &[u8])]) -> Result<Vec<&'static str>, Refused> {
        let mut rows: Vec<&'static Parameter> = Vec::new();
        for (name, _) in pairs {
            let row = find(name).ok_or_else(|| Refused::unknown(name))?;
            if row.kind == Kind::Fixed {
                return Err(Refused::at(row.name, "can't set immutable config"));
            }
            if rows.iter().any(|seen| seen.name == row.name) {
                return Err(Refused::at(row.name, "duplicate parameter"));
            }
            rows.push(row);
        }
        let mut values = Vec::new();
        for (row, (_, value)) in rows.iter().zip(pairs) {
            let value = check::value(row.kind, value, self.get(row.name));
            values.push(value.map_err(|reason| Refused::at(row.name, &reason))?);
        }
        for (row, value) in rows.iter().zip(values) {
            self.put(row, value);
        }
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    fn put(&mut self, row: &'static Parameter, value: String) {
        self.limits_set |= matches!(row.kind, Kind::Memory(..));
        if let Some(alias) = row.alias {
            self.changed.insert(alias, value.clone());
        }
        self.changed.insert(row.name, value);
    }

    pub(super) fn letters(&self) -> Letters {
        Letters::parse(self.get("notify-keyspace-events").as_bytes()).unwrap_or_default()
    }

    /// How many bytes may wait to be sent to a client; 0 is no limit.
    pub(super) fn output_limit(&self, subscribed: bool) -> u64 {
        let mut words = self.get("client-output-buffer-limit").split(' ');
        let class = if subscribed { "pubsub" } else { "normal" };
        words.find(|word| *word == class);
        words.next().and_then(|word| word.parse().ok()).unwrap_or(0)
    }
}
