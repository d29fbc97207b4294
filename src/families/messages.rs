//! Messages that come late, not at all, or without their answer.

use picklock_sim::fault::{Cut, EventTrigger, Fault, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::host::HostName;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::Setting;
use super::pauses::{at_event_of_a_client, before_a_write, longer_than_the_lease, some_time};

/// N.
pub(super) fn partition(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    cut_while_held(setting, |client| Fault::Partition {
        from: client,
        to: Target::Host(HostName::REDIS),
        one_way: false,
        cut: Cut::Stall,
    })
}

/// N1.
pub(super) fn one_way(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    cut_while_held(setting, |client| Fault::Partition {
        from: Target::Host(HostName::REDIS),
        to: client,
        one_way: true,
        cut: Cut::Stall,
    })
}

/// NR.
pub(super) fn rejected(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    cut_while_held(setting, |client| Fault::Partition {
        from: client,
        to: Target::Host(HostName::REDIS),
        one_way: false,
        cut: Cut::Reset,
    })
}

fn cut_while_held(setting: &Setting, fault: fn(Target) -> Fault) -> BoxedStrategy<Vec<TimedFault>> {
    let held = at_event_of_a_client(setting, OpName::Acquire, Kind::Ok);
    let cut =
        (held, longer_than_the_lease(setting)).prop_map(move |((when, client), lasting_ms)| {
            let fault = fault(Target::Host(client));
            vec![TimedFault { when, lasting_ms: Some(lasting_ms), fault }]
        });
    cut.boxed()
}

/// NS: the write waits in the client's kernel and arrives after the lease is over.
pub(super) fn resource_partition(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let cut = (before_a_write(setting), longer_than_the_lease(setting)).prop_map(
        |((when, client), lasting_ms)| {
            let fault = Fault::Partition {
                from: Target::Host(client),
                to: Target::Host(HostName::SHOP),
                one_way: false,
                cut: Cut::Stall,
            };
            vec![TimedFault { when, lasting_ms: Some(lasting_ms), fault }]
        },
    );
    cut.boxed()
}

/// L: both ways. A stream survives 50 %, but with pauses of seconds.
pub(super) fn loss(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let lossy = (some_time(setting), 5..=50_u8, longer_than_the_lease(setting));
    lossy
        .prop_map(|(when, percent, lasting_ms)| {
            let redis = Target::Host(HostName::REDIS);
            let both = [(Target::Clients, redis), (redis, Target::Clients)];
            let fault = |(from, to)| TimedFault {
                when,
                lasting_ms: Some(lasting_ms),
                fault: Fault::Loss { from, to, percent },
            };
            both.map(fault).to_vec()
        })
        .boxed()
}

/// M1.
pub(super) fn late_grant(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let late = (1..=24_u32, longer_than_the_lease(setting)).prop_map(|(nth, by_ms)| {
        let (from, to) = (Target::Host(HostName::REDIS), Target::Clients);
        vec![to_the_next_reply(OpName::Granted, nth, Fault::Delay { from, to, by_ms })]
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
pub(super) fn lost_grant(_: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    lost_reply(OpName::Granted)
}

/// LR.
pub(super) fn lost_release(_: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    lost_reply(OpName::Freed)
}

fn lost_reply(op: OpName) -> BoxedStrategy<Vec<TimedFault>> {
    let lost = (1..=24_u32).prop_map(move |nth| {
        let (from, to) = (Target::Host(HostName::REDIS), Target::Clients);
        vec![to_the_next_reply(op, nth, Fault::Reset { from, to })]
    });
    lost.boxed()
}

/// Strikes the reply that Redis is about to send, and hardly any other: it lasts 1 ms.
fn to_the_next_reply(op: OpName, nth: u32, fault: Fault) -> TimedFault {
    let trigger =
        EventTrigger { op, kind: Kind::Info, process: Some(HostName::REDIS), nth, after_ms: 0 };
    TimedFault { when: When::Event(trigger), lasting_ms: Some(1), fault }
}
