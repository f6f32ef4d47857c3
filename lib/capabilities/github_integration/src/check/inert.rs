//! The evaluation, and the sections of the full format that this release reads but does not act on.

use mlops_core::schema;
use mlops_core::values::{EvaluationConfig, TaskType};
use serde_json::{Map, Value, json};

use super::section;
use crate::findings::Findings;

/// The evaluation's own settings.
pub(super) fn evaluation(
    config: &Map<String, Value>,
    task: Option<TaskType>,
    findings: &mut Findings<'_>,
) -> EvaluationConfig {
    let mut schema = schema::of_input::<EvaluationConfig>();
    schema["properties"]["sensitive_columns"] = json!({"type": "array", "items": {"type": "string"}});
    schema["properties"]["shap"] = json!({"type": "boolean"});
    // A class is known by its label, which is text; YAML makes numbers and truth values of some labels.
    schema["properties"]["positive_class"] = json!({"type": ["string", "number", "boolean"]});
    let mut section = section::read("evaluation", &schema, config.get("evaluation"), findings);
    for name in ["sensitive_columns", "shap"] {
        let value = section.shift_remove(name);
        let is_asked = value.is_some_and(|value| value != json!(false) && value != json!([]));
        if is_asked {
            not_acted_on(&format!("evaluation.{name}"), findings);
        }
    }
    if let Some(label) = section.get_mut("positive_class")
        && !label.is_string()
    {
        *label = Value::from(label.to_string());
    }
    if task == Some(TaskType::Regression) && section.shift_remove("positive_class").is_some() {
        let message = findings.lang.pick(
            "a regression has no classes; take `positive_class` out",
            "regression にはクラスがありません。`positive_class` を消してください",
        );
        findings.error("evaluation.positive_class", message);
    }
    let unsupervised = task.filter(|task| task.supervised().is_none()).map(TaskType::as_str);
    for name in ["positive_class", "slices"] {
        if let (Some(task), Some(_)) = (unsupervised, section.get(name)) {
            section.shift_remove(name);
            let lang = findings.lang;
            let message = say!(
                lang,
                "a request for {task} predicts nothing, so it has no `{name}`; take it out",
                "{task} では予測を行わないため `{name}` は指定できません"
            );
            findings.error(format!("evaluation.{name}"), message);
        }
    }
    if task.is_some_and(|task| task != TaskType::Clustering) && section.shift_remove("truth_column").is_some() {
        let message = findings.lang.pick(
            "`truth_column` names known groups that clusters are held against; take it out",
            "`truth_column` はクラスタと比べる既知のグループの列です。clustering 以外では指定できません",
        );
        findings.error("evaluation.truth_column", message);
    }
    // What does not fit was reported above.
    serde_json::from_value(Value::Object(section)).unwrap_or_default()
}

/// The sections for which this release has no agent: their shape is checked, and that nothing comes of them is said.
pub(super) fn check(config: &Map<String, Value>, findings: &mut Findings<'_>) {
    let deployment = json!({"type": "object", "properties": {
        "endpoint": {"type": "string"},
        "strategy": {"type": "string", "enum": ["all_at_once", "canary", "linear", "shadow"]},
        "canary_percent": {"type": "number", "minimum": 1, "maximum": 50},
    }});
    let execution = json!({"type": "string", "enum": ["inline", "job", "auto"]});
    for (name, schema) in [("deployment", deployment), ("execution", execution)] {
        let Some(value) = config.get(name) else { continue };
        section::read(name, &schema, Some(value), findings);
        // `auto` leaves the choice to the fleet, which runs everything inline so far.
        if *value != json!("auto") && *value != json!("inline") {
            not_acted_on(name, findings);
        }
    }
}

fn not_acted_on(path: &str, findings: &mut Findings<'_>) {
    findings.warn(
        path,
        say!(findings.lang, "`{path}` is not acted on by this release", "`{path}` はこのリリースでは実行されません"),
    );
}
