//! What a clustering is expected to take, before it begins.
//!
//! As with [`crate::models::FitCost`], the steps are counted from the size of the table and the parameters, and how long one
//! takes was measured (docs/benchmarks.md, "Learning"). How many iterations the clusters need, and how many rows lie near each
//! other, the data decide; the tables that were measured stand for others.

use super::gaussian_mixture::{CovarianceType, MixtureOptions};
use super::kmeans::{KMeansOptions, MiniBatchOptions};
use super::{ClusterParameters, Options};
use crate::models::FitCost;
use crate::parallel;

/// Bytes that any clustering takes.
const BASE: f64 = 8e5;
/// Bytes for a feature of the rows that are looked at together.
const CHUNKS: f64 = 2e4;
/// Iterations of k-means after which few rows change their center, as a rule.
const STEPS: f64 = 20.0;
/// Batches after which the centers have settled, as a rule.
const BATCHES: f64 = 40.0;
/// Iterations of a mixture, as a rule.
const EXPECTATIONS: f64 = 10.0;

impl ClusterParameters {
    /// What clustering `rows` × `features` is expected to take here, as a rule within a factor of two.
    pub fn cost(&self, rows: usize, features: usize) -> FitCost {
        self.cost_with_threads(rows, features, parallel::threads())
    }

    /// What it is expected to take with so many threads.
    pub fn cost_with_threads(&self, rows: usize, features: usize, threads: usize) -> FitCost {
        let [rows, features, threads] = [rows, features, threads].map(|count| count.max(1) as f64);
        let size = Size { rows, features, threads };
        match self.options() {
            Options::KMeans(options) => size.kmeans(options),
            Options::MiniBatchKMeans(options) => size.minibatch(options),
            Options::Dbscan(_) => size.dbscan(),
            Options::Hdbscan(_) => size.hdbscan(),
            Options::GaussianMixture(options) => size.mixture(options),
        }
    }

    /// What [`super::search_k`] is expected to take: every number is clustered, and measured on at most `silhouette_rows`
    /// rows; what was found is kept until the end.
    pub fn cost_of_search(&self, rows: usize, features: usize, numbers: &[usize], silhouette_rows: usize) -> FitCost {
        self.cost_of_search_with_threads((rows, features), numbers, silhouette_rows, parallel::threads())
    }

    /// What it is expected to take with so many threads; the size is rows and features.
    pub fn cost_of_search_with_threads(
        &self,
        (rows, features): (usize, usize),
        numbers: &[usize],
        silhouette_rows: usize,
        threads: usize,
    ) -> FitCost {
        let measuring = measuring_seconds((rows, features), silhouette_rows, threads);
        let mut all = FitCost { seconds: 0.0, bytes: 0.0 };
        for &number in numbers {
            let one = self.with_count(number).cost_with_threads(rows, features, threads);
            all.seconds += one.seconds + measuring;
            all.bytes = one.bytes.max(all.bytes);
        }
        all.bytes += 12.0 * rows as f64 * numbers.len() as f64;
        all
    }
}

/// The seconds that [`crate::metrics::clustering::measure`] is expected to take for rows and features with so many threads:
/// a silhouette compares every two of at most `silhouette_rows` rows.
pub fn measuring_seconds((rows, features): (usize, usize), silhouette_rows: usize, threads: usize) -> f64 {
    let compared = rows.min(silhouette_rows) as f64;
    (compared * compared * features as f64 * 0.12e-9 + (rows * features) as f64 * 4e-9) / threads.max(1) as f64
}

/// A size as numbers to reckon with.
struct Size {
    rows: f64,
    features: f64,
    threads: f64,
}

impl Size {
    fn cells(&self) -> f64 {
        self.rows * self.features
    }

    /// How many times as fast several threads are: short loops wait for each other.
    fn speedup(&self) -> f64 {
        self.threads.sqrt()
    }

    /// The starts are chosen among some candidates each, then every row is compared with the centers that may be nearer.
    fn kmeans(&self, options: &KMeansOptions) -> FitCost {
        let clusters = options.n_clusters as f64;
        let seeding = self.cells() * clusters * (2.0 + clusters.ln()) * 0.1e-9;
        let steps = (options.max_iter as f64).min(STEPS);
        let stepping = steps * self.rows * (15.0 + self.features * clusters / 8.0) * 1e-9;
        let ending = self.cells() * (10.0 + clusters) * 1e-9;
        FitCost {
            seconds: self.starting() + options.n_init as f64 * (seeding + stepping + ending) / self.speedup(),
            bytes: BASE
                + 8.0 * self.cells()
                + 30.0 * self.rows
                + CHUNKS * self.features
                + 24.0 * clusters * self.features,
        }
    }

    /// Some batches, then the nearest center of each row.
    fn minibatch(&self, options: &MiniBatchOptions) -> FitCost {
        let clusters = options.kmeans.n_clusters as f64;
        let batch = (options.batch_size as f64).min(self.rows);
        let most = options.kmeans.max_iter as f64 * (self.rows / batch).ceil();
        let batches = most.min(BATCHES) * batch * self.features * (1.0 + clusters / 2.0) * 1.8e-9;
        let all = self.cells() * (8.0 + clusters / 2.0) * 1e-9;
        FitCost {
            seconds: self.starting() + batches + all / self.speedup(),
            bytes: BASE + 40.0 * batch * self.features + 8.0 * self.rows,
        }
    }

    /// k-means for the start, then expectations and maximisations, each with a look at every pair of features where covariances
    /// are full.
    fn mixture(&self, options: &MixtureOptions) -> FitCost {
        let components = options.n_components as f64;
        let pairs = match options.covariance_type {
            CovarianceType::Full | CovarianceType::Tied => self.features * (1.0 + self.features / 2.0),
            CovarianceType::Diag | CovarianceType::Spherical => 3.0 * self.features,
        };
        let starting = STEPS * self.rows * (15.0 + self.features * components / 8.0) * 1e-9;
        let steps = (options.max_iter as f64).min(EXPECTATIONS);
        let stepping = steps * self.rows * components * (20.0 + pairs / 2.0) * 1e-9;
        FitCost {
            seconds: self.starting() + options.n_init as f64 * (starting + stepping) / self.speedup(),
            bytes: BASE
                + 12.0 * self.cells()
                + 12.0 * self.rows * (1.0 + components)
                + CHUNKS * self.features
                + 24.0 * components * self.features * self.features,
        }
    }

    /// A tree of the rows, whose parts are compared where they lie near each other: the more features, the more are.
    fn dbscan(&self) -> FitCost {
        let near = self.rows.powf(self.features / (self.features + 2.0));
        FitCost {
            seconds: 1e-4 + self.rows * near * 9.5e-9 / self.speedup(),
            bytes: BASE + 17.0 * self.cells() + 40.0 * self.rows,
        }
    }

    /// The shortest tree that joins all rows takes the distance between every two of them.
    fn hdbscan(&self) -> FitCost {
        FitCost {
            seconds: 2e-4 + self.rows * self.rows * (2.5 + 0.36 * self.features) * 1e-9,
            bytes: BASE + 17.0 * self.cells() + 200.0 * self.rows,
        }
    }

    /// What the first work of several threads takes.
    fn starting(&self) -> f64 {
        if self.threads > 1.0 { 2e-3 } else { 2e-4 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clustering::Clusterer;

    #[test]
    fn more_rows_features_and_clusters_take_more() {
        for clusterer in Clusterer::ALL {
            let parameters = ClusterParameters::defaults(clusterer).unwrap();
            let cost = |rows, features| parameters.cost(rows, features);
            let small = cost(1_000, 4);
            for more in [cost(50_000, 4), cost(1_000, 100)] {
                assert!(0.0 < small.seconds && small.seconds < more.seconds, "{clusterer}: {small:?} {more:?}");
                assert!(0.0 < small.bytes && small.bytes < more.bytes, "{clusterer}: {small:?} {more:?}");
            }
            assert!(parameters.cost(0, 0).seconds.is_finite());
            if clusterer.count_parameter().is_some() {
                let [few, many] =
                    [&[2, 3][..], &[2, 3, 4, 20]].map(|numbers| parameters.cost_of_search(1_000, 4, numbers, 500));
                assert!(few.seconds < many.seconds && few.bytes < many.bytes, "{clusterer}: {few:?} {many:?}");
            }
        }
    }
}
