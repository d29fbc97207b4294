//! Four letters instead of a handshake: how is the server? (`server/command/FourLetterCommands.java`)
//!
//! Each is answered with text, and the connection ends. What is not in the list that the server was given
//! is not answered; what is in it but not modelled is as if it were not.

use std::fmt::Write as _;

use super::{VERSION, ZooKeeper};
use crate::time::HostTime;

type Word = fn(&ZooKeeper, HostTime) -> String;

/// The words that are modelled.
const WORDS: &[(&[u8; 4], Word)] = &[
    (b"ruok", |_, _| "imok".into()),
    (b"srvr", |server, _| format!("{}{}", version_line(), server.statistics())),
    (b"stat", |server, _| server.stat()),
    (b"mntr", ZooKeeper::monitor),
    (b"conf", |server, _| server.configuration()),
    (b"envi", |_, _| environment()),
    (b"isro", |_, _| "rw".into()),
];

/// The others that the real server knows.
const OTHERS: &[&[u8; 4]] = &[
    b"cons", b"crst", b"dirs", b"dump", b"gtmk", b"hash", b"lead", b"srst", b"stmk", b"wchc",
    b"wchp", b"wchs",
];

/// The words that are modelled, as a list for [`Config`](super::Config).
pub(super) fn all() -> Vec<String> {
    WORDS.iter().map(|(word, _)| String::from_utf8_lossy(&word[..]).into_owned()).collect()
}

/// Whether these four bytes are such a word: as the length of a frame they would be too much anyway.
pub(super) fn is_known(word: &[u8; 4]) -> bool {
    WORDS.iter().any(|(known, _)| *known == word) || OTHERS.contains(&word)
}

impl ZooKeeper {
    /// The answer to `word`.
    pub(super) fn answer_word(&self, word: [u8; 4], now: HostTime) -> String {
        let name = String::from_utf8_lossy(&word);
        let listed = self.config.words.iter().any(|listed| *listed == name || listed == "*");
        match WORDS.iter().find(|(known, _)| **known == word).filter(|_| listed) {
            Some((_, answer)) => answer(self, now),
            None => format!("{name} is not executed because it is not in the whitelist.\n"),
        }
    }

    fn statistics(&self) -> String {
        format!(
            "Latency min/avg/max: 0/0.0/0\nReceived: {}\nSent: {}\nConnections: {}\n\
             Outstanding: 0\nZxid: 0x{:x}\nMode: standalone\nNode count: {}\n",
            self.received,
            self.sent,
            self.connections.len(),
            self.tree.last_zxid().0,
            self.node_count(),
        )
    }

    fn stat(&self) -> String {
        let mut text = format!("{}Clients:\n", version_line());
        for connection in self.connections.keys() {
            // A model is not told addresses: the connection's number stands for the port.
            let _ = writeln!(text, " /127.0.0.1:{}[1](queued=0,recved=0,sent=0)", connection.0);
        }
        text.push('\n');
        text + &self.statistics()
    }

    fn monitor(&self, now: HostTime) -> String {
        let uptime_ms = now.steady.since(self.started).as_millis();
        let values: &[(&str, String)] = &[
            ("version", format!("{VERSION}, built on picklock")),
            ("server_state", "standalone".into()),
            ("avg_latency", "0.0".into()),
            ("max_latency", "0".into()),
            ("min_latency", "0".into()),
            ("packets_received", self.received.to_string()),
            ("packets_sent", self.sent.to_string()),
            ("num_alive_connections", self.connections.len().to_string()),
            ("outstanding_requests", "0".into()),
            ("uptime", uptime_ms.to_string()),
            ("znode_count", self.node_count().to_string()),
            ("watch_count", self.watches.len().to_string()),
            ("ephemerals_count", self.tree.ephemerals_count().to_string()),
            ("approximate_data_size", self.tree.data_size().to_string()),
            ("global_sessions", self.sessions.len().to_string()),
            ("local_sessions", "0".into()),
        ];
        values.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "zk_{name}\t{value}");
            text
        })
    }

    fn configuration(&self) -> String {
        let tick_ms = self.config.tick_ms;
        format!(
            "clientPort=2181\nsecureClientPort=-1\ndataDir=/\ndataDirSize=0\ndataLogDir=/\n\
             dataLogSize=0\ntickTime={tick_ms}\nmaxClientCnxns=0\nminSessionTimeout={}\n\
             maxSessionTimeout={}\nclientPortListenBacklog=-1\nserverId=0\n",
            u64::from(tick_ms) * 2,
            u64::from(tick_ms) * 20,
        )
    }

    /// The real server counts the root twice: it has two names.
    fn node_count(&self) -> usize {
        self.tree.len() + 1
    }
}

fn version_line() -> String {
    format!("Zookeeper version: {VERSION}, built on picklock\n")
}

fn environment() -> String {
    format!(
        "Environment:\nzookeeper.version={VERSION}, built on picklock\nhost.name=localhost\n\
         java.version=none\njava.vendor=picklock\nos.name=Linux\n"
    )
}
