//! Watches a real Redis over one connection: keyspace events say what happened, MONITOR says by whom.
//!
//! Both come on one connection (RESP3 allows it), so their order is the server's. An event comes before the
//! line of the command that caused it; the line of a script comes before those of the commands in it, which
//! name `lua` instead of a client. (Seen on 7.0.15.)
#![expect(clippy::disallowed_methods, reason = "a real server is watched by a thread of its own")]

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Weak;
use std::sync::mpsc::Sender;
use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Op, RecordName};
use picklock_sim::host::HostName;

use super::super::links::Links;
use super::super::stage::Happening;

/// How long a server that is down is left alone before it is asked again.
const CALL_AGAIN: Duration = Duration::from_millis(5);

/// A server of the run, and the keys of it that a history tells of.
pub(in super::super) struct Watched {
    pub(in super::super) host: HostName,
    pub(in super::super) server: SocketAddr,
    pub(in super::super) records: BTreeMap<String, RecordName>,
}

/// Watches until nobody listens any more, or the run's links are gone (which other witnesses must not keep). Comes
/// back once it sees everything.
pub(in super::super) fn watch(
    Watched { host, server, records }: Watched,
    links: Weak<Links>,
    told: Sender<Happening>,
) -> io::Result<()> {
    let mut follower = Follower { records, ..Follower::default() };
    let mut lines = call(server)?;
    std::thread::spawn(move || {
        loop {
            while let Ok(Some(said)) = next(&mut lines) {
                for change in follower.follow(&said, |port| links.upgrade()?.origin(host, port)) {
                    if told.send(Happening::Fact(host, change)).is_err() {
                        return;
                    }
                }
            }
            // The server went down. What it has when it comes back is told by what happens to it next.
            follower.forget();
            lines = loop {
                match call(server) {
                    Ok(lines) => break lines,
                    Err(_) if links.strong_count() == 0 => return,
                    Err(_) => std::thread::sleep(CALL_AGAIN),
                }
            };
        }
    });
    Ok(())
}

/// Asks to be told everything, of a server that has loaded what it has: it serves its callers while it loads, and each
/// command that it carries out from its file is an event, but nobody's (`aof.c` `loadSingleAppendOnlyFile`).
fn call(server: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let mut lines = BufReader::new(TcpStream::connect(server)?);
    let mut line = String::new();
    lines.get_mut().write_all(b"PING\r\n")?;
    lines.read_line(&mut line)?;
    if line != "+PONG\r\n" {
        return Err(io::Error::other(line));
    }
    lines.get_mut().write_all(
        b"HELLO 3\r\nCONFIG SET notify-keyspace-events KEA\r\nPSUBSCRIBE __keyevent@0__:*\r\nMONITOR\r\n",
    )?;
    // CONFIG and MONITOR both say OK; after the second, nothing is missed.
    for _ in 0..2 {
        loop {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == "+OK\r\n" {
                break;
            }
        }
    }
    Ok(lines)
}

/// What a watched server says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// Something happened to a key.
    Event { what: String, key: String },
    /// A command was carried out, for the client at this port or for the script that was begun last.
    Command { port: Option<u16>, words: Vec<String> },
}

/// Reads the next thing that it says; `None` at the end.
fn next(lines: &mut impl BufRead) -> io::Result<Option<Said>> {
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let text = line.trim_end_matches("\r\n");
        if let Some(command) = text.strip_prefix('+') {
            return Ok(parse_command(command));
        }
        // A push of four words; each is a length and itself.
        if text == ">4" {
            let mut words = Vec::new();
            for _ in 0..8 {
                line.clear();
                lines.read_line(&mut line)?;
                words.push(line.trim_end_matches("\r\n").to_owned());
            }
            let key = words.pop().unwrap_or_default();
            let what = words[5].rsplit(':').next().unwrap_or_default().to_owned();
            return Ok(Some(Said::Event { what, key }));
        }
    }
}

/// `1795643836.069679 [0 127.0.0.1:46642] "set" "lock" "tok"`
fn parse_command(text: &str) -> Option<Said> {
    let (_, rest) = text.split_once('[')?;
    let (client, rest) = rest.split_once("] ")?;
    let port = client.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let mut words = Vec::new();
    let (mut word, mut inside, mut escaped) = (String::new(), false, false);
    for c in rest.chars() {
        match c {
            _ if escaped => {
                escaped = false;
                word.push(c);
            }
            '\\' if inside => escaped = true,
            '"' if inside => {
                inside = false;
                words.push(std::mem::take(&mut word));
            }
            '"' => inside = true,
            _ if inside => word.push(c),
            _ => {}
        }
    }
    Some(Said::Command { port, words })
}

/// Puts events and commands together.
#[derive(Default)]
struct Follower {
    records: BTreeMap<String, RecordName>,
    /// Events whose command has not been told yet.
    pending: Vec<(String, String)>,
    /// Who asked for the script that is running.
    script_of: Option<u16>,
    owners: BTreeMap<String, HostName>,
    numbers: BTreeMap<String, i64>,
}

impl Follower {
    fn forget(&mut self) {
        self.pending.clear();
        self.owners.clear();
        self.numbers.clear();
    }

    fn follow(&mut self, said: &Said, origin: impl Fn(u16) -> Option<HostName>) -> Vec<Op> {
        match said {
            Said::Event { key, .. } if !self.records.contains_key(key) => Vec::new(),
            Said::Event { what, key } if what == "expired" => {
                let owner = self.owners.remove(key);
                self.numbers.remove(key);
                vec![self.op(key, ChangeKind::Expired, None, owner)]
            }
            Said::Event { what, key } => {
                self.pending.push((what.clone(), key.clone()));
                Vec::new()
            }
            Said::Command { port, words } => {
                if port.is_some() {
                    self.script_of = *port;
                }
                let by = port.or(self.script_of).and_then(origin);
                let pending = std::mem::take(&mut self.pending);
                let sets = pending.iter().any(|(what, _)| what == "set");
                // A SET with an expiry tells of both; they are one change.
                let told = pending.iter().filter(|(what, _)| !(sets && what == "expire"));
                told.filter_map(|(what, key)| self.change(what, key, words, by)).collect()
            }
        }
    }

    fn change(
        &mut self,
        what: &str,
        key: &str,
        words: &[String],
        by: Option<HostName>,
    ) -> Option<Op> {
        let owner = self.owners.get(key).copied();
        let change = match what {
            "set" => {
                let number = words.get(2).and_then(|value| value.parse().ok());
                self.numbers.remove(key);
                self.numbers.extend(number.map(|number| (key.to_owned(), number)));
                self.owned(key, by);
                ChangeKind::Set { number, ttl_ms: expiry_ms(words) }
            }
            "incrby" => {
                let number = self.numbers.get(key).copied().unwrap_or(0) + step(words)?;
                self.numbers.insert(key.to_owned(), number);
                self.owned(key, by);
                ChangeKind::Set { number: Some(number), ttl_ms: None }
            }
            "expire" => {
                let ttl_ms = words.get(2).and_then(|ttl| ttl.parse().ok());
                ChangeKind::Retimed { ttl_ms: ttl_ms.map(|ttl: i64| ttl * unit_ms(&words[0])) }
            }
            "persist" => ChangeKind::Retimed { ttl_ms: None },
            "del" => {
                self.owners.remove(key);
                self.numbers.remove(key);
                ChangeKind::Deleted
            }
            _ => return None,
        };
        Some(self.op(key, change, by, owner))
    }

    fn owned(&mut self, key: &str, by: Option<HostName>) {
        self.owners.remove(key);
        self.owners.extend(by.map(|by| (key.to_owned(), by)));
    }

    fn op(
        &self,
        key: &str,
        change: ChangeKind,
        by: Option<HostName>,
        owner: Option<HostName>,
    ) -> Op {
        Op::Record { record: self.records[key], change, by, owner }
    }
}

/// The expiry that a SET asks for.
fn expiry_ms(words: &[String]) -> Option<i64> {
    let at =
        words.iter().position(|w| w.eq_ignore_ascii_case("px") || w.eq_ignore_ascii_case("ex"))?;
    let ttl: i64 = words.get(at + 1)?.parse().ok()?;
    Some(ttl * unit_ms(&words[at]))
}

/// What a number behind this word counts, in milliseconds.
fn unit_ms(word: &str) -> i64 {
    if word.to_ascii_lowercase().starts_with('p') { 1 } else { 1000 }
}

/// By how much a counting command changes its key.
fn step(words: &[String]) -> Option<i64> {
    let by = |sign: i64| Some(sign * words.get(2)?.parse::<i64>().ok()?);
    match words.first()?.to_ascii_lowercase().as_str() {
        "incr" => Some(1),
        "decr" => Some(-1),
        "incrby" => by(1),
        "decrby" => by(-1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a real 7.0.15 said it, with other numbers; `event what key` stands for a push.
    fn follow(transcript: &str) -> Vec<String> {
        let records = [("lock", RecordName::Lock), ("stock", RecordName::Stock)];
        let records = records.map(|(key, name)| (key.to_owned(), name)).into();
        let mut follower = Follower { records, ..Follower::default() };
        let origin = |port| match port {
            1001 => Some(HostName::client(1)),
            1002 => Some(HostName::client(2)),
            _ => None,
        };
        let mut found = Vec::new();
        for line in transcript.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let said = match line.strip_prefix("event ") {
                Some(event) => {
                    let (what, key) = event.split_once(' ').expect("two words");
                    Said::Event { what: what.to_owned(), key: key.to_owned() }
                }
                None => parse_command(line).expect("a line of MONITOR"),
            };
            found.extend(follower.follow(&said, origin).iter().map(ToString::to_string));
        }
        found
    }

    #[test]
    fn a_lease_and_its_release_are_told_with_their_client() {
        let told = follow(
            r#"
            event set lock
            event expire lock
            1.1 [0 127.0.0.1:1001] "set" "lock" "tok" "NX" "PX" "200"
            1.2 [0 127.0.0.1:1002] "set" "lock" "tok2" "NX" "PX" "200"
            1.3 [0 127.0.0.1:1001] "eval" "return redis.call('del', \"lock\")" "1" "lock" "tok"
            1.3 [0 lua] "get" "lock"
            event del lock
            1.3 [0 lua] "del" "lock"
            "#,
        );
        assert_eq!(told, ["lock record set by client 1", "lock record deleted by client 1"]);
    }

    #[test]
    fn an_expiry_is_nobodys_doing_and_a_theft_is_somebodys() {
        let told = follow(
            r#"
            event set lock
            1.1 [0 127.0.0.1:1001] "SET" "lock" "x" "PX" "200"
            event expired lock
            event set lock
            1.4 [0 127.0.0.1:1002] "SET" "lock" "x" "PX" "200"
            event del lock
            1.5 [0 127.0.0.1:1001] "DEL" "lock"
            "#,
        );
        assert_eq!(
            told,
            [
                "lock record set by client 1",
                "lock record expired, was client 1's",
                "lock record set by client 2",
                "lock record deleted by client 1, was client 2's",
            ]
        );
    }

    #[test]
    fn a_stock_is_counted_along() {
        let told = follow(
            r#"
            event set stock
            1.0 [0 127.0.0.1:9999] "SET" "stock" "2"
            event incrby stock
            1.1 [0 127.0.0.1:1001] "DECR" "stock"
            1.2 [0 127.0.0.1:1002] "evalsha" "abc" "1" "stock"
            event incrby stock
            1.2 [0 lua] "decr" "stock"
            event set other
            1.3 [0 127.0.0.1:1001] "set" "other" "1"
            "#,
        );
        assert_eq!(
            told,
            [
                "stock record set to 2",
                "stock record set to 1 by client 1",
                "stock record set to 0 by client 2, was client 1's",
            ]
        );
    }

    #[test]
    fn a_server_that_still_loads_is_not_asked_for_more() {
        let server = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = server.local_addr().unwrap();
        let loading = "-LOADING Redis is loading the dataset in memory\r\n";
        let answered = std::thread::spawn(move || {
            let (mut caller, _) = server.accept().unwrap();
            caller.write_all(loading.as_bytes()).unwrap();
            let mut asked = String::new();
            io::Read::read_to_string(&mut caller, &mut asked).unwrap();
            asked
        });
        assert_eq!(call(address).unwrap_err().to_string(), loading);
        assert_eq!(answered.join().unwrap(), "PING\r\n");
    }

    #[test]
    fn what_a_server_writes_is_read() {
        let text = ">4\r\n$8\r\npmessage\r\n$16\r\n__keyevent@0__:*\r\n$18\r\n__keyevent@0__:set\r\n$4\r\n\
                    lock\r\n+1.5 [0 127.0.0.1:7] \"set\" \"lock\" \"a\\\"b\"\r\n";
        let mut lines = text.as_bytes();
        let event = Said::Event { what: "set".to_owned(), key: "lock".to_owned() };
        assert_eq!(next(&mut lines).unwrap(), Some(event));
        let words = ["set", "lock", "a\"b"].map(str::to_owned).into();
        assert_eq!(next(&mut lines).unwrap(), Some(Said::Command { port: Some(7), words }));
        assert_eq!(next(&mut lines).unwrap(), None);
    }
}
