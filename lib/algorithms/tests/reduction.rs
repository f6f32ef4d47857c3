//! Dimensionality reduction: the same result on any number of threads, what bad input gets, and models from outside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::probe::{Probe, Silent};
use mlops_algorithms::reduction::{
    Reducer, ReducerParameters, Reduction, ReductionError, ReductionModel, fit, neighbourhoods, parameter_table,
    reconstruction_error,
};
use mlops_algorithms::seed;
use ndarray::{Array2, Axis, Slice};
use proptest::prelude::*;
use rand::RngExt;
use serde_json::{Value, json};

/// Rows around four centres.
fn blobs(rows: usize, features: usize) -> Array2<f64> {
    let mut random = seed::rng(5, rows as u64);
    Array2::from_shape_fn((rows, features), |(row, feature)| {
        let centre = if (row % 4) & (1 << (feature % 2)) == 0 { -3.0 } else { 3.0 };
        centre + random.random::<f64>() + 100.0
    })
}

fn parse(reducer: Reducer, given: &Value) -> ReducerParameters {
    ReducerParameters::parse(reducer, given.as_object().unwrap()).unwrap()
}

fn reduce(reducer: Reducer, x: &Array2<f64>, given: &Value) -> Result<Reduction, ReductionError> {
    fit(x.view(), &parse(reducer, given), 3, &Silent)
}

fn cases() -> Vec<(Reducer, Array2<f64>, Value)> {
    vec![
        (Reducer::Pca, blobs(3000, 7), json!({"whiten": true})),
        (Reducer::Pca, blobs(40, 300), json!({"n_components": 0.8})),
        (Reducer::Pca, blobs(700, 520), json!({"n_components": 3})),
        (Reducer::Tsne, blobs(300, 5), json!({"max_iter": 300})),
        (Reducer::Tsne, blobs(90, 5), json!({"n_components": 3, "perplexity": 9, "max_iter": 260, "init": "random"})),
        (Reducer::Tsne, blobs(90, 5), json!({"n_components": 1, "perplexity": 9, "max_iter": 260})),
        (Reducer::Umap, blobs(300, 5), json!({"n_epochs": 60})),
        (Reducer::Umap, blobs(90, 5), json!({"n_components": 5, "n_neighbors": 7, "n_epochs": 60, "init": "random"})),
    ]
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fits = cases().into_iter().map(|(reducer, x, given)| {
                let found = reduce(reducer, &x, &given).unwrap();
                let placed = found.model.transform(x.slice_axis(Axis(0), Slice::from(..9)), &Silent).ok();
                (found.coordinates, postcard::to_stdvec(&found.model).unwrap(), placed)
            });
            fits.collect::<Vec<_>>()
        })
    };
    let one = on(1);
    assert!(one == on(2) && one == on(7));
}

#[test]
fn groups_stay_together() {
    for (reducer, x, given) in cases() {
        let found = reduce(reducer, &x, &given).unwrap();
        assert_eq!(found.coordinates.dim(), (x.nrows(), found.model.num_components()));
        assert_eq!((found.model.reducer(), found.model.num_features()), (reducer, x.ncols()));
        let kept = neighbourhoods(x.view(), found.coordinates.view(), 10, &Silent).unwrap();
        // One axis holds little, and a map of three is far from finished after 260 iterations.
        let low = if matches!(found.model.num_components(), 1 | 3) && reducer == Reducer::Tsne { 0.65 } else { 0.85 };
        assert!(kept.trustworthiness > low, "{reducer} {given}: {kept:?}");
    }
}

#[test]
fn models_travel_and_are_checked() {
    for (reducer, x, given) in cases() {
        let model = reduce(reducer, &x, &given).unwrap().model;
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<ReductionModel>(&text).unwrap(), model);
        let bytes = postcard::to_stdvec(&model).unwrap();
        assert_eq!(postcard::from_bytes::<ReductionModel>(&bytes).unwrap(), model);
        assert!(postcard::from_bytes::<ReductionModel>(&bytes[..bytes.len() - 1]).is_err());
        for (field, value) in damages(reducer) {
            let mut damaged: Value = serde_json::from_str(&text).unwrap();
            damaged[reducer.as_str()][field] = value;
            let read = serde_json::from_value::<ReductionModel>(damaged);
            assert!(read.unwrap_err().to_string().contains("not valid"), "{reducer} {field}");
        }
    }
}

fn damages(reducer: Reducer) -> Vec<(&'static str, Value)> {
    match reducer {
        Reducer::Pca => vec![
            ("mean", json!([])),
            ("components", json!([1.0])),
            ("explained_variance", json!([])),
            ("singular_values", json!([])),
            ("noise_variance", json!(-1.0)),
        ],
        Reducer::Tsne => vec![("num_components", json!(4)), ("num_features", json!(0)), ("perplexity", json!(0.0))],
        Reducer::Umap => vec![
            ("mean", json!([])),
            ("rows", json!([1.0])),
            ("num_components", json!(0)),
            ("n_neighbors", json!(1000)),
            ("epochs", json!(0)),
            ("a", json!(0.0)),
            ("negative_sample_rate", json!(100_000)),
        ],
    }
}

#[test]
fn bad_tables_are_refused() {
    for reducer in Reducer::ALL {
        let message = |x: &Array2<f64>| reduce(reducer, x, &json!({})).unwrap_err().to_string();
        assert!(message(&Array2::zeros((0, 3))).contains("nothing to reduce"));
        assert!(message(&Array2::zeros((3, 0))).contains("nothing to reduce"));
        assert!(message(&blobs(1, 3)).contains("needs at least"));
        assert!(message(&Array2::ones((60, 3))).contains("every feature is constant"));
        for value in [f64::NAN, f64::INFINITY, 1e200] {
            let mut x = blobs(60, 3);
            x[[7, 2]] = value;
            assert!(message(&x).contains("column 2") && message(&x).contains("row 7"));
        }
    }
    let error = |reducer, rows, given: Value| reduce(reducer, &blobs(rows, 3), &given).unwrap_err().to_string();
    assert!(error(Reducer::Pca, 9, json!({"n_components": 4})).contains("n_components is 4"));
    assert!(error(Reducer::Tsne, 30, json!({})).contains("perplexity is 30, but with 30 rows"));
    assert!(error(Reducer::Umap, 14, json!({})).contains("n_neighbors is 15, but with 14 rows"));
    assert!(error(Reducer::Umap, 5, json!({"n_components": 5, "n_neighbors": 3})).contains("n_components"));
}

#[test]
fn constant_and_equal_columns_and_rows_are_fine() {
    let mut x = blobs(80, 4);
    x.column_mut(1).fill(7.0);
    let copy = x.column(0).to_owned();
    x.column_mut(2).assign(&copy);
    let row = x.row(0).to_owned();
    x.rows_mut().into_iter().skip(60).for_each(|mut other| other.assign(&row));
    for reducer in Reducer::ALL {
        for scale in [1.0, 1e-120, 1e120] {
            let found = reduce(reducer, &(&x * scale), &json!({})).unwrap();
            assert!(found.coordinates.iter().all(|value| value.is_finite()));
        }
    }
    let whitened = reduce(Reducer::Pca, &x, &json!({"whiten": true})).unwrap().coordinates;
    assert!(whitened.column(3).iter().all(|value| *value == 0.0), "a direction without variance has no coordinate");
}

#[test]
fn what_a_method_cannot_do_it_says() {
    let x = blobs(40, 3);
    let tsne = reduce(Reducer::Tsne, &x, &json!({"perplexity": 5, "max_iter": 250})).unwrap().model;
    assert!(tsne.transform(x.view(), &Silent).unwrap_err().to_string().contains("t-SNE has no transform"));
    let umap = reduce(Reducer::Umap, &x, &json!({"n_epochs": 5})).unwrap().model;
    assert!(umap.inverse_transform(x.view()).unwrap_err().to_string().contains("no inverse transform"));
    let pca = reduce(Reducer::Pca, &x, &json!({"n_components": 2})).unwrap().model;
    assert!(pca.transform(blobs(9, 4).view(), &Silent).unwrap_err().to_string().contains("3 features, but 4"));
    assert!(pca.inverse_transform(x.view()).unwrap_err().to_string().contains("2 components, but"));
    assert!(reconstruction_error(&umap, x.view(), &Silent).is_err());
    let measure = |count| neighbourhoods(x.view(), x.view(), count, &Silent);
    assert!(measure(20).unwrap_err().to_string().contains("n_neighbors is 20"));
    assert!(measure(0).is_err() && neighbourhoods(x.view(), blobs(39, 2).view(), 3, &Silent).is_err());
    assert_eq!(measure(19).unwrap().trustworthiness, 1.0);
}

#[test]
fn parameters_are_checked_and_the_nearest_name_is_given() {
    let error = |reducer, given: Value| {
        let error = ReducerParameters::parse(reducer, given.as_object().unwrap()).unwrap_err();
        (error.field().unwrap().to_owned(), error.to_string())
    };
    assert!(error(Reducer::Tsne, json!({"perplexty": 5})).1.contains("did you mean 'perplexity'?"));
    assert_eq!(
        error(Reducer::Tsne, json!({"n_components": 4})).1,
        "n_components is 4, but it must be an integer from 1 to 3"
    );
    assert_eq!(error(Reducer::Umap, json!({"min_dist": 2.0})).0, "min_dist");
    assert!(error(Reducer::Umap, json!({"n_epochs": 5, "epochs": 6})).1.contains("the same parameter"));
    assert!(error(Reducer::Pca, json!({"n_components": 1.0})).1.contains("above 0 and below 1"));
    assert!("tnse".parse::<Reducer>().unwrap_err().to_string().contains("did you mean 'tsne'?"));
    for reducer in Reducer::ALL {
        let defaults = ReducerParameters::defaults(reducer).unwrap();
        assert_eq!(defaults.defaults_applied().len(), parameter_table(reducer).len());
        let again = ReducerParameters::parse(reducer, defaults.resolved()).unwrap();
        assert_eq!((again.resolved(), again.reducer()), (defaults.resolved(), reducer));
        assert_eq!(reducer.as_str().parse(), Ok(reducer));
        let wrong = json!({"zzz": 1, "random_state": -1});
        assert_eq!(ReducerParameters::problems(reducer, wrong.as_object().unwrap()).len(), 2);
    }
    assert_eq!(parse(Reducer::Pca, &json!({"seed": 9})).random_state(), Some(9));
}

struct Stopped;

impl Probe for Stopped {
    fn cancelled(&self) -> bool {
        true
    }

    fn progress(&self, _done: f64, _total: f64, _message: &str) {}
}

#[test]
fn a_fit_can_be_stopped() {
    for (reducer, x, given) in cases() {
        assert!(matches!(fit(x.view(), &parse(reducer, &given), 3, &Stopped), Err(ReductionError::Cancelled(_))));
    }
}

/// The randomised method finds what the exact one does where the variances fall off.
#[test]
fn few_components_of_a_large_table_are_the_exact_ones() {
    let mut random = seed::rng(2, 0);
    let (rows, features) = (600, 550);
    let scores = Array2::from_shape_fn((rows, 20), |(_, k)| random.random::<f64>() * 0.7_f64.powi(k as i32));
    let loadings = Array2::from_shape_simple_fn((20, features), || random.random::<f64>() - 0.5);
    let noise = Array2::from_shape_simple_fn((rows, features), || 1e-3 * random.random::<f64>());
    let x = scores.dot(&loadings) + noise;
    let exact = reduce(Reducer::Pca, &x, &json!({"n_components": 8, "svd_solver": "full"})).unwrap();
    let quick = reduce(Reducer::Pca, &x, &json!({"n_components": 8})).unwrap();
    let ratios = |found: &Reduction| found.model.explained_variance_ratio().unwrap().to_vec();
    for (a, b) in ratios(&quick).iter().zip(ratios(&exact)) {
        assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
    }
    for (a, b) in quick.coordinates.iter().zip(&exact.coordinates) {
        assert!((a - b).abs() < 1e-5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Variances do not depend on the order of the rows, move with the square of the scale, and leave an orthogonal
    /// basis.
    #[test]
    fn principal_components_keep_their_promises(seed in 0_u64..1000, rows in 5_usize..40, features in 1_usize..9, scale in 0.01_f64..100.0) {
        let mut random = seed::rng(seed, 0);
        let x = Array2::from_shape_simple_fn((rows, features), || random.random::<f64>());
        let found = reduce(Reducer::Pca, &x, &json!({})).unwrap();
        let turned = x.slice_axis(Axis(0), Slice::new(0, None, -1)).to_owned() * scale;
        let other = reduce(Reducer::Pca, &turned, &json!({})).unwrap();
        let (ReductionModel::Pca(a), ReductionModel::Pca(b)) = (&found.model, &other.model) else { panic!("pca") };
        for (a, b) in a.explained_variance().iter().zip(b.explained_variance()) {
            prop_assert!((a * scale * scale - b).abs() <= 1e-10 * scale * scale);
        }
        if rows > features {
            let total: f64 = a.explained_variance_ratio().iter().sum();
            prop_assert!((total - 1.0).abs() < 1e-12);
            let back = found.model.inverse_transform(found.coordinates.view()).unwrap();
            prop_assert!(back.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }
}
