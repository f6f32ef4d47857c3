//! Clustering against scikit-learn, by the files that `tests/golden/clustering.py` writes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use mlops_algorithms::clustering::dbscan::{self, DbscanOptions};
use mlops_algorithms::clustering::gaussian_mixture::{self, CovarianceType, MixtureOptions, MixtureStart};
use mlops_algorithms::clustering::kmeans::{self, KMeansOptions, Start};
use mlops_algorithms::clustering::{ClusterParameters, Clusterer, Clustering, fit};
use mlops_algorithms::metrics::clustering::{agreement, measure};
use mlops_algorithms::probe::Silent;
use ndarray::Array2;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Data {
    x: Vec<Vec<f64>>,
    y: Vec<u32>,
}

fn data() -> HashMap<String, (Array2<f64>, Vec<u32>)> {
    let data: HashMap<String, Data> = serde_json::from_str(include_str!("golden/clustering_data.json")).unwrap();
    let matrix = |x: &[Vec<f64>]| Array2::from_shape_vec((x.len(), x[0].len()), x.concat()).unwrap();
    data.into_iter().map(|(name, data)| (name, (matrix(&data.x), data.y))).collect()
}

fn weights(weighted: bool, rows: usize) -> Option<Vec<f64>> {
    weighted.then(|| (0..rows).map(|row| 0.5 + f64::from((row % 7) as u32) / 4.0).collect())
}

#[track_caller]
fn close(name: &str, given: f64, expected: f64, tolerance: f64) {
    let allowed = tolerance * expected.abs().max(1.0);
    assert!((given - expected).abs() <= allowed, "{name} is {given}, scikit-learn has {expected}");
}

fn clustered(clusterer: Clusterer, x: &Array2<f64>, given: &Value, seed: u64) -> Clustering {
    let parameters = ClusterParameters::parse(clusterer, given.as_object().unwrap()).unwrap();
    fit(x.view(), None, &parameters, seed, &Silent).unwrap()
}

#[derive(Deserialize)]
struct KMeansCase {
    data: String,
    k: usize,
    weighted: bool,
    tol: f64,
    rows: Vec<usize>,
    labels: Vec<i32>,
    inertia: f64,
    seeds: Seeds,
}

#[derive(Deserialize)]
struct Seeds {
    mean: f64,
    deviation: f64,
    lowest: f64,
}

#[test]
fn kmeans_from_the_same_centers_ends_at_the_same_place() {
    let cases: Vec<KMeansCase> = serde_json::from_str(include_str!("golden/clustering_kmeans.json")).unwrap();
    let data = data();
    for case in cases {
        let (x, _) = &data[&case.data];
        let centers = case.rows.iter().flat_map(|&row| x.row(row).to_vec()).collect();
        let (init, tol) = (Start::Given(centers), case.tol);
        let options = KMeansOptions { n_clusters: case.k, init, n_init: 1, max_iter: 300, tol };
        let weights = weights(case.weighted, x.nrows());
        let fit = kmeans::fit(x.view(), weights.as_deref(), &options, 0, &Silent).unwrap();
        // Both end where no row changes its center; the inertia there differs by rounding alone.
        close(&case.data, fit.inertia, case.inertia, if case.tol == 0.0 { 1e-9 } else { 1e-4 });
        if case.tol == 0.0 {
            assert_eq!(fit.labels, case.labels, "{}", case.data);
        }
        assert!(fit.converged);
    }
}

#[test]
fn kmeans_plus_plus_is_as_good_over_seeds() {
    let cases: Vec<KMeansCase> = serde_json::from_str(include_str!("golden/clustering_kmeans.json")).unwrap();
    let data = data();
    for case in cases.iter().filter(|case| !case.weighted) {
        let (x, _) = &data[&case.data];
        let inertia = |seed| clustered(Clusterer::KMeans, x, &json!({"k": case.k}), seed).inertia.unwrap();
        let ours = (0..20).map(inertia).collect::<Vec<_>>();
        let mean = ours.iter().sum::<f64>() / 20.0;
        // Two means of 20 seeds each differ by their own spread: three standard errors of a difference. Where nearly all
        // seeds end in the same place, one that does not is all the spread there is.
        let variance = ours.iter().map(|inertia| (inertia - mean).powi(2)).sum::<f64>() / 20.0;
        let spread = case.seeds.deviation.max(variance.sqrt()) * 3.0 * (2.0_f64 / 20.0).sqrt();
        assert!(mean <= case.seeds.mean * (1.0 + 1e-6) + spread, "{}: {mean} > {}", case.data, case.seeds.mean);
        let lowest = ours.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(lowest <= case.seeds.lowest * 1.01, "{}: {lowest} > {}", case.data, case.seeds.lowest);
    }
}

#[test]
fn minibatches_come_near() {
    let data = data();
    for (name, k) in [("digits", 10), ("blobs", 4), ("iris", 3)] {
        let (x, _) = &data[name];
        let mean = |clusterer| {
            (0..10).map(|seed| clustered(clusterer, x, &json!({"k": k}), seed).inertia.unwrap()).sum::<f64>() / 10.0
        };
        let (batches, whole) = (mean(Clusterer::MiniBatchKMeans), mean(Clusterer::KMeans));
        assert!(batches <= 1.1 * whole, "{name}: {batches} against {whole}");
    }
}

#[derive(Deserialize)]
struct DbscanCase {
    data: String,
    eps: f64,
    min_samples: usize,
    weighted: bool,
    labels: Vec<i32>,
    core_rows: usize,
}

#[test]
fn dbscan_gives_the_same_labels() {
    let cases: Vec<DbscanCase> = serde_json::from_str(include_str!("golden/clustering_dbscan.json")).unwrap();
    let data = data();
    for case in cases {
        let (x, _) = &data[&case.data];
        let options = DbscanOptions { eps: case.eps, min_samples: case.min_samples };
        let fit = dbscan::fit(x.view(), weights(case.weighted, x.nrows()).as_deref(), options, &Silent).unwrap();
        assert_eq!(fit.labels, case.labels, "{} {}", case.data, case.eps);
        assert_eq!(fit.core_rows.len(), case.core_rows);
    }
}

#[derive(Deserialize)]
struct HdbscanCase {
    data: String,
    parameters: Value,
    labels: Vec<i32>,
    probabilities: Vec<f64>,
}

#[test]
fn hdbscan_gives_the_same_labels() {
    let cases: Vec<HdbscanCase> = serde_json::from_str(include_str!("golden/clustering_hdbscan.json")).unwrap();
    let data = data();
    for case in cases {
        let (x, _) = &data[&case.data];
        let clustering = clustered(Clusterer::Hdbscan, x, &case.parameters, 0);
        assert_eq!(clustering.labels, case.labels, "{} {}", case.data, case.parameters);
        for (given, expected) in clustering.probabilities.unwrap().iter().zip(&case.probabilities) {
            // One over a distance: rounding of the distance, and the file's twelve digits.
            close(&case.data, *given, *expected, 1e-9);
        }
    }
}

#[derive(Deserialize)]
struct MixtureCase {
    data: String,
    k: usize,
    covariance_type: CovarianceType,
    reg_covar: f64,
    labels: Vec<i32>,
    lower_bound: f64,
    iterations: usize,
    converged: bool,
    weights: Vec<f64>,
    means: Vec<f64>,
    covariance_sum: f64,
    score: f64,
    bic: f64,
    aic: f64,
}

#[test]
fn mixtures_from_the_same_start_go_the_same_way() {
    let cases: Vec<MixtureCase> = serde_json::from_str(include_str!("golden/clustering_mixtures.json")).unwrap();
    let data = data();
    for case in cases {
        let (x, y) = &data[&case.data];
        let mut start = Array2::zeros((x.nrows(), case.k));
        for (row, &y) in y.iter().enumerate() {
            start[[row, (y as usize + usize::from(row % 5 == 0)) % case.k]] = 1.0;
        }
        let options = MixtureOptions {
            n_components: case.k,
            covariance_type: case.covariance_type,
            tol: 1e-5,
            reg_covar: case.reg_covar,
            max_iter: 200,
            n_init: 1,
            init: MixtureStart::Given(start),
        };
        let fit = gaussian_mixture::fit(x.view(), &options, 0, &Silent).unwrap();
        let name = format!("{} {:?}", case.data, case.covariance_type);
        assert_eq!((fit.iterations, fit.converged), (case.iterations, case.converged), "{name}");
        assert_eq!(fit.labels, case.labels, "{name}");
        // The same steps in another order of additions, through up to 200 iterations.
        for (what, given, expected) in [
            ("lower bound", fit.lower_bound, case.lower_bound),
            ("score", fit.score, case.score),
            ("bic", fit.bic, case.bic),
            ("aic", fit.aic, case.aic),
            ("covariances", fit.model.covariances().iter().map(|value| value.abs()).sum(), case.covariance_sum),
        ] {
            close(&format!("{name} {what}"), given, expected, 1e-6);
        }
        let given = fit.model.weights().iter().chain(fit.model.means());
        given
            .zip(case.weights.iter().chain(&case.means))
            .for_each(|(given, expected)| close(&name, *given, *expected, 1e-6));
    }
}

#[derive(Deserialize)]
struct MeasureCase {
    data: String,
    kind: String,
    labels: Vec<i32>,
    silhouette: f64,
    davies_bouldin: f64,
    calinski_harabasz: f64,
    adjusted_rand_index: f64,
    normalized_mutual_information: f64,
}

#[test]
fn measures_are_those_of_scikit_learn() {
    let cases: Vec<MeasureCase> = serde_json::from_str(include_str!("golden/clustering_measures.json")).unwrap();
    let data = data();
    for case in cases {
        let (x, y) = &data[&case.data];
        let measures = measure(x.view(), &case.labels, usize::MAX, 0, &Silent).unwrap();
        let agreement = agreement(y, &case.labels).unwrap();
        for (what, given, expected) in [
            ("silhouette", measures.silhouette, case.silhouette),
            ("davies_bouldin", measures.davies_bouldin, case.davies_bouldin),
            ("calinski_harabasz", measures.calinski_harabasz, case.calinski_harabasz),
            ("adjusted_rand_index", agreement.adjusted_rand_index, case.adjusted_rand_index),
            ("nmi", agreement.normalized_mutual_information, case.normalized_mutual_information),
        ] {
            // Closed forms.
            close(&format!("{} {} {what}", case.data, case.kind), given.value.unwrap(), expected, 1e-9);
        }
    }
}
