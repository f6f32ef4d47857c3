//! The decision, from gates and the comparison with the champion.

use std::collections::BTreeMap;

use mlops_core::Lang;
use mlops_core::values::Gate;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Verdict, gates, reasons};

/// What becomes of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It becomes the champion.
    Promote,
    /// A person decides.
    NeedsHuman,
    /// It does not.
    Reject,
}

/// Decides. A blocking gate that fails rejects, whatever else holds. A gate that does not block, a champion that could
/// not be compared and a difference that may be chance ask a person. Being worse than the champion by more than chance
/// rejects. Without gates and without a champion, the candidate is promoted.
pub fn decide(gates: &BTreeMap<String, Gate>, evidence: &Evidence, lang: Lang) -> Verdict {
    let results = gates::check(gates, evidence);
    let mut decision = Decision::Promote;
    let mut told = Vec::new();
    for gate in &results {
        let consequence = match (gate.passed, gate.blocking) {
            (true, _) => Decision::Promote,
            (false, true) => Decision::Reject,
            (false, false) => Decision::NeedsHuman,
        };
        decision = decision.max(consequence);
        told.push((consequence, reasons::of_gate(gate, lang)));
    }
    if let Some(champion) = &evidence.champion {
        let consequence = match &champion.comparison {
            None => Decision::NeedsHuman,
            Some(comparison) if !comparison.significant => Decision::NeedsHuman,
            Some(comparison) if comparison.gain < 0.0 => Decision::Reject,
            Some(_) => Decision::Promote,
        };
        decision = decision.max(consequence);
        told.push((consequence, reasons::of_champion(champion, lang)));
    } else {
        told.push((Decision::Promote, reasons::no_champion(lang)));
    }
    if evidence.beats_guessing == Some(false) {
        // Nobody set a gate against it, so it does not decide; it must not go unsaid.
        told.push((decision, reasons::no_better_than_guessing(lang)));
    }
    if results.is_empty() {
        told.push((Decision::Promote, reasons::no_gates(lang)));
    }
    // What led to the decision comes first; the order within stays.
    told.sort_by_key(|(consequence, _)| std::cmp::Reverse(*consequence));
    Verdict {
        decision,
        reasons: told.into_iter().map(|(_, reason)| reason).collect(),
        gates: results,
        champion_version: evidence.champion.as_ref().map(|champion| champion.version),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
