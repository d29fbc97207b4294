//! Processes that die.

use picklock_models::model::Crash;
use picklock_sim::fault::{EventTrigger, Fault, StepKind, StepTrigger, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::host::HostName;
use proptest::prop_oneof;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::Setting;
use super::pauses::{at_event_of_a_client, before_a_write, some_time};

/// C: between any two of its messages, while it holds, or when the server has just granted the lock
/// and the client does not know yet (which is where the gap of a two-command lock is).
pub(super) fn of_a_client(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let process = Some(setting.server);
    let granted = (1..=24_u32).prop_map(move |nth| {
        let op = OpName::Granted;
        let trigger = EventTrigger { op, kind: Kind::Info, process, nth, after_ms: 0 };
        (When::Event(trigger), Target::Owner)
    });
    let at_a_send = (1..=setting.clients, 1..=40_u32).prop_map(|(number, nth)| {
        let host = HostName::client(number);
        (When::Step(StepTrigger { host, kind: StepKind::Send, nth }), Target::Host(host))
    });
    let writing = before_a_write(setting).prop_map(|(when, client)| (when, Target::Host(client)));
    let crash = prop_oneof![granted, writing, at_a_send].prop_map(|(when, host)| {
        let fault = Fault::Crash { host, how: Crash::ProcessKill };
        vec![TimedFault { when, lasting_ms: None, fault }]
    });
    crash.boxed()
}

/// S0 and S1k: what comes back depends on the server's persistence.
pub(super) fn server_killed(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    server_down(setting, Crash::ProcessKill)
}

/// S1p.
pub(super) fn server_without_power(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    server_down(setting, Crash::PowerLoss)
}

/// Down while somebody holds, or at any time, and back after 10 to 300 ms: a small server loads its
/// data in that time, and a supervisor restarts it at once.
fn server_down(setting: &Setting, how: Crash) -> BoxedStrategy<Vec<TimedFault>> {
    let held = at_event_of_a_client(setting, OpName::Acquire, Kind::Ok).prop_map(|(when, _)| when);
    let moment = prop_oneof![3 => held, 1 => some_time(setting)];
    let host = Target::Host(setting.server);
    let crash = (moment, 10..=300_u64).prop_map(move |(when, lasting_ms)| {
        let fault = Fault::Crash { host, how };
        vec![TimedFault { when, lasting_ms: Some(lasting_ms), fault }]
    });
    crash.boxed()
}
