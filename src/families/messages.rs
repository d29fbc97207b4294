//! Messages that come late, not at all, or without their answer.

use picklock_sim::fault::{Cut, Fault, Target, TimedFault};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::host::HostName;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::Setting;
use super::pauses::{at_event_of_a_client, before_a_write, longer_than_the_lease};

/// How long a fault aimed at one message lies in wait for it, in milliseconds: a few round trips.
const ONE_MESSAGE_MS: u64 = 60;

/// N.
pub(super) fn partition(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let held = at_event_of_a_client(setting, OpName::Acquire, Kind::Ok);
    let cut = (held, longer_than_the_lease(setting)).prop_map(|((when, client), lasting_ms)| {
        let fault = Fault::Partition {
            from: Target::Host(client),
            to: Target::Host(HostName::REDIS),
            one_way: false,
            cut: Cut::Stall,
        };
        vec![TimedFault { when, lasting_ms: Some(lasting_ms), fault }]
    });
    cut.boxed()
}

/// M1.
pub(super) fn late_grant(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let asked = at_event_of_a_client(setting, OpName::Acquire, Kind::Invoke);
    let late = (asked, longer_than_the_lease(setting)).prop_map(|((when, client), by_ms)| {
        let fault =
            Fault::Delay { from: Target::Host(HostName::REDIS), to: Target::Host(client), by_ms };
        vec![TimedFault { when, lasting_ms: Some(ONE_MESSAGE_MS), fault }]
    });
    late.boxed()
}

/// M2: on the way to the shop. (A resource inside Redis shares its link with the lock.)
pub(super) fn late_write(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let late = (before_a_write(setting), longer_than_the_lease(setting)).prop_map(
        |((when, client), by_ms)| {
            let fault = Fault::Delay {
                from: Target::Host(client),
                to: Target::Host(HostName::SHOP),
                by_ms,
            };
            vec![TimedFault { when, lasting_ms: Some(1), fault }]
        },
    );
    late.boxed()
}

/// LA.
pub(super) fn lost_grant(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    lost_reply(setting, OpName::Acquire)
}

/// LR.
pub(super) fn lost_release(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    lost_reply(setting, OpName::Release)
}

fn lost_reply(setting: &Setting, op: OpName) -> BoxedStrategy<Vec<TimedFault>> {
    let lost = at_event_of_a_client(setting, op, Kind::Invoke).prop_map(|(when, client)| {
        let fault = Fault::Reset { from: Target::Host(HostName::REDIS), to: Target::Host(client) };
        vec![TimedFault { when, lasting_ms: Some(ONE_MESSAGE_MS), fault }]
    });
    lost.boxed()
}
