//! What must hold of clusterings: models read back, threads, weights, searches and bad input.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::clustering::dbscan::{self, DbscanOptions};
use mlops_algorithms::clustering::kmeans::{self, KMeansOptions, Start};
use mlops_algorithms::clustering::{
    ClusterModel, ClusterParameters, Clusterer, Clustering, SearchCriterion, fit, search_k,
};
use mlops_algorithms::metrics::clustering::agreement;
use mlops_algorithms::probe::{Probe, Silent};
use ndarray::{Array2, Axis};
use serde_json::{Map, Value, json};

/// Four groups of 75 rows with three features, some of which touch.
fn groups() -> Array2<f64> {
    let noise =
        |row: usize, factor: usize| ((row * factor) % 89) as f64 / 89.0 + ((row * factor * 7) % 53) as f64 / 53.0;
    Array2::from_shape_fn((300, 3), |(row, column)| match column {
        0 => 2.2 * (row % 2) as f64 + noise(row, 31),
        1 => 2.6 * (row / 2 % 2) as f64 + noise(row, 37),
        _ => noise(row, 41),
    })
}

/// Sixteen features of 400 rows without groups.
fn wide() -> Array2<f64> {
    Array2::from_shape_fn((400, 16), |(row, column)| {
        ((row * 37 + column * 101 + row * column * 13) % 211) as f64 / 20.0
    })
}

fn clustered(clusterer: Clusterer, x: &Array2<f64>, given: &Value, seed: u64) -> Clustering {
    let parameters = ClusterParameters::parse(clusterer, given.as_object().unwrap()).unwrap();
    fit(x.view(), None, &parameters, seed, &Silent).unwrap()
}

#[track_caller]
fn close(name: &str, given: f64, expected: f64, tolerance: f64) {
    assert!((given - expected).abs() <= tolerance * expected.abs().max(1.0), "{name} is {given}, not {expected}");
}

#[test]
fn models_read_back_predict_and_are_checked() {
    let x = &groups();
    for clusterer in Clusterer::ALL {
        let given = match clusterer.count_parameter() {
            Some(name) => json!({ name: 4 }),
            None if clusterer == Clusterer::Dbscan => json!({"eps": 0.35}),
            None => json!({}),
        };
        let clustering = clustered(clusterer, x, &given, 3);
        assert_eq!(clustering.model.clusterer(), clusterer);
        assert_eq!(clustering.sizes.iter().sum::<u64>() + clustering.noise, 300);
        let text = serde_json::to_string(&clustering.model).unwrap();
        let model: ClusterModel = serde_json::from_str(&text).unwrap();
        assert_eq!(model, clustering.model);
        assert!(model.predict(x.view().split_at(Axis(1), 2).0).unwrap_err().to_string().contains("3 features, but 2"));
        match model.predict(x.view()) {
            Err(error) => assert!(error.to_string().contains("hdbscan gives clusters only"), "{error}"),
            Ok(labels) if clusterer == Clusterer::Dbscan => {
                // A border row may be nearer to a core row of a later cluster, but noise stays noise.
                let noise = |labels: &[i32]| labels.iter().map(|label| *label < 0).collect::<Vec<_>>();
                assert_eq!(noise(&labels), noise(&clustering.labels));
            }
            Ok(labels) => assert_eq!(labels, clustering.labels),
        }
    }
    for damaged in [
        json!({"kmeans": {"num_features": 2, "centers": [1.0, 2.0, 3.0]}}),
        json!({"kmeans": {"num_features": 0, "centers": []}}),
        json!({"dbscan": {"num_features": 1, "eps": 0.5, "clusters": 1, "core": [0.0], "labels": [1]}}),
        json!({"dbscan": {"num_features": 1, "eps": -1.0, "clusters": 1, "core": [0.0], "labels": [0]}}),
        json!({"hdbscan": {"num_features": 0, "clusters": 1}}),
        json!({"gaussian_mixture": {"num_features": 1, "covariance_type": "full", "weights": [1.0], "means": [0.0], "covariances": [-1.0]}}),
        json!({"gaussian_mixture": {"num_features": 1, "covariance_type": "diag", "weights": [0.4], "means": [0.0], "covariances": [1.0]}}),
    ] {
        assert!(serde_json::from_value::<ClusterModel>(damaged.clone()).is_err(), "{damaged}");
    }
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let x = &wide();
    let run = |threads: usize, clusterer: Clusterer| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let given = match clusterer {
            Clusterer::Dbscan => json!({"eps": 9.0}),
            Clusterer::GaussianMixture => json!({"k": 5, "reg_covar": 0.1}),
            Clusterer::Hdbscan => json!({}),
            _ => json!({"k": 7}),
        };
        pool.install(|| format!("{:?}", clustered(clusterer, x, &given, 11)))
    };
    for clusterer in Clusterer::ALL {
        let one = run(1, clusterer);
        assert_eq!(one, run(2, clusterer), "{clusterer}");
        assert_eq!(one, run(7, clusterer), "{clusterer}");
    }
}

#[test]
fn weights_count_as_repetitions() {
    let x = &groups();
    let count = |row: usize| 1 + row % 3;
    let repeated = (0..300).flat_map(|row| vec![row; count(row)]).collect::<Vec<_>>();
    let many = x.select(Axis(0), &repeated);
    let weights = (0..300).map(|row| f64::from(count(row) as u32)).collect::<Vec<_>>();
    let centers = [1, 50, 100, 200].iter().flat_map(|&row| x.row(row).to_vec()).collect::<Vec<_>>();
    let options = KMeansOptions { n_clusters: 4, init: Start::Given(centers), n_init: 1, max_iter: 300, tol: 0.0 };
    let a = kmeans::fit(x.view(), Some(&weights), &options, 0, &Silent).unwrap();
    let b = kmeans::fit(many.view(), None, &options, 0, &Silent).unwrap();
    close("inertia", a.inertia, b.inertia, 1e-9);
    let options = DbscanOptions { eps: 0.35, min_samples: 5 };
    let a = dbscan::fit(x.view(), Some(&weights), options, &Silent).unwrap();
    let b = dbscan::fit(many.view(), None, options, &Silent).unwrap();
    let repeated = repeated.iter().map(|&row| a.labels[row]).collect::<Vec<_>>();
    let agreement = agreement(&repeated.iter().map(|label| (label + 1) as u32).collect::<Vec<_>>(), &b.labels).unwrap();
    assert_eq!(agreement.adjusted_rand_index.value, Some(1.0));
}

#[test]
fn the_number_of_clusters_is_found() {
    let offset = |row: usize, factor: usize| (row * factor % 97) as f64 / 97.0;
    let x = Array2::from_shape_fn((300, 2), |(row, column)| match column {
        0 => 4.0 * (row % 2) as f64 + offset(row, 31),
        _ => 5.0 * (row / 2 % 2) as f64 + offset(row, 57),
    });
    let search = |clusterer, criterion, numbers: &[usize]| {
        let parameters = ClusterParameters::parse(clusterer, &Map::new()).unwrap();
        search_k(x.view(), None, &parameters, numbers, criterion, 10_000, 1, &Silent)
    };
    let range = (2..=8).collect::<Vec<_>>();
    let (clustering, parameters, table) = search(Clusterer::KMeans, SearchCriterion::Silhouette, &range).unwrap();
    assert_eq!((table.chosen, table.tried.len(), clustering.sizes.len()), (4, 7, 4));
    assert_eq!(parameters.resolved()["n_clusters"], json!(4));
    assert_eq!(search(Clusterer::KMeans, SearchCriterion::Elbow, &range).unwrap().2.chosen, 4);
    let (_, _, table) = search(Clusterer::GaussianMixture, SearchCriterion::Bic, &[1, 2, 3, 4, 5, 6, 400]).unwrap();
    assert_eq!(table.chosen, 4);
    assert!(table.tried[6].failed.as_ref().unwrap().contains("only 300 rows"));
    assert!(search(Clusterer::KMeans, SearchCriterion::Bic, &range).unwrap_err().to_string().contains("silhouette"));
    assert!(search(Clusterer::Dbscan, SearchCriterion::Silhouette, &range).is_err());
    assert!(search(Clusterer::KMeans, SearchCriterion::Silhouette, &[500]).is_err());
}

struct Stop;

impl Probe for Stop {
    fn cancelled(&self) -> bool {
        true
    }

    fn progress(&self, _done: f64, _total: f64, _message: &str) {}
}

#[test]
fn bad_input_is_refused_or_treated() {
    let parameters = |clusterer: Clusterer| {
        let given = clusterer.count_parameter().map_or(json!({}), |name| json!({ name: 2 }));
        ClusterParameters::parse(clusterer, given.as_object().unwrap()).unwrap()
    };
    for clusterer in Clusterer::ALL {
        let run = |x: &Array2<f64>, weights: Option<&[f64]>| fit(x.view(), weights, &parameters(clusterer), 0, &Silent);
        let error = |x: &Array2<f64>, weights: Option<&[f64]>| run(x, weights).unwrap_err().to_string();
        assert!(error(&Array2::zeros((0, 2)), None).contains("0 rows"));
        assert!(error(&Array2::zeros((2, 0)), None).contains("0 features"));
        let mut x = Array2::zeros((20, 2));
        x[[3, 1]] = f64::NAN;
        assert!(error(&x, None).contains("column 1 is NaN in row 3"), "{clusterer}");
        x[[3, 1]] = f64::INFINITY;
        assert!(error(&x, None).contains("column 1 is inf in row 3"), "{clusterer}");
        let weights = vec![1.0; 20];
        x[[3, 1]] = 0.0;
        if matches!(clusterer, Clusterer::Hdbscan | Clusterer::GaussianMixture) {
            assert!(error(&x, Some(&weights)).contains("takes no sample weights"));
        } else {
            assert!(error(&x, Some(&weights[1..])).contains("has 19"));
            assert!(error(&x, Some(&[0.0; 20])).contains("every row has the weight 0"));
            let mut weights = weights.clone();
            weights[4] = -1.0;
            assert!(error(&x, Some(&weights)).contains("row 4 (counted from 0) is -1"));
        }
        // Equal rows, one row, huge and tiny numbers: an answer without NaN, or an error that says what to do.
        for x in [
            Array2::zeros((20, 2)),
            Array2::zeros((1, 2)),
            Array2::from_shape_fn((20, 2), |(row, _)| row as f64 * 1e130),
            Array2::from_shape_fn((20, 2), |(row, _)| row as f64 * 1e-200),
            Array2::from_shape_fn((20, 2), |(row, column)| 1e9 + (row * column) as f64),
            Array2::from_shape_fn((3, 40), |(row, column)| (row * column) as f64),
        ] {
            match run(&x, None) {
                Err(error) => assert!(error.to_string().len() > 20, "{error}"),
                Ok(clustering) => {
                    assert_eq!(clustering.labels.len(), x.nrows());
                    let numbers = [clustering.inertia, clustering.bic, clustering.aic];
                    assert!(numbers.iter().flatten().all(|number| number.is_finite()));
                    assert!(clustering.probabilities.iter().flatten().all(|share| (0.0..=1.0).contains(share)));
                    clustering.model.validate().unwrap();
                }
            }
        }
        let x = Array2::from_shape_fn((50, 2), |(row, column)| (row * 7 + column * 3) as f64 % 11.0);
        assert!(fit(x.view(), None, &parameters(clusterer), 0, &Stop).unwrap_err().to_string().contains("cancelled"));
    }
    let ten = ClusterParameters::parse(Clusterer::KMeans, json!({"k": 10}).as_object().unwrap()).unwrap();
    let error = fit(Array2::zeros((5, 1)).view(), None, &ten, 0, &Silent).unwrap_err().to_string();
    assert_eq!(error, "n_clusters is 10, but there are only 5 rows; give at most 5");
}
