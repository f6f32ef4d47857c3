//! How preprocessing behaves on odd, wrong and large input.

use std::collections::BTreeMap;

use super::tables::{float, integer, number, table, text};
use mlops_algorithms::preprocess::{
    DropReason, Encoder, MissingValues, Outliers, PreprocessConfig, PreprocessError, Preprocessor, Scaler,
};
use mlops_algorithms::table::{NumberKind, Table};
use mlops_algorithms::target::Target;
use proptest::prelude::*;

const NAN: f64 = f64::NAN;

fn fit(features: &Table, config: &PreprocessConfig) -> Result<Preprocessor, PreprocessError> {
    Preprocessor::fit(features, None, config)
}

fn counts(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn message(result: Result<impl std::fmt::Debug, PreprocessError>) -> String {
    result.unwrap_err().to_string()
}

fn small() -> Table {
    table([float("x", [1.0, 2.0, 3.0, NAN]), text("color", ["red", "blue", "", "red"])])
}

#[test]
fn what_was_done_is_counted() {
    let fitted = fit(&small(), &PreprocessConfig::default()).unwrap();
    let other =
        table([text("color", ["green", "", "blue"]), float("extra", [0.0; 3]), float("x", [f64::INFINITY, NAN, 2.0])]);
    let found = fitted.transform(&other).unwrap();
    assert_eq!(found.feature_names, ["x", "color=blue", "color=red", "color=<other>"]);
    assert_eq!(found.imputed, counts(&[("x", 2), ("color", 1)]));
    assert_eq!(found.infinite_as_missing, counts(&[("x", 1)]));
    assert_eq!(found.unseen, counts(&[("color", 1)]));
    assert_eq!(found.ignored_columns, ["extra"]);
    let rows = [[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]];
    assert_eq!(found.features, ndarray::arr2(&rows));
    assert_eq!((found.kept_rows, found.dropped_rows), (vec![0, 1, 2], 0));
}

#[test]
fn useless_columns_are_left_out_with_the_reason() {
    let features = table([
        float("x", [1.0, 2.0]),
        float("empty", [NAN, f64::INFINITY]),
        float("same", [5.0, NAN]),
        text("word", ["a", "b"]),
        float("unwanted", [1.0, 2.0]),
    ]);
    let config = PreprocessConfig {
        encode_categorical: false,
        drop_columns: vec!["unwanted".to_owned()],
        ..PreprocessConfig::default()
    };
    let fitted = fit(&features, &config).unwrap();
    let dropped = fitted.dropped_columns().iter().map(|column| (column.name.as_str(), column.reason));
    let expected = [
        ("empty", DropReason::AllMissing),
        ("same", DropReason::Constant),
        ("word", DropReason::Text),
        ("unwanted", DropReason::Requested),
    ];
    assert!(dropped.eq(expected));
    assert_eq!(fitted.columns().len(), 1);
    // None of them has to be there later, and none counts as new.
    assert_eq!(fitted.transform(&table([float("x", [1.0])])).unwrap().features.dim(), (1, 1));
    assert!(fitted.transform(&features).unwrap().ignored_columns.is_empty());
    let error = message(fit(&features.without(&["x"]), &config));
    assert!(error.contains("'same' is constant") && error.contains("'word' is text"), "{error}");
}

#[test]
fn wrong_requests_are_refused_by_name() {
    let config = PreprocessConfig::default();
    let features = small();
    assert!(message(fit(&Table::default(), &config)).starts_with("the table has 0 rows and 0 feature columns"));
    let alone = Preprocessor::fit(&Table::default(), Some(&Target::Numbers(vec![1.0, 2.0])), &config);
    assert!(message(alone).starts_with("the table has no column besides the target (2 rows)"));
    let twice = table([float("x", [1.0]), float("x", [1.0])]);
    assert_eq!(message(fit(&twice, &config)), "two columns are called 'x'; rename one of them");
    let ragged = table([float("x", [1.0]), float("y", [1.0, 2.0])]);
    assert!(message(fit(&ragged, &config)).starts_with("the column 'y' has 2 rows"));
    let drop = PreprocessConfig { drop_columns: vec!["colour".to_owned()], ..config.clone() };
    assert!(message(fit(&features, &drop)).ends_with("did you mean 'color'?"));
    let target = Target::Numbers(vec![1.0]);
    let error = message(Preprocessor::fit(&features, Some(&target), &config));
    assert_eq!(error, "the target has 1 rows and the features have 4");
    let encode = PreprocessConfig { encoder: Encoder::Target, ..config };
    assert!(
        message(fit(&features, &encode))
            .starts_with("the encoder 'target' needs a target to encode the column 'color'")
    );
}

#[test]
fn a_table_that_does_not_fit_is_refused_by_column() {
    let fitted = fit(&small(), &PreprocessConfig::default()).unwrap();
    let error = message(fitted.transform(&table([float("x", [1.0]), text("Color", ["red"])])));
    assert_eq!(error, "the column 'color' is missing; the model was trained with it; did you mean 'Color'?");
    let error = message(fitted.transform(&table([text("x", ["1", "many"]), text("color", ["red", "red"])])));
    assert_eq!(error, "the column 'x' held numbers in training and now holds text such as 'many'");
}

#[test]
fn text_that_reads_as_numbers_and_numbers_for_text_are_read() {
    let features = table([float("x", [1.0, 3.0]), text("code", ["7", "x"])]);
    let config = PreprocessConfig { normalize: false, encoder: Encoder::Ordinal, ..PreprocessConfig::default() };
    let fitted = fit(&features, &config).unwrap();
    let other = table([text("x", ["2.5", " 4 "]), integer("code", [7.0, 8.0])]);
    let found = fitted.transform(&other).unwrap();
    assert_eq!(found.features, ndarray::arr2(&[[2.5, 0.0], [4.0, -1.0]]));
    assert_eq!(found.unseen, counts(&[("code", 1)]));
}

#[test]
fn rows_with_missing_values_can_be_dropped() {
    let config = PreprocessConfig { handle_missing: MissingValues::Drop, ..PreprocessConfig::default() };
    let (fitted, found) = Preprocessor::fit_transform(&small(), None, &config, 0).unwrap();
    assert_eq!((found.kept_rows, found.dropped_rows, fitted.fitted_rows()), (vec![0, 1], 2, 2));
    let nothing = fitted.transform(&small().take(&[2, 3])).unwrap();
    assert_eq!((nothing.features.dim(), nothing.dropped_rows), ((0, 4), 2));
    let as_text = table([text("x", ["inf", "1"]), text("color", ["red", "red"])]);
    assert_eq!(fitted.transform(&as_text).unwrap().kept_rows, [1]);
    let hopeless = table([float("x", [1.0, 2.0, NAN, NAN]), float("y", [NAN, NAN, 1.0, 2.0])]);
    assert!(message(fit(&hopeless, &config)).starts_with("every one of the 4 rows has a missing value"));
}

#[test]
fn outliers_are_clipped_and_counted() {
    let values = (0..100).map(f64::from).chain([1e6]);
    let flags = (0..101).map(|row| f64::from(u8::from(row == 3)));
    let features = table([float("x", values), number("flag", flags, NumberKind::Boolean)]);
    for (outliers, clipped) in [(Outliers::ClipIqr, 1), (Outliers::ClipQuantile, 2), (Outliers::None, 0)] {
        let config = PreprocessConfig { outliers, normalize: false, ..PreprocessConfig::default() };
        let (_, found) = Preprocessor::fit_transform(&features, None, &config, 0).unwrap();
        let expected = if clipped == 0 { BTreeMap::new() } else { counts(&[("x", clipped)]) };
        assert_eq!(found.clipped, expected, "{outliers:?}");
        assert_eq!(found.features[[3, 1]], 1.0);
    }
}

#[test]
fn a_zero_spread_does_not_divide_by_zero() {
    // The quartiles are equal although the column is not constant.
    let features = table([float("x", [1.0, 1.0, 1.0, 1.0, 9.0])]);
    let config = PreprocessConfig { scaler: Scaler::Robust, ..PreprocessConfig::default() };
    let (_, found) = Preprocessor::fit_transform(&features, None, &config, 0).unwrap();
    assert_eq!(found.features.column(0).to_vec(), [0.0, 0.0, 0.0, 0.0, 8.0]);
}

#[test]
fn equal_feature_names_are_numbered() {
    let features = table([text("a", ["<other>", "b", "c"]), float("a=b", [1.0, 2.0, 3.0])]);
    let names = fit(&features, &PreprocessConfig::default()).unwrap().feature_names();
    assert_eq!(names, ["a=<other>", "a=b", "a=c", "a=<other>#2", "a=b#2"]);
}

#[test]
fn rare_categories_share_a_feature() {
    let values = (0..300).map(|row| format!("c{:03}", row % 120)).collect::<Vec<_>>();
    let features = table([text("code", &values)]);
    let (fitted, found) = Preprocessor::fit_transform(&features, None, &PreprocessConfig::default(), 0).unwrap();
    assert_eq!(fitted.num_features(), 101);
    assert_eq!(fitted.rare_categories(), counts(&[("code", 20)]));
    assert!(found.unseen.is_empty());
    assert!(found.features.rows().into_iter().all(|row| row.sum() == 1.0));
}

#[test]
fn training_rows_do_not_see_their_own_target() {
    // Every category has one row, so that all that is known of a row out of fold is the mean of the others.
    let features = table([text("id", (0..20).map(|row| format!("r{row}")))]);
    let target = Target::Numbers((0..20).map(f64::from).collect());
    let config = PreprocessConfig { encoder: Encoder::Target, ..PreprocessConfig::default() };
    let (fitted, found) = Preprocessor::fit_transform(&features, Some(&target), &config, 5).unwrap();
    let values = found.features.column(0).to_vec();
    let mut folds = values.clone();
    folds.sort_by(f64::total_cmp);
    folds.dedup();
    assert!(folds.len() <= 5, "{folds:?}");
    let direct = fitted.transform(&features).unwrap().features.column(0).to_vec();
    assert_eq!(direct, (0..20).map(f64::from).collect::<Vec<_>>());
    let again = Preprocessor::fit_transform(&features, Some(&target), &config, 5).unwrap();
    assert_eq!(again.1.features, found.features);
    let other = Preprocessor::fit_transform(&features, Some(&target), &config, 6).unwrap();
    assert_ne!(other.1.features, found.features);
}

#[test]
fn target_means_of_several_classes_are_named() {
    let features = table([float("x", (0..9).map(f64::from)), text("c", ["u", "v", "w"].repeat(3))]);
    let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
    let target = Target::Classes { labels, codes: vec![0, 1, 2, 0, 1, 2, 0, 1, 1] };
    let config = PreprocessConfig { encoder: Encoder::Target, ..PreprocessConfig::default() };
    let (fitted, found) = Preprocessor::fit_transform(&features, Some(&target), &config, 1).unwrap();
    assert_eq!(fitted.feature_names(), ["x", "c[a]", "c[b]", "c[c]"]);
    let means = found.features.slice_axis(ndarray::Axis(1), (1..).into());
    assert!(means.iter().all(|mean| (0.0..=1.0).contains(mean)));
    assert_eq!(found.features.dim(), (9, 4));
}

#[test]
fn stored_files_are_not_trusted() {
    let mut features = small();
    features.columns.push(text("word", ["a", "b", "a", "b"]));
    let fitted = fit(&features, &PreprocessConfig::default()).unwrap();
    let stored = serde_json::to_value(&fitted).unwrap();
    let refused = |path: &str, value: serde_json::Value, why: &str| {
        let mut changed = stored.clone();
        *changed.pointer_mut(path).unwrap() = value;
        let error = serde_json::from_value::<Preprocessor>(changed).unwrap_err().to_string();
        assert!(error.contains(why), "{path}: {error}");
    };
    let category = "/columns/1/parameters/category";
    refused("/columns", serde_json::json!([]), "no column");
    refused("/columns/1/name", "x".into(), "two columns are called 'x'");
    refused("/columns/0/parameters/number/scale", 0.into(), "scale is not above 0");
    refused("/columns/0/parameters/number/limits", serde_json::json!([2, 1]), "lower limit");
    refused("/columns/0/parameters/number/fill", serde_json::Value::Null, "filling");
    refused("/columns/0/kind", "text".into(), "kind");
    refused(&format!("{category}/categories"), serde_json::json!(["red", "blue"]), "not sorted");
    refused(&format!("{category}/fill"), 2.into(), "missing values does not exist");
    refused(&format!("{category}/encoding/onehot/kept"), serde_json::json!([0, 5]), "kept categories");
    let means = serde_json::json!({"target": {"classes": [], "means": [[0.5]], "overall": [0.5]}});
    refused(&format!("{category}/encoding"), means, "wrong shape");
    refused("/config/scaler", "none".into(), "unknown variant");
}

#[test]
fn huge_numbers_give_finite_features() {
    let features = table([float("x", [-1.7e308, 1.7e308, 0.0]), float("y", [1e-320, 0.0, 0.0])]);
    for scaler in [Scaler::Standard, Scaler::MinMax, Scaler::Robust] {
        let config = PreprocessConfig { scaler, ..PreprocessConfig::default() };
        let (_, found) = Preprocessor::fit_transform(&features, None, &config, 0).unwrap();
        assert!(found.features.iter().all(|value| value.is_finite()), "{scaler:?} {:?}", found.features);
    }
}

#[test]
fn ten_thousand_columns_are_fast_enough_to_test() {
    let column = |index: usize| match index % 3 {
        0 => text(&format!("t{index}"), (0..40).map(|row| format!("v{}", (row * index) % 7))),
        _ => float(&format!("n{index}"), (0..40).map(|row| ((row * index) % 11) as f64)),
    };
    let features = table((1..=10_000).map(column));
    let (fitted, found) = Preprocessor::fit_transform(&features, None, &PreprocessConfig::default(), 0).unwrap();
    assert_eq!(found.features.dim(), (40, fitted.num_features()));
    assert_eq!(fitted.columns().len() + fitted.dropped_columns().len(), 10_000);
}

proptest! {
    #[test]
    fn features_are_finite_and_rows_are_kept(
        numbers in prop::collection::vec(prop_oneof![5 => -1e300..1e300_f64, 1 => Just(NAN), 1 => Just(f64::INFINITY)], 3..40),
        scaler in prop_oneof![Just(Scaler::Standard), Just(Scaler::MinMax), Just(Scaler::Robust)],
        missing in prop_oneof![Just(MissingValues::Drop), Just(MissingValues::Mean), Just(MissingValues::Mode)],
        outliers in prop_oneof![Just(Outliers::None), Just(Outliers::ClipIqr), Just(Outliers::ClipQuantile)],
    ) {
        let words = numbers.iter().map(|value| if value.is_nan() { "" } else if *value > 0.0 { "up" } else { "down" });
        let features = table([text("w", words.collect::<Vec<_>>()), float("x", numbers.iter().copied())]);
        let config = PreprocessConfig { scaler, handle_missing: missing, outliers, ..PreprocessConfig::default() };
        if let Ok((fitted, found)) = Preprocessor::fit_transform(&features, None, &config, 1) {
            prop_assert!(found.features.iter().all(|value| value.is_finite()));
            prop_assert_eq!(found.kept_rows.len() + found.dropped_rows, numbers.len());
            prop_assert_eq!(found.features.dim(), (found.kept_rows.len(), fitted.num_features()));
            prop_assert_eq!(fitted.transform(&features).unwrap(), found);
        }
    }
}
