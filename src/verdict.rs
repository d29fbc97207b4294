//! What a checker says: pass, unknown or fail, in this order; the worst of many is their maximum.

use picklock_sim::time::SimTime;
use serde::{Deserialize, Serialize};

use crate::terms::Claim;

/// A checker's answer about one history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// Judged, and nothing wrong was found.
    Pass,
    /// Could not be judged; never a pass.
    Unknown {
        /// Why.
        reason: String,
    },
    /// A violation was found.
    Fail(Violation),
}

/// What went wrong, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// When it became true, in nanoseconds.
    #[serde(rename = "at_ns")]
    pub at: SimTime,
    /// How often the rule was broken in this history.
    pub times: u32,
    /// How long the first breach lasted, in milliseconds, where that means something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasted_ms: Option<u64>,
    /// The events that prove the first breach, by index.
    pub witnesses: Vec<u32>,
    /// What happened, in three lines for a person.
    pub story: [String; 3],
}

/// One checker's answer, and whether the lock had promised anything of the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The checker's name.
    pub checker: String,
    /// What it judges.
    pub claim: Claim,
    /// Whether the lock claims this. A violation of what was never claimed is shown, not blamed.
    pub claimed: bool,
    /// Its answer.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Verdict {
    /// A one-word form: `pass`, `unknown` or `fail`.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Unknown { .. } => "unknown",
            Verdict::Fail(_) => "fail",
        }
    }

    /// The violation, if it is one.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Verdict::Fail(violation) => Some(violation),
            _ => None,
        }
    }
}
