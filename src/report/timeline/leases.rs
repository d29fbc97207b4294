//! Lock records as the servers had them, and the leases that they stand for.
//!
//! Two things that mostly end together, and where they do not, there is the bug: a record is gone
//! too early when its server forgets it, and stays too long when its server's clock is slow. The
//! lease is valid by true time: that is what a holder was promised.

use std::time::Duration;

use picklock_models::model::ChangeKind;
use picklock_sim::history::{Event, Op, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use super::bars::ByHost;
use super::{Bar, Lease, Window};
use crate::terms::History;

pub(super) fn of(history: &History, window: Window) -> ByHost<Lease> {
    let mut pass = Records { window, open: Default::default(), found: ByHost::new() };
    for event in &history.events {
        pass.take(event);
    }
    let end = history.header.end_at;
    let servers: Vec<_> = pass.open.keys().copied().collect();
    for server in servers {
        pass.close(server, end, None, "was still there at the end");
    }
    pass.found
}

/// When one of these leases was valid; of a lock on `servers` servers, when a majority was.
pub(super) fn valid(leases: &[Lease], servers: usize) -> Vec<Bar> {
    let alone = |lease: &Lease| Bar {
        from: lease.from,
        until: lease.valid_until,
        note: format!("its lease, valid until {}", lease.valid_until),
    };
    if servers <= 1 {
        return leases.iter().map(alone).collect();
    }
    let quorum = servers as i32 / 2 + 1;
    let mut turns: Vec<(SimTime, i32)> = Vec::new();
    for lease in leases.iter().filter(|lease| lease.from < lease.valid_until) {
        turns.extend([(lease.from, 1), (lease.valid_until, -1)]);
    }
    turns.sort_unstable();
    let (mut count, mut since, mut found) = (0, SimTime::ZERO, Vec::new());
    for (at, change) in turns {
        let before = count;
        count += change;
        match (before >= quorum, count >= quorum) {
            (false, true) => since = at,
            (true, false) => found.push(Bar {
                from: since,
                until: at,
                note: format!(
                    "its leases at {quorum} of {servers} servers at least, valid until {at}"
                ),
            }),
            _ => {}
        }
    }
    found
}

/// The parts of `beliefs` that no valid lease covers. The lease is counted from the server's grant and the
/// belief from its arrival, so a belief in time begins covered.
pub(super) fn uncovered(beliefs: &[Bar], valid: &[Bar]) -> Vec<Bar> {
    let mut found = Vec::new();
    for belief in beliefs {
        let mut from = belief.from;
        let mut covers: Vec<_> = valid.iter().map(|one| (one.from, one.until)).collect();
        covers.sort_unstable();
        for (start, end) in covers {
            if start > from && start < belief.until {
                found.push(bare(from, start));
            }
            if start <= belief.until {
                from = from.max(end);
            }
        }
        if from < belief.until {
            found.push(bare(from, belief.until));
        }
    }
    found
}

fn bare(from: SimTime, until: SimTime) -> Bar {
    Bar { from, until, note: format!("believed without a valid lease from {from} to {until}") }
}

/// The lock record at each server while the history goes by.
struct Records {
    window: Window,
    open: std::collections::BTreeMap<HostName, Record>,
    found: ByHost<Lease>,
}

#[derive(Clone, Copy)]
struct Record {
    owner: HostName,
    from: SimTime,
    valid_until: Option<SimTime>,
}

impl Records {
    fn take(&mut self, event: &Event) {
        let (server, at) = (event.process, event.at);
        let Op::Record { record: RecordName::Lock, change, by, owner } = event.op else {
            if event.op == Op::Crashed {
                self.close(server, at, None, "was gone with the server");
            }
            return;
        };
        let until = |ttl_ms: Option<i64>| {
            let ttl_ms = u64::try_from(ttl_ms?).unwrap_or(0);
            Some(at + Duration::from_millis(ttl_ms))
        };
        match change {
            ChangeKind::Set { ttl_ms, .. } => {
                // Stored again by its owner (SET with a new expiry) is the same lease prolonged.
                if let Some(record) = self.open.get_mut(&server).filter(|r| Some(r.owner) == by) {
                    record.valid_until = until(ttl_ms);
                    return;
                }
                self.close(server, at, by, "was overwritten");
                self.begin(server, by.unwrap_or(server), at, until(ttl_ms));
            }
            ChangeKind::Loaded { ttl_ms, .. } => {
                self.close(server, at, None, "was replaced");
                self.begin(server, owner.unwrap_or(server), at, until(ttl_ms));
            }
            ChangeKind::Edited { ttl_ms } | ChangeKind::Retimed { ttl_ms } => {
                if let Some(record) = self.open.get_mut(&server) {
                    record.valid_until = until(ttl_ms);
                }
            }
            ChangeKind::Deleted => match by {
                Some(by) => self.close(server, at, Some(by), &format!("was deleted by {by}")),
                None => self.close(server, at, None, "was deleted"),
            },
            ChangeKind::Expired => self.close(server, at, None, "expired"),
        }
    }

    fn begin(
        &mut self,
        server: HostName,
        owner: HostName,
        from: SimTime,
        valid_until: Option<SimTime>,
    ) {
        self.open.insert(server, Record { owner, from, valid_until });
    }

    fn close(&mut self, server: HostName, at: SimTime, by: Option<HostName>, how: &str) {
        let Some(Record { owner, from, valid_until }) = self.open.remove(&server) else { return };
        let lease = match valid_until {
            Some(valid_until) => format!("its lease ran until {valid_until}"),
            None => "it had no lease".to_owned(),
        };
        let note =
            format!("lock record of {owner} at {server} from {from} to {at}: {how}; {lease}");
        // What is given back is over; a record without a time to live is good as long as it is there.
        let valid_until = match valid_until {
            Some(valid_until) if by == Some(owner) => valid_until.min(at),
            Some(valid_until) => valid_until,
            None => at,
        };
        let last = at.max(valid_until);
        if let Some((from, until)) = self.window.clip(from, last) {
            let clipped = |end: SimTime| end.max(from).min(until);
            let (until, valid_until) = (clipped(at), clipped(valid_until));
            let lease = Lease { server, from, until, valid_until, note };
            self.found.entry(owner).or_default().push(lease);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(server: u16, from_ms: u64, valid_until_ms: u64) -> Lease {
        let (from, valid_until) =
            (SimTime::from_millis(from_ms), SimTime::from_millis(valid_until_ms));
        let server = HostName { number: server, ..HostName::REDIS };
        Lease { server, from, until: valid_until, valid_until, note: String::new() }
    }

    #[test]
    fn of_several_servers_a_majority_must_have_the_lease() {
        let ms = |bars: Vec<Bar>| {
            let ends =
                |bar: &Bar| [bar.from, bar.until].map(|at| at.since(SimTime::ZERO).as_millis());
            bars.iter().map(ends).collect::<Vec<_>>()
        };
        let leases = [lease(1, 10, 100), lease(2, 12, 40), lease(3, 20, 60), lease(1, 200, 300)];
        assert_eq!(ms(valid(&leases, 3)), [[12, 60]]);
        assert_eq!(ms(valid(&leases, 5)), [[20, 40]]);
        assert_eq!(ms(valid(&leases[3..], 3)), [[0; 2]; 0], "one of three is no majority");
        assert_eq!(ms(valid(&leases[..1], 1)), [[10, 100]]);
    }
}
