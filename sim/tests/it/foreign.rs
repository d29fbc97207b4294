//! What a foreign client crate finds in a world: tokio's timers and tasks, streams that are `Send`.
#![expect(clippy::disallowed_methods, reason = "foreign crates know tokio and no Env")]

use std::time::Duration;

use picklock_models::model::Crash;
use picklock_sim::cast::{Cast, Program};
use picklock_sim::env::Env;
use picklock_sim::event;
use picklock_sim::fault::{Fault, Target};
use picklock_sim::foreign::{Foreign, sendable};
use picklock_sim::history::{Kind, Op, OpName};
use picklock_sim::host::{HostName, Role};
use picklock_sim::recorder::Recorder;
use picklock_sim::turmoil;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::troupe::{CLIENT, Part, REDIS, at, plan, times, troupe};

const HOST: Target = Target::Host(CLIENT);

/// What the client does; the server echoes.
#[derive(Clone, Copy)]
enum Does {
    /// Counts in a task, which tokio's timer wakes every 10 ms.
    Tick,
    /// The same, and drops the task after 500 ms.
    TickAndDrop,
    /// The same, and lets the task go on.
    TickAndDetach,
    /// Talks over a stream in a task that tokio is given, for which it must be `Send`.
    Ping,
}

struct Foreigner(Does);

impl Cast for Foreigner {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let does = self.0;
        match host.role {
            Role::Client => Box::pin(act(does, host, env, recorder)),
            // The server's part is not asked for.
            _ => troupe(Part::Spin).boot(host, env, recorder),
        }
    }

    fn crashed(&self, _: HostName, _: Crash) {}
}

async fn act<E: Env>(does: Does, host: HostName, env: E, recorder: Recorder) {
    let foreign = Foreign::new(&env);
    if let Does::Ping = does {
        let said = sendable(async move { recorder.record(host, Kind::Ok, Op::RENEW) });
        let talk = async move {
            let mut stream = foreign.connect(&format!("{REDIS}:6379")).await.expect("it listens");
            stream.write_u8(7).await.expect("it is open");
            assert_eq!(stream.read_u8().await.expect("it is open"), 7);
            said.await;
        };
        return tokio::spawn(talk).await.expect("it does not panic");
    }
    let ticking = foreign.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            recorder.record(host, Kind::Ok, Op::RENEW);
        }
    });
    env.sleep(Duration::from_millis(500)).await;
    match does {
        Does::TickAndDrop => drop(ticking),
        Does::TickAndDetach => ticking.detach(),
        _ => env.sleep(Duration::from_secs(3600)).await,
    }
}

fn ticks(does: Does, fault: Option<Fault>) -> Vec<u64> {
    let plan = plan(fault.map(|fault| at(100, 300, fault)));
    let run = turmoil::run(&plan, Foreigner(does)).unwrap();
    let again = turmoil::run(&plan, Foreigner(does)).unwrap();
    assert_eq!(run.digest, again.digest);
    times(&run, CLIENT, Kind::Ok, OpName::Renew)
}

fn between(ticks: &[u64], from: u64, to: u64) -> usize {
    ticks.iter().filter(|at| (from..to).contains(*at)).count()
}

#[test]
fn a_task_driven_by_tokio_s_timer_stands_still_while_its_process_is_paused() {
    let ticks = ticks(Does::Tick, Some(Fault::Pause { host: HOST }));
    assert!(between(&ticks, 0, 100) >= 8, "{ticks:?}");
    assert_eq!(between(&ticks, 100, 400), 0, "{ticks:?}");
    assert!(between(&ticks, 400, 2000) >= 140, "{ticks:?}");
}

#[test]
fn a_crash_ends_it_for_ever() {
    let ticks = ticks(Does::Tick, Some(Fault::Crash { host: HOST, how: Crash::ProcessKill }));
    assert!(between(&ticks, 0, 100) >= 8, "{ticks:?}");
    assert_eq!(between(&ticks, 101, 400), 0, "{ticks:?}");
    // The next boot has a task of its own, which begins anew.
    assert!(between(&ticks, 400, 2000) >= 140, "{ticks:?}");
    assert_eq!(between(&ticks, 400, 410), 0, "{ticks:?}");
}

#[test]
fn a_task_lasts_as_long_as_its_handle_unless_it_is_detached() {
    let dropped = ticks(Does::TickAndDrop, None);
    assert!(between(&dropped, 0, 500) >= 45, "{dropped:?}");
    assert_eq!(between(&dropped, 502, 2000), 0, "{dropped:?}");
    assert!(between(&ticks(Does::TickAndDetach, None), 502, 2000) >= 130);
}

#[test]
fn a_stream_may_be_held_by_what_must_be_send() {
    let pings = ticks(Does::Ping, None);
    assert!(matches!(pings[..], [2..=20]), "{pings:?}");
}

#[test]
fn the_event_engine_has_no_runtime_and_says_so() {
    let error = event::run(&plan([]), &Foreigner(Does::Tick)).unwrap_err().to_string();
    assert!(error.contains("turmoil"), "{error}");
}
