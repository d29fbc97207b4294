//! The fidelity report: what was compared, what may differ, what did.
//!
//! The text depends on the seed and the number of sequences alone, so that a published one can be
//! compared with a fresh one.

use std::fmt::Write;

use picklock::store::StoreKind;

use super::Fidelity;

const TITLE: &str = "# How far the models are what the servers are

Random sequences of commands, sent to a real server and to the model, answer for answer, with the same time going by
(`adapters/src/conformance.rs`). Every reply, push, error text and closed connection is compared.
";

/// The whole report, with one store's section new in it.
pub fn report_with(before: &str, store: StoreKind, section: &str) -> String {
    let mut sections: Vec<String> = (before.split("\n## ").skip(1))
        .map(|rest| format!("## {}\n", rest.trim_end()))
        .filter(|other| !other.starts_with(&heading(store)))
        .collect();
    sections.push(section.to_owned());
    // In the order of their names, whichever was made last.
    sections.sort();
    format!("{TITLE}\n{}", sections.join("\n"))
}

fn heading(store: StoreKind) -> String {
    format!("## {} ", store.name())
}

/// One store's section of `reports/conformance.md`.
pub fn markdown(fidelity: &Fidelity) -> String {
    let mut text = String::new();
    write(fidelity, &mut text).expect("a string takes it");
    text
}

fn write(fidelity: &Fidelity, text: &mut String) -> std::fmt::Result {
    let Fidelity { store, version, seed, sequences, steps, .. } = fidelity;
    writeln!(text, "{}{version}\n", heading(*store))?;
    let covered = fidelity.commands.iter().filter(|(_, count)| *count > 0).count();
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| sequences | {sequences}, drawn from seed {seed} |")?;
    writeln!(text, "| steps | {steps} |")?;
    writeln!(
        text,
        "| commands sent | {covered} of the {} that the model knows |",
        fidelity.commands.len()
    )?;
    writeln!(text, "| differences found | {} |", fidelity.found.len())?;
    write_coverage(fidelity, text)?;
    writeln!(text, "\nWhat may differ:\n\n| what | why |\n|---|---|")?;
    for (what, why) in fidelity.may_differ {
        writeln!(text, "| {what} | {why} |")?;
    }
    for found in &fidelity.found {
        writeln!(text, "\nDifference in sequence {}:\n", found.sequence)?;
        writeln!(text, "```text\n{}", found.transcript)?;
        for difference in &found.differences {
            write!(text, "{difference}")?;
        }
        writeln!(text, "```")?;
    }
    Ok(())
}

/// How often each command was sent, and which were not.
fn write_coverage(fidelity: &Fidelity, text: &mut String) -> std::fmt::Result {
    let (sent, missed): (Vec<_>, Vec<_>) =
        fidelity.commands.iter().partition(|(_, count)| *count > 0);
    let sent: Vec<String> = sent.iter().map(|(name, count)| format!("{name} {count}")).collect();
    writeln!(text, "\nSent, and how often: {}.", sent.join(", "))?;
    if fidelity.strangers > 0 {
        writeln!(
            text,
            "Unknown to the model, misspelt, or no command at all: {}.",
            fidelity.strangers
        )?;
    }
    if !missed.is_empty() {
        let names: Vec<&str> = missed.iter().map(|(name, _)| name.as_str()).collect();
        writeln!(text, "\nNot sent: {}.", names.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_section_takes_the_place_of_the_old_one_and_leaves_the_others() {
        let first = report_with("", StoreKind::Redis, "## redis 7.0.15\n\nold\n");
        let both = report_with(&first, StoreKind::Etcd, "## etcd 3.4.23\n\nother\n");
        let again = report_with(&both, StoreKind::Redis, "## redis 7.0.15\n\nnew\n");
        assert!(again.starts_with(TITLE));
        assert!(
            again.ends_with("\n## etcd 3.4.23\n\nother\n\n## redis 7.0.15\n\nnew\n"),
            "{again}"
        );
        assert_eq!(report_with(&again, StoreKind::Redis, "## redis 7.0.15\n\nnew\n"), again);
    }
}
