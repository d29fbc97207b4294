//! Plain words and signs for how bad it is.

use crate::exhibit::Shown;
use crate::outcome::Severity;
use crate::report::findings;
use crate::terms::REAL;
use crate::verdict::{Judgement, Violation};

/// A style for each severity.
pub(super) fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Clean => "clean",
        Severity::Unclaimed => "unclaimed",
        Severity::Unknown => "unknown",
        Severity::Broken => "broken",
    }
}

/// A sign for each severity, for those who do not see the colour.
pub(super) fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Clean => "✓",
        Severity::Unclaimed => "△",
        Severity::Unknown => "?",
        Severity::Broken => "✗",
    }
}

/// What a run came to, with its sign: `✗ oversold`.
pub(super) fn verdict(shown: &Shown) -> String {
    let damage = ["oversold", "ledger", "lost-update", "recovery", "starvation"];
    let harmless = |(judgement, _): (&Judgement, _)| !damage.contains(&&*judgement.checker);
    let rest = match shown.severity() {
        Severity::Unclaimed if shown.violations().all(harmless) => ", no damage",
        _ => "",
    };
    format!("{} {}{rest}", sign(shown.severity()), headline(shown))
}

/// Where a run took place.
pub(super) fn world(engine: &str) -> String {
    match engine {
        REAL => "on real servers and processes".to_owned(),
        engine => format!("{engine} engine"),
    }
}

/// What a run came to: `oversold`.
pub(super) fn headline(shown: &Shown) -> &'static str {
    match (worst(shown), shown.severity()) {
        (_, Severity::Unknown) => "could not be judged",
        (Some((judgement, _)), _) => findings::of(&judgement.checker).word,
        (None, _) => "nothing wrong",
    }
}

/// The worst that was found: what was promised before what was not, then the worse damage.
pub(super) fn worst(shown: &Shown) -> Option<(&Judgement, &Violation)> {
    let damage = |judgement: &Judgement| (!judgement.claimed, findings::damage(&judgement.checker));
    shown.violations().min_by_key(|(judgement, _)| damage(judgement))
}
