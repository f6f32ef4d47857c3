//! Preprocessing gives what scikit-learn gives, to 1e-9. The files are made by tests/golden/preprocessing.py.

use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::table::{Column, NumberKind, Table};
use mlops_algorithms::target::Target;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    name: String,
    table: String,
    config: PreprocessConfig,
    target: Option<Target>,
    feature_names: Vec<String>,
    kept_rows: Vec<usize>,
    expected: Vec<Vec<f64>>,
}

fn read_table(stored: &Value) -> Table {
    let column = |stored: &Value| -> Column {
        let (name, kind) = (stored["name"].as_str().unwrap(), stored["kind"].as_str().unwrap());
        let values = stored["values"].as_array().unwrap();
        let kind = match kind {
            "text" => return super::tables::text(name, values.iter().map(|value| value.as_str().unwrap_or_default())),
            "integer" => NumberKind::Integer,
            _ => NumberKind::Float,
        };
        let read = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(f64::NAN);
        super::tables::number(name, values.iter().map(read), kind)
    };
    super::tables::table(stored.as_array().unwrap().iter().map(column))
}

fn agrees(golden: &str) {
    let golden: Value = serde_json::from_str(golden).unwrap();
    let cases = serde_json::from_value::<Vec<Case>>(golden["cases"].clone()).unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let name = &case.name;
        let (train, test) = (&golden["tables"][&case.table]["train"], &golden["tables"][&case.table]["test"]);
        let fitted = Preprocessor::fit(&read_table(train), case.target.as_ref(), &case.config).unwrap();
        let stored = serde_json::to_string(&fitted).unwrap();
        let read = serde_json::from_str::<Preprocessor>(&stored).unwrap();
        assert_eq!(read, fitted, "{name}");
        let found = read.transform(&read_table(test)).unwrap();
        assert_eq!(found.feature_names, case.feature_names, "{name}");
        assert_eq!(found.kept_rows, case.kept_rows, "{name}");
        assert_eq!(found.features.dim(), (case.expected.len(), case.feature_names.len()), "{name}");
        for ((row, column), found) in found.features.indexed_iter() {
            let expected = case.expected[row][column];
            let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            assert!(close, "{name}: row {row}, {}: {found} instead of {expected}", case.feature_names[column]);
        }
    }
}

#[test]
fn numbers_agree_with_scikit_learn() {
    agrees(include_str!("../golden/preprocessing_numbers.json"));
}

#[test]
fn categories_agree_with_scikit_learn() {
    agrees(include_str!("../golden/preprocessing_categories.json"));
}

#[test]
fn target_means_agree_with_scikit_learn() {
    agrees(include_str!("../golden/preprocessing_target.json"));
}
