//! What reports call the judges' findings: one line per checker, the worst damage first.

use crate::compare::{Cell, Finding};

/// The words for what a checker finds.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The checker's name.
    pub checker: &'static str,
    /// Two letters for tables, as in the catalogue of verdicts.
    pub code: &'static str,
    /// A word or two for somebody who has never seen a code.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// All of them; where several are found, the first one here names the whole.
pub const WORDS: &[Words] = &[
    words("oversold", "OS", "oversold", "more was sold than there was"),
    words(
        "lost-update",
        "LU",
        "lost update",
        "an acknowledged write was overwritten by one that never saw it",
    ),
    words("ledger", "LG", "books wrong", "what was sold and what is left do not add up"),
    words(
        "recovery",
        "DL",
        "stuck",
        "all was healed, and nobody got the lock in the promised time",
    ),
    words(
        "fence-order",
        "FT",
        "stale token",
        "a fencing token repeated or went back, or a stale one was accepted",
    ),
    words("operation-overlap", "OP", "2 at work", "two clients worked on the resource at once"),
    words("belief-overlap", "MX", "2 holders", "two clients believed at once that they held it"),
    words("release-safety", "RS", "wrong release", "a client removed another's lock record"),
    words(
        "readers-writer",
        "RW",
        "torn read",
        "one held it alone while another shared it, or shared reads did not agree",
    ),
    words(
        "reentrant",
        "RE",
        "miscounted",
        "a holder could not acquire it again, or it was free too early, or never",
    ),
    words(
        "fair-queue",
        "UF",
        "out of turn",
        "a client was served before one that was queued earlier",
    ),
    words("starvation", "ST", "starved", "one client asked and asked and was passed over"),
    words("well-formed", "WF", "bad history", "the record of the run contradicts itself"),
];

const fn words(
    checker: &'static str,
    code: &'static str,
    word: &'static str,
    meaning: &'static str,
) -> Words {
    Words { checker, code, word, meaning }
}

/// For a finding of a checker that is no longer there, in an old plan or history.
const UNNAMED: Words = words("?", "?", "?", "found by a checker that this build does not know");

/// The words for a checker's finding.
pub fn of(checker: &str) -> Words {
    WORDS.iter().find(|words| words.checker == checker).copied().unwrap_or(UNNAMED)
}

/// How far down the list of damages a checker's finding stands: 0 is the worst.
pub fn damage(checker: &str) -> usize {
    WORDS.iter().position(|words| words.checker == checker).unwrap_or(WORDS.len())
}

/// The finding that a cell is named after: what was promised before what was not, then the worst.
pub fn worst(cell: &Cell) -> Option<&Finding> {
    cell.findings.iter().min_by_key(|finding| (!finding.claimed, damage(&finding.checker)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::CHECKERS;

    #[test]
    fn every_checker_has_its_words() {
        for checker in CHECKERS {
            assert!(
                WORDS.iter().any(|words| words.checker == checker.name()),
                "{}",
                checker.name()
            );
        }
        assert_eq!(WORDS.len(), CHECKERS.len());
    }
}
