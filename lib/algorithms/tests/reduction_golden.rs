//! Dimensionality reduction against scikit-learn and umap-learn, by the files that `tests/golden/reduction.py` writes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::struct_field_names, reason = "the names are those of the golden files")]

use std::collections::BTreeMap;

use mlops_algorithms::probe::Silent;
use mlops_algorithms::reduction::{
    Reducer, ReducerParameters, Reduction, ReductionModel, fit, neighbourhoods, reconstruction_error,
};
use ndarray::{Array2, ArrayView2, Axis, Slice};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Table {
    x: Vec<Vec<f64>>,
    pca: Vec<Components>,
    wide: Components,
    neighbours: Vec<usize>,
    trustworthiness: Vec<f64>,
    continuity: Vec<f64>,
}

#[derive(Deserialize)]
struct Components {
    n_components: Value,
    whiten: bool,
    num_components: usize,
    mean: Vec<f64>,
    explained_variance: Vec<f64>,
    explained_variance_ratio: Vec<f64>,
    singular_values: Vec<f64>,
    noise_variance: f64,
    components: Vec<Vec<f64>>,
    coordinates: Vec<Vec<f64>>,
    reconstruction: Vec<Vec<f64>>,
    error: f64,
}

#[derive(Deserialize)]
struct Divergences {
    kl_divergence: Vec<f64>,
    trustworthiness: Vec<f64>,
}

#[derive(Deserialize)]
struct Maps {
    trustworthiness: Vec<f64>,
    transform: Vec<f64>,
}

fn tables() -> Vec<(&'static str, Table)> {
    let read = |text: &str| serde_json::from_str(text).unwrap();
    vec![
        ("iris", read(include_str!("golden/reduction_iris.json"))),
        ("wine", read(include_str!("golden/reduction_wine.json"))),
        ("breast_cancer", read(include_str!("golden/reduction_breast_cancer.json"))),
        ("digits", read(include_str!("golden/reduction_digits.json"))),
    ]
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn reduce(reducer: Reducer, x: &Array2<f64>, given: &Value, seed: u64) -> Reduction {
    let parameters = ReducerParameters::parse(reducer, given.as_object().unwrap()).unwrap();
    fit(x.view(), &parameters, seed, &Silent).unwrap()
}

fn first(x: &Array2<f64>, rows: usize) -> ArrayView2<'_, f64> {
    x.slice_axis(Axis(0), Slice::from(..rows))
}

#[track_caller]
fn close<'a>(name: &str, given: impl IntoIterator<Item = &'a f64>, expected: &[f64], tolerance: f64) {
    let given: Vec<_> = given.into_iter().collect();
    assert_eq!(given.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(1.0, |most: f64, value| most.max(value.abs()));
    for (index, (a, b)) in given.into_iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{name}: value {index} is {a}, scikit-learn has {b}");
    }
}

/// A closed form: 1e-9 of the largest figure is rounding. Components whose variances are near each other are less
/// certain.
fn compare(name: &str, x: &Array2<f64>, expected: &Components) {
    let given = json!({"n_components": expected.n_components, "whiten": expected.whiten, "svd_solver": "full"});
    let found = reduce(Reducer::Pca, x, &given, 0);
    let ReductionModel::Pca(pca) = &found.model else { panic!("principal components") };
    assert_eq!(pca.num_components(), expected.num_components, "{name}");
    close(name, pca.mean(), &expected.mean, 1e-9);
    close(name, pca.explained_variance(), &expected.explained_variance, 1e-9);
    close(name, pca.explained_variance_ratio(), &expected.explained_variance_ratio, 1e-9);
    // A singular value is the root of a variance, so the last digits of a vanishing one are lost.
    close(name, pca.singular_values(), &expected.singular_values, 1e-7);
    close(name, [&pca.noise_variance()], &[expected.noise_variance], 1e-9);
    for (index, component) in expected.components.iter().enumerate() {
        close(name, pca.component(index).unwrap(), component, 1e-7);
    }
    let kept = expected.components.len();
    close(
        name,
        first(&found.coordinates, 4).slice_axis(Axis(1), Slice::from(..kept)),
        &expected.coordinates.concat(),
        1e-7,
    );
    let again = found.model.transform(x.view(), &Silent).unwrap();
    close(name, &again, &found.coordinates.iter().copied().collect::<Vec<_>>(), 1e-12);
    let back = found.model.inverse_transform(first(&found.coordinates, 4)).unwrap();
    close(name, &back, &expected.reconstruction.concat(), 1e-9);
    close(name, [&reconstruction_error(&found.model, x.view(), &Silent).unwrap()], &[expected.error], 1e-9);
}

#[test]
fn principal_components_are_those_of_scikit_learn() {
    for (name, table) in tables() {
        let x = matrix(&table.x);
        for expected in &table.pca {
            compare(name, &x, expected);
        }
        compare(name, &first(&x, 20).to_owned(), &table.wide);
    }
}

#[test]
fn measures_are_those_of_scikit_learn() {
    for (name, table) in tables() {
        let x = matrix(&table.x);
        let plane = reduce(Reducer::Pca, &x, &json!({"n_components": 2, "svd_solver": "full"}), 0).coordinates;
        // Iris has equal rows, and many of the distances of digits, whose features are small integers, are equal; among
        // equal ones scikit-learn's order is arbitrary.
        let tolerance = if matches!(name, "iris" | "digits") { 5e-3 } else { 1e-9 };
        for (index, &count) in table.neighbours.iter().enumerate() {
            let found = neighbourhoods(x.view(), plane.view(), count, &Silent).unwrap();
            close(name, [&found.trustworthiness], &table.trustworthiness[index..=index], tolerance);
            close(name, [&found.continuity], &table.continuity[index..=index], tolerance);
            assert!((0.0..=1.0).contains(&found.preservation));
        }
    }
}

fn spread(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    (low, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// The divergence is at most the worst of scikit-learn's over its start and five random ones. Both end before they are quite
/// at rest, so 1 % is allowed beside it.
#[test]
fn tsne_is_as_good_as_that_of_scikit_learn() {
    let golden: BTreeMap<String, Divergences> =
        serde_json::from_str(include_str!("golden/reduction_tsne.json")).unwrap();
    for (name, table) in tables() {
        let x = matrix(&table.x);
        let found = reduce(Reducer::Tsne, &x, &json!({}), 0);
        let divergence = found.model.kl_divergence().unwrap();
        let (_, worst) = spread(&golden[name].kl_divergence);
        assert!(divergence <= 1.01 * worst, "{name}: {divergence} beside {worst}");
        let trust = neighbourhoods(x.view(), found.coordinates.view(), 5, &Silent).unwrap().trustworthiness;
        let (low, high) = spread(&golden[name].trustworthiness);
        assert!(trust >= low - (high - low).max(0.002), "{name}: {trust} beside {low}");
    }
}

/// The mean trustworthiness over three seeds is not below the lowest of umap-learn's by more than the spread over its
/// seeds.
#[test]
fn umap_is_as_good_as_that_of_umap_learn() {
    let golden: BTreeMap<String, Maps> = serde_json::from_str(include_str!("golden/reduction_umap.json")).unwrap();
    for (name, table) in tables() {
        let x = matrix(&table.x);
        let even = x.select(Axis(0), &(0..x.nrows()).step_by(2).collect::<Vec<_>>());
        let odd = x.select(Axis(0), &(1..x.nrows()).step_by(2).collect::<Vec<_>>());
        let (mut whole, mut placed) = (0.0, 0.0);
        for seed in 0..3 {
            let map = reduce(Reducer::Umap, &x, &json!({}), seed).coordinates;
            whole += neighbourhoods(x.view(), map.view(), 5, &Silent).unwrap().trustworthiness / 3.0;
            let model = reduce(Reducer::Umap, &even, &json!({}), seed).model;
            let map = model.transform(odd.view(), &Silent).unwrap();
            placed += neighbourhoods(odd.view(), map.view(), 5, &Silent).unwrap().trustworthiness / 3.0;
        }
        for (found, expected) in [(whole, &golden[name].trustworthiness), (placed, &golden[name].transform)] {
            let (low, high) = spread(expected);
            assert!(found >= low - (high - low), "{name}: {found} beside {low} to {high}");
        }
    }
}
