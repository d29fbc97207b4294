//! Messages that come late, not at all, or without their answer.

use picklock_sim::fault::{Cut, EventTrigger, Fault, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::host::HostName;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::Setting;
use super::pauses::{at_event_of_a_client, before_a_write, longer_than_the_lease, some_time};

/// N.
pub(super) fn partition(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    cut_while_held(setting, |client, server| Fault::Partition {
        from: client,
        to: server,
        one_way: false,
        cut: Cut::Stall,
    })
}

/// N1.
pub(super) fn one_way(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    cut_while_held(setting, |client, server| Fault::Partition {
        from: server,
        to: client,
        one_way: true,
        cut: Cut::Stall,
    })
}

/// NR.
pub(super) fn rejected(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    cut_while_held(setting, |client, server| Fault::Partition {
        from: client,
        to: server,
        one_way: false,
        cut: Cut::Reset,
    })
}

fn cut_while_held(
    setting: &Setting,
    fault: fn(Target, Target) -> Fault,
) -> BoxedStrategy<Vec<TimedFault>> {
    let server = Target::Host(setting.server);
    let held = at_event_of_a_client(setting, OpName::Acquire, Kind::Ok);
    let cut =
        (held, longer_than_the_lease(setting)).prop_map(move |((when, client), lasting_ms)| {
            let fault = fault(Target::Host(client), server);
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
    let server = Target::Host(setting.server);
    let lossy = (some_time(setting), 5..=50_u8, longer_than_the_lease(setting));
    lossy
        .prop_map(move |(when, percent, lasting_ms)| {
            let both = [(Target::Clients, server), (server, Target::Clients)];
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
    let server = setting.server;
    let late = (1..=24_u32, longer_than_the_lease(setting)).prop_map(move |(nth, by_ms)| {
        let (from, to) = (Target::Host(server), Target::Clients);
        vec![to_the_next_reply(server, OpName::Granted, nth, Fault::Delay { from, to, by_ms })]
    });
    late.boxed()
}

/// M2: on the way to the shop. (A resource inside the store shares its link with the lock.)
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
    lost_reply(setting.server, OpName::Granted)
}

/// LR.
pub(super) fn lost_release(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    lost_reply(setting.server, OpName::Freed)
}

fn lost_reply(server: HostName, op: OpName) -> BoxedStrategy<Vec<TimedFault>> {
    let lost = (1..=24_u32).prop_map(move |nth| {
        let (from, to) = (Target::Host(server), Target::Clients);
        vec![to_the_next_reply(server, op, nth, Fault::Reset { from, to })]
    });
    lost.boxed()
}

/// Strikes the reply that the server is about to send, and hardly any other: it lasts 1 ms.
fn to_the_next_reply(server: HostName, op: OpName, nth: u32, fault: Fault) -> TimedFault {
    let trigger = EventTrigger { op, kind: Kind::Info, process: Some(server), nth, after_ms: 0 };
    TimedFault { when: When::Event(trigger), lasting_ms: Some(1), fault }
}
