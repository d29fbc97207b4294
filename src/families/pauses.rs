//! Processes that stand still: the case everyone knows.

use picklock_sim::fault::{EventTrigger, Fault, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::host::HostName;
use proptest::collection::vec;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::Setting;

/// P: the pause falls between a check and the write after it.
pub(super) fn of_a_client(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    before_writes(setting, |host| Fault::Pause { host })
}

/// V: the same, and the client's own clock shows nothing of it.
pub(super) fn of_a_machine(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    before_writes(setting, |host| Fault::Suspend { host })
}

fn before_writes(setting: &Setting, fault: fn(Target) -> Fault) -> BoxedStrategy<Vec<TimedFault>> {
    let stop = (before_a_write(setting), longer_than_the_lease(setting)).prop_map(
        move |((when, client), lasting_ms)| TimedFault {
            when,
            lasting_ms: Some(lasting_ms),
            fault: fault(Target::Host(client)),
        },
    );
    vec(stop, 1..=2).boxed()
}

/// SH: up to a twentieth of a lease per step, and a critical section has some twenty steps.
pub(super) fn slow_client(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let step_ms = 1..=(setting.ttl_ms / 20).max(1);
    let slow = (some_time(setting), 1..=setting.clients, step_ms, longer_than_the_lease(setting));
    slow.prop_map(|(when, number, step_ms, lasting_ms)| {
        let fault = Fault::Slow { host: Target::Host(HostName::client(number)), step_ms };
        vec![TimedFault { when, lasting_ms: Some(lasting_ms), fault }]
    })
    .boxed()
}

/// PS.
pub(super) fn of_the_server(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let fault = Fault::Pause { host: Target::Host(setting.server) };
    let pause = (some_time(setting), longer_than_the_lease(setting))
        .prop_map(move |(when, ms)| TimedFault { when, lasting_ms: Some(ms), fault });
    vec(pause, 1..=2).boxed()
}

/// 1.2 to 3 leases: enough for somebody else to be granted the lock and to work.
pub(super) fn longer_than_the_lease(setting: &Setting) -> impl Strategy<Value = u64> + use<> {
    setting.ttl_ms * 12 / 10..=setting.ttl_ms * 3
}

/// Any time between the first moments and the last lease before the heal.
pub(super) fn some_time(setting: &Setting) -> impl Strategy<Value = When> + use<> {
    let last = setting.heal_at_ms.saturating_sub(setting.ttl_ms).max(2);
    (1..last).prop_map(When::AtMs)
}

/// Just after a client has decided to write and before the write leaves.
pub(super) fn before_a_write(setting: &Setting) -> impl Strategy<Value = (When, HostName)> + use<> {
    at_event_of_a_client(setting, OpName::Write, Kind::Invoke)
}

/// At one of the first events of this kind by one of the clients.
pub(super) fn at_event_of_a_client(
    setting: &Setting,
    op: OpName,
    kind: Kind,
) -> impl Strategy<Value = (When, HostName)> + use<> {
    (1..=setting.clients, 1..=8_u32).prop_map(move |(number, nth)| {
        let client = HostName::client(number);
        let trigger = EventTrigger { op, kind, process: Some(client), nth, after_ms: 0 };
        (When::Event(trigger), client)
    })
}
