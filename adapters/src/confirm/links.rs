//! What the proxies of a run are told: the state of every link, and where every server listens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use picklock_sim::conditions::LinkCondition;
use picklock_sim::host::HostName;
use tokio::sync::Notify;

/// The stage writes, the proxies read.
#[derive(Default)]
pub(super) struct Links {
    state: Mutex<State>,
    changed: Notify,
}

/// Where a host's server listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// The port, on loopback.
    pub(super) port: u16,
    /// Whether it is told whose a connection is, in a line before everything else.
    pub(super) introduced: bool,
}

/// The state at one moment.
#[derive(Default)]
pub(super) struct State {
    links: BTreeMap<(HostName, HostName), LinkCondition>,
    /// Directions whose reset has come already.
    spent: BTreeSet<(HostName, HostName)>,
    targets: BTreeMap<HostName, Target>,
    origins: BTreeMap<(HostName, u16), HostName>,
}

impl State {
    fn link(&self, from: HostName, to: HostName) -> LinkCondition {
        self.links.get(&(from, to)).copied().unwrap_or_default()
    }

    /// Whether bytes pass.
    pub(super) fn flows(&self, from: HostName, to: HostName) -> bool {
        self.link(from, to).stalled == 0
    }

    /// Whether connections between the two are reset and refused.
    pub(super) fn refuses(&self, a: HostName, b: HostName) -> bool {
        self.link(a, b).refusing > 0 || self.link(b, a).refusing > 0
    }
}

impl Links {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here is ever left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state is as wanted.
    pub(super) async fn until(&self, wanted: impl Fn(&State) -> bool) {
        loop {
            // Made before the look, so that a change right after it is not missed.
            let changed = self.changed.notified();
            if wanted(&self.state()) {
                return;
            }
            changed.await;
        }
    }

    /// One direction is like this from now on.
    pub(super) fn set(&self, from: HostName, to: HostName, condition: LinkCondition) {
        let mut state = self.state();
        if !condition.reset_next {
            state.spent.remove(&(from, to));
        }
        state.links.insert((from, to), condition);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether the bytes at hand are to be destroyed; once for each such fault.
    pub(super) fn take_reset(&self, from: HostName, to: HostName) -> bool {
        let mut state = self.state();
        state.link(from, to).reset_next && state.spent.insert((from, to))
    }

    /// What is added to the latency of one direction, in milliseconds.
    pub(super) fn delay_ms(&self, from: HostName, to: HostName) -> u64 {
        self.state().link(from, to).delay_ms
    }

    /// Where a host's server listens from now on.
    pub(super) fn lead_to(&self, host: HostName, target: Target) {
        self.state().targets.insert(host, target);
    }

    /// Where a host's server listens.
    pub(super) fn target(&self, host: HostName) -> Option<Target> {
        self.state().targets.get(&host).copied()
    }

    /// A server sees this host's connection come from that port. (Of another server it may be another host's: a
    /// port is one of a pair.)
    pub(super) fn comes_from(&self, server: HostName, port: u16, host: HostName) {
        self.state().origins.insert((server, port), host);
    }

    /// Whose connection a server sees coming from a port; `None`: none of the run's.
    pub(super) fn origin(&self, server: HostName, port: u16) -> Option<HostName> {
        self.state().origins.get(&(server, port)).copied()
    }
}

#[cfg(test)]
mod tests {
    use picklock_sim::host::Role;

    use super::*;

    #[test]
    fn a_reset_comes_once_for_each_fault() {
        let links = Links::default();
        let (a, b) = (HostName::client(1), HostName::REDIS);
        let armed = LinkCondition { reset_next: true, ..LinkCondition::default() };
        assert!(!links.take_reset(a, b));
        links.set(a, b, armed);
        assert!(links.take_reset(a, b) && !links.take_reset(a, b));
        // Another fault on the same link changes nothing about the spent one.
        links.set(a, b, LinkCondition { delay_ms: 5, ..armed });
        assert!(!links.take_reset(a, b) && links.delay_ms(a, b) == 5);
        links.set(a, b, LinkCondition::default());
        links.set(a, b, armed);
        assert!(links.take_reset(a, b));
    }

    #[test]
    fn a_port_is_one_of_a_pair() {
        let links = Links::default();
        let [first, second] = [1, 2].map(|number| HostName { role: Role::Redis, number });
        links.comes_from(first, 40_000, HostName::client(1));
        links.comes_from(second, 40_000, HostName::client(2));
        assert_eq!(links.origin(first, 40_000), Some(HostName::client(1)));
        assert_eq!(links.origin(second, 40_000), Some(HostName::client(2)));
        assert_eq!(links.origin(first, 40_001), None);
        // A later connection takes the port over.
        links.comes_from(first, 40_000, HostName::client(2));
        assert_eq!(links.origin(first, 40_000), Some(HostName::client(2)));
    }
}
