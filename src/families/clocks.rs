//! Clocks that show something else.

use picklock_sim::fault::{Fault, Target, TimedFault, When};
use picklock_sim::host::HostName;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::Setting;
use super::pauses::{longer_than_the_lease, some_time};

/// JF.
pub(super) fn forward(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    step(setting, 1)
}

/// JB.
pub(super) fn back(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    step(setting, -1)
}

fn step(setting: &Setting, sign: i64) -> BoxedStrategy<Vec<TimedFault>> {
    let host = Target::Host(setting.server);
    let step = (some_time(setting), longer_than_the_lease(setting)).prop_map(move |(when, ms)| {
        let fault = Fault::WallStep { host, by_ms: sign * ms as i64 };
        TimedFault { when, lasting_ms: None, fault }
    });
    // Several, because one step matters only if somebody holds the lock just then.
    proptest::collection::vec(step, 1..=3).boxed()
}

/// D: 40 to 60 % slower. No real crystal does that (500 ppm is what NTP corrects); a starved or
/// migrated virtual machine can, and the point is to see which locks depend on it at all.
pub(super) fn slow_client(setting: &Setting) -> BoxedStrategy<Vec<TimedFault>> {
    let slow = (1..=setting.clients, 400_000..=600_000_i32).prop_map(|(number, slower)| {
        let fault = Fault::Drift { host: Target::Host(HostName::client(number)), ppm: -slower };
        vec![TimedFault { when: When::AtMs(0), lasting_ms: None, fault }]
    });
    slow.boxed()
}
