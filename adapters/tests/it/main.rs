//! The suite's own tests, against real servers.
//!
//! With a harness of their own, because a test whose server is not installed must be seen to be skipped:
//! it is shown as ignored, with what is missing. With PICKLOCK_NO_SKIP in the environment, as in CI, it
//! fails instead.

mod confirm;
mod conformance;
mod conformance_etcd;
mod conformance_redis;
mod conformance_zookeeper;
mod foreign;
mod load;
mod servers;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use picklock::store::StoreKind;
use picklock_adapters::servers::installed;

/// With twice as many, a machine with two cores is late for some of what is timed.
const SIDE_BY_SIDE: usize = 4;

fn main() -> ExitCode {
    let trials = [
        confirm::trials(),
        conformance_etcd::trials(),
        conformance_redis::trials(),
        conformance_zookeeper::trials(),
        foreign::trials(),
        load::trials(),
        servers::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    let mut arguments = Arguments::from_args();
    // They wait for leases and pauses most of the time, so more of them run than there are cores.
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test that needs real servers of these stores.
pub(crate) fn with_servers(
    name: impl Into<String>,
    stores: &'static [StoreKind],
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let name = name.into();
    let missing = stores.iter().find_map(|store| installed(*store).err());
    let Some(missing) = missing else { return Trial::test(name, test) };
    if std::env::var_os("PICKLOCK_NO_SKIP").is_some() {
        return Trial::test(name, move || Err(missing.into()));
    }
    Trial::test(format!("{name} (skipped: {missing})"), test).with_ignored_flag(true)
}
