//! Plans on real processes: every fault that can be done is felt, and the case everyone knows happens.

use std::fmt::Write;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use picklock::plan::Plan;
use picklock::scenario;
use picklock::store::StoreKind;
use picklock_adapters::confirm::{self, Answer, Try};
use picklock_sim::history::{Event, Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;

use crate::with_servers;

/// Plays the hosts.
const PROGRAM: &str = env!("CARGO_BIN_EXE_picklock-adapters");

type Tested = Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let redis = &[StoreKind::Redis];
    vec![
        with_servers("confirm::gc_pause_redis", redis, || {
            gc_pause("s1-gc-pause", "redis-token-cad", "redis-watchdog-fenced")
        }),
        with_servers("confirm::gc_pause_etcd", &[StoreKind::Etcd], || {
            gc_pause("s1-gc-pause-etcd", "etcd-mutex", "etcd-mutex-fenced")
        }),
        with_servers("confirm::gc_pause_zookeeper", &[StoreKind::ZooKeeper], || {
            gc_pause("s1-gc-pause-zookeeper", "zk-curator-suspended", "zk-fenced")
        }),
        with_servers("confirm::a_plain_delete_is_seen_as_a_theft", redis, theft),
        with_servers("confirm::a_pause_falls_before_a_step", redis, step),
        with_servers("confirm::a_partition_stops_everything", redis, partition),
        with_servers("confirm::a_reset_makes_a_call_indefinite", redis, reset),
        with_servers("confirm::a_killed_client_comes_back", redis, killed_client),
        with_servers("confirm::a_killed_server_forgets", redis, killed_server),
        with_servers("confirm::a_wall_clock_jumps", redis, wall_step),
        Trial::test("confirm::what_cannot_be_done_is_refused", refused),
    ]
}

/// One published case and its control, side by side.
fn gc_pause(name: &str, broken: &str, control: &str) -> Tested {
    let plans = [broken, control].map(|contender| plan(&published(name), contender));
    let answers = std::thread::scope(|scope| {
        plans
            .each_ref()
            .map(|plan| scope.spawn(|| confirm::confirm(plan, Path::new(PROGRAM), 2)))
            .map(|thread| thread.join())
    });
    for (answer, damage) in answers.into_iter().zip([true, false]) {
        let confirmation = answer.map_err(|_| "a panic")??;
        let Answer::Confirmed { shown } = &confirmation.answer else {
            return Err(format!("{:?}", confirm::answer(&confirmation)).into());
        };
        let found = confirm::Found::of(&shown.judgements);
        assert_eq!(found.broken.contains("oversold"), damage, "{found:?}");
        assert!(found.failed.contains("belief-overlap"), "{found:?}");
    }
    Ok(())
}

fn published(name: &str) -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = top.join(format!("scenarios/published/{name}.toml"));
    std::fs::read_to_string(file).expect("a published scenario")
}

/// The plan of a scenario's text for one contender.
fn plan(text: &str, contender: &str) -> Plan {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trial.toml");
    std::fs::write(&file, text).expect("a writable folder");
    let scenario = scenario::load(&file).expect("a good scenario");
    let names = scenario.contender.iter().map(|contender| contender.name);
    let name =
        names.into_iter().find(|name| name.to_string() == contender).expect("it is in there");
    scenario.plan(name, scenario.seeds().next().expect("a seed"))
}

/// A short run of two clients on Redis, in which `faults` happen.
fn short_run(contender: &str, hold_ms: u64, faults: &str) -> Result<Try, Failed> {
    let mut text = format!(
        "about = \"A trial.\"\n[run]\nheal_at_ms = 1500\nend_at_ms = 3000\n\
         [workload]\nclients = 2\nhold_ms = {hold_ms}\nkind = \"counter\"\n[lock]\nttl_ms = 700\n"
    );
    let _ = write!(text, "{faults}\n[[contender]]\nname = \"{contender}\"\n");
    Ok(confirm::run(&plan(&text, contender), Path::new(PROGRAM), 1)?)
}

fn fault(when: &str, lasting_ms: u64, fault: &str) -> String {
    format!("[[fault]]\nwhen = {{ {when} }}\nlasting_ms = {lasting_ms}\nfault = {{ {fault} }}\n")
}

fn position(run: &Try, what: impl Fn(&Event) -> bool) -> Option<&Event> {
    run.history.events.iter().find(|event| what(event))
}

fn grants(run: &Try, from_ms: u64, to_ms: u64) -> usize {
    let (from, to) = (SimTime::from_millis(from_ms), SimTime::from_millis(to_ms));
    let granted = |event: &&Event| {
        event.kind == Kind::Ok
            && matches!(event.op, Op::Acquire { .. })
            && (from..to).contains(&event.at)
    };
    run.history.events.iter().filter(granted).count()
}

/// Work outlasts the lease, and a plain DEL removes whatever is there: the server's word tells whose.
fn theft() -> Tested {
    let run = short_run("redis-setpx-del", 900, "")?;
    let found = confirm::Found::of(&run.judgements);
    assert!(found.failed.contains("release-safety"), "{found:?}");
    Ok(())
}

fn step() -> Tested {
    let when = "step = { host = \"client 1\", kind = \"send\", nth = 3 }";
    let run = short_run(
        "redis-token-cad",
        20,
        &fault(when, 400, "kind = \"pause\", host = \"client 1\""),
    )?;
    let client = HostName::client(1);
    let paused = position(&run, |event| event.op == Op::Paused).ok_or("it was never paused")?;
    let resumed = position(&run, |event| event.op == Op::Resumed).ok_or("it never went on")?;
    assert!(paused.process == client && paused.at < SimTime::from_millis(300), "{paused}");
    let pause_ms = resumed.at.since(paused.at).as_millis();
    assert!((400..500).contains(&pause_ms), "it lasted {pause_ms} ms");
    let meanwhile = &run.history.events[paused.index as usize + 1..resumed.index as usize];
    assert!(meanwhile.iter().all(|event| event.process != client), "{meanwhile:?}");
    assert!(grants(&run, 1500, 3000) > 0);
    Ok(())
}

fn partition() -> Tested {
    let cut = "kind = \"partition\", from = \"clients\", to = \"servers\"";
    let run = short_run("redis-token-cad", 20, &fault("at_ms = 300", 800, cut))?;
    assert!(grants(&run, 0, 300) > 0, "the lock works before");
    // What was on its way when the cut fell may still be worked on.
    assert_eq!(grants(&run, 350, 1090), 0, "nothing passes a cut");
    assert!(grants(&run, 1100, 3000) > 0, "it works again");
    Ok(())
}

fn reset() -> Tested {
    let when = "event = { op = \"acquire\", kind = \"invoke\", process = \"client 1\", nth = 2 }";
    let fault_text = "kind = \"reset\", from = \"redis\", to = \"client 1\"";
    let run = short_run("redis-setnx-bare", 20, &fault(when, 500, fault_text))?;
    let unknown = position(&run, |event| {
        event.process == HostName::client(1)
            && event.kind == Kind::Info
            && matches!(event.op, Op::Acquire { .. } | Op::Release)
    });
    assert!(unknown.is_some(), "an operation whose answer was destroyed is indefinite");
    Ok(())
}

fn killed_client() -> Tested {
    let when = "event = { op = \"acquire\", kind = \"ok\", process = \"client 1\", nth = 1 }";
    let crash = "kind = \"crash\", host = \"client 1\", how = \"process-kill\"";
    let run = short_run("redis-token-cad", 20, &fault(when, 500, crash))?;
    let booted = position(&run, |event| event.op == Op::Booted).ok_or("it never came back")?;
    let after = &run.history.events[booted.index as usize..];
    let again = after.iter().find(|event| {
        event.process == HostName::client(1)
            && event.op == Op::ACQUIRE
            && event.kind == Kind::Invoke
    });
    assert!(again.is_some(), "it asks again");
    Ok(())
}

/// A server without persistence is empty after its death: two hold the lock at once.
fn killed_server() -> Tested {
    let when = "event = { op = \"acquire\", kind = \"ok\", nth = 1 }";
    let crash = "kind = \"crash\", host = \"redis\", how = \"process-kill\"";
    let run = short_run("redis-token-cad", 600, &fault(when, 50, crash))?;
    let found = confirm::Found::of(&run.judgements);
    assert!(found.failed.contains("belief-overlap"), "{found:?}");
    assert!(grants(&run, 1500, 3000) > 0, "the server is back");
    Ok(())
}

fn wall_step() -> Tested {
    let when = "event = { op = \"acquire\", kind = \"ok\", nth = 1 }";
    let jump = "kind = \"wall-step\", host = \"redis\", by_ms = 5000";
    let run = short_run("redis-token-cad", 400, &fault(when, 1000, jump))?;
    let found = confirm::Found::of(&run.judgements);
    assert!(found.failed.contains("belief-overlap"), "{found:?}");
    Ok(())
}

fn refused() -> Tested {
    let suspend = fault("at_ms = 300", 400, "kind = \"suspend\", host = \"client 1\"");
    let text = format!(
        "about = \"A trial.\"\n[run]\nheal_at_ms = 1500\nend_at_ms = 3000\n\
         [workload]\nclients = 2\n{suspend}[[contender]]\nname = \"redis-token-cad\"\n"
    );
    let confirmation = confirm::confirm(&plan(&text, "redis-token-cad"), Path::new(PROGRAM), 1)?;
    let Answer::Inexpressible(why) = &confirmation.answer else {
        return Err("a suspend cannot be done to a process".into());
    };
    assert!(why.len() == 1 && why[0].starts_with("fault 1 (VM suspend"), "{why:?}");
    Ok(())
}
