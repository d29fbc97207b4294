//! Markdown for a job's summary page, an issue or a chat: the headline, a table of what needs eyes,
//! and folded below it each failure with its story and the command that repeats it.
//!
//! GitHub refuses a summary of more than 1 MiB as a whole, so the page is cut to a budget, the worst
//! first, and says what it left out.

mod costs;
mod findings;
mod matrix;

pub use findings::render as findings;
pub use matrix::matrix;

use super::suite::{Case, Status, Suite, Trouble};

/// What a page may weigh: GitHub's limit for all that one step says, less a margin.
pub const BUDGET: usize = 1_000_000;

/// What the notice at the end may weigh.
const NOTICE: usize = 300;

const HEAD: &str = "| | scenario | case | found | runs |\n|---|---|---|---|---:|\n";

/// A page of at most so many bytes.
pub fn render(suite: &Suite, budget: usize) -> String {
    let cases = suite.worst_first();
    let (passed, open): (Vec<&Case>, Vec<&Case>) =
        cases.into_iter().partition(|case| matches!(case.status, Status::Passed));
    let mut page = Page { text: String::new(), budget: budget.saturating_sub(NOTICE), left_out: 0 };

    page.add(&format!("### {}: {}\n\n", escape(&suite.name), suite.tally()));
    page.table(&open);
    for case in &open {
        if let Status::Failed(trouble) | Status::Errored(trouble) = &case.status {
            page.add(&folded(case, trouble));
        }
    }
    let folded = format!("<details><summary>{} as expected</summary>\n\n", passed.len());
    if !passed.is_empty() && page.add(&folded) {
        page.table(&passed);
        // Never left out: an open element would swallow whatever the step says next.
        page.text.push_str("</details>\n");
    }
    if page.left_out > 0 {
        page.text.push_str(&format!(
            "\n**{} parts were left out**: this page may have {budget} bytes. The log of the step, \
             and the JUnit report, have everything.\n",
            page.left_out
        ));
    }
    page.text
}

/// A text that stops growing in time.
struct Page {
    text: String,
    budget: usize,
    left_out: usize,
}

impl Page {
    /// Adds a part if there is room for all of it. After the first that was left out, smaller ones
    /// may still fit: they are worth more than an empty place.
    fn add(&mut self, part: &str) -> bool {
        let fits = self.text.len() + part.len() <= self.budget;
        match fits {
            true => self.text.push_str(part),
            false => self.left_out += 1,
        }
        fits
    }

    fn table(&mut self, cases: &[&Case]) {
        if cases.is_empty() || !self.add(HEAD) {
            return;
        }
        for case in cases {
            self.add(&row(case));
        }
        self.text.push('\n');
    }
}

fn row(case: &Case) -> String {
    let found = match &case.status {
        Status::Skipped { why } => why,
        _ => &case.found,
    };
    format!(
        "| {} | {} | {} | {} | {} |\n",
        mark(case),
        escape(&case.group),
        escape(&case.name),
        escape(found),
        if case.runs == 0 { String::new() } else { case.runs.to_string() }
    )
}

fn mark(case: &Case) -> &'static str {
    match case.status {
        Status::Passed => "ok",
        Status::Failed(_) => "**FAIL**",
        Status::Errored(_) => "**not judged**",
        Status::Skipped { .. } => "skip",
    }
}

/// A failure that opens when somebody wants to know.
fn folded(case: &Case, trouble: &Trouble) -> String {
    let what = match case.status {
        Status::Errored(_) => "not judged",
        _ => "FAIL",
    };
    let title = html(&format!("{}: {}", case.group, case.name));
    let mut text = format!("<details><summary>{what} {title}</summary>\n\n");
    if let Some(place) = &case.place {
        text.push_str(&format!("{}:{}\n\n", escape(&place.file.display().to_string()), place.line));
    }
    text.push_str(&fenced("text", &trouble.text()));
    if let Some(repeat) = &case.repeat {
        text.push_str("\nRepeat it:\n\n");
        text.push_str(&fenced("sh", repeat));
    }
    text + "\n</details>\n\n"
}

/// A block of code, behind a fence that the text cannot close.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let text = text.replace('\r', "");
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// A text within Markdown, on one line: nothing in it means anything.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '#' | '~' | '!' | '$' => {
                escaped.extend(['\\', character]);
            }
            _ if character.is_control() => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A text within HTML, on one line.
fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::suite::tests::{failed, made_up};

    #[test]
    fn shows_everything() {
        insta::assert_snapshot!(render(&made_up(), BUDGET));
    }

    #[test]
    fn no_text_leaves_its_place() {
        let mut suite = Suite::new("a*b");
        let nasty = "x | y\n</details><script>`` ` ``";
        suite.push(failed(nasty, nasty, "```\n# no title\n````"));
        let text = render(&suite, BUDGET);
        let row = text.lines().find(|line| line.starts_with("| **FAIL**")).unwrap();
        assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
        assert_eq!(text.matches("</details>").count() - text.matches("y\n</details>").count(), 1);
        assert!(text.contains("`````text\n"), "longer than any run inside: {text}");
        assert!(text.starts_with("### a\\*b: "), "{text}");
    }

    #[test]
    fn is_cut_to_its_budget_and_says_so() {
        let mut suite = Suite::new("suite");
        for number in 0..2000 {
            suite.push(failed(&number.to_string(), "message", &"detail ".repeat(200)));
        }
        suite.push(Case::new("group", "passed", Status::Passed));
        let whole = render(&suite, usize::MAX);
        assert!(whole.len() > BUDGET && !whole.contains("left out"));
        for budget in [BUDGET, 10_000, 1000, 0] {
            let text = render(&suite, budget);
            assert!(text.len() <= budget.max(NOTICE), "{budget}: {}", text.len());
            assert!(text.contains("parts were left out"), "{budget}");
            let count = |mark: &str| text.matches(mark).count();
            assert!(count("<details>") <= count("</details>"), "{budget}: none is left open");
        }
    }
}
