//! How rows are divided.

use mlops_algorithms::split::{SplitSpec, SplitStrategy};
use mlops_core::values::{DEFAULT_SEED, TaskType};
use mlops_core::{Lang, schema};
use serde_json::{Map, Value, json};

use super::{section, words};
use crate::findings::Findings;

/// How far the shares may be from 1 in sum.
const TOLERANCE: f64 = 1e-6;

/// The complete section: train, validation, test, strategy, seed, and key where the strategy has one.
pub(super) fn check(
    config: &Map<String, Value>,
    task: Option<TaskType>,
    seed: Option<u64>,
    findings: &mut Findings<'_>,
) -> Map<String, Value> {
    if task.is_some_and(|task| task.supervised().is_none()) {
        if config.contains_key("split") {
            let text = findings.lang.pick(
                "nothing is predicted, so every row is learnt from and `split` is not used",
                "予測を行わないため全行から学習し、`split` は使われません",
            );
            findings.warn("split", text);
        }
        return Map::new();
    }
    let before = findings.errors.len();
    let mut split = section::read("split", &split_schema(), config.get("split"), findings);
    let are_shares_right = findings.errors.len() == before;
    let usual = SplitSpec::default();
    let strategy = match task {
        Some(TaskType::Classification) => SplitStrategy::Stratified,
        _ => SplitStrategy::Random,
    };
    let defaults = [
        ("train", json!(usual.train)),
        ("validation", json!(usual.validation)),
        ("test", json!(usual.test)),
        ("strategy", json!(strategy)),
        ("seed", json!(seed.unwrap_or(DEFAULT_SEED))),
    ];
    let mut complete = Map::new();
    for (name, value) in defaults {
        let value = match split.remove(name) {
            Some(given) => given,
            None => findings.default(format!("split.{name}"), value),
        };
        complete.insert(name.to_owned(), value);
    }
    complete.extend(split);
    if are_shares_right {
        shares(&complete, config.get("split"), findings);
        key(&complete, findings);
    }
    complete
}

/// The schema of the algorithm's own request. The target and the task are those of the run.
fn split_schema() -> Value {
    let mut schema = schema::of_input::<SplitSpec>();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.shift_remove("target");
        properties.shift_remove("task");
        if let Some(key) = properties.get_mut("key") {
            key[schema::ALIASES] = json!(["key_column", "keys"]);
        }
        for name in ["train", "validation", "test"] {
            if let Some(share) = properties.get_mut(name) {
                share["minimum"] = json!(0.0);
                share["maximum"] = json!(1.0);
            }
        }
    }
    schema
}

fn shares(split: &Map<String, Value>, given: Option<&Value>, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let names = ["train", "validation", "test"];
    let share = |name: &str| split.get(name).and_then(Value::as_f64).unwrap_or_default();
    let sum: f64 = names.iter().map(|name| share(name)).sum();
    if (sum - 1.0).abs() > TOLERANCE {
        let shown = (sum * 1e6).round() / 1e6;
        let defaulted = names.iter().filter(|name| given.is_none_or(|given| given[**name].is_null()));
        let defaulted = defaulted.map(|name| format!("{name} = {}", share(name))).collect::<Vec<_>>().join(", ");
        let mut message = say!(
            lang,
            "the shares train, validation and test must sum to 1, and sum to {shown}",
            "train・validation・test の合計は 1 でなければなりません（現在の合計: {shown}）"
        );
        if !defaulted.is_empty() {
            message.push_str(&say!(lang, "; by default {defaulted}", "。既定値は {defaulted} です"));
        }
        findings.error("split", message);
        return;
    }
    for (name, reason_en, reason_ja) in [
        ("train", "a model needs rows to learn from", "学習に使う行が必要です"),
        ("test", "a model is judged by rows that it has not seen", "評価に使う行が必要です"),
    ] {
        if share(name) == 0.0 {
            let message = match lang {
                Lang::En => format!("`split.{name}` must be greater than 0: {reason_en}"),
                Lang::Ja => format!("`split.{name}` は 0 より大きくしてください。{reason_ja}"),
            };
            findings.error(format!("split.{name}"), message);
        }
    }
}

fn key(split: &Map<String, Value>, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let strategy = split.get("strategy").and_then(Value::as_str).unwrap_or_default();
    let needs_key = matches!(strategy, "group" | "time");
    if needs_key && !split.contains_key("key") {
        let mut message = words::missing("split.key", lang);
        message.push_str(&say!(
            lang,
            ": the strategy {strategy} needs the name of a column",
            "。分割方法 {strategy} には列名が必要です"
        ));
        findings.error("split.key", message);
    }
    if !needs_key && split.contains_key("key") {
        findings.warn(
            "split.key",
            say!(
                lang,
                "the strategy {strategy} does not use `split.key`",
                "分割方法 {strategy} では `split.key` は使われません"
            ),
        );
    }
}
