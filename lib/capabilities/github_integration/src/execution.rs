//! The name of a run, and its input.

use mlops_core::Lang;
use mlops_core::values::{IssueRef, TrainingConfig, sha256_hex};
use serde_json::{Map, Value, json};

use crate::check::slug;

/// The hex digits of the hash in a name: 64 bits.
const HASH_DIGITS: usize = 16;

/// The name of the run that such a request asks for: the model's name for people, then a hash of everything that makes
/// the request what it is. At most 80 letters, digits and hyphens.
pub(crate) fn name(
    config: &TrainingConfig,
    issue: Option<&IssueRef>,
    lang: Lang,
    data_version: Option<&str>,
) -> String {
    let identity = json!({
        "issue": issue,
        "config": config,
        "lang": lang,
        "data_version": data_version,
    });
    let hash = sha256_hex(canonical(&identity).to_string().as_bytes());
    let readable = slug(&config.model_name);
    let readable = if readable.is_empty() { "run" } else { &readable };
    format!("{readable}-{}", &hash[..HASH_DIGITS])
}

/// The input of the state machine `training`.
pub(crate) fn input(run_id: &str, config: &TrainingConfig, issue: Option<&IssueRef>, lang: Lang) -> Value {
    let mut input = json!({"run_id": run_id});
    if let Some(issue) = issue {
        input["issue"] = json!(issue);
    }
    input["config"] = json!(config);
    input["lang"] = json!(lang);
    input
}

/// The value with the names of every mapping in order, so that the order of writing makes no difference.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut sorted = entries.iter().map(|(key, value)| (key.clone(), canonical(value))).collect::<Vec<_>>();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(sorted.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}
