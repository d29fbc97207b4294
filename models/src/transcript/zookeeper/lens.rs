//! What in ZooKeeper's messages depends on the run: numbers of transactions and times, which a transcript
//! counts from its own beginning, sessions and their passwords, which have names in it.

use bytes::Bytes;

use crate::transcript::names::Names;
use crate::transcript::notation::{Note, Unreadable};

/// Fields that are numbers of transactions.
const ZXIDS: &[&str] = &["zxid", "czxid", "mzxid", "pzxid", "last_zxid_seen", "relative_zxid"];
/// Fields that are sessions.
const SESSIONS: &[&str] = &["session", "ephemeral_owner"];
/// Fields that are Unix milliseconds.
const TIMES: &[&str] = &["ctime_ms", "mtime_ms"];

/// The numbers of one run, and what transcripts call them.
#[derive(Clone, Debug)]
pub struct Lens {
    /// The last transaction from before the transcript.
    before: i64,
    /// When it begins, in Unix milliseconds of the server's clock.
    began_ms: i64,
    sessions: Names<i64>,
    passwords: Names<Bytes>,
}

impl Lens {
    /// For a run that begins after transaction `zxid`, at a Unix millisecond.
    pub fn new(zxid: i64, began_ms: i64) -> Self {
        let (sessions, passwords) = (Names::new("s"), Names::new("p"));
        Self { before: zxid, began_ms, sessions, passwords }
    }

    /// What the transcript says of a message from the server.
    pub fn told(&mut self, note: Note) -> Note {
        note.map(&mut |field, note| self.tell(field, note))
    }

    /// What a message in the transcript means to the server.
    ///
    /// # Errors
    /// If a session or a password has a name that was never told.
    pub fn meant(&self, note: Note) -> Result<Note, Unreadable> {
        note.try_map(&mut |field, note| self.mean(field, note))
    }

    fn tell(&mut self, field: &str, note: Note) -> Note {
        match note {
            Note::Word(word) => Note::Word(self.tell_word(field, word)),
            Note::Text(bytes) if field == "password" && bytes.iter().any(|byte| *byte != 0) => {
                Note::Word(self.passwords.name(bytes))
            }
            Note::List(mut notes) if matches!(field, "names" | "clients") => {
                // The real server has them in a hash table.
                notes.sort_by_cached_key(Note::to_string);
                Note::List(notes)
            }
            other => other,
        }
    }

    fn tell_word(&mut self, field: &str, word: String) -> String {
        let Ok(number) = word.parse::<i64>() else { return word };
        if ZXIDS.contains(&field) && number > 0 {
            return (number - self.before).to_string();
        }
        // Containers and nodes with a time to live have marks of their own there.
        if SESSIONS.contains(&field) && number > 0 {
            return self.sessions.name(number);
        }
        if TIMES.contains(&field) && number > 0 {
            return format!("~{}", number - self.began_ms);
        }
        word
    }

    fn mean(&self, field: &str, note: Note) -> Result<Note, Unreadable> {
        let Note::Word(word) = note else { return Ok(note) };
        let nobody = || Unreadable(format!("no {field} {word} so far"));
        if field == "password" {
            let password = self.passwords.find(&word).ok_or_else(nobody)?;
            return Ok(Note::Text(password.clone()));
        }
        let Ok(number) = word.parse::<i64>() else {
            if SESSIONS.contains(&field) {
                return Ok(Note::word(self.sessions.find(&word).ok_or_else(nobody)?));
            }
            return Ok(Note::Word(word));
        };
        let known_before = if ZXIDS.contains(&field) && number > 0 { self.before } else { 0 };
        Ok(Note::word(number + known_before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_and_times_count_from_the_beginning_and_sessions_have_names() {
        let mut lens = Lens::new(1000, 5_000_000);
        let real = "{czxid=1002 ctime_ms=5000040 ephemeral_owner=72057594037927936 version=3}";
        let told = lens.told(Note::parse(real).unwrap());
        assert_eq!(told.to_string(), "{czxid=2 ctime_ms=~40 ephemeral_owner=s1 version=3}");
        let asked = Note::parse("{session=s1 last_zxid_seen=2 timeout_ms=100}").unwrap();
        let meant = "{session=72057594037927936 last_zxid_seen=1002 timeout_ms=100}";
        assert_eq!(lens.meant(asked).unwrap().to_string(), meant);
        let unknown = Note::parse("{password=p1}").unwrap();
        assert_eq!(lens.meant(unknown), Err(Unreadable("no password p1 so far".to_owned())));
    }
}
