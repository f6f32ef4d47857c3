//! What a reduction is expected to take, before it begins; see [`crate::models::FitCost`].

use super::parameters::{Components, PcaParameters, TsneParameters, Typed, UmapParameters};
use super::{ReducerParameters, pca};
use crate::models::FitCost;
use crate::parallel;

/// Bytes that any reduction takes.
const BASE: f64 = 7e5;
/// Bytes for a feature of the rows whose distances are computed together.
const BLOCKS: f64 = 4e4;

impl ReducerParameters {
    /// What reducing `rows` × `features` is expected to take here, as a rule within a factor of two.
    pub fn cost(&self, rows: usize, features: usize) -> FitCost {
        self.cost_with_threads(rows, features, parallel::threads())
    }

    /// What it is expected to take with so many threads.
    pub fn cost_with_threads(&self, rows: usize, features: usize, threads: usize) -> FitCost {
        let [rows, features, threads] = [rows, features, threads].map(|count| count.max(1) as f64);
        let size = Size { rows, features, threads };
        match self.typed() {
            Typed::Pca(parameters) => size.pca(parameters),
            Typed::Tsne(parameters) => size.tsne(parameters),
            Typed::Umap(parameters) => size.umap(parameters),
        }
    }
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

    /// Products of the smaller side with itself and what diagonalises them; or some directions by products with all cells.
    fn pca(&self, parameters: &PcaParameters) -> FitCost {
        let (most, cells) = (self.rows.min(self.features), self.cells());
        let kept = match parameters.num_components {
            Components::Count(count) => (count as f64).min(most),
            Components::All | Components::Share(_) => most,
        };
        let few = pca::few(parameters, self.rows as usize, self.features as usize);
        let (finding, bytes) = if let Some(count) = few {
            let width = (count + parameters.n_oversamples) as f64;
            (cells * width * 1.5e-9, 4.0 * cells + 16.0 * width * (self.rows + self.features))
        } else {
            let vectors = if kept < most { 0.5e-9 } else { 2e-9 };
            (cells * most * 0.1e-9 + most.powi(3) * vectors, 150.0 * most * most)
        };
        FitCost {
            seconds: 3e-4 + (cells * (2.0 + 0.15 * kept) * 1e-9 + finding) / self.speedup(),
            bytes: BASE + bytes + 8.0 * self.rows * kept,
        }
    }

    /// The distance between every two rows, for the nearest of each.
    fn neighbours(&self, count: f64) -> FitCost {
        FitCost {
            seconds: self.rows * self.rows * (0.5 + 0.08 * self.features) * 1e-9 / self.speedup(),
            bytes: 4.0 * self.cells() + BLOCKS * self.features + 24.0 * self.rows * count,
        }
    }

    /// Neighbours, then steps of which each looks at them and at the tree of the map.
    fn tsne(&self, parameters: &TsneParameters) -> FitCost {
        let near = (3.0 * parameters.perplexity).min(self.rows);
        let found = self.neighbours(near);
        let step = self.rows * (near * 4.0 + self.rows.log2().max(1.0) * 60.0) * 1e-9;
        FitCost {
            seconds: found.seconds + parameters.max_iter as f64 * step / self.speedup(),
            bytes: BASE + found.bytes + 50.0 * self.rows * near,
        }
    }

    /// Neighbours, then epochs of which each draws at every edge and pushes at some other rows.
    fn umap(&self, parameters: &UmapParameters) -> FitCost {
        let near = parameters.n_neighbors as f64;
        let found = self.neighbours(near);
        let usual = if self.rows > 10_000.0 { 200.0 } else { 500.0 };
        let epochs = parameters.n_epochs.map_or(usual, |epochs| epochs as f64);
        let moved = 1.0 + parameters.negative_sample_rate as f64;
        FitCost {
            seconds: 1e-3 + found.seconds + epochs * self.rows * near * moved * 8e-9 / self.speedup(),
            bytes: BASE + found.bytes + 75.0 * self.rows * near,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reduction::Reducer;

    #[test]
    fn more_rows_and_features_take_more() {
        for reducer in Reducer::ALL {
            let parameters = ReducerParameters::defaults(reducer).unwrap();
            let cost = |rows, features| parameters.cost(rows, features);
            let small = cost(1_000, 4);
            for more in [cost(50_000, 4), cost(1_000, 400)] {
                assert!(0.0 < small.seconds && small.seconds < more.seconds, "{reducer}: {small:?} {more:?}");
                assert!(0.0 < small.bytes && small.bytes < more.bytes, "{reducer}: {small:?} {more:?}");
            }
            assert!(parameters.cost(0, 0).seconds.is_finite());
        }
    }
}
