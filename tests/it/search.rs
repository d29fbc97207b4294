//! Searching as a user meets it: `sweep`, `shrink`, `new`, and property tests of one's own lock.

use std::fs;

use picklock::locks::{RedisTokenCad, RedisWatchdogFenced};
use picklock::property::{Broken, Found};
use picklock_sim::fault::Fault;

use crate::support::{Folder, SMALL, picklock, stderr, stdout, top};

fn s1() -> String {
    top().join("scenarios/published/s1-gc-pause.toml").display().to_string()
}

/// Work that outlasts the lease would break the lock without any fault.
fn within_the_lease() -> String {
    SMALL.to_owned() + "\n[sweep]\nhold_ms = [0, 100]\n"
}

#[test]
fn sweep_tells_failures_apart_and_what_it_really_did() {
    let folder = Folder::new();
    let args = ["--lock", "redis-token-cad", "--family", "process-pause,late-write,clock-back"];
    let output =
        picklock(folder.path(), &[&["sweep", &s1(), "--seeds", "0..60"], &args[..]].concat());
    assert_eq!(
        output.status.code(),
        Some(0),
        "all is foreseen by the scenario: {}",
        stderr(&output)
    );
    insta::assert_snapshot!(stdout(&output));

    // Every command that it prints repeats what it says.
    let mut repeated = 0;
    for line in stdout(&output).lines() {
        let Some((_, plan)) = line.split_once("cargo picklock replay ") else { continue };
        let replay = picklock(folder.path(), &["replay", plan.trim_matches('\'')]);
        assert_eq!(replay.status.code(), Some(0), "{plan}: {}", stderr(&replay));
        repeated += 1;
    }
    assert!(repeated >= 2);
}

#[test]
fn a_sweep_that_finds_what_nobody_foresaw_exits_with_1() {
    let folder = Folder::new();
    folder.write("small.toml", &within_the_lease());
    let args = ["sweep", "small.toml", "--family", "process-pause", "--first", "--json"];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1));
    let account: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(account["contenders"][0]["broken"], 1, "stopped at the first");
    assert_eq!(account["contenders"][0]["failures"][0]["cause"], "process pause of a client");
}

#[test]
fn a_sweep_demands_what_single_scenarios_know() {
    let folder = Folder::new();
    folder.write("small.toml", &within_the_lease());
    let known = s1();
    // Without pauses it cannot find what S1 knows.
    let args =
        ["sweep", "small.toml", "--seeds", "0..20", "--family", "clock-back", "--known", &known];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1));
    let missed =
        "KNOWN BUT NOT FOUND: redis-token-cad: oversold by process pause of a client (s1-gc-pause)";
    assert!(stdout(&output).contains(missed), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("0 of 5 known failures found\n"), "{}", stdout(&output));
}

#[test]
fn mistakes_in_a_sweep_are_explained() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    for (args, text) in [
        (["--seeds", "9..3"], "it ends before it begins"),
        (["--seeds", "many"], "no range of seeds"),
        (["--time", "soon"], "--time"),
        (["--family", "rain"], "there is no fault family `rain`"),
        (["--lock", "padlock"], "there is no lock `padlock`"),
        (["--known", "nowhere.toml"], "cannot be read"),
    ] {
        let output = picklock(folder.path(), &[&["sweep", "small.toml"], &args[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(text), "{args:?}: {}", stderr(&output));
    }
    folder.write("swept.toml", &(SMALL.to_owned() + "\n[sweep]\nfamilies = [\"rain\"]\n"));
    let output = picklock(folder.path(), &["sweep", "swept.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("there is no fault family `rain`"), "{}", stderr(&output));
    folder.write("upside.toml", &(SMALL.to_owned() + "\n[sweep]\nclients = [5, 2]\n"));
    let output = picklock(folder.path(), &["sweep", "upside.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("clients"), "{}", stderr(&output));
}

#[test]
fn shrink_makes_a_plan_from_a_file_smaller() {
    let folder = Folder::new();
    let suspend = top().join("scenarios/smoke/fault-suspend.toml").display().to_string();
    picklock(folder.path(), &["run", &suspend]);
    let plan = "target/picklock/run/event/fault-suspend/redis-token-cad-1.plan.json";
    let output = picklock(folder.path(), &["shrink", plan, "--out", "small.plan.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("` by VM suspend of a client: the smallest of"),
        "{}",
        stderr(&output)
    );
    let small = picklock::scenario::load_plan(&folder.path().join("small.plan.json")).unwrap();
    assert_eq!(small.clients().count(), 2);
    assert_eq!(small.world.faults.len(), 1);
    let replay = picklock(folder.path(), &["replay", "small.plan.json"]);
    assert_eq!(replay.status.code(), Some(0), "{}", stderr(&replay));

    let output = picklock(folder.path(), &["shrink", plan, "--checker", "starvation"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("finds nothing in this plan"), "{}", stderr(&output));
}

#[test]
fn new_writes_the_example_under_another_name() {
    let folder = Folder::new();
    let output = picklock(folder.path(), &["new", "stock-lock"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let read =
        |name: &str| fs::read_to_string(folder.path().join("stock-lock").join(name)).unwrap();
    let manifest: toml::Value = toml::from_str(&read("Cargo.toml")).unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("stock_lock"));
    let path = manifest["dev-dependencies"]["picklock"]["path"].as_str().unwrap();
    assert!(fs::exists(format!("{path}/scenarios")).unwrap(), "{path}");
    assert!(read("src/lib.rs").contains("pub struct StockLock<R>"));
    assert!(read("tests/adapter/mod.rs").contains("use stock_lock::{StockLock, Redis};"));
    for name in ["Cargo.toml", "src/lib.rs", "tests/promises.rs", "tests/adapter/mod.rs"] {
        let text = read(name).to_lowercase();
        assert!(!text.contains("my_lock") && !text.contains("mylock"), "{name}");
    }
    for (name, text) in [("stock-lock", "is there already"), ("7up", "no name for a crate")] {
        let output = picklock(folder.path(), &["new", name, "--client", "redis-rs"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(text), "{}", stderr(&output));
    }
}

#[test]
fn new_writes_a_lock_on_redis_rs_too() {
    let folder = Folder::new();
    let output = picklock(folder.path(), &["new", "stock-lock", "--client", "redis-rs"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let read =
        |name: &str| fs::read_to_string(folder.path().join("stock-lock").join(name)).unwrap();
    let manifest: toml::Value = toml::from_str(&read("Cargo.toml")).unwrap();
    let picklock = &manifest["dev-dependencies"]["picklock"];
    assert!(fs::exists(format!("{}/scenarios", picklock["path"].as_str().unwrap())).unwrap());
    assert_eq!(picklock["features"][0].as_str(), Some("turmoil"));
    assert!(read(".cargo/config.toml").contains("tokio_unstable"));
    assert!(read("src/lib.rs").contains("pub struct StockLock {"));
    assert!(read("tests/adapter/mod.rs").contains("use stock_lock::{Held, StockLock};"));
    assert!(read("tests/adapter/mod.rs").contains(r#"const NAME: &'static str = "stock-lock";"#));
}

#[test]
fn a_failing_property_saves_its_plan_and_runs_it_first_the_next_time() {
    let folder = Folder::new();
    let property = || {
        picklock::property::<RedisTokenCad>()
            .families(["process-pause"])
            .plans(200)
            .regressions(folder.path())
    };
    let first = property().run().unwrap_err();
    let told = first.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(told);
    let first = first.claim().unwrap();
    let page = fs::read_to_string(first.page.as_ref().unwrap()).unwrap();
    assert!(page.contains("<svg") && page.contains("process pause"));
    assert!(matches!(first.found, Found::Drawn(_)));
    assert_eq!(first.example.plan.clients().count(), 2);
    let [fault] = &first.example.plan.world.faults[..] else { panic!("one fault") };
    assert!(matches!(fault.fault, Fault::Pause { .. }));
    let saved = first.saved.unwrap();
    assert!(saved.is_file());

    // The same lock with another resource is another contender, with plans of its own.
    let other = property().guarding(picklock::resource::ResourceKind::ShopChecked).plans(0).run();
    assert!(other.is_ok_and(|account| account.plans == 0));

    // No plan is drawn: what failed before is found first.
    let again = property().plans(0).run().unwrap_err().claim().unwrap();
    assert_eq!(again.found, Found::Saved(saved));
    assert_eq!(again.example.plan, first.example.plan);
}

#[test]
fn a_safe_lock_passes_a_thousand_plans() {
    let account = picklock::property::<RedisWatchdogFenced>()
        .families(["process-pause", "server-pause", "crash", "partition", "late-grant"])
        .plans(1000)
        .without_regressions()
        .run()
        .unwrap();
    assert_eq!(account.plans, 1000);
    assert_eq!(account.contenders[0].unknown, 0);
    for family in &account.families {
        assert!(family.struck > 50, "{}: {}", family.name, family.struck);
    }
}

#[test]
fn a_property_without_any_fault_that_strikes_is_no_pass() {
    // Nobody releases before the plans heal, so no reply to a release can be lost.
    let workload = picklock::scenario::WorkloadSpec { hold_ms: 60_000, ..Default::default() };
    let broken = picklock::property::<RedisTokenCad>()
        .families(["lost-release"])
        .claims(&[])
        .workload(workload)
        .sweep(|sweep| sweep.hold_ms = Some((60_000, 60_000)))
        .plans(20)
        .without_regressions()
        .run()
        .unwrap_err();
    assert!(matches!(broken, Broken::Vacuous(20)), "{broken}");
}
