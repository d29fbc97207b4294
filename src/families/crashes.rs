//! Processes that die.

use picklock_models::model::Crash;
use picklock_sim::fault::{Fault, StepKind, StepTrigger, Target, TimedFault, When};
use picklock_sim::history::{Kind, OpName};
use picklock_sim::host::HostName;
use proptest::prop_oneof;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::Setting;
use super::pauses::{at_event_of_a_client, before_a_write, some_time};

/// C: while it holds, before it writes, or between any two of its messages (which is where the gap
/// of a two-command lock is).
pub(super) fn of_a_client(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let at_a_send = (1..=setting.clients, 1..=40_u32).prop_map(|(number, nth)| {
        let host = HostName::client(number);
        (When::Step(StepTrigger { host, kind: StepKind::Send, nth }), host)
    });
    let moment = prop_oneof![
        at_event_of_a_client(setting, OpName::Acquire, Kind::Ok),
        before_a_write(setting),
        at_a_send,
    ];
    let crash = moment.prop_map(|(when, client)| {
        let fault = Fault::Crash { host: Target::Host(client), how: Crash::ProcessKill };
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

/// Down while somebody holds, or at any time, and back after 10 to 300 ms: a small Redis loads its
/// data in that time, and a supervisor restarts it at once.
fn server_down(setting: &Setting, how: Crash) -> BoxedStrategy<Vec<TimedFault>> {
    let held = at_event_of_a_client(setting, OpName::Acquire, Kind::Ok).prop_map(|(when, _)| when);
    let moment = prop_oneof![3 => held, 1 => some_time(setting)];
    let crash = (moment, 10..=300_u64).prop_map(move |(when, lasting_ms)| {
        let fault = Fault::Crash { host: Target::Host(HostName::REDIS), how };
        vec![TimedFault { when, lasting_ms: Some(lasting_ms), fault }]
    });
    crash.boxed()
}
