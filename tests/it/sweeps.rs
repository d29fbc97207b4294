//! Long sweeps: on many threads, on many machines, and killed on the way. However they come about,
//! the same seeds give the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::support::{Folder, picklock, stderr, stdout};

/// Fails often and in several ways, with runs as short as the lock allows.
const SHORT: &str = r#"about = "short"

[run]
heal_at_ms = 120
end_at_ms = 240

[workload]
clients = 3
initial = 5
hold_ms = 10

[lock]
ttl_ms = 60
retry_ms = 10
request_timeout_ms = 30

[sweep]
families = ["process-pause", "late-write"]

[[contender]]
name = "redis-token-cad"
may = ["oversold", "lost-update", "ledger"]

[[contender]]
name = "redis-watchdog-fenced"
"#;

const CHECKPOINT: &str = "target/picklock/sweep/short/checkpoint.json";

/// Everything that a sweep leaves behind, and what it said.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    code: Option<i32>,
    stdout: String,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Left {
    fn by(folder: &Folder, output: &Output) -> Self {
        let mut files = BTreeMap::new();
        collect(folder.path(), folder.path(), &mut files);
        // What a kill leaves half-written, and what merges read, is no result.
        files.retain(|path, _| {
            let name = path.to_string_lossy();
            !name.ends_with(".unfinished") && !name.ends_with(".shard.json")
        });
        Self { code: output.status.code(), stdout: stdout(output), files }
    }

    fn assert_same(&self, other: &Left, what: &str) {
        assert_eq!(self.stdout, other.stdout, "{what}");
        let names = |left: &Left| left.files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(other), "{what}");
        for (name, bytes) in &self.files {
            assert!(other.files[name] == *bytes, "{what}: {} differs", name.display());
        }
        assert_eq!(self.code, other.code, "{what}");
    }
}

fn collect(top: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(top, &path, files);
        } else {
            let bytes = fs::read(&path).unwrap();
            files.insert(path.strip_prefix(top).unwrap().to_owned(), bytes);
        }
    }
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("short.toml", SHORT);
    folder
}

/// What it says on stderr, without the lines into which that is broken.
fn said(output: &Output) -> String {
    let lines = stderr(output).replace(" │ ", " ");
    lines.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn swept(folder: &Folder, args: &[&str]) -> Output {
    picklock(folder.path(), &[&["sweep", "short.toml"], args].concat())
}

/// What a sweep leaves that nobody has divided, and nobody has killed.
fn undisturbed(args: &[&str]) -> Left {
    let folder = folder();
    let output = swept(&folder, args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let left = Left::by(&folder, &output);
    let kept = left.files.keys().filter(|path| path.to_string_lossy().ends_with(".plan.json"));
    assert!(kept.count() > 2, "several failures were kept");
    assert!(!folder.path().join(CHECKPOINT).exists(), "it has come to its end");
    left
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let reports = ["--junit", "junit.xml", "--markdown", "summary.md"];
    let args = |threads| [&["--seeds", "3..150", "--threads", threads][..], &reports].concat();
    let one = undisturbed(&args("1"));
    for threads in ["2", "8"] {
        undisturbed(&args(threads)).assert_same(&one, threads);
    }
}

#[test]
fn shards_that_are_merged_are_the_whole() {
    let seeds = ["--seeds", "0..100"];
    let reports = ["--junit", "junit.xml", "--markdown", "summary.md", "--json"];
    let whole = undisturbed(&[&seeds[..], &reports].concat());
    let folder = folder();
    for shard in ["3/3", "1/3", "2/3"] {
        let output = swept(&folder, &[&seeds[..], &["--shard", shard]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        if shard == "2/3" {
            insta::assert_snapshot!(stdout(&output), @r"
            short: shard 2/3, 33 plans (seeds 33..66) for each of 2 contenders, event engine
            a promise broken in 8 runs; which failures these are is told when all shards are merged
            account: target/picklock/sweep/short/2-of-3.shard.json
            merge: cargo picklock sweep short.toml --merge target/picklock/sweep/short
            ");
        }
    }
    let merged = swept(&folder, &[&["--merge", "target"][..], &reports].concat());
    Left::by(&folder, &merged).assert_same(&whole, "merged");
}

#[test]
fn shards_that_are_no_whole_are_refused() {
    let folder = folder();
    let shard = |seeds, shard, more: &[&str]| {
        let output = swept(&folder, &[&["--seeds", seeds, "--shard", shard], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    let place = |name: &str| format!("target/picklock/sweep/short/{name}.shard.json");
    shard("0..8", "1/2", &[]);
    fs::copy(folder.path().join(place("1-of-2")), folder.path().join("again.json")).unwrap();
    let first = place("1-of-2");
    let refused = |args: &[&str]| {
        let output = swept(&folder, &[&["--merge"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
        said(&output)
    };
    let has = |text: String, part: &str| assert!(text.contains(part), "{part}: {text}");
    has(refused(&["target"]), "there is a shard missing: 2/2 (seeds 4..8)");
    has(refused(&[&first, "again.json"]), "shard 1/2 is there twice: again.json and");
    shard("0..10", "2/2", &[]);
    has(refused(&["target"]), "seeds 0..10 there, 0..8 here");
    shard("0..8", "2/2", &["--family", "crash"]);
    has(refused(&["target"]), "fault families crash there");
    has(refused(&["short.toml"]), "short.toml: is no account of a sweep");
    has(refused(&["nowhere"]), "nowhere: cannot be read");
    folder.write("folder.json", "{}");
    fs::create_dir(folder.path().join("empty")).unwrap();
    has(refused(&["empty"]), "empty: holds no account of a shard");

    let text = fs::read_to_string(folder.path().join(&first)).unwrap();
    folder.write("cut.json", &text[..text.len() / 2]);
    has(refused(&["cut.json"]), "cut.json: is no account of a sweep: EOF");
    folder.write("edited.json", &text.replacen("\"plans\": 4", "\"plans\": 3", 1));
    has(refused(&["edited.json"]), "edited.json: is damaged");
    let build = text.lines().find(|line| line.contains("\"build\"")).unwrap();
    folder.write("old.json", &text.replace(build, "\"build\": \"0.0.1-abc\","));
    has(refused(&["old.json"]), "old.json: was written by picklock 0.0.1-abc; this is");

    shard("0..8", "2/2", &[]);
    folder.write("short.toml", &SHORT.replace("hold_ms = 10", "hold_ms = 11"));
    has(refused(&["target"]), "is of another sweep: plans (which follow from the scenario's text)");

    for (args, text) in [
        (&["--shard", "3/2"][..], "there are only 1/2 to 2/2"),
        (&["--shard", "1/20", "--seeds", "0..8"], "shard 1/20 has no seed"),
        (&["--shard", "1/2", "--time", "5m"], "cannot be used with"),
        (&["--shard", "1/2", "--junit", "junit.xml"], "cannot be used with"),
        (&["--merge", "target", "--seeds", "0..8"], "cannot be used with"),
    ] {
        let output = swept(&folder, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(said(&output).contains(text), "{args:?}: {}", stderr(&output));
    }
}

/// A sweep that saves its account after every plan.
fn spawned(folder: &Folder, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_picklock"))
        .args(["sweep", "short.toml", "--resume", "--checkpoint", "0s", "--threads", "2"])
        .args(args)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was just built")
}

/// How many plans are in a checkpoint; `None` as long as there is none.
fn plans(checkpoint: &Path) -> Option<u64> {
    let text = fs::read(checkpoint).ok()?;
    let file: serde_json::Value = serde_json::from_slice(&text).expect("whole or not at all");
    file["account"]["tally"]["sweep"]["plans"].as_u64()
}

/// Kills a sweep hard as soon as it has got further than `before`; how far it has got.
fn killed(mut sweep: Child, checkpoint: &Path, before: u64) -> u64 {
    while plans(checkpoint).is_none_or(|plans| plans <= before) {
        let end = sweep.try_wait().unwrap();
        assert!(end.is_none(), "it ended before it could be killed: {end:?}");
        #[expect(clippy::disallowed_methods, reason = "another process is waited for")]
        std::thread::sleep(Duration::from_millis(1));
    }
    sweep.kill().unwrap();
    sweep.wait().unwrap();
    plans(checkpoint).unwrap()
}

#[test]
fn a_sweep_that_is_killed_goes_on_where_it_was() {
    let seeds = ["--seeds", "10..410"];
    let whole = undisturbed(&seeds);
    let folder = folder();
    let checkpoint = folder.path().join(CHECKPOINT);
    let mut done = 0;
    for _ in 0..4 {
        done = killed(spawned(&folder, &seeds), &checkpoint, done);
        assert!((1..400).contains(&done), "it was killed on its way: {done}");
    }
    let output = swept(&folder, &[&seeds[..], &["--resume"]].concat());
    let said = stderr(&output);
    let going_on = format!("{done} plans are in {CHECKPOINT}: going on at seed {}\n", done + 10);
    assert!(said.starts_with(&going_on), "{said}");
    assert!(said.lines().last().unwrap().starts_with(&format!("{} plans, ", 400 - done)), "{said}");
    Left::by(&folder, &output).assert_same(&whole, "killed four times");
}

#[test]
fn a_shard_that_is_killed_goes_on_where_it_was() {
    let seeds = ["--seeds", "0..400"];
    let whole = undisturbed(&seeds);
    let folder = folder();
    let shard = |shard: &'static str| [&seeds[..], &["--shard", shard]].concat();
    swept(&folder, &shard("1/2"));
    let account = folder.path().join("target/picklock/sweep/short/2-of-2.shard.json");
    let done = killed(spawned(&folder, &shard("2/2")), &account, 0);
    assert!(done < 200, "it was killed on its way");
    let early = swept(&folder, &["--merge", "target"]);
    assert_eq!(early.status.code(), Some(2));
    let text = format!("it lacks the seeds {}..400", 200 + done);
    assert!(said(&early).contains(&text), "{}", stderr(&early));
    swept(&folder, &[&shard("2/2")[..], &["--resume"]].concat());
    let merged = swept(&folder, &["--merge", "target"]);
    Left::by(&folder, &merged).assert_same(&whole, "a shard killed");
}

#[test]
fn resume_says_what_it_does_and_takes_no_other_sweep_s_account() {
    let folder = folder();
    let output = swept(&folder, &["--seeds", "0..3", "--resume"]);
    let nothing = format!("there is no {CHECKPOINT}: starting from the beginning\n");
    assert!(stderr(&output).starts_with(&nothing), "{}", stderr(&output));

    let checkpoint = folder.path().join(CHECKPOINT);
    killed(spawned(&folder, &["--seeds", "0..100000"]), &checkpoint, 0);
    let before = fs::read(&checkpoint).unwrap();
    for (args, text) in [
        (&["--seeds", "0..3"][..], "seeds 0..100000 there, 0..3 here"),
        (&["--time", "1s"], "seeds "),
        (&["--seeds", "0..100000", "--first"], "`--first` "),
        (&["--seeds", "0..100000", "--lock", "redis-token-cad"], "contenders "),
        (&["--seeds", "0..100000", "--family", "crash"], "fault families "),
    ] {
        let output = swept(&folder, &[args, &["--resume"]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = said(&output);
        assert!(said.contains("is of another sweep"), "{args:?}: {said}");
        assert!(said.contains(text), "{args:?}: {said}");
        assert!(fs::read(&checkpoint).unwrap() == before, "{args:?}: it is still there");
    }
    folder.write("short.toml", &SHORT.replace("ttl_ms = 60", "ttl_ms = 61"));
    let output = swept(&folder, &["--seeds", "0..100000", "--resume"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is of another sweep"), "{}", stderr(&output));
}

#[test]
fn a_limit_of_time_is_one_for_each_process() {
    let folder = folder();
    let checkpoint = folder.path().join(CHECKPOINT);
    let done = killed(spawned(&folder, &["--time", "1h"]), &checkpoint, 0);
    let output = swept(&folder, &["--time", "10ms", "--resume", "--json"]);
    let account: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(account["plans"].as_u64() > Some(done), "{}", stderr(&output));
    assert!(!checkpoint.exists(), "its time was over");
}
