//! Annotations for GitHub Actions: workflow commands that the runner reads in a step's output and
//! shows beside the lines of the scenario files.
//!
//! GitHub shows at most ten of each kind per step. So the worst come first, and one closing line
//! counts them all; it is the tenth of its kind, never the eleventh.

use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};

use super::suite::{Case, Status, Suite, Trouble};

/// How many of a kind are shown besides the closing line.
const LIMIT: usize = 9;

/// The commands, one per line; nothing if everything passed. `folder` is where the files of the suite
/// are named from, as seen from the top of the checkout.
pub fn render(suite: &Suite, folder: &Path) -> String {
    let mut text = String::new();
    let mut shown = [0; 3];
    for case in suite.worst_first() {
        let (kind, message) = match &case.status {
            Status::Failed(trouble) => (Kind::Error, story(trouble, case)),
            Status::Errored(trouble) => (Kind::Warning, story(trouble, case)),
            Status::Skipped { why } => (Kind::Notice, why.clone()),
            Status::Passed => continue,
        };
        let count = &mut shown[kind as usize];
        *count += 1;
        if *count <= LIMIT {
            text.push_str(&command(kind, &properties(case, folder), &message));
        }
    }
    let worst = [Kind::Error, Kind::Warning, Kind::Notice];
    if let Some(kind) = worst.into_iter().find(|kind| shown[*kind as usize] > 0) {
        let mut summary = suite.tally();
        if shown.iter().any(|count| *count > LIMIT) {
            summary.push_str(&format!("; only the first {LIMIT} of a kind are shown here"));
        }
        let title = ("title", suite.name.clone());
        text.push_str(&command(kind, &[title], &summary));
    }
    text
}

/// What GitHub makes of an annotation.
#[derive(Clone, Copy)]
enum Kind {
    Error = 0,
    Warning = 1,
    Notice = 2,
}

fn command(kind: Kind, properties: &[(&str, String)], message: &str) -> String {
    let kind = match kind {
        Kind::Error => "error",
        Kind::Warning => "warning",
        Kind::Notice => "notice",
    };
    let properties: Vec<_> =
        properties.iter().map(|(key, value)| format!("{key}={}", property(value))).collect();
    format!("::{kind} {}::{}\n", properties.join(","), data(message))
}

fn properties(case: &Case, folder: &Path) -> Vec<(&'static str, String)> {
    let mut properties = Vec::new();
    if let Some(place) = &case.place {
        properties.push(("file", from_top(&folder.join(&place.file))));
        properties.push(("line", place.line.to_string()));
    }
    properties.push(("title", format!("{}: {}", case.group, case.name)));
    properties
}

fn story(trouble: &Trouble, case: &Case) -> String {
    match &case.repeat {
        Some(repeat) => format!("{}\n\nrepeat: {repeat}", trouble.text()),
        None => trouble.text(),
    }
}

/// A path as GitHub compares it: without `.` and `..`, with `/` on every system.
fn from_top(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean.display().to_string().replace(MAIN_SEPARATOR, "/")
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::suite::tests::{failed, made_up};

    #[test]
    fn shows_the_worst_first_and_counts_all() {
        insta::assert_snapshot!(render(&made_up(), Path::new("")));
    }

    #[test]
    fn a_passed_suite_says_nothing() {
        let mut suite = Suite::new("quiet");
        suite.push(Case::new("group", "name", Status::Passed));
        assert_eq!(render(&suite, Path::new("")), "");
    }

    #[test]
    fn no_text_ends_a_command_or_begins_another() {
        let mut suite = Suite::new("suite");
        suite.push(failed("a,b::c", "100 %\r\n::error::x", "y\n::set-env name=a::b"));
        let text = render(&suite, Path::new(""));
        assert_eq!(text.lines().count(), 2, "one line per command: {text}");
        let start = "::error file=scenarios/small.toml,line=8,title=group%3A a%2Cb%3A%3Ac::";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("100 %25%0D%0A::error::x%0A%0Ay%0A::set-env"), "{text}");
    }

    #[test]
    fn never_more_than_ten_of_a_kind() {
        let mut suite = Suite::new("suite");
        for number in 0..25 {
            suite.push(failed(&number.to_string(), "message", "detail"));
        }
        let text = render(&suite, Path::new(""));
        assert_eq!(text.lines().count(), 10);
        let last = text.lines().last().unwrap();
        assert!(last.contains("25 not as expected; only the first 9"), "{last}");
    }

    #[test]
    fn files_are_named_from_the_top_of_the_checkout() {
        assert_eq!(from_top(Path::new("sub/./../scenarios/a.toml")), "scenarios/a.toml");
        assert_eq!(from_top(Path::new("/abs/a.toml")), "/abs/a.toml");
    }
}
