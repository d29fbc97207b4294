//! JUnit XML, as GitLab, Jenkins and most others read it.
//!
//! Their readers agree on little, so everything stands where all of them look: GitLab shows
//! `classname`, `name`, `file` and the text inside `failure`; Jenkins takes the package from what
//! stands before the last dot of `classname`, and shows `message` and the text. Two cases of one
//! class and name would be one to GitLab, so the class names the suite (and with it the engine) too.
//! No times and no ids: two runs of one command give the same bytes.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::suite::{Case, Status, Suite, Trouble};

/// The whole report.
///
/// # Errors
/// None that a caller could mend: XML is written into memory.
pub fn render(suite: &Suite) -> Result<String, SerializeError> {
    let mut report = Report::new(clean(&suite.name));
    let mut groups: Vec<&str> = Vec::new();
    for case in &suite.cases {
        if !groups.contains(&case.group.as_str()) {
            groups.push(&case.group);
        }
    }
    for group in groups {
        let mut tests = TestSuite::new(clean(group));
        for case in suite.cases.iter().filter(|case| case.group == group) {
            tests.add_test_case(test_case(&suite.name, case));
        }
        report.add_test_suite(tests);
    }
    report.to_string()
}

fn test_case(suite: &str, case: &Case) -> TestCase {
    let status = match &case.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Failed(trouble) => {
            non_success(NonSuccessKind::Failure, "not-expected", trouble, case)
        }
        Status::Errored(trouble) => non_success(NonSuccessKind::Error, "not-judged", trouble, case),
        Status::Skipped { why } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(clean(why));
            status
        }
    };
    let mut test = TestCase::new(clean(&case.name), status);
    test.set_classname(clean(&format!("{suite}.{}", case.group)));
    if let Some(place) = &case.place {
        let file = place.file.display().to_string();
        test.extra.insert("file".into(), clean(&file).into());
        test.extra.insert("line".into(), place.line.to_string().into());
    }
    let output = output(case);
    if !output.is_empty() {
        test.set_system_out(clean(&output));
    }
    test
}

fn non_success(kind: NonSuccessKind, what: &str, trouble: &Trouble, case: &Case) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    // An attribute is shown on one line.
    status.set_message(clean(&trouble.message).replace('\n', "; "));
    status.set_type(what);
    // With the message again: GitLab shows the text only.
    let mut text = trouble.text() + "\n";
    if let Some(repeat) = &case.repeat {
        text.push_str(&format!("\nrepeat: {repeat}\n"));
    }
    status.set_description(clean(&text));
    status
}

/// What was found and where the evidence is, for passed cases too.
fn output(case: &Case) -> String {
    let mut text = String::new();
    if !case.found.is_empty() {
        text.push_str(&format!("{} ({} runs)\n", case.found, case.runs));
    }
    if let Some(plan) = &case.plan {
        text.push_str(&format!("plan: {}\n", plan.display()));
    }
    text
}

/// A text that XML 1.0 can hold: line ends of one kind, tabs as blanks, and a mark for every
/// character that no XML file may contain, so that nothing goes missing silently.
fn clean(text: &str) -> String {
    let one = |character: char| match character {
        '\n' => '\n',
        '\t' => ' ',
        _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
        _ => character,
    };
    text.replace("\r\n", "\n").replace('\r', "\n").chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::suite::tests::{failed, made_up};

    #[test]
    fn shows_everything() {
        insta::assert_snapshot!(render(&made_up()).unwrap());
    }

    #[test]
    fn the_same_suite_gives_the_same_bytes() {
        let xml = render(&made_up()).unwrap();
        assert_eq!(xml, render(&made_up()).unwrap());
        assert!(!xml.contains("time") && !xml.contains("uuid"), "{xml}");
    }

    /// What a reader gets out of a report of one failed case: name, message, text.
    fn read_back(text: &str) -> (String, String, String) {
        let mut suite = Suite::new(text);
        suite.push(failed(text, text, text));
        let report = Report::deserialize_from_str(&render(&suite).unwrap()).unwrap();
        let case = &report.test_suites[0].test_cases[0];
        match &case.status {
            TestCaseStatus::NonSuccess { message, description, .. } => (
                case.name.to_string(),
                message.as_deref().unwrap_or_default().to_owned(),
                description.as_deref().unwrap_or_default().to_owned(),
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_marked() {
        let (name, message, text) = read_back("a\0b\u{1b}[31mc\u{ffff}d\u{85}e]]>&\"<'\te\r\nf");
        assert_eq!(name, "a\u{fffd}b\u{fffd}[31mc\u{fffd}d\u{fffd}e]]>&\"<' e\nf");
        assert_eq!(message, name.replace('\n', "; "));
        assert!(text.contains(&name), "{text}");
    }

    /// The characters that XML 1.0 allows.
    fn is_legal(character: char) -> bool {
        matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            || character >= '\u{10000}'
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in prop::collection::vec(any::<char>(), 0..40)) {
            let text: String = text.into_iter().collect();
            let mut suite = Suite::new(&text);
            suite.push(failed(&text, &text, &text));
            prop_assert!(render(&suite).unwrap().chars().all(is_legal));

            let (name, message, description) = read_back(&text);
            prop_assert_eq!(&name, &clean(&text));
            prop_assert_eq!(&message, &clean(&text).replace('\n', "; "));
            // Readers trim the text of an element; whatever is inside must be whole.
            prop_assert!(description.contains(clean(&text).trim()));
        }
    }
}
