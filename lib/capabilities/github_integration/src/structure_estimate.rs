//! How long structure is looked for in rows: the time of fitting clusters or coordinates, and of measuring them.

use mlops_algorithms::clustering::{self, ClusterParameters, Clusterer};
use mlops_algorithms::metrics::clustering::SILHOUETTE_ROWS;
use mlops_algorithms::models::HyperparameterSpec;
use mlops_algorithms::reduction::{self, Reducer, ReducerParameters};
use serde_json::{Map, Value};

use crate::estimate::CORES;

/// The numbers of clusters that are compared when none is given.
const USUAL_RANGE: [usize; 2] = [2, 10];
/// The most numbers that are compared.
const MOST_TRIED: usize = 100;
/// The rows on which silhouettes are measured while numbers of clusters are compared.
const SEARCH_ROWS: usize = 5_000;
/// The rows among which neighbourhoods are compared.
const NEIGHBOUR_ROWS: f64 = 5_000.0;
/// Seconds for one of the numbers of two rows in comparing their neighbourhoods, among features and on the map, in both ways.
const PER_COMPARISON: f64 = 2e-9;

/// The seconds of fitting by the costs of the learning engine, and of measuring; several algorithms are those that a run tries
/// one after the other.
pub(crate) fn seconds((rows, features): (u64, u64), algorithms: &[&str], parameters: &Map<String, Value>) -> f64 {
    let size = (rows as usize, features as usize);
    let one = |algorithm: &&str| match (algorithm.parse::<Clusterer>(), algorithm.parse::<Reducer>()) {
        (Ok(clusterer), _) => clustering_seconds(size, clusterer, parameters),
        (_, Ok(reducer)) => reduction_seconds(size, reducer, parameters),
        _ => 0.0,
    };
    algorithms.iter().map(one).sum()
}

/// One clustering or a comparison of several, measured by the training and once more by the evaluation.
fn clustering_seconds(size: (usize, usize), clusterer: Clusterer, parameters: &Map<String, Value>) -> f64 {
    let own = of_table(clustering::parameter_table(clusterer), parameters);
    // What is not right is said elsewhere; the defaults are the next best guess then.
    let given = ClusterParameters::parse(clusterer, &own).or_else(|_| ClusterParameters::defaults(clusterer));
    let Ok(given) = given else { return 0.0 };
    let range = parameters.get("k_range").and_then(|range| serde_json::from_value::<[usize; 2]>(range.clone()).ok());
    let counted = clusterer.count_parameter().map(|name| given.defaults_applied().contains(&name));
    let cost = match (range, counted) {
        (None, Some(true)) if !parameters.contains_key("k") => search(size, &given, USUAL_RANGE),
        (Some(range), Some(_)) => search(size, &given, range),
        _ => given.cost_with_threads(size.0, size.1, CORES).seconds,
    };
    cost + 2.0 * clustering::measuring_seconds(size, SILHOUETTE_ROWS, CORES)
}

fn search(size: (usize, usize), given: &ClusterParameters, [low, high]: [usize; 2]) -> f64 {
    let numbers: Vec<usize> = (low..=high).take(MOST_TRIED).collect();
    given.cost_of_search_with_threads(size, &numbers, SEARCH_ROWS, CORES).seconds
}

/// One reduction, whose neighbourhoods are compared by the training and once more by the evaluation.
fn reduction_seconds((rows, features): (usize, usize), reducer: Reducer, parameters: &Map<String, Value>) -> f64 {
    let own = of_table(reduction::parameter_table(reducer), parameters);
    let given = ReducerParameters::parse(reducer, &own).or_else(|_| ReducerParameters::defaults(reducer));
    let Ok(given) = given else { return 0.0 };
    let compared = (rows as f64).min(NEIGHBOUR_ROWS).powi(2) * features as f64 * PER_COMPARISON;
    given.cost_with_threads(rows, features, CORES).seconds + compared / CORES as f64
}

/// Those parameters that an algorithm has.
fn of_table(table: &[HyperparameterSpec], parameters: &Map<String, Value>) -> Map<String, Value> {
    let known = |name: &str| table.iter().any(|spec| spec.name == name || spec.aliases.contains(&name));
    parameters.iter().filter(|(name, _)| known(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_rows_and_more_numbers_take_longer() {
        let none = Map::new();
        for algorithm in ["kmeans", "minibatch_kmeans", "dbscan", "hdbscan", "gaussian_mixture", "pca", "tsne", "umap"]
        {
            let [small, large] = [100, 10_000].map(|rows| seconds((rows, 8), &[algorithm], &none));
            assert!(0.0 < small && small < large && large < 600.0, "{algorithm}: {small} {large}");
        }
        let one = json!({"n_clusters": 3});
        let many = json!({"k_range": [2, 50]});
        let of = |given: &Value| seconds((5_000, 8), &["kmeans"], given.as_object().unwrap());
        assert!(of(&one) < of(&many));
        assert_eq!(seconds((10, 1), &["magic"], &none), 0.0);
    }
}
