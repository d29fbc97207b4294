//! From what a model tells of its keys to what a history says of the lock, the fence and the stock.
//!
//! Some locks are one record: whoever stored it holds the lock. Others are a queue: each contender has a
//! record of its own below the lock's name, and the oldest of them is the holder's. In a history both look
//! the same: [`RecordName::Lock`] is the record that makes its owner the holder, and
//! [`RecordName::Place`] one that waits behind it. When the first in a queue goes, the next one is set.
//!
//! A queue that is one list for all ([`RecordName::Queue`]) tells only who changed it: the client that once
//! created the list owns no place in it.

use bytes::Bytes;
use picklock_models::model::{Change, ChangeKind};

use crate::history::{Op, RecordName};
use crate::host::HostName;

/// The watched records of one server, from its boot on.
pub(super) struct Records {
    watched: Vec<(Bytes, RecordName)>,
    /// The records below the lock's name, oldest first, with who stored each.
    queue: Vec<(Bytes, Option<HostName>)>,
}

impl Records {
    /// Nothing is known to be there yet.
    pub(super) fn new(watched: Vec<(Bytes, RecordName)>) -> Self {
        Self { watched, queue: Vec::new() }
    }

    /// What this change means, in one event or two; `by` and `owner` are the change's, as hosts.
    pub(super) fn follow(
        &mut self,
        change: &Change,
        by: Option<HostName>,
        owner: Option<HostName>,
    ) -> [Option<Op>; 2] {
        let is_this = |(key, _): &&(Bytes, RecordName)| *key == change.key;
        match self.watched.iter().find(is_this) {
            Some((_, record @ RecordName::Queue)) => {
                [Some(Op::Record { record: *record, change: change.kind, by, owner: None }), None]
            }
            Some((_, record)) => {
                [Some(Op::Record { record: *record, change: change.kind, by, owner }), None]
            }
            None if self.is_below_the_lock(&change.key) => self.follow_queue(change, by, owner),
            None => [None, None],
        }
    }

    fn is_below_the_lock(&self, key: &[u8]) -> bool {
        let below = |lock: &[u8]| key.strip_prefix(lock).is_some_and(|rest| rest.starts_with(b"/"));
        self.watched.iter().any(|(lock, record)| *record == RecordName::Lock && below(lock))
    }

    fn follow_queue(
        &mut self,
        change: &Change,
        by: Option<HostName>,
        owner: Option<HostName>,
    ) -> [Option<Op>; 2] {
        let at = self.queue.iter().position(|(key, _)| *key == change.key);
        let is_first = at.unwrap_or(self.queue.len()) == 0;
        let record = if is_first { RecordName::Lock } else { RecordName::Place };
        let told = Op::Record { record, change: change.kind, by, owner };
        match (change.kind, at) {
            (ChangeKind::Deleted | ChangeKind::Expired, Some(at)) => {
                self.queue.remove(at);
                let next = self.queue.first().and_then(|(_, owner)| *owner);
                match next {
                    // Its owner has another one: a lock of two steps.
                    Some(next) if is_first && owner == Some(next) => [Some(set(next, owner)), None],
                    Some(next) if is_first => [Some(told), Some(set(next, None))],
                    _ => [Some(told), None],
                }
            }
            (_, None) => {
                self.queue.push((change.key.clone(), by.or(owner)));
                [Some(told), None]
            }
            (_, Some(_)) => [Some(told), None],
        }
    }
}

/// This client is the first now.
fn set(first: HostName, owner: Option<HostName>) -> Op {
    let change = ChangeKind::Set { number: None, ttl_ms: None };
    Op::Record { record: RecordName::Lock, change, by: Some(first), owner }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: ChangeKind = ChangeKind::Set { number: None, ttl_ms: None };

    /// What is told of a change by client `by` to the record of client `owner`, 0 being nobody, in short.
    fn told(
        records: &mut Records,
        key: &str,
        kind: ChangeKind,
        by: u16,
        owner: u16,
    ) -> Vec<String> {
        let host = |number: u16| (number > 0).then(|| HostName::client(number));
        let key = Bytes::copy_from_slice(key.as_bytes());
        let change = Change { key, by: None, owner: None, kind };
        let in_words = |op| {
            let Op::Record { record, change, by, owner } = op else { panic!("{op}") };
            let word = match change {
                ChangeKind::Set { .. } => "set",
                ChangeKind::Deleted => "deleted",
                ChangeKind::Expired => "expired",
                ChangeKind::Edited { .. } => "edited",
                ChangeKind::Retimed { .. } => "retimed",
                ChangeKind::Loaded { .. } => "loaded",
            };
            let number = |host: Option<HostName>| host.map_or(0, |host| host.number);
            format!("{record:?} {word} {} {}", number(by), number(owner))
        };
        let ops = records.follow(&change, host(by), host(owner));
        ops.into_iter().flatten().map(in_words).collect()
    }

    fn records() -> Records {
        Records::new(vec![(Bytes::from("lock"), RecordName::Lock)])
    }

    #[test]
    fn a_single_record_is_told_as_it_is() {
        let mut records = records();
        assert_eq!(told(&mut records, "lock", SET, 1, 0), ["Lock set 1 0"]);
        assert_eq!(told(&mut records, "lock", ChangeKind::Expired, 0, 1), ["Lock expired 0 1"]);
        assert!(told(&mut records, "locks", SET, 1, 0).is_empty());
    }

    #[test]
    fn a_queue_in_one_record_is_nobodys() {
        let mut records = Records::new(vec![(Bytes::from("waiting"), RecordName::Queue)]);
        assert_eq!(told(&mut records, "waiting", SET, 2, 1), ["Queue set 2 0"]);
        assert_eq!(told(&mut records, "waiting", ChangeKind::Deleted, 2, 1), ["Queue deleted 2 0"]);
    }

    #[test]
    fn in_a_queue_the_next_one_is_set_when_the_first_goes() {
        let mut records = records();
        assert_eq!(told(&mut records, "lock/a", SET, 1, 0), ["Lock set 1 0"]);
        assert_eq!(told(&mut records, "lock/b", SET, 2, 0), ["Place set 2 0"]);
        assert_eq!(told(&mut records, "lock/c", SET, 3, 0), ["Place set 3 0"]);
        assert_eq!(told(&mut records, "lock/b", ChangeKind::Expired, 0, 2), ["Place expired 0 2"]);
        let handed = ["Lock deleted 1 1", "Lock set 3 0"];
        assert_eq!(told(&mut records, "lock/a", ChangeKind::Deleted, 1, 1), handed);
        assert_eq!(told(&mut records, "lock/c", ChangeKind::Expired, 0, 3), ["Lock expired 0 3"]);
        assert_eq!(told(&mut records, "lock/d", SET, 1, 0), ["Lock set 1 0"]);
    }

    #[test]
    fn who_has_two_records_keeps_the_lock_when_the_older_one_goes() {
        let mut records = records();
        told(&mut records, "lock/a", SET, 1, 0);
        told(&mut records, "lock/b", SET, 1, 0);
        assert_eq!(told(&mut records, "lock/a", ChangeKind::Deleted, 1, 1), ["Lock set 1 1"]);
    }

    #[test]
    fn a_queue_that_was_on_the_disk_goes_on() {
        let mut records = records();
        let loaded = ChangeKind::Loaded { number: None, ttl_ms: None };
        assert_eq!(told(&mut records, "lock/a", loaded, 0, 1), ["Lock loaded 0 1"]);
        assert_eq!(told(&mut records, "lock/b", loaded, 0, 2), ["Place loaded 0 2"]);
        let handed = ["Lock deleted 1 1", "Lock set 2 0"];
        assert_eq!(told(&mut records, "lock/a", ChangeKind::Deleted, 1, 1), handed);
    }
}
