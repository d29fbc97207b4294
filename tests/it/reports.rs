//! Reports for CI, as CI gets them: from the real binary, on a scenario that fails.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Folder, SMALL, picklock, stderr, stdout};

/// A scenario with a failed and a passed case: the pause outlives the lease.
fn failing() -> String {
    let fault = r#"
[[fault]]
when = { event = { op = "write", kind = "invoke", process = "client 1", nth = 1 } }
lasting_ms = 1500
fault = { kind = "pause", host = "client 1" }
"#;
    let second = "\n[[contender]]\nname = \"redis-lua-decr\"\n";
    SMALL.replace("heal_at_ms = 1000", "heal_at_ms = 3000").replace("2000", "6000") + second + fault
}

/// Runs the binary as a step of GitHub Actions would.
fn step(folder: &Folder, args: &[&str], summary: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_picklock"))
        .args(args)
        .current_dir(folder.path())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", summary)
        .env("GITHUB_WORKSPACE", folder.path().parent().expect("it is in the temporary folder"))
        .output()
        .expect("the binary was just built")
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("the report was written")
}

#[test]
fn a_failure_is_told_in_three_formats() {
    let folder = Folder::new();
    folder.write("failing.toml", &failing());
    let args =
        ["run", "failing.toml", "--junit", "out/a/junit.xml", "--markdown", "out/b.md", "--github"];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    insta::assert_snapshot!("junit", read(&folder, "out/a/junit.xml"));
    insta::assert_snapshot!("markdown", read(&folder, "out/b.md"));
    insta::assert_snapshot!("github", stderr(&output));

    let first = (read(&folder, "out/a/junit.xml"), read(&folder, "out/b.md"), stderr(&output));
    let again = picklock(folder.path(), &args);
    let second = (read(&folder, "out/a/junit.xml"), read(&folder, "out/b.md"), stderr(&again));
    assert_eq!(first, second, "the same command says the same");
}

#[test]
fn what_passes_is_a_test_and_no_annotation() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    let args = ["run", "small.toml", "--junit", "junit.xml", "--github"];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "", "nothing to annotate");
    let xml = read(&folder, "junit.xml");
    assert!(xml.contains(r#"tests="1" skipped="0" failures="0" errors="0""#), "{xml}");
}

#[cfg(feature = "turmoil")]
#[test]
fn what_an_engine_cannot_express_is_skipped_and_not_passed() {
    let folder = Folder::new();
    let fault = r#"
[[fault]]
when = { at_ms = 100 }
lasting_ms = 100
fault = { kind = "partition", from = "clients", to = "redis", cut = "reset" }
"#;
    folder.write("firewall.toml", &(SMALL.to_owned() + fault));
    let args = ["run", "firewall.toml", "--engine", "turmoil", "--skip-inexpressible"];
    let args = [&args[..], &["--junit", "junit.xml", "--github"]].concat();
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let xml = read(&folder, "junit.xml");
    assert!(xml.contains(r#"tests="1" skipped="1" failures="0" errors="0""#), "{xml}");
    assert!(xml.contains(r#"classname="picklock run, turmoil engine.firewall""#), "{xml}");
    assert!(
        stderr(&output).starts_with("::notice file=firewall.toml,line=7,"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn annotations_leave_json_alone_and_name_files_from_the_top() {
    let folder = Folder::new();
    folder.write("failing.toml", &failing());
    let output = step(&folder, &["run", "failing.toml", "--json", "--github"], "");
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).expect("only JSON");
    assert_eq!(results[0]["line"], 7);
    let name = folder.path().file_name().expect("a name").to_string_lossy();
    let start = format!("::error file={name}/failing.toml,line=7,title=failing%3A ");
    assert!(stderr(&output).starts_with(&start), "{}", stderr(&output));
}

#[test]
fn without_its_option_the_environment_changes_nothing() {
    let folder = Folder::new();
    folder.write("failing.toml", &failing());
    let output = step(&folder, &["run", "failing.toml"], "summary.md");
    assert!(!stderr(&output).contains("::") && !stdout(&output).contains("::error"));
    assert!(!folder.path().join("summary.md").exists());
}

#[test]
fn a_summary_of_a_step_is_appended_to_and_any_other_file_is_written_anew() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    for (file, kept) in [("summary.md", true), ("other.md", false)] {
        folder.write(file, "said before\n");
        let output = step(&folder, &["run", "small.toml", "--markdown", file], "summary.md");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = read(&folder, file);
        assert_eq!(
            text.starts_with("said before\n### picklock run: 1 as expected"),
            kept,
            "{text}"
        );
        assert_eq!(text.starts_with("### picklock run"), !kept, "{text}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_bad_input_before_anything_runs() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    fs::create_dir(folder.path().join("reports")).expect("a folder");
    let complaint = |args: &[&str]| {
        let args = [&["run", "small.toml"], args].concat();
        let output = picklock(folder.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
        assert!(!folder.path().join("target").exists(), "nothing was run");
        stderr(&output)
    };
    let error = complaint(&["--junit", "reports"]);
    assert!(error.contains("--junit reports: is a folder"), "{error}");
    let error = complaint(&["--junit", "a", "--markdown", "a"]);
    assert!(error.contains("name the same file"), "{error}");
}

#[test]
fn a_folder_that_is_a_file_is_the_users_mistake() {
    let folder = Folder::new();
    folder.write("small.toml", SMALL);
    let below = Path::new("small.toml").join("junit.xml");
    let args = ["run", "small.toml", "--junit", below.to_str().expect("plain text")];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("--junit small.toml/junit.xml: "), "{}", stderr(&output));
}

#[test]
fn compare_gives_the_table_of_the_readme() {
    let folder = Folder::new();
    let file = crate::support::top().join("scenarios/compare/all-locks.toml");
    let args = [
        "compare",
        file.to_str().expect("plain text"),
        "--plans",
        "2",
        "--lock",
        "redis-token-cad,redis-watchdog-fenced,redis-lua-decr",
        "--family",
        "none,process-pause,late-write",
        "--markdown",
        "matrix.md",
    ];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!(read(&folder, "matrix.md"));
}

#[test]
fn compare_lists_its_findings() {
    let folder = Folder::new();
    let scenario = |name: &str| {
        let file = crate::support::top().join("scenarios").join(name);
        file.to_str().expect("plain text").to_owned()
    };
    let (all, known) = (scenario("compare/all-locks.toml"), scenario("published/s1-gc-pause.toml"));
    let table = "| `s1-gc-pause` | `redis-token-cad` | oversold | **confirmed** | 1 |\n";
    folder.write("confirmed.md", table);
    let args = [
        "compare",
        &all,
        "--plans",
        "1",
        "--lock",
        "redis-token-cad",
        "--family",
        "process-pause",
        "--findings",
        "findings.md",
    ];
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(2), "it must be said what is known");

    let args = [&args[..], &["--known", &known, "--confirmed", "confirmed.md"]].concat();
    let output = picklock(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = read(&folder, "findings.md");
    for part in [
        "| confirmed: 1 of 5 |",
        "[s1-gc-pause](../scenarios/published/s1-gc-pause.toml) | confirmed |",
        "process pause of client 1",
        "compare --plans 1 --family process-pause",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
