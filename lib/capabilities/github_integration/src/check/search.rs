//! How hyperparameters are searched.

use mlops_algorithms::models::{Algorithm, Task};
use mlops_algorithms::search::{SearchConfig, SearchMetric, SearchSpace, check_space, default_space};
use mlops_core::arguments::nearest;
use mlops_core::schema;
use mlops_core::values::TaskType;
use serde_json::{Map, Value, json};

use super::{AUTO, section, task_of};
use crate::findings::Findings;

/// The name of the section.
const SECTION: &str = "hyperparameter_optimization";

/// The section with its defaults written out and the metric under its own name; empty when no search is asked for.
pub(super) fn check(
    config: &Map<String, Value>,
    task: Option<TaskType>,
    algorithm: Option<&str>,
    fixed: &Map<String, Value>,
    findings: &mut Findings<'_>,
) -> Map<String, Value> {
    let Some(given) = config.get(SECTION) else { return Map::new() };
    if let Some(task) = task.filter(|task| task.supervised().is_none()).map(TaskType::as_str) {
        let message = say!(
            findings.lang,
            "{SECTION} needs a target that trials are scored by, and {task} has none; take it out, or give k_range to try numbers of clusters",
            "{SECTION} には評価の対象となる目的変数が必要ですが、{task} にはありません。{SECTION} を消すか、クラスタ数を試すには k_range を指定してください"
        );
        findings.error(SECTION, message);
        return Map::new();
    }
    let task = task.and_then(TaskType::supervised);
    let before = findings.errors.len();
    let mut schema = schema::of_input::<SearchConfig>();
    // What a space holds is checked below, where every fault has its own words.
    schema["properties"]["search_space"] = json!({"type": "object", "additionalProperties": true});
    let mut section = section::read(SECTION, &schema, Some(given), findings);
    let is_sound = findings.errors.len() == before;
    let usual = SearchConfig::default();
    let defaults =
        [("strategy", json!(usual.strategy)), ("max_trials", json!(usual.max_trials)), ("folds", json!(usual.folds))];
    let mut complete = Map::new();
    for (name, value) in defaults {
        let value = match section.shift_remove(name) {
            Some(given) => given,
            None => findings.default(format!("{SECTION}.{name}"), value),
        };
        complete.insert(name.to_owned(), value);
    }
    let metric = section.shift_remove("metric");
    if let Some(metric) = task.and_then(|task| metric_of(metric, task_of(task), findings)) {
        complete.insert("metric".to_owned(), json!(metric));
    }
    complete.extend(section);
    if let (true, Some(task)) = (is_sound, task) {
        space(&complete, task_of(task), algorithm, fixed, findings);
    }
    complete
}

/// The metric that counts; the task's own when none is given.
fn metric_of(given: Option<Value>, task: Task, findings: &mut Findings<'_>) -> Option<SearchMetric> {
    let path = format!("{SECTION}.metric");
    let Some(given) = given else {
        let usual = SearchMetric::of(task);
        findings.default(path, usual.as_str());
        return Some(usual);
    };
    // Another type than text was told of before.
    let name = given.as_str()?;
    let lang = findings.lang;
    let shown: String = name.chars().take(60).collect();
    let message = match SearchMetric::named(name) {
        Some(metric) if metric.task() == task => return Some(metric),
        Some(_) => {
            say!(lang, "a model of {task} has no metric `{shown}`", "{task} のモデルに指標 `{shown}` はありません")
        }
        None => say!(lang, "a search cannot go by a metric `{shown}`", "`{shown}` という指標では探索できません"),
    };
    let allowed = || SearchMetric::names_for(task);
    findings.error(path, message).allowing(allowed()).suggesting(nearest(name, allowed()));
    None
}

/// Refuses a space that the algorithm does not have, and an algorithm that has nothing to search.
fn space(
    section: &Map<String, Value>,
    task: Task,
    algorithm: Option<&str>,
    fixed: &Map<String, Value>,
    findings: &mut Findings<'_>,
) {
    let lang = findings.lang;
    let path = format!("{SECTION}.search_space");
    let given = section.get("search_space").and_then(Value::as_object).filter(|space| !space.is_empty());
    let named = algorithm.and_then(|name| name.parse::<Algorithm>().ok());
    match (given, named) {
        (Some(_), None) if algorithm == Some(AUTO) => {
            let message = lang.pick(
                "with `algorithm: auto` no search space can be given, because each algorithm has its own; name an \
                 algorithm or take it out",
                "`algorithm: auto` では探索空間を指定できません（アルゴリズムごとに異なるため）。アルゴリズムを指定するか、\
                 `search_space` を消してください",
            );
            findings.error(path, message);
        }
        (Some(given), named) => {
            let parsed = SearchSpace::parse(given);
            let checked = match (parsed, named) {
                (Ok(space), Some(algorithm)) => check_space(&space, algorithm, task, fixed),
                (parsed, _) => parsed.map(drop),
            };
            for problem in checked.err().into_iter().flat_map(|problems| problems.0) {
                let message = problem.message;
                let message = say!(lang, "{message}", "探索空間が正しくありません: {message}");
                let place = if problem.path == "(root)" { path.clone() } else { format!("{path}.{}", problem.path) };
                findings.error(place, message);
            }
        }
        (None, Some(algorithm)) if default_space(algorithm, task, fixed).is_none() => {
            let message = say!(
                lang,
                "{algorithm} has nothing left that a search changes by itself; give a `search_space`, or choose another \
                 algorithm",
                "{algorithm} には探索できるハイパーパラメータが残っていません。`search_space` を指定するか、別のアルゴリズムを\
                 選んでください"
            );
            findings.error(SECTION, message);
        }
        (None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use mlops_core::Lang;

    use super::*;
    use crate::findings::ConfigError;
    use crate::markup::Lines;

    fn checked_in(lang: Lang, search: &Value, changes: &Value) -> (Map<String, Value>, Vec<ConfigError>, usize) {
        let mut config = json!({"task": "classification", "dataset_s3_uri": "data.csv", "target_column": "kind",
            "algorithm": "random_forest", SECTION: search});
        config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let lines = Lines::default();
        let mut findings = Findings::new(lang, &lines);
        let draft = super::super::check(config.as_object().unwrap(), &mut findings);
        let defaults = findings.defaults.iter().filter(|one| one.path.starts_with(SECTION)).count();
        (draft.search, findings.errors, defaults)
    }

    /// The one error, in English; there is one in Japanese too, which differs.
    fn error(search: &Value, changes: &Value) -> ConfigError {
        let japanese = checked_in(Lang::Ja, search, changes).1;
        let mut errors = checked_in(Lang::En, search, changes).1;
        assert_eq!((errors.len(), japanese.len()), (1, 1), "{search}: {errors:?}");
        assert!(errors[0].message.is_ascii() && !japanese[0].message.is_ascii(), "{japanese:?}");
        errors.remove(0)
    }

    #[test]
    fn a_search_is_complete_and_its_metric_has_its_own_name() {
        let (search, errors, defaults) = checked_in(Lang::En, &json!({}), &json!({}));
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(
            Value::Object(search.clone()),
            json!({"strategy": "bayesian", "max_trials": 30, "folds": 5, "metric": "loss"})
        );
        assert_eq!(defaults, 4);
        assert_eq!(checked_in(Lang::En, &Value::Object(search.clone()), &json!({})).0, search);
        let asked =
            json!({"strategy": "bayesian", "max_trials": 30, "metric": "f1_score", "pruner": {"kind": "median"}});
        let (search, errors, _) = checked_in(Lang::En, &asked, &json!({}));
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!((&search["metric"], &search["pruner"]["kind"]), (&json!("f1_macro"), &json!("median")));
        let none = checked_in(Lang::En, &Value::Null, &json!({}));
        assert!(none.0.is_empty() && none.1.is_empty());
    }

    #[test]
    fn a_wrong_setting_is_named_with_what_is_allowed() {
        let found = error(&json!({"strategy": "bayesan"}), &json!({}));
        assert_eq!(
            (found.path.as_str(), found.suggestion.as_deref()),
            ("hyperparameter_optimization.strategy", Some("bayesian"))
        );
        assert_eq!(found.allowed, ["grid", "random", "bayesian"]);
        let found = error(&json!({"max_trials": 0}), &json!({}));
        assert_eq!(found.path, "hyperparameter_optimization.max_trials");
        assert!(found.message.contains("from 1 to 2000"), "{}", found.message);
        let found = error(&json!({"metric": "rmse"}), &json!({}));
        assert_eq!(found.path, "hyperparameter_optimization.metric");
        assert!(found.message.contains("classification"), "{}", found.message);
        assert_eq!(found.allowed, ["log_loss", "accuracy", "f1_score"]);
        assert!(error(&json!({"metric": "auc_roc"}), &json!({})).message.contains("cannot go by"));
        assert_eq!(error(&json!({"max_trial": 3}), &json!({})).suggestion.as_deref(), Some("max_trials"));
        error(&json!({"folds": 1}), &json!({}));
        error(&json!({"time_limit_seconds": 0}), &json!({}));
        error(&json!({"metric": 3}), &json!({}));
        error(&json!(30), &json!({}));
    }

    #[test]
    fn a_space_belongs_to_one_algorithm() {
        let space = |space: Value| json!({"search_space": space});
        let found = error(&space(json!({"max_dept": {"int": [1, 9]}})), &json!({}));
        assert_eq!(found.path, "hyperparameter_optimization.search_space.max_dept");
        assert!(found.message.contains("max_depth"), "{}", found.message);
        let found = error(&space(json!({"max_depth": {"int": [9, 1]}})), &json!({}));
        assert_eq!(found.path, "hyperparameter_optimization.search_space.max_depth.int");
        let twice = json!({"hyperparameters": {"n_estimators": 9}});
        let found = error(&space(json!({"n_trees": {"int": [9, 99]}})), &twice);
        assert!(found.message.contains("both searched and fixed"), "{}", found.message);
        let auto = json!({"algorithm": "auto"});
        assert!(checked_in(Lang::En, &json!({}), &auto).1.is_empty());
        assert!(error(&space(json!({"max_depth": {"int": [1, 9]}})), &auto).message.contains("auto"));
        let linear = json!({"task": "regression", "algorithm": "linear_regression"});
        assert_eq!(error(&json!({}), &linear).path, SECTION);
        assert!(checked_in(Lang::En, &space(json!({"fit_intercept": [true, false]})), &linear).1.is_empty());
    }
}
