//! How long structure is looked for in rows: the time of fitting clusters or coordinates, and of measuring them.

use serde_json::{Map, Value};

/// Seconds for one multiplication, on two cores.
const PER_PRODUCT: f64 = 1e-9;
/// Seconds for one step of the layout of a map, for one row.
const PER_LAYOUT_STEP: f64 = 4e-7;
/// The rows among which silhouettes are measured while numbers of clusters are compared, and at the end.
const SILHOUETTE_ROWS: (f64, f64) = (5_000.0, 20_000.0);
/// The rows among which neighbourhoods are compared.
const NEIGHBOUR_ROWS: f64 = 5_000.0;
/// The iterations of a fit, as a rule.
const ITERATIONS: f64 = 30.0;

/// The seconds of fitting and measuring. With `n` rows, `p` features and `k` clusters, the steps of k-means are
/// `iterations · n · p · k`, of mixtures `iterations · n · p² · k`, of density clusters `n · √n · p` and more where rows are
/// dense; of principal components `n · p²`, of maps `iterations · n · log n`. A silhouette and the comparison of
/// neighbourhoods take the square of the rows. Several algorithms are those that a run tries one after the other.
pub(crate) fn seconds((rows, features): (u64, u64), algorithms: &[&str], parameters: &Map<String, Value>) -> f64 {
    algorithms.iter().map(|algorithm| one((rows.max(2) as f64, features.max(1) as f64), algorithm, parameters)).sum()
}

fn one((rows, features): (f64, f64), algorithm: &str, parameters: &Map<String, Value>) -> f64 {
    let given = |name: &str| parameters.get(name).and_then(Value::as_f64);
    let square = |most: f64| rows.min(most).powi(2) * features * PER_PRODUCT;
    let (low, high) = match parameters.get("k_range").and_then(Value::as_array).map(Vec::as_slice) {
        Some([low, high]) => (low.as_f64().unwrap_or(2.0), high.as_f64().unwrap_or(10.0)),
        _ => match given("n_clusters").or_else(|| given("n_components")) {
            Some(count) => (count, count),
            None => (2.0, 10.0),
        },
    };
    let tried = (high - low + 1.0).max(1.0);
    let clusters = tried * (low + high) / 2.0;
    let compared = if tried > 1.0 { tried * square(SILHOUETTE_ROWS.0) } else { 0.0 };
    let measured = compared + 2.0 * square(SILHOUETTE_ROWS.1);
    let neighbourhoods = 4.0 * square(NEIGHBOUR_ROWS);
    match algorithm {
        "kmeans" => ITERATIONS * rows * features * clusters * PER_PRODUCT + measured,
        "minibatch_kmeans" => 1024.0 * ITERATIONS * features * clusters * PER_PRODUCT + measured,
        "gaussian_mixture" => ITERATIONS * rows * features * features * clusters * PER_PRODUCT + measured,
        "dbscan" => 10.0 * rows * rows.sqrt() * features * PER_PRODUCT + 2.0 * square(SILHOUETTE_ROWS.1),
        "hdbscan" => rows * rows * features * PER_PRODUCT + 2.0 * square(SILHOUETTE_ROWS.1),
        "pca" => 2.0 * rows * features * features * PER_PRODUCT + neighbourhoods,
        "tsne" => given("max_iter").unwrap_or(1000.0) * rows * rows.log2() * PER_LAYOUT_STEP / 10.0 + neighbourhoods,
        "umap" => {
            let usual = if rows > 10_000.0 { 200.0 } else { 500.0 };
            given("n_epochs").unwrap_or(usual) * rows * PER_LAYOUT_STEP + square(rows) / 10.0 + neighbourhoods
        }
        _ => 0.0,
    }
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
