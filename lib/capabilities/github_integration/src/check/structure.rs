//! Requests without a target, for clusters or for fewer numbers: what their algorithms take, and what they must reach when
//! the request says nothing of it.

use std::collections::BTreeMap;

use mlops_algorithms::clustering::{self, ClusterParameterError, ClusterParameters, Clusterer};
use mlops_algorithms::models::{HyperparameterError, HyperparameterSpec};
use mlops_algorithms::reduction::{self, ParameterError, Reducer, ReducerParameters};
use mlops_core::Lang;
use mlops_core::arguments::nearest;
use mlops_core::values::{Gate, TaskType};
use serde_json::{Map, Value, json};

use super::algorithm::in_japanese;
use super::words;
use crate::findings::Findings;

/// The least mean silhouette that needs no look by a person: below it Kaufman and Rousseeuw (1990) see no substantial
/// structure.
const SILHOUETTE: f64 = 0.25;
/// The least trustworthiness of a map that needs no look by a person.
const TRUSTWORTHINESS: f64 = 0.8;
/// The least share of the variance that principal components keep without a look by a person.
const EXPLAINED_VARIANCE: f64 = 0.5;
/// The settings of the tool that stand among the hyperparameters of a request.
const SEARCH: [&str; 2] = ["k_range", "criterion"];
const CRITERIA: [&str; 3] = ["silhouette", "elbow", "bic"];

/// The algorithms of a task without a target.
pub(super) fn algorithms(task: TaskType) -> Vec<&'static str> {
    match task {
        TaskType::Clustering => Clusterer::ALL.map(Clusterer::as_str).to_vec(),
        TaskType::DimensionalityReduction => Reducer::ALL.map(Reducer::as_str).to_vec(),
        TaskType::Classification | TaskType::Regression => Vec::new(),
    }
}

/// What a model without a target must reach when the request has no gates. A gate of these does not block: a person is
/// asked.
pub(super) fn usual_gates(
    task: Option<TaskType>,
    algorithm: Option<&str>,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, Gate> {
    let usual: &[(&str, f64)] = match (task, algorithm) {
        (Some(TaskType::Clustering), _) => &[("silhouette", SILHOUETTE)],
        (Some(TaskType::DimensionalityReduction), Some("pca")) => {
            &[("explained_variance", EXPLAINED_VARIANCE), ("trustworthiness", TRUSTWORTHINESS)]
        }
        (Some(TaskType::DimensionalityReduction), _) => &[("trustworthiness", TRUSTWORTHINESS)],
        (Some(TaskType::Classification | TaskType::Regression) | None, _) => &[],
    };
    let gate = |(name, least): &(&str, f64)| {
        let value = findings.default(format!("gates.{name}"), json!({"min": least, "blocking": false}));
        Some(((*name).to_owned(), serde_json::from_value(value).ok()?))
    };
    usual.iter().filter_map(gate).collect()
}

/// Why a metric cannot be had of that algorithm.
pub(super) fn lacks(algorithm: &str, metric: &str, lang: Lang) -> Option<String> {
    let only = match metric {
        "explained_variance" | "reconstruction_error" => "pca",
        "kl_divergence" => "tsne",
        _ => return None,
    };
    let is_lacking = algorithm != only && algorithm != super::AUTO;
    is_lacking.then(|| {
        say!(
            lang,
            "only {only} has the metric `{metric}`, and the algorithm is {algorithm}",
            "指標 `{metric}` は {only} だけにあり、アルゴリズムは {algorithm} です"
        )
    })
}

/// The parameters that were given, under the algorithm's own names.
pub(super) fn parameters(
    algorithm: &str,
    given: &Map<String, Value>,
    findings: &mut Findings<'_>,
) -> Map<String, Value> {
    let own = |name: &str| !SEARCH.contains(&name);
    let parameters: Map<String, Value> =
        given.iter().filter(|(name, _)| own(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let table = if let Ok(clusterer) = algorithm.parse::<Clusterer>() {
        search(clusterer, given, findings);
        for problem in ClusterParameters::problems(clusterer, &parameters) {
            report(Problem::of_clusterer(&problem), &problem, algorithm, findings);
        }
        clustering::parameter_table(clusterer)
    } else if let Ok(reducer) = algorithm.parse::<Reducer>() {
        if let Some(name) = SEARCH.into_iter().find(|name| given.contains_key(*name)) {
            let message = words::unknown(&format!("hyperparameters.{name}"), findings.lang);
            findings.error(format!("hyperparameters.{name}"), message);
        }
        for problem in ReducerParameters::problems(reducer, &parameters) {
            report(Problem::of_reducer(&problem), &problem, algorithm, findings);
        }
        reduction::parameter_table(reducer)
    } else {
        return given.clone();
    };
    let own_name = |name: &str| {
        let spec = table.iter().find(|spec| spec.name == name || spec.aliases.contains(&name));
        spec.map_or_else(|| name.to_owned(), |spec| spec.name.to_owned())
    };
    given.iter().map(|(name, value)| (own_name(name), value.clone())).collect()
}

/// Checks the settings of a comparison of several numbers of clusters.
fn search(clusterer: Clusterer, given: &Map<String, Value>, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let [range, criterion] = SEARCH.map(|name| given.get(name).filter(|value| !value.is_null()));
    let at = |name: &str| format!("hyperparameters.{name}");
    if clusterer.count_parameter().is_none()
        && let Some(name) = SEARCH.into_iter().find(|name| given.contains_key(*name))
    {
        let message = say!(
            lang,
            "{clusterer} finds the number of clusters by itself, so it takes no `{name}`",
            "{clusterer} はクラスタ数を自ら見つけるため、`{name}` は指定できません"
        );
        findings.error(at(name), message);
        return;
    }
    if let Some(range) = range {
        let ends = range.as_array().map(|ends| ends.iter().filter_map(Value::as_u64).collect::<Vec<_>>());
        let is_right = matches!(ends.as_deref(), Some([low, high]) if *low >= 1 && low <= high && high - low < 100)
            && range.as_array().is_some_and(|ends| ends.len() == 2);
        if !is_right {
            let expected = lang.pick(
                "the first and the last number of clusters, at most 100 numbers, such as [2, 10]",
                "クラスタ数の最小と最大（[2, 10] など、100 個以内）",
            );
            findings.error(at("k_range"), words::wrong("k_range", expected, range, lang)).suggesting(Some("[2, 10]"));
        }
        let count = clusterer.count_parameter().unwrap_or_default();
        let spec = clustering::parameter_table(clusterer).iter().find(|spec| spec.name == count);
        let is_count =
            |name: &&String| spec.is_some_and(|spec| *name == spec.name || spec.aliases.contains(&name.as_str()));
        if let Some(name) = given.keys().find(is_count) {
            let message = say!(
                lang,
                "`{name}` is one number of clusters and `k_range` compares several; keep one of them",
                "`{name}`（一つのクラスタ数）と `k_range`（比較）は同時に指定できません"
            );
            findings.error(at("k_range"), message);
        }
    }
    if let Some(given) = criterion {
        let allowed = CRITERIA.into_iter().filter(|name| *name != "bic" || clusterer == Clusterer::GaussianMixture);
        let allowed = allowed.collect::<Vec<_>>();
        if !given.as_str().is_some_and(|name| allowed.contains(&name)) {
            let list = allowed.join(", ");
            let expected = say!(lang, "one of {list}", " {list} のいずれか");
            let near = given.as_str().and_then(|name| nearest(name, allowed.iter().copied()));
            let message = words::wrong("criterion", &expected, given, lang);
            findings.error(at("criterion"), message).allowing(allowed.iter().copied()).suggesting(near);
        }
    }
}

/// There cannot be more clusters than rows.
pub(super) fn check_clusters(
    algorithm: Option<&str>,
    parameters: &Map<String, Value>,
    rows: usize,
    findings: &mut Findings<'_>,
) {
    let clusterer = algorithm.and_then(|name| name.parse::<Clusterer>().ok());
    let Some(count) = clusterer.and_then(Clusterer::count_parameter) else { return };
    let first = parameters.get("k_range").and_then(|range| range.get(0));
    for (name, given) in [(count, parameters.get(count)), ("k_range", first)] {
        let Some(clusters) = given.and_then(Value::as_u64).filter(|clusters| *clusters > rows as u64) else { continue };
        let message = say!(
            findings.lang,
            "`{name}` asks for {clusters} clusters, and the data has only {rows} rows",
            "`{name}` のクラスタ数 {clusters} が、データの行数 {rows} を超えています"
        );
        findings.error(format!("hyperparameters.{name}"), message);
    }
}

/// One wrong parameter, whatever the kind of algorithm.
#[derive(Clone, Copy)]
enum Problem<'a> {
    Unknown(&'a str),
    Repeated(&'a str, &'a str),
    Value(&'a str, &'a str),
    Other(&'a str),
}

impl<'a> Problem<'a> {
    fn of_clusterer(problem: &'a ClusterParameterError) -> Self {
        match problem {
            ClusterParameterError::Unknown { name, .. } => Self::Unknown(name),
            ClusterParameterError::Repeated { name, alias } => Self::Repeated(name, alias),
            ClusterParameterError::Value(error) => Self::of_value(error),
        }
    }

    fn of_reducer(problem: &'a ParameterError) -> Self {
        match problem {
            ParameterError::Unknown { name, .. } => Self::Unknown(name),
            ParameterError::Repeated { name, alias } => Self::Repeated(name, alias),
            ParameterError::Value(error) => Self::of_value(error),
            ParameterError::Conflict { name, .. } => Self::Other(name),
        }
    }

    fn of_value(error: &'a HyperparameterError) -> Self {
        match error {
            HyperparameterError::Value { name, value, .. } => Self::Value(name, value),
            other => Self::Other(other.field().unwrap_or_default()),
        }
    }
}

fn report(problem: Problem<'_>, told: &dyn std::fmt::Display, algorithm: &str, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let table: &[HyperparameterSpec] = match (algorithm.parse::<Clusterer>(), algorithm.parse::<Reducer>()) {
        (Ok(clusterer), _) => clustering::parameter_table(clusterer),
        (_, Ok(reducer)) => reduction::parameter_table(reducer),
        _ => &[],
    };
    let names = || table.iter().map(|spec| spec.name);
    let accepts = |name: &str| table.iter().find(|spec| spec.name == name).map_or(&[][..], |spec| spec.accepts);
    let cut = |name: &str| name.chars().take(60).collect::<String>();
    let (field, message) = match (&problem, lang) {
        (Problem::Unknown(name), Lang::En) => (*name, format!("`{}` is not a parameter of {algorithm}", cut(name))),
        (Problem::Unknown(name), Lang::Ja) => {
            (*name, format!("`{}` は {algorithm} のパラメータではありません", cut(name)))
        }
        (Problem::Repeated(name, alias), Lang::Ja) => {
            (*alias, format!("`{alias}` と `{name}` は同じパラメータです。どちらかを消してください"))
        }
        (Problem::Value(name, value), Lang::Ja) => {
            let accepts = accepts(name).iter().map(|one| in_japanese(*one)).collect::<Vec<_>>().join("、または");
            (*name, format!("`{name}` には{accepts}を指定してください（現在の値: {value}）"))
        }
        (Problem::Other(name), Lang::Ja) => (*name, format!("`{name}` の値が他の設定と合いません: {told}")),
        (Problem::Repeated(_, name) | Problem::Value(name, _) | Problem::Other(name), Lang::En) => {
            (*name, told.to_string())
        }
    };
    let error = findings.error(format!("hyperparameters.{field}"), message);
    match problem {
        Problem::Unknown(name) => {
            error.allowing(names()).suggesting(nearest(name, names()));
        }
        Problem::Value(name, _) => {
            error.allowing(accepts(name).iter().map(|one| one.describe()));
        }
        Problem::Repeated(..) | Problem::Other(_) => {}
    }
}
