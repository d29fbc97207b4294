//! What holds for all checkers together: by example, and over random histories.

mod random;

use picklock_sim::history::{Event, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;
use proptest::prelude::*;

use self::random::histories;
use super::fixture::{Script, client, reason_of};
use super::intervals::{Interval, beliefs, clash, operations, sales};
use super::*;
use crate::outcome::{Severity, severity};
use crate::verdict::Violation;

/// A sale that goes wrong: two believe, both sell the last unit.
fn oversold_sale() -> Script {
    Script::sale(1)
        .at(10)
        .acquired(1)
        .reads(1, 1)
        .paused(client(1))
        .at(1100)
        .acquired(2)
        .reads(2, 1)
        .writes(2, 1, 0)
        .released(2)
        .at(3000)
        .resumed(client(1))
        .writes(1, 0, 0)
        .released(1)
}

fn words(judgements: &[Judgement]) -> Vec<(&str, &'static str)> {
    judgements.iter().map(|j| (j.checker.as_str(), j.verdict.word())).collect()
}

fn violations(judgements: &[Judgement]) -> Vec<&Violation> {
    judgements.iter().filter_map(|judgement| judgement.verdict.violation()).collect()
}

#[test]
fn every_checker_has_its_own_name_and_claim() {
    insta::assert_snapshot!(names().join("\n"), @r"
    well-formed
    belief-overlap
    operation-overlap
    oversold
    ledger
    lost-update
    fence-order
    release-safety
    recovery
    starvation
    reentrant
    fair-queue
    readers-writer
    ");
    let mut claims: Vec<_> = CHECKERS.iter().map(|checker| checker.claim()).collect();
    claims.sort();
    claims.dedup();
    assert_eq!(claims.len(), CHECKERS.len());
}

#[test]
fn a_history_is_judged_by_all() {
    let judgements = judge(&oversold_sale().done());
    let lines: Vec<_> = judgements
        .iter()
        .map(|j| {
            format!(
                "{} {}{}",
                j.checker,
                j.verdict.word(),
                if j.claimed { ", claimed" } else { "" }
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    well-formed pass, claimed
    belief-overlap fail, claimed
    operation-overlap fail
    oversold fail, claimed
    ledger fail
    lost-update fail
    fence-order pass
    release-safety unknown
    recovery pass
    starvation pass
    reentrant pass
    fair-queue unknown
    readers-writer pass
    ");
    assert_eq!(severity(&judgements), Severity::Broken);
}

#[test]
fn what_is_not_claimed_does_not_count() {
    let judgements = judge(&oversold_sale().terms(|terms| terms.claims.clear()).done());
    assert_eq!(severity(&judgements), Severity::Unclaimed);
    assert_eq!(severity(&[]), Severity::Unknown, "nobody judged: that is no pass");
}

#[test]
fn a_malformed_history_is_unknown_to_all() {
    let mut truncated = oversold_sale().done();
    truncated.events.truncate(5);
    let judgements = judge(&truncated);
    assert!(judgements.iter().all(|judgement| judgement.verdict.word() == "unknown"));
    assert!(judgements.iter().all(|judgement| judgement.verdict == judgements[0].verdict));
    insta::assert_snapshot!(reason_of(&judgements[0].verdict), @r"
    the history is malformed: it ends after 5 events without the heal
    at 4.000 s, so its end is missing
    ");
}

#[test]
fn a_checker_that_panics_says_unknown() {
    struct Broken;
    impl Checker for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }
        fn claim(&self) -> Claim {
            Claim::NoOversell
        }
        fn check(&self, history: &Case<'_>) -> Verdict {
            panic!("could not judge {} events", history.events.len())
        }
    }
    let judgements = judge_by(&[&well_formed::WellFormed, &Broken], &oversold_sale().done());
    assert_eq!(severity(&judgements), Severity::Unknown);
    let reason = reason_of(&judgements[1].verdict);
    insta::assert_snapshot!(reason, @"the checker broken panicked: could not judge 21 events");
}

/// Exchanges clients 1 -> 2 -> 3 -> 1 everywhere.
fn renamed(mut history: History) -> History {
    let rename = |host: &mut HostName| {
        if host.is_client() {
            host.number = host.number % 3 + 1;
        }
    };
    for event in &mut history.events {
        rename(&mut event.process);
        match &mut event.op {
            Op::Applied { by, .. } => rename(by),
            Op::Record { by, owner, .. } => by.iter_mut().chain(owner).for_each(rename),
            _ => {}
        }
    }
    history
}

/// The same at a third of the speed.
fn slowed(mut history: History) -> History {
    let slow = |at: &mut SimTime| *at = SimTime::from_nanos(at.as_nanos() * 3);
    for event in &mut history.events {
        slow(&mut event.at);
        if let Op::Acquire { until: Some(until), .. } | Op::Renew { until: Some(until) } =
            &mut event.op
        {
            slow(until);
        }
    }
    let terms = &mut history.header;
    slow(&mut terms.heal_at);
    slow(&mut terms.end_at);
    terms.recovery_bound_ms = terms.recovery_bound_ms.map(|bound| bound * 3);
    history
}

/// The same with faults that strike everybody just before the heal and change nothing.
fn with_faults(mut history: History) -> History {
    let heal = history.events.iter().position(|event| event.op == Op::Healed).unwrap();
    let at = history.events[heal].at;
    let begins = |number| Op::FaultBegins { fault: number, host: client(number) };
    let ops = (1..=3).map(begins).chain((1..=3).map(|fault| Op::FaultEnds { fault }));
    let (index, process, kind) = (0, HostName::NEMESIS, picklock_sim::history::Kind::Info);
    let faults = ops.map(|op| Event { index, at, process, kind, op });
    history.events.splice(heal..heal, faults.collect::<Vec<_>>());
    for (index, event) in history.events.iter_mut().enumerate() {
        event.index = index as u32;
    }
    history
}

/// What must not depend on names, speed or what the nemesis says.
fn essence(judgements: &[Judgement], speed: u64) -> Vec<(&'static str, u64, u32)> {
    let essence = |judgement: &Judgement| match judgement.verdict.violation() {
        Some(Violation { at, times, .. }) => ("fail", at.as_nanos() / speed, *times),
        None => (judgement.verdict.word(), 0, 0),
    };
    judgements.iter().map(essence).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_well_formed_history_is_judged(history in histories()) {
        let judgements = judge(&history);
        prop_assert_eq!(words(&judgements)[0], ("well-formed", "pass"));
        for judgement in &judgements {
            if let Verdict::Unknown { reason } = &judgement.verdict {
                prop_assert!(!reason.contains("panicked"), "{}", reason);
            }
        }
        for violation in violations(&judgements) {
            prop_assert!(violation.at <= history.header.end_at && violation.times > 0);
            prop_assert!(!violation.witnesses.is_empty());
            prop_assert!(violation.witnesses.is_sorted());
            prop_assert!(violation.story.iter().all(|line| line.ends_with('.')), "{violation:?}");
        }
    }

    #[test]
    fn overlaps_are_those_that_a_slow_search_finds(history in histories()) {
        let beliefs = beliefs(&history);
        prop_assert!(beliefs.is_sorted_by_key(|belief| belief.span.start));
        let mut slow = 0;
        for later in &beliefs {
            // Those that began while another client believed.
            let is_on = |earlier: &&super::intervals::Belief| {
                earlier.client != later.client
                    && !(earlier.shared && later.shared)
                    && earlier.span.start < later.span.start
                    && earlier.span.overlaps(later.span())
            };
            slow += u32::from(beliefs.iter().any(|earlier| is_on(&earlier)));
        }
        prop_assert_eq!(clash(&beliefs, |a, b| !(a.shared && b.shared)).map_or(0, |clash| clash.times), slow);
        // A client believes only once at a time.
        for (place, belief) in beliefs.iter().enumerate() {
            let same = beliefs[..place].iter().filter(|other| other.client == belief.client);
            prop_assert!(same.clone().all(|other| !other.span.overlaps(belief.span)));
        }
    }

    #[test]
    fn operations_lie_within_the_run(history in histories()) {
        for operation in operations(&history) {
            prop_assert!(operation.from <= operation.until);
            prop_assert!(operation.until <= history.header.end_at);
            prop_assert!(operation.span.start <= operation.write_event);
        }
        prop_assert!(sales(&history).is_sorted_by_key(|sale| sale.event));
    }

    #[test]
    fn names_do_not_matter(history in histories()) {
        let before = essence(&judge(&history), 1);
        prop_assert_eq!(before, essence(&judge(&renamed(history)), 1));
    }

    #[test]
    fn speed_does_not_matter(history in histories()) {
        let before = essence(&judge(&history), 1);
        prop_assert_eq!(before, essence(&judge(&slowed(history)), 3));
    }

    #[test]
    fn what_the_nemesis_says_does_not_matter(history in histories()) {
        let before = essence(&judge(&history), 1);
        prop_assert_eq!(before, essence(&judge(&with_faults(history)), 1));
    }

    #[test]
    fn a_garbled_history_is_never_judged(
        mut history in histories(),
        place in any::<prop::sample::Index>(),
        how in 0..3,
    ) {
        prop_assume!(history.events.len() > 1);
        // An end that is missing shows only up to the heal; the rest of it the file format guards.
        let place = place.index(history.events.len() - 1);
        match how {
            0 => drop(history.events.remove(place)),
            1 => history.events.swap(place, place + 1),
            _ => history.events.insert(place, history.events[place]),
        }
        for judgement in judge(&history) {
            prop_assert_eq!(judgement.verdict.word(), "unknown");
        }
    }
}
