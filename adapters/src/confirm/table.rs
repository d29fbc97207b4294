//! The report: each plan in both worlds, side by side.

use std::fmt::Write;

use super::{Answer, Confirmation, Found};

/// The table of confirmations, as Markdown.
pub fn markdown(confirmations: &[Confirmation]) -> String {
    let mut text = String::from(
        "# Counterexamples on real servers\n\n\
         Each plan was simulated, then carried out on real processes: servers of Debian's packages, clients as \
         processes of their own, pauses by SIGSTOP, networks by a proxy. *Confirmed*: the same checkers fail; where \
         the simulation breaks no promise, no try breaks one. Checkers in brackets: seen, never promised.\n\n\
         | scenario | contender | simulated | real | tries |\n|---|---|---|---|---:|\n",
    );
    for confirmation in confirmations {
        let plan = &confirmation.plan;
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {} | {} | {} |",
            plan.scenario,
            plan.contender,
            found(&confirmation.simulated),
            answer(confirmation),
            tries(confirmation)
        );
    }
    text
}

/// How often it was tried.
pub fn tries(confirmation: &Confirmation) -> String {
    match confirmation.idle {
        0 => confirmation.tries.to_string(),
        idle => format!("{} (and {idle} in which no fault struck)", confirmation.tries),
    }
}

/// What was found, in a few words; what was never promised stands in brackets.
pub fn found(found: &Found) -> String {
    if found.failed.is_empty() {
        return "clean".to_owned();
    }
    let name = |checker: &String| match found.broken.contains(checker) {
        true => checker.clone(),
        false => format!("({checker})"),
    };
    found.failed.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The answer, in a few words.
pub fn answer(confirmation: &Confirmation) -> String {
    let simulated = &confirmation.simulated;
    let more = |real: &Found| {
        let more: Vec<&str> =
            real.failed.difference(&simulated.failed).map(String::as_str).collect();
        if more.is_empty() { String::new() } else { format!(", and {}", more.join(", ")) }
    };
    match &confirmation.answer {
        Answer::Confirmed { shown } => {
            format!("**confirmed**{}", more(&Found::of(&shown.judgements)))
        }
        Answer::NotConfirmed { last } => {
            format!("not confirmed; last try: {}", found(&Found::of(&last.judgements)))
        }
        Answer::Contradicted { shown } => {
            format!("**contradicted**: {}", found(&Found::of(&shown.judgements)))
        }
        Answer::Inexpressible(why) => format!("cannot be expressed: {}", why.join("; ")),
    }
}
