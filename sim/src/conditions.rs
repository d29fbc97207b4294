//! The state of the world as faults have made it: who is frozen, which link is cut.
//!
//! Shared by all engines. Faults may overlap, so everything is counted: a link is open when no
//! active fault cuts it, which on/off switches could not say.

use picklock_models::model::Crash;

use crate::clock::HostClock;
use crate::host::HostName;
use crate::plan::WorldPlan;

/// A host's place in the plan's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub u16);

/// The state of all hosts and links.
#[derive(Debug)]
pub struct Conditions {
    names: Vec<HostName>,
    /// By the place of its name.
    ids: Vec<Option<HostId>>,
    hosts: Vec<HostCondition>,
    /// Row-major.
    links: Vec<LinkCondition>,
}

/// The state of one host.
#[derive(Debug)]
pub struct HostCondition {
    /// Its clocks.
    pub clock: HostClock,
    /// Active faults that freeze its process.
    pub paused: u16,
    /// Active faults that freeze its machine; each also counts as a pause.
    pub suspended: u16,
    /// Active faults that keep it down.
    pub down: u16,
    /// How it went down last.
    pub crash: Option<Crash>,
    /// What each step takes longer, in milliseconds.
    pub slow_ms: u64,
    /// Rate error of its clocks, in parts per million: its own plus that of active faults.
    pub rate_ppm: i32,
}

impl HostCondition {
    /// Whether nothing keeps its process from taking a step at once.
    #[inline]
    pub fn is_unhindered(&self) -> bool {
        self.down == 0 && self.paused == 0 && self.slow_ms == 0
    }
}

/// The state of one direction between two hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCondition {
    /// Active faults that hold bytes back.
    pub stalled: u16,
    /// Active faults that reset connections.
    pub refusing: u16,
    /// Added latency, in milliseconds.
    pub delay_ms: u64,
    /// Active losses, in percent, one entry's sum capped when used.
    pub loss_percent: u16,
    /// The next bytes are destroyed and their connection is reset.
    pub reset_next: bool,
}

impl Conditions {
    /// The unbroken world of a plan.
    pub fn new(plan: &WorldPlan) -> Self {
        let names: Vec<_> = plan.hosts.iter().map(|host| host.name).collect();
        let hosts = plan.hosts.iter().map(|host| HostCondition {
            clock: HostClock::new(plan.clocks_at_start(host), host.rate_ppm),
            paused: 0,
            suspended: 0,
            down: 0,
            crash: None,
            slow_ms: 0,
            rate_ppm: host.rate_ppm,
        });
        let places = names.iter().map(|name| name.place() + 1).max();
        let mut ids = vec![None; places.unwrap_or_default()];
        for (index, name) in names.iter().enumerate() {
            ids[name.place()] = Some(HostId(index as u16));
        }
        Self {
            ids,
            hosts: hosts.collect(),
            links: vec![LinkCondition::default(); names.len() * names.len()],
            names,
        }
    }

    /// All hosts, in the plan's order.
    pub fn ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.names.len() as u16).map(HostId)
    }

    /// The host of that name.
    pub fn id(&self, name: HostName) -> Option<HostId> {
        *self.ids.get(name.place())?
    }

    /// A host's name.
    #[inline]
    pub fn name(&self, host: HostId) -> HostName {
        self.names[usize::from(host.0)]
    }

    /// A host's state.
    #[inline]
    pub fn host(&self, host: HostId) -> &HostCondition {
        &self.hosts[usize::from(host.0)]
    }

    /// A host's state, to be changed.
    pub fn host_mut(&mut self, host: HostId) -> &mut HostCondition {
        &mut self.hosts[usize::from(host.0)]
    }

    /// The state of the direction `from` to `to`.
    #[inline]
    pub fn link(&self, from: HostId, to: HostId) -> &LinkCondition {
        &self.links[self.place(from, to)]
    }

    /// The state of the direction `from` to `to`, to be changed.
    pub fn link_mut(&mut self, from: HostId, to: HostId) -> &mut LinkCondition {
        let place = self.place(from, to);
        &mut self.links[place]
    }

    /// Where the direction `from` to `to` stands in a list of all directions.
    #[inline]
    pub(crate) fn place(&self, from: HostId, to: HostId) -> usize {
        usize::from(from.0) * self.names.len() + usize::from(to.0)
    }

    /// Whether the host's program may take a step.
    #[inline]
    pub fn runs(&self, host: HostId) -> bool {
        let host = self.host(host);
        host.paused == 0 && host.down == 0
    }
}
