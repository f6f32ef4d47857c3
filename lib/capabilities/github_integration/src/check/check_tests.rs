//! What is said of a request, with and without its data.

use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_core::{Error, ErrorKind};
use serde_json::json;

use super::*;
use crate::findings::ConfigError;
use crate::markup::Lines;
use mlops_algorithms::models::{Algorithm, Task};

fn valid() -> Value {
    json!({
        "task": "classification", "dataset_s3_uri": "data/Penguin Table.csv.gz", "target_column": "species",
        "algorithm": "random_forest",
    })
}

/// The valid request with those settings in place of its own.
fn with(changes: &Value) -> Map<String, Value> {
    let mut config = valid().as_object().unwrap().clone();
    config.extend(changes.as_object().unwrap().clone());
    config
}

pub(super) struct Checked {
    pub(super) config: Option<TrainingConfig>,
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<String>,
    pub(super) defaults: Vec<(String, Value)>,
}

pub(super) fn checked_in(lang: Lang, changes: &Value, table: Option<Table>) -> Checked {
    let lines = Lines::default();
    let mut findings = Findings::new(lang, &lines);
    let draft = check(&with(changes), &mut findings);
    if let (Some(uri), Some(table)) = (&draft.dataset, table) {
        check_data(&draft, uri, &Look::Seen(Facts::new(table, 0)), &mut findings);
    }
    Checked {
        config: draft.into_config(),
        errors: findings.errors,
        warnings: findings.warnings.into_iter().map(|notice| notice.message).collect(),
        defaults: findings.defaults.into_iter().map(|default| (default.path, default.value)).collect(),
    }
}

fn checked(changes: &Value) -> Checked {
    checked_in(Lang::En, changes, None)
}

/// The one error, in English; there is one in Japanese too, which differs.
pub(super) fn error(changes: &Value) -> ConfigError {
    let in_japanese = checked_in(Lang::Ja, changes, None).errors;
    let mut errors = checked(changes).errors;
    assert_eq!((errors.len(), in_japanese.len()), (1, 1), "{changes}: {errors:?}");
    assert!(!in_japanese[0].message.is_ascii(), "{in_japanese:?}");
    assert!(errors[0].message.is_ascii(), "{errors:?}");
    assert_eq!(in_japanese[0].path, errors[0].path);
    errors.remove(0)
}

#[test]
fn the_least_request_gets_every_default() {
    let Checked { config, errors, warnings, defaults } = checked(&json!({"model_name": null}));
    assert!(errors.is_empty() && warnings.is_empty(), "{errors:?} {warnings:?}");
    assert_eq!(
        serde_json::to_value(config.unwrap()).unwrap(),
        json!({
            "task": "classification", "dataset_s3_uri": "data/Penguin Table.csv.gz", "target_column": "species",
            "algorithm": "random_forest", "model_name": "penguin-table-species", "hyperparameters": {},
            "split": {"train": 0.7, "validation": 0.15, "test": 0.15, "strategy": "stratified", "seed": 42},
            "preprocessing_config": {"normalize": true, "handle_missing": "median", "encode_categorical": true},
            "evaluation": {}, "gates": {}, "notify": [], "seed": 42, "lang": "en",
        })
    );
    assert_eq!(defaults.len(), 12, "{defaults:?}");
    assert!(defaults.contains(&("split.strategy".into(), json!("stratified"))));
}

#[test]
fn a_full_request_is_read_and_what_is_not_acted_on_is_said() {
    let Checked { config, errors, warnings, .. } = checked_in(
        Lang::Ja,
        &json!({
            "task": "Regression", "algorithm": "Random Forest", "model_name": "Penguins_2.0", "lang": "auto",
            "hyperparameters": {"n_trees": 200}, "seed": 7, "notify": "Slack",
            "split": {"strategy": "group", "key_column": "island", "train": 0.5, "validation": 0, "test": 0.5},
            "preprocessing_config": {"scaler": "robust", "normalize": null},
            "gates": {"RMSE": {"max": 400}, "r2_score": {"min": 0.7, "slice": "island", "blocking": false}},
            "evaluation": {"slices": ["island"], "shap": true, "sensitive_columns": ["sex"]},
            "hyperparameter_optimization": {"strategy": "bayesian", "max_trials": 30},
            "deployment": {"endpoint": "penguins", "strategy": "canary", "canary_percent": 10}, "execution": "job",
        }),
        None,
    );
    assert!(errors.is_empty(), "{errors:?}");
    let config = config.unwrap();
    assert_eq!(
        (config.task, config.algorithm.as_str(), config.lang),
        (TaskType::Regression, "random_forest", Lang::Ja)
    );
    assert_eq!((config.seed, config.split["seed"].as_u64()), (7, Some(7)));
    assert_eq!((config.split["key"].as_str(), config.split["strategy"].as_str()), (Some("island"), Some("group")));
    assert_eq!(config.hyperparameters, *json!({"n_estimators": 200}).as_object().unwrap());
    assert_eq!(config.preprocessing_config["normalize"], json!(true));
    assert_eq!(config.hyperparameter_optimization["metric"], json!("rmse"));
    assert_eq!(config.gates.keys().collect::<Vec<_>>(), ["r2", "rmse"]);
    assert!(!config.gates["r2"].blocking && config.notify == ["slack"]);
    let silent = ["evaluation.shap", "evaluation.sensitive_columns", "deployment", "execution"];
    assert_eq!(warnings.len(), silent.len());
    for path in silent {
        assert!(warnings.iter().any(|text| text.contains(&format!("`{path}`"))), "{path} in {warnings:?}");
    }
    let quiet = json!({"execution": "auto", "evaluation": {"shap": false, "sensitive_columns": []}});
    assert!(checked(&quiet).warnings.is_empty());
    assert_eq!(checked(&json!({"split": {"seed": 9}})).config.unwrap().seed, 9);
}

#[test]
fn every_error_is_told_at_once() {
    let Checked { errors, config, .. } = checked(&json!({
        "task": "clasification", "dataset_s3_uri": null, "target_column": 3, "algoritm": "x", "seed": -1,
        "split": {"train": 0.9}, "gates": {"acuracy": {"min": 0.9}}, "notify": ["github", "fax"], "lang": "fr",
    }));
    assert!(config.is_none());
    let paths = errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>();
    let expected =
        ["algoritm", "task", "dataset_s3_uri", "target_column", "seed", "split", "gates.acuracy", "notify[1]", "lang"];
    assert_eq!(paths, expected, "{errors:?}");
    let suggestions = errors.iter().map(|error| error.suggestion.as_deref()).collect::<Vec<_>>();
    assert_eq!(suggestions[..4], [Some("algorithm"), Some("classification"), None, Some("\"3\"")]);
    assert_eq!(suggestions[6], Some("accuracy"));
}

#[test]
fn task_and_algorithm_must_fit() {
    assert!(error(&json!({"task": "reinforcement"})).message.contains("not in this release"));
    let linear = error(&json!({"algorithm": "linear_regression"}));
    let classifiers = Algorithm::for_task(Task::Classification).iter().map(|algorithm| algorithm.as_str());
    assert_eq!(linear.allowed, classifiers.chain(["auto"]).collect::<Vec<_>>());
    assert!(linear.message.contains("does not do classification"));
    assert_eq!(error(&json!({"algorithm": "random_forrest"})).suggestion.as_deref(), Some("random_forest"));
    assert_eq!(error(&json!({"algorithm": null})).allowed.len(), linear.allowed.len());
    assert_eq!(error(&json!({"task": null})).allowed, TaskType::ALL.map(TaskType::as_str));
    assert!(error(&json!({"algorithm": "auto", "hyperparameters": {"C": 1}})).message.contains("algorithm: auto"));
    assert!(checked(&json!({"algorithm": "auto", "hyperparameters": {}})).errors.is_empty());
}

#[test]
fn hyperparameters_are_checked_by_the_table_of_the_algorithm() {
    let Checked { errors, .. } =
        checked(&json!({"hyperparameters": {"n_estimator": 5, "max_depth": 0, "bootstrap": "x"}}));
    let paths = errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>();
    assert_eq!(paths, ["hyperparameters.n_estimator", "hyperparameters.max_depth", "hyperparameters.bootstrap"]);
    assert_eq!(errors[0].suggestion.as_deref(), Some("n_estimators"));
    assert_eq!(errors[1].allowed, ["null", "an integer from 1 to 1000000"]);
    error(&json!({"hyperparameters": {"n_estimators": 5, "n_trees": 6}}));
    error(&json!({"hyperparameters": {"bootstrap": false, "oob_score": true}}));
    error(&json!({"hyperparameters": {"max_features": "all"}}));
    error(&json!({"hyperparameters": {"max_samples": -1.0}}));
    error(&json!({"hyperparameters": {"class_weight": 3}}));
    error(&json!({"hyperparameters": {"n_jobs": 0}}));
    error(&json!({"hyperparameters": [1]}));
    let pasted = json!({"max_leaf_nodes": null, "ccp_alpha": 0.0, "verbose": 0, "max_depth": 4});
    let pasted = checked(&json!({"hyperparameters": pasted})).config.unwrap().hyperparameters;
    assert_eq!(Value::Object(pasted), json!({"max_depth": 4}));
    let unavailable = error(&json!({"hyperparameters": {"max_leaf_nodes": 8}}));
    assert_eq!(
        (unavailable.path.as_str(), &*unavailable.allowed),
        ("hyperparameters.max_leaf_nodes", &["null".to_owned()][..])
    );
    assert!(unavailable.message.contains("not available") && unavailable.message.contains("max_depth"));
}

#[test]
fn shares_sum_to_one_and_strategies_have_their_key() {
    let sum = error(&json!({"split": {"train": 0.8, "test": 0.3}}));
    assert!(sum.message.contains("sum to 1.25; by default validation = 0.15"), "{sum:?}");
    assert_eq!(error(&json!({"split": {"train": 1, "validation": 0, "test": 0}})).path, "split.test");
    assert!(error(&json!({"split": {"train": 1.5}})).message.contains("from 0 to 1"));
    assert_eq!(error(&json!({"split": {"strategy": "stratfied"}})).suggestion.as_deref(), Some("stratified"));
    let key = error(&json!({"split": {"strategy": "time"}}));
    assert_eq!((key.path.as_str(), key.message.contains("name of a column")), ("split.key", true));
    assert!(error(&json!({"split": {"trian": 0.7}})).allowed.contains(&"train".to_owned()));
    assert!(error(&json!({"split": {"target": "species"}})).message.contains("no setting `split.target`"));
    assert!(
        error(&json!({"split": {"strategy": "time", "key": "a", "key_column": "b"}})).message.contains("another name")
    );
    assert!(error(&json!({"split": 5})).message.contains("names with values"));
    assert!(checked(&json!({"split": {"key": "a"}})).warnings[0].contains("does not use"));
    assert_eq!(checked(&json!({"task": "regression"})).config.unwrap().split["strategy"], json!("random"));
}

#[test]
fn sections_are_checked_by_the_schema_of_their_tool() {
    let missing = error(&json!({"preprocessing_config": {"handle_missing": "avarage"}}));
    assert_eq!(missing.allowed, ["drop", "mean", "median", "mode"]);
    assert!(error(&json!({"preprocessing_config": {"normalize": "yes"}})).message.contains("true or false"));
    let dropped = error(&json!({"preprocessing_config": {"drop_columns": ["year", "species"]}}));
    assert_eq!(dropped.path, "preprocessing_config.drop_columns[1]");
    assert_eq!(
        error(&json!({"preprocessing_config": {"drop_columns": [1]}})).path,
        "preprocessing_config.drop_columns[0]"
    );
    assert_eq!(error(&json!({"evaluation": {"slice": ["a"]}})).suggestion.as_deref(), Some("slices"));
    assert!(error(&json!({"deployment": {"canary_percent": 80}})).message.contains("from 1 to 50"));
    assert_eq!(error(&json!({"execution": "inlin"})).suggestion.as_deref(), Some("inline"));
    assert_eq!(
        error(&json!({"task": "regression", "evaluation": {"positive_class": "a"}})).path,
        "evaluation.positive_class"
    );
    let number = checked(&json!({"evaluation": {"positive_class": 1}}));
    assert_eq!(number.config.unwrap().evaluation.positive_class.as_deref(), Some("1"));
}

#[test]
fn names_and_places_must_be_some() {
    assert_eq!(error(&json!({"model_name": "../ My Model"})).suggestion.as_deref(), Some("my-model"));
    error(&json!({"model_name": "a..b"}));
    error(&json!({"model_name": 2024}));
    error(&json!({"dataset_s3_uri": "http://example.com/a.csv"}));
    error(&json!({"target_column": ""}));
    error(&json!({"lang": 1}));
    error(&json!({"seed": 1.5}));
    error(&json!({"notify": {"slack": true}}));
    assert_eq!(slug(&"Ab ".repeat(50)).len(), 62);
}

#[test]
fn gates_must_be_ones_that_can_pass() {
    let percent = error(&json!({"gates": {"accuracy": {"min": 90}}}));
    assert_eq!((percent.path.as_str(), percent.suggestion.as_deref()), ("gates.accuracy.min", Some("0.9")));
    assert_eq!(error(&json!({"gates": {"accuracy": {"min": 1.1}}})).suggestion, None);
    assert_eq!(error(&json!({"gates": {"accuracy": {"min": 57.3}}})).suggestion.as_deref(), Some("0.573"));
    assert!(error(&json!({"gates": {"accuracy": {"min": 0.9, "max": 0.8}}})).message.contains("nothing can pass"));
    assert!(error(&json!({"gates": {"log_loss": {"max": -1}}})).message.contains("at least 0"));
    assert!(error(&json!({"gates": {"rmse": {"max": 1}}})).message.contains("model of classification has no metric"));
    assert_eq!(error(&json!({"gates": {"accuracy": 0.9}})).suggestion.as_deref(), Some("{min: 0.9}"));
    assert_eq!(error(&json!({"gates": {"brier": 0.2}})).suggestion.as_deref(), Some("{max: 0.2}"));
    assert!(error(&json!({"gates": {"accuracy": {}}})).message.contains("no bound"));
    error(&json!({"gates": {"accuracy": "high"}}));
    error(&json!({"gates": [1]}));
    let unknown = error(&json!({"gates": {"accuracy": {"mim": 0.9}}}));
    assert_eq!((unknown.path.as_str(), unknown.suggestion.as_deref()), ("gates.accuracy.mim", Some("min")));
    assert!(unknown.allowed.contains(&"min_relative_change".to_owned()));
    assert_eq!(error(&json!({"gates": {"accuracy": {"min": "0.9"}}})).path, "gates.accuracy.min");
    assert!(error(&json!({"gates": {"f1": {"min": 0.9}, "f1_score": {"min": 0.8}}})).message.contains("two gates"));
    assert_eq!(error(&json!({"gates": {"auc": {"min": 0.9, "slice": "sex"}}})).path, "gates.auc.slice");
    assert!(checked(&json!({"gates": {"ece": {"min": 0.1}}})).warnings[0].contains("less is better"));
    assert!(checked(&json!({"gates": {"mcc": {"max": 0.1}}})).warnings[0].contains("more is better"));
}

/// A table of one number.
pub(super) fn numbers(rows: usize) -> Table {
    let values = (0..rows).map(|row| row as f64).collect();
    Table {
        columns: vec![Column { name: "mass".to_owned(), values: Values::Number { values, kind: NumberKind::Integer } }],
    }
}

fn penguins(species: Values) -> Table {
    let weights = Values::Number { values: vec![3750.0, f64::NAN, 4200.0], kind: NumberKind::Integer };
    let island = Values::from_text([Some("Dream"), Some("Biscoe"), Some("Dream")]);
    let columns = [("species", species), ("body_mass_g", weights), ("island", island)];
    Table { columns: columns.into_iter().map(|(name, values)| Column { name: name.into(), values }).collect() }
}

fn usual() -> Table {
    penguins(Values::from_text([Some("Adelie"), Some("Gentoo"), None]))
}

fn data_error(changes: &Value, table: Table) -> ConfigError {
    assert_eq!(checked_in(Lang::Ja, changes, Some(table.clone())).errors.len(), 1, "{changes}");
    let mut errors = checked_in(Lang::En, changes, Some(table)).errors;
    assert_eq!(errors.len(), 1, "{changes}: {errors:?}");
    errors.remove(0)
}

#[test]
fn columns_and_classes_are_those_of_the_data() {
    assert!(checked_in(Lang::En, &json!({}), Some(usual())).errors.is_empty());
    let target = data_error(&json!({"target_column": "specis"}), usual());
    assert_eq!((target.path.as_str(), target.suggestion.as_deref()), ("target_column", Some("species")));
    assert_eq!(target.allowed, ["species", "body_mass_g", "island"]);
    assert_eq!(data_error(&json!({"evaluation": {"slices": ["isle"]}}), usual()).path, "evaluation.slices[0]");
    assert_eq!(data_error(&json!({"split": {"strategy": "group", "key": "x"}}), usual()).path, "split.key");
    let dropped = data_error(&json!({"preprocessing_config": {"drop_columns": ["yaer"]}}), usual());
    assert_eq!(dropped.path, "preprocessing_config.drop_columns[0]");
    let class = data_error(&json!({"evaluation": {"positive_class": "adelie"}}), usual());
    assert_eq!(class.suggestion.as_deref(), Some("Adelie"));
    let text = data_error(&json!({"task": "regression"}), usual());
    assert!(text.message.contains("holds `Adelie`"), "{text:?}");
    let one = data_error(&json!({}), penguins(Values::from_text([Some("Adelie"), Some("Adelie"), None])));
    assert!(one.message.contains("one class only"));
    let none = data_error(&json!({}), penguins(Values::from_text([None, None, None])));
    assert!(none.message.contains("every value"));
    let empty = Table { columns: vec![Column { name: "species".into(), values: Values::from_text([]) }] };
    assert!(data_error(&json!({}), empty).message.contains("no rows"));
    let many = (0..300).map(|row| format!("c{row}")).collect::<Vec<_>>();
    let column = Values::from_text(many.iter().map(|label| Some(label.as_str())));
    let table = Table { columns: vec![Column { name: "species".into(), values: column }] };
    assert!(checked_in(Lang::En, &json!({}), Some(table)).warnings[0].contains("300 classes"));
}

#[test]
fn classes_of_few_rows_are_named() {
    let rows = |label: &'static str, count: usize| std::iter::repeat_n(Some(label), count);
    let species = |labels: Vec<Option<&str>>| {
        let species = Column { name: "species".into(), values: Values::from_text(labels) };
        Table { columns: vec![species] }
    };
    let warned = |lang, table| checked_in(lang, &json!({}), Some(table)).warnings;
    let some = || species(rows("a", 9).chain(rows("b", 3)).chain(rows("c", 2)).chain(rows("d", 1)).collect());
    assert_eq!(
        warned(Lang::En, some()),
        ["2 classes of `species` have fewer than 3 rows and may be absent from a part of the data: `d` (1), `c` (2)"]
    );
    assert!(warned(Lang::Ja, some())[0].contains("`d`（1 行）"), "{:?}", warned(Lang::Ja, some()));
    let many =
        species(rows("z", 9).chain("abcdefg".split("").map(|label| Some(label).filter(|l| !l.is_empty()))).collect());
    let many = warned(Lang::En, many);
    assert!(many[0].starts_with("7 classes") && many[0].ends_with("`d` (1), `e` (1), …"), "{many:?}");
    assert!(warned(Lang::En, species(rows("a", 3).chain(rows("b", 3)).collect())).is_empty());
}

#[test]
fn data_that_is_not_to_be_had_is_an_error_on_this_machine_and_a_warning_elsewhere() {
    let outcome = |uri: &str, look: Look, lang: Lang| {
        let lines = Lines::default();
        let mut findings = Findings::new(lang, &lines);
        let draft = check(&with(&json!({"dataset_s3_uri": uri})), &mut findings);
        check_data(&draft, draft.dataset.as_ref().unwrap(), &look, &mut findings);
        (findings.errors, findings.warnings)
    };
    let absent = || Look::Failed(Error::not_found("there is nothing at `a.csv`").hint("check it"));
    let (errors, _) = outcome("a.csv", absent(), Lang::En);
    assert_eq!(
        (errors[0].kind, errors[0].message.as_str()),
        (ErrorKind::NotFound, "there is nothing at `a.csv`; check it")
    );
    assert!(outcome("a.csv", absent(), Lang::Ja).0[0].message.contains("データがありません"));
    let (errors, warnings) = outcome("s3://bucket/a.csv", absent(), Lang::En);
    assert!(errors.is_empty() && warnings[0].message.contains("before the run"), "{warnings:?}");
    let broken = Look::Failed(Error::invalid_input("cut off"));
    assert_eq!(outcome("s3://bucket/a.csv", broken, Lang::Ja).0[0].kind, ErrorKind::InvalidInput);
    let (errors, warnings) = outcome("a.csv", Look::TooLarge(1 << 40), Lang::En);
    assert!(errors.is_empty() && warnings[0].message.contains("1099511627776 bytes"));
}

#[test]
fn no_json_breaks_the_check() {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z.\\[\\]_]{0,8}".prop_map(Value::from),
        proptest::sample::select(vec!["auto", "group", "regression", "classification", "species"])
            .prop_map(Value::from),
    ];
    let key = prop_oneof![
        3 => proptest::sample::select(keys::names().collect::<Vec<_>>()).prop_map(str::to_owned),
        2 => proptest::sample::select(vec!["train", "strategy", "min", "max", "slice", "slices", "rmse", "f1", "seed",
            "n_estimators", "drop_columns", "positive_class", "key"]).prop_map(str::to_owned),
        1 => "[a-z.\\[\\]é]{0,6}",
    ];
    let value = leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    });
    proptest!(ProptestConfig::with_cases(1_500), |(changes in value)| {
        let changes = if changes.is_object() { changes } else { json!({"gates": changes}) };
        let checked = checked_in(Lang::Ja, &changes, Some(usual()));
        prop_assert!(checked.config.is_some() || !checked.errors.is_empty());
    });
}
