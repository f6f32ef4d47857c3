//! What a report is told besides the evaluation: the request, the decision, the facts of the data.

use std::collections::BTreeMap;

use mlops_core::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::learning_curve::LearningFacts;
use super::search::SearchFacts;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Requested {
    /// The issue, as `owner/name#7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// The name under which the model is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// The version that the model was registered as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Where the raw table lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_s3_uri: Option<String>,
    /// The algorithm that was asked for, `auto` included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// How rows were divided: train, validation, test, strategy, seed.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub split: Map<String, Value>,
    /// How columns were prepared.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub preprocessing_config: Map<String, Value>,
}

impl Requested {
    /// The model's name, with its version when it has one; `None` without a name.
    pub(super) fn named(&self, lang: Lang) -> Option<String> {
        let name = self.model_name.as_deref()?;
        Some(match (self.version, lang) {
            (None, _) => name.to_owned(),
            (Some(version), Lang::En) => format!("{name} version {version}"),
            (Some(version), Lang::Ja) => format!("{name} バージョン {version}"),
        })
    }
}

/// What was decided, as the judge says it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// Why, the weightiest first.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// How each gate was passed or not.
    #[serde(default)]
    pub gates: Vec<GateOutcome>,
    /// The version of the champion that was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion_version: Option<u64>,
}

/// What becomes of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It becomes the champion.
    Promote,
    /// A person decides.
    NeedsHuman,
    /// It does not become the champion.
    Reject,
}

/// One rule of one gate, held against what was observed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateOutcome {
    /// The metric.
    pub metric: String,
    /// The slice, as `sex=female`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// The rule: `min`, `max`, `min_change`, `max_change`, `min_relative_change` or `max_relative_change`.
    pub rule: String,
    /// What is required.
    pub required: f64,
    /// What was observed; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<f64>,
    /// Whether it passed.
    pub passed: bool,
    /// Whether the gate alone can reject the model.
    #[serde(default)]
    pub blocking: bool,
    /// Whether it passed only because there is no champion to compare with.
    #[serde(default)]
    pub without_champion: bool,
    /// Whether it passed, but the metric's interval reaches to the other side.
    #[serde(default)]
    pub uncertain: bool,
}

/// Facts of the data and of training that the evaluation cannot know.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataFacts {
    /// How many rows each part has, as `{"train": 233, "validation": 50, "test": 50}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "known_counts")]
    pub rows: BTreeMap<String, u64>,
    /// How many rows preparation left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped_rows: Option<u64>,
    /// By column, how many missing values were filled in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "known_counts")]
    pub imputed: BTreeMap<String, u64>,
    /// SHA-256 of the raw table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_sha256: Option<String>,
    /// How long training took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_time_seconds: Option<f64>,
    /// How the hyperparameters were searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchFacts>,
    /// How the loss fell while the model learnt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_curve: Option<LearningFacts>,
    /// Anything else that a reader must know about the data.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "known_notes")]
    pub notes: Vec<String>,
}

/// The counts that are there: neither a map that is null nor a count that is null is an error.
fn known_counts<'de, D: Deserializer<'de>>(given: D) -> Result<BTreeMap<String, u64>, D::Error> {
    let given = Option::<BTreeMap<String, Option<u64>>>::deserialize(given)?.unwrap_or_default();
    Ok(given.into_iter().filter_map(|(name, count)| Some((name, count?))).collect())
}

/// The notes that are there.
fn known_notes<'de, D: Deserializer<'de>>(given: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::<Vec<Option<String>>>::deserialize(given)?.unwrap_or_default().into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_may_be_missing_or_null() {
        let facts: DataFacts = serde_json::from_value(json!({
            "rows": {"train": 7, "validation": null, "test": 3}, "imputed": null, "dropped_rows": null,
            "source_sha256": null, "training_time_seconds": null, "search": null, "learning_curve": null, "notes": ["a", null]
        }))
        .unwrap();
        assert_eq!((facts.rows.len(), facts.notes.len(), facts.dropped_rows), (2, 1, None));
        assert_eq!(serde_json::from_value::<DataFacts>(json!({})).unwrap(), DataFacts::default());
        assert!(serde_json::from_value::<DataFacts>(json!({"row": {}})).is_err());
    }
}
