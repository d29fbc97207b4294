//! What the lock promises, tried under faults. Run `cargo test`, or more of it at night:
//! `PICKLOCK_PLANS=10000 cargo test`.

mod adapter;

use adapter::UnderTest;
use picklock::prelude::*;

/// Guarded by the lock alone, the shop can be oversold: a pause may outlast any lease.
#[test]
#[should_panic(expected = "by process pause of a client")]
fn the_lock_alone_keeps_two_clients_apart() {
    property::<UnderTest>()
        .engine(Engine::Turmoil)
        .claims(&[Claim::ExclusiveBelief])
        .guarding(ResourceKind::Shop)
        .families(["process-pause"])
        .without_regressions()
        .check();
}

/// A shop that compares the fencing tokens is safe, whatever its clients and links do.
#[test]
fn with_fencing_no_unit_is_sold_twice() {
    property::<UnderTest>()
        .engine(Engine::Turmoil)
        .families(["process-pause", "server-pause", "crash", "partition"])
        .plans(200)
        .check();
}
