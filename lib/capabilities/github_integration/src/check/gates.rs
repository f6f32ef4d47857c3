//! What the model must reach.

use std::collections::BTreeMap;

use mlops_core::schema;
use mlops_core::values::{EvaluationConfig, Gate, TaskType};
use serde_json::{Map, Value, json};

use super::{section, structure, words};
use crate::findings::Findings;
use crate::metric_names::Metric;

/// The gates under the metrics' own names.
pub(super) fn check(
    config: &Map<String, Value>,
    (task, algorithm): (Option<TaskType>, Option<&str>),
    evaluation: &EvaluationConfig,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, Gate> {
    let lang = findings.lang;
    let mut gates = BTreeMap::new();
    let Some(value) = config.get("gates") else { return structure::usual_gates(task, algorithm, findings) };
    let Value::Object(given) = value else {
        let expected = lang.pick("metrics with their bounds", "指標名と基準の組");
        let message = words::wrong("gates", expected, value, lang);
        findings.error("gates", message).suggesting(Some("gates: {accuracy: {min: 0.9}}"));
        return gates;
    };
    for (name, gate) in given {
        let path = format!("gates.{name}");
        let Some(metric) = metric(name, task, &path, findings) else { continue };
        let Some(gate) = read(&path, metric, gate, findings) else { continue };
        bounds(&path, metric, &gate, findings);
        if let Some(message) = algorithm.and_then(|algorithm| structure::lacks(algorithm, metric.name, lang)) {
            findings.error(path.as_str(), message);
        }
        if metric.name == "ari" || metric.name == "nmi" {
            needs_truth(&path, metric.name, evaluation, findings);
        }
        slice(&path, &gate, evaluation, findings);
        if gates.insert(metric.name.to_owned(), gate).is_some() {
            let own = metric.name;
            let message = say!(
                lang,
                "there are two gates for {own}; keep one of them",
                "{own} の基準が二つあります。どちらかを消してください"
            );
            findings.error(path, message);
        }
    }
    gates
}

fn needs_truth(path: &str, metric: &str, evaluation: &EvaluationConfig, findings: &mut Findings<'_>) {
    if evaluation.truth_column.is_none() {
        let message = say!(
            findings.lang,
            "`{metric}` holds clusters against known groups; name their column in `evaluation.truth_column`",
            "`{metric}` は既知のグループと比べる指標です。`evaluation.truth_column` に列名を指定してください"
        );
        findings.error(path, message);
    }
}

fn metric(name: &str, task: Option<TaskType>, path: &str, findings: &mut Findings<'_>) -> Option<&'static Metric> {
    let lang = findings.lang;
    let shown: String = name.chars().take(60).collect();
    let found = Metric::of(name);
    let message = match (found, task) {
        (Some(metric), Some(task)) if metric.task != task => {
            let task = task.as_str();
            say!(lang, "a model of {task} has no metric `{shown}`", "{task} のモデルに指標 `{shown}` はありません")
        }
        (Some(metric), _) => return Some(metric),
        (None, _) => say!(lang, "there is no metric `{shown}`", "`{shown}` という指標はありません"),
    };
    let tasks = TaskType::ALL.into_iter().filter(|of| task.is_none_or(|task| task == *of));
    let allowed = tasks.flat_map(Metric::of_task).map(|metric| metric.name);
    findings.error(path, message).allowing(allowed).suggesting(Metric::nearest(name, task));
    None
}

fn read(path: &str, metric: &Metric, gate: &Value, findings: &mut Findings<'_>) -> Option<Gate> {
    let lang = findings.lang;
    if let Some(number) = gate.as_f64() {
        let bound = if metric.more_is_better { "min" } else { "max" };
        let message = words::wrong(path, lang.pick("a bound with its name", "基準の種類と値の組"), gate, lang);
        findings.error(path, message).suggesting(Some(format!("{{{bound}: {number}}}")));
        return None;
    }
    if !gate.is_object() {
        let message = words::wrong(path, lang.pick("bounds with their names", "基準の種類と値の組"), gate, lang);
        findings.error(path, message).suggesting(Some("{min: 0.9}"));
        return None;
    }
    let before = findings.errors.len();
    let read = section::read(path, &schema::of_input::<Gate>(), Some(gate), findings);
    (findings.errors.len() == before).then(|| serde_json::from_value(Value::Object(read)).ok())?
}

fn bounds(path: &str, metric: &Metric, gate: &Gate, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let pairs = [
        ("min", gate.min, "max", gate.max),
        ("min_change", gate.min_change, "max_change", gate.max_change),
        ("min_relative_change", gate.min_relative_change, "max_relative_change", gate.max_relative_change),
    ];
    if pairs.iter().all(|(_, least, _, most)| least.is_none() && most.is_none()) {
        let bound = if metric.more_is_better { "min" } else { "max" };
        let message = say!(
            lang,
            "the gate has no bound; give `{bound}`, for instance",
            "基準の値がありません。`{bound}` などを指定してください"
        );
        findings.error(path, message).allowing(pairs.iter().flat_map(|(least, _, most, _)| [*least, *most]));
    }
    for (low, least, high, most) in pairs {
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            let message = say!(
                lang,
                "nothing can pass: {low} is {least} and {high} is {most}",
                "{low}（{least}）が {high}（{most}）より大きいため、合格できません"
            );
            findings.error(format!("{path}.{low}"), message);
        }
    }
    let name = metric.name;
    if let (Some(least), Some(greatest)) = (gate.min, metric.greatest)
        && least > greatest
    {
        let message = say!(
            lang,
            "nothing can pass: {name} is at most {greatest}, and `min` is {least}",
            "{name} の最大値は {greatest} のため、min: {least} には合格できません"
        );
        // Somebody who writes 90 for a share means percent; 1.1 is a share that is too large.
        let is_percent = greatest == 1.0 && least > 1.5 && least <= 100.0;
        let percent = is_percent.then(|| ((least * 1e4).round() / 1e6).to_string());
        findings.error(format!("{path}.min"), message).suggesting(percent);
    }
    if let (Some(most), Some(least)) = (gate.max, metric.least)
        && most < least
    {
        let message = say!(
            lang,
            "nothing can pass: {name} is at least {least}, and `max` is {most}",
            "{name} の最小値は {least} のため、max: {most} には合格できません"
        );
        findings.error(format!("{path}.max"), message);
    }
    let is_backwards = if metric.more_is_better {
        gate.max.is_some() && gate.min.is_none()
    } else {
        gate.min.is_some() && gate.max.is_none()
    };
    if is_backwards {
        let (given, meant, better) = if metric.more_is_better {
            ("max", "min", lang.pick("more", "大きい"))
        } else {
            ("min", "max", lang.pick("less", "小さい"))
        };
        findings.warn(
            path,
            say!(
                lang,
                "of {name} {better} is better, and the gate has only `{given}`; was `{meant}` meant?",
                "{name} は{better}ほど良い指標ですが、`{given}` だけが指定されています。`{meant}` ではありませんか"
            ),
        );
    }
}

fn slice(path: &str, gate: &Gate, evaluation: &EvaluationConfig, findings: &mut Findings<'_>) {
    let Some(column) = gate.slice.as_ref().filter(|column| !evaluation.slices.contains(column)) else { return };
    let message = say!(
        findings.lang,
        "`{column}` is not in `evaluation.slices`, so there is nothing that this gate could look at",
        "`{column}` が `evaluation.slices` に含まれていないため、この基準は判定できません"
    );
    let suggestion = evaluation.slices.first().cloned().unwrap_or_else(|| json!({"slices": [column]}).to_string());
    findings.error(format!("{path}.slice"), message).allowing(evaluation.slices.clone()).suggesting(Some(suggestion));
}
