//! How a conversation keeps away from instants at which nobody can say what a server has done already.
//!
//! A lease or a session ends some time after it could: the server looks now and then. In between its
//! answers are a matter of luck, so nothing is sent then. Around that time there is a margin for the
//! machine being busy.
#![expect(clippy::disallowed_methods, reason = "real servers take real time")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A step that begins before an end is over by then, unless the machine is very busy.
const BEFORE: Duration = Duration::from_millis(100);
/// A server that is to end something by an instant has done so after this, unless ..
const AFTER: Duration = Duration::from_millis(250);

/// When the things that end by themselves may do so, and the time that a transcript has told so far.
#[derive(Debug)]
pub(super) struct Pace {
    told: Instant,
    /// How long each lasts, and when it ends at the earliest and at the latest.
    ends: BTreeMap<String, (Duration, Instant, Instant)>,
}

impl Pace {
    /// A transcript begins.
    pub(super) fn begin() -> Self {
        Self { told: Instant::now(), ends: BTreeMap::new() }
    }

    /// `what` was alive at `since` at the latest, and lasts `lasts` from an instant between `since` and now; the
    /// server looks every `looks`.
    pub(super) fn lasts(&mut self, what: &str, since: Instant, lasts: Duration, looks: Duration) {
        let (earliest, latest) = (since + lasts, Instant::now() + lasts + looks);
        self.ends.insert(what.to_owned(), (lasts, earliest, latest));
    }

    /// The server may or may not have begun anew with `what`, which it looks after every `looks`.
    pub(super) fn may_last(&mut self, what: &str, looks: Duration) {
        if let Some((lasts, _, latest)) = self.ends.get_mut(what) {
            *latest = Instant::now() + *lasts + looks;
        }
    }

    /// It has ended, or will not end by itself.
    pub(super) fn forget(&mut self, what: &str) {
        self.ends.remove(what);
    }

    /// How long it takes until it is certain what has ended by itself; `None` if it is.
    pub(super) fn doubt(&mut self) -> Option<Duration> {
        let now = Instant::now();
        self.ends.retain(|_, (_, _, latest)| now < *latest + AFTER);
        let doubtful = self.ends.values().filter(|(_, earliest, _)| now + BEFORE > *earliest);
        doubtful.map(|(_, _, latest)| *latest + AFTER - now).max()
    }

    /// The line that tells the time since the last one; `None` if it is not worth one.
    pub(super) fn line(&mut self) -> Option<String> {
        let passed_ms = self.told.elapsed().as_millis() as u64;
        self.told += Duration::from_millis(passed_ms);
        (passed_ms > 0).then(|| format!("@ {passed_ms}"))
    }
}

/// What was received and what is still to come, by what a rehearsal on the model says: so nobody waits
/// longer than a right server takes, and what comes beyond that is received as well.
#[derive(Debug, Default)]
pub(super) struct Owed {
    lines: BTreeMap<u64, i64>,
}

impl Owed {
    /// The model said these lines.
    pub(super) fn expect(&mut self, lines: &str) {
        for line in picklock_models::transcript::lines(lines).filter(|line| line.is_answer()) {
            *self.lines.entry(line.connection).or_default() += 1;
        }
    }

    /// The server said something on a connection.
    pub(super) fn received(&mut self, connection: u64) {
        *self.lines.entry(connection).or_default() -= 1;
    }

    /// A connection on which more should come.
    pub(super) fn next(&self) -> Option<u64> {
        self.lines.iter().find(|(_, lines)| **lines > 0).map(|(connection, _)| *connection)
    }

    /// It does not come.
    pub(super) fn forgive(&mut self, connection: u64) {
        self.lines.remove(&connection);
    }
}
