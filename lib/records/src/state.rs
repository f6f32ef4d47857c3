//! Statuses and aliases of a model's versions, and the rules by which they change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlops_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::check_name;
use crate::status::ModelStatus;

/// What a change is called that is of no alias.
const OWN_WORDS: [&str; 2] = ["status", "gates"];

/// Statuses and aliases of a model's versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version by alias.
    #[serde(default)]
    pub aliases: BTreeMap<String, u64>,
    /// Status by version.
    #[serde(default)]
    pub statuses: BTreeMap<u64, ModelStatus>,
    /// Whether the version passed its gates, by version; one that was never judged is not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<u64, bool>,
    /// Every change, in order.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// A change of a status, a verdict or an alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// The version that it is about.
    pub version: u64,
    /// `status`, `gates` or the alias.
    pub what: String,
    /// What held before.
    pub from: Option<String>,
    /// What holds now; nothing when an alias was taken away.
    pub to: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What sets the change apart from an ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
}

/// What sets a change apart from an ordinary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The alias went back to an earlier version.
    Rollback,
    /// The version went into production without passed gates.
    GateOverride,
}

/// What is to change about one version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateChange {
    /// The status to give it.
    pub status: Option<ModelStatus>,
    /// Whether it passed its gates.
    pub gates_passed: Option<bool>,
    /// Aliases to point at it.
    pub add: Vec<String>,
    /// Aliases to take away from it; one that points elsewhere stays.
    pub remove: Vec<String>,
    /// Whether it may go into production without passed gates; needs a reason.
    pub override_gates: bool,
    /// An alias that goes back to the version, and where it must point when that happens.
    pub rollback: Option<(String, Option<u64>)>,
    /// Why.
    pub reason: Option<String>,
}

impl State {
    /// The status of a version; one that has none yet is pending.
    pub fn status(&self, version: u64) -> ModelStatus {
        self.statuses.get(&version).copied().unwrap_or(ModelStatus::Pending)
    }

    /// The aliases that point at a version.
    pub fn aliases_of(&self, version: u64) -> impl Iterator<Item = &String> {
        self.aliases.iter().filter(move |(_, of)| **of == version).map(|(alias, _)| alias)
    }

    /// The last time that the alias was moved or taken away.
    pub fn last_move(&self, alias: &str) -> Option<&Change> {
        self.changes.iter().rev().find(|change| change.what == alias)
    }

    /// The state after the change; equal to this one when all of it holds already.
    ///
    /// `Rejected` when the transition is not allowed, when production lacks passed gates, or when an alias would point
    /// at a version that is rejected or archived. `Conflict` when the alias of a rollback points elsewhere by now.
    pub fn apply(&self, version: u64, change: &StateChange, by: (&str, Timestamp)) -> Result<Self> {
        change.check()?;
        let mut after = self.clone();
        let mut log = Vec::new();
        if let Some(passed) = change.gates_passed
            && let before = after.gates.insert(version, passed)
            && before != Some(passed)
        {
            log.push(("gates", before.map(|before| before.to_string()), Some(passed.to_string()), None));
        }
        if let Some(status) = change.status.filter(|status| self.statuses.get(&version) != Some(status)) {
            let how = after.check_transition(version, status, change.override_gates)?;
            let before = after.statuses.insert(version, status);
            log.push(("status", before.map(|before| before.to_string()), Some(status.to_string()), how));
        }
        for alias in change.remove.iter().filter(|alias| self.aliases.get(*alias) == Some(&version)) {
            after.aliases.remove(alias);
            log.push((alias, Some(version.to_string()), None, None));
        }
        let back = change.rollback.iter().map(|(alias, from)| (alias, Some(*from)));
        for (alias, expected) in change.add.iter().map(|alias| (alias, None)).chain(back) {
            let before = self.aliases.get(alias).copied();
            if before == Some(version) {
                continue;
            }
            if let Some(expected) = expected.filter(|expected| *expected != before) {
                return Err(moved_meanwhile(alias, expected, before));
            }
            after.aliases.insert(alias.clone(), version);
            let how = expected.map(|_| How::Rollback);
            log.push((alias, before.map(|before| before.to_string()), Some(version.to_string()), how));
        }
        if !log.is_empty() {
            after.check_aliases(version)?;
        }
        let (actor, at) = by;
        after.changes.extend(log.into_iter().map(|(what, from, to, how)| Change {
            at,
            actor: actor.to_owned(),
            version,
            what: what.to_owned(),
            from,
            to,
            reason: change.reason.clone(),
            how,
        }));
        Ok(after)
    }

    /// Holds the table of transitions and the rule of production; tells whether the rule was overridden.
    fn check_transition(&self, version: u64, to: ModelStatus, override_gates: bool) -> Result<Option<How>> {
        let from = self.status(version);
        if from != to && !from.next().contains(&to) {
            let next = from.next().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let message =
                format!("version {version} is {from} and cannot become {to}; from there it can become {next}");
            let error = Error::rejected(message).at("status");
            let way = from.next().iter().find(|between| between.next().contains(&to));
            return Err(match way {
                Some(between) => error.hint(format!("make it {between} first")),
                None => error,
            });
        }
        if to != ModelStatus::Production || self.gates.get(&version) == Some(&true) {
            return Ok(None);
        }
        if override_gates {
            return Ok(Some(How::GateOverride));
        }
        let verdict = if self.gates.contains_key(&version) { "did not pass its gates" } else { "was never judged" };
        let message = format!("version {version} {verdict}, so it cannot go into production");
        let hint = "train it by a run whose gates pass, or give `override_gates` with a `reason`";
        Err(Error::rejected(message).at("status").hint(hint))
    }

    fn check_aliases(&self, version: u64) -> Result<()> {
        let status = self.status(version);
        let held = self.aliases_of(version).cloned().collect::<Vec<_>>().join(", ");
        if status.can_be_used() || held.is_empty() {
            return Ok(());
        }
        let message = format!("version {version} would be {status}, and the alias {held} would point at it");
        let hint = "give the alias in `remove_aliases`, or point it at another version first";
        Err(Error::rejected(message).at("aliases").hint(hint))
    }
}

impl StateChange {
    /// What is wrong with the change whatever the state is.
    fn check(&self) -> Result<()> {
        let named = self.add.iter().map(|alias| ("aliases", alias));
        let named = named.chain(self.remove.iter().map(|alias| ("remove_aliases", alias)));
        for (field, alias) in named.chain(self.rollback.iter().map(|(alias, _)| ("alias", alias))) {
            check_name(field, alias)?;
            if OWN_WORDS.contains(&alias.as_str()) {
                let message = format!("`{alias}` cannot be an alias: changes of the {alias} are recorded by that word");
                return Err(Error::invalid_input(message).at(field));
            }
        }
        if let Some(both) = self.add.iter().find(|alias| self.remove.contains(alias)) {
            let message = format!("the alias {both} is both to be added and to be removed");
            return Err(Error::invalid_input(message).at("remove_aliases"));
        }
        if self.override_gates && self.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
            let error = Error::invalid_input("the gates can be overridden only with a reason");
            return Err(error.at("reason").hint("say in `reason` why the version may be used all the same"));
        }
        Ok(())
    }
}

fn moved_meanwhile(alias: &str, expected: Option<u64>, found: Option<u64>) -> Error {
    let word = |version: Option<u64>| version.map_or_else(|| "no version".to_owned(), |version| version.to_string());
    let message = format!("the alias {alias} points at {} by now, not at {}", word(found), word(expected));
    Error::conflict(message).at("alias").hint("look at the versions again, then decide")
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
