//! What a fit is expected to take, before it begins.
//!
//! The steps of each algorithm are counted from the size of the table and from its hyperparameters; how long one step takes
//! and how many iterations it takes to converge was measured on tables of 1,000 to 100,000 rows and 10 to 200 features
//! (docs/benchmarks.md, "Learning"). Where the data decide how far an algorithm gets, these tables stand for others.

use super::boosting::BoostingParameters;
use super::hyperparameters::{
    ForestParameters, Hyperparameters, NeuralNetworkParameters, Parameters, SvmParameters, TreeParameters,
};
use super::random_forest::Thresholds;
use crate::parallel;

/// The size of what a model is fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FitSize {
    /// The number of rows.
    pub rows: usize,
    /// The number of features.
    pub features: usize,
    /// The number of classes; 1 for numbers.
    pub outputs: usize,
}

/// What a fit is expected to take beside its features and target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitCost {
    /// From the features in memory to the model.
    pub seconds: f64,
    /// The most memory at any time, the finished model included; it is reckoned with two threads.
    pub bytes: f64,
}

impl Hyperparameters {
    /// What fitting is expected to take here, as a rule within a factor of two.
    pub fn cost(&self, size: &FitSize) -> FitCost {
        self.cost_with_threads(size, parallel::threads())
    }

    /// What fitting is expected to take with so many threads.
    pub fn cost_with_threads(&self, size: &FitSize, threads: usize) -> FitCost {
        let size = Size::of(size, threads);
        match self.parameters() {
            Parameters::DecisionTree(tree) => size.tree(tree),
            Parameters::RandomForest(forest) => size.forest(forest, Thresholds::Best),
            Parameters::ExtraTrees(forest) => size.forest(forest, Thresholds::Drawn),
            Parameters::Xgboost(boosting) => size.boosted(boosting),
            Parameters::LogisticRegression(_) => size.logistic(),
            Parameters::LinearRegression(_) => size.least_squares(),
            Parameters::Ridge(_) | Parameters::Lasso(_) | Parameters::ElasticNet(_) => size.moments(),
            Parameters::LinearDiscriminantAnalysis(_) => size.discriminant(),
            Parameters::Svm(machine) => size.machine(machine),
            Parameters::NaiveBayes(_) => size.bayes(),
            Parameters::Knn(_) => size.neighbours(),
            Parameters::NeuralNetwork(network) => size.network(network),
        }
    }
}

/// Bytes that any fit takes: the stacks of threads and what an allocator keeps.
const BASE: f64 = 5e5;
/// Vectors that grow as they are filled have room for a third more, as a rule.
const GROWN: f64 = 1.35;
/// The epochs after which the loss of a network has settled, as a rule.
const EPOCHS: f64 = 120.0;
const MEBIBYTE: f64 = 1_048_576.0;

/// What the trees of a forest are grown on.
struct Drawn {
    trees: f64,
    /// The rows of each.
    rows: f64,
    /// Seconds for looking at a row with a feature on one level.
    step: f64,
    /// The leaves of a tree that nothing stops, as a share of its rows.
    leaves: f64,
}

/// A size as numbers to reckon with.
#[derive(Debug, Clone, Copy)]
struct Size {
    rows: f64,
    features: f64,
    outputs: f64,
    threads: f64,
}

impl Size {
    fn of(size: &FitSize, threads: usize) -> Self {
        let number = |count: usize| count.max(1) as f64;
        let [rows, features, outputs, threads] = [size.rows, size.features, size.outputs, threads].map(number);
        Self { rows, features, outputs, threads }
    }

    fn cells(&self) -> f64 {
        self.rows * self.features
    }

    /// The number of linear functions that tell the classes apart.
    fn lines(&self) -> f64 {
        if self.outputs > 2.0 { self.outputs } else { 1.0 }
    }

    fn tree(&self, tree: &TreeParameters) -> FitCost {
        self.trees(tree, &Drawn { trees: 1.0, rows: self.rows, step: 28e-9, leaves: self.leaves() })
    }

    fn forest(&self, forest: &ForestParameters, thresholds: Thresholds) -> FitCost {
        let asked = forest.max_samples.map_or(self.rows, |amount| amount.of(self.rows as usize) as f64);
        // Of n rows that are drawn n times, so many are drawn at least once.
        let rows = if forest.bootstrap { asked.min(self.rows) * 0.632 } else { self.rows };
        let (step, more) = match thresholds {
            Thresholds::Best if self.outputs > 2.0 => (22e-9, 1.0),
            Thresholds::Best => (9.5e-9, 1.0),
            Thresholds::Drawn if self.outputs > 2.0 => (22e-9, 1.5),
            Thresholds::Drawn => (12e-9, 1.5),
        };
        let leaves = (more * self.leaves()).min(0.9);
        self.trees(&forest.tree, &Drawn { trees: forest.n_estimators as f64, rows, step, leaves })
    }

    /// Numbers are nearly all different, and of classes some rows are alike.
    fn leaves(&self) -> f64 {
        match self.outputs {
            outputs if outputs > 2.0 => 0.43,
            outputs if outputs > 1.0 => 0.22,
            _ => 0.9,
        }
    }

    /// A row is looked at on each level with each feature that is tried.
    fn trees(&self, tree: &TreeParameters, drawn: &Drawn) -> FitCost {
        let rows = self.rows as usize;
        let tried = tree.max_features.of(self.features as usize) as f64;
        let least = tree.min_samples_leaf.of(rows).max(tree.min_samples_split.of(rows) / 2).max(1) as f64;
        let depth = tree.max_depth.map_or(f64::INFINITY, |depth| depth as f64);
        let levels = (drawn.rows / least).log2().clamp(1.0, depth.max(1.0));
        let leaves = (drawn.leaves * drawn.rows / least).clamp(1.0, depth.exp2());
        let growing = drawn.trees * drawn.rows * levels * tried * drawn.step;
        let node = 48.0 + 8.0 * self.outputs;
        FitCost {
            seconds: growing / self.threads.min(drawn.trees) + self.cells() * 20e-9 / self.threads,
            bytes: BASE + 6.0 * self.cells() + 40.0 * self.rows + drawn.trees * leaves * node * GROWN,
        }
    }

    /// Every level of every tree adds up the rows, feature by feature, and looks at the bins of each of its nodes.
    fn boosted(&self, boosting: &BoostingParameters) -> FitCost {
        let trees = boosting.n_estimators as f64 * self.lines();
        let growth = &boosting.growth;
        let without_limit = |count: usize| if count == 0 { f64::INFINITY } else { count as f64 };
        let most = without_limit(growth.max_depth).exp2().min(without_limit(growth.max_leaves));
        let leaves = (self.rows / growth.min_child_weight.max(1.0)).clamp(1.0, most);
        let levels = leaves.log2().max(1.0);
        let (rows, features) = (self.rows * boosting.subsample, self.features * boosting.colsample_bytree);
        let bins = self.rows.min(boosting.max_bin as f64);
        let tree = rows * features * levels * 0.5e-9 + leaves * features * bins * 1.5e-9 + self.rows * 10e-9;
        FitCost {
            seconds: (self.cells() * 40e-9 + trees * tree) / self.threads,
            bytes: BASE
                + 6.0 * self.cells()
                + self.rows * (24.0 + 16.0 * self.lines())
                + trees * leaves * 60.0
                + leaves * features * bins * 4.0,
        }
    }

    /// A few steps of Newton's or of a quasi-Newton method, each a look at all features.
    fn logistic(&self) -> FitCost {
        let classes = 1.0 + 0.15 * (self.lines() - 1.0);
        FitCost {
            seconds: 5e-4 + self.cells() * classes * 30e-9 / self.threads,
            bytes: 2.0 * BASE + 10.0 * self.cells() + 8.0 * self.rows * self.lines(),
        }
    }

    /// Least squares by the features themselves.
    fn least_squares(&self) -> FitCost {
        let square = self.features * self.features;
        FitCost {
            seconds: 2e-4 + (self.cells() * 35e-9 + self.rows * square * 0.8e-9) / self.threads,
            bytes: BASE + 8.5 * self.cells() + 16.0 * square,
        }
    }

    /// The second moments of the features, and what is solved or descended with them.
    fn moments(&self) -> FitCost {
        let square = self.features * self.features;
        let fewer = self.rows.min(self.features);
        FitCost {
            seconds: 8e-4
                + (self.cells() * 8e-9 + self.rows * square * 0.1e-9) / self.threads
                + fewer * square * 0.5e-9,
            bytes: 2.0 * BASE + 5.0 * self.cells().min(1e6) + 24.0 * square,
        }
    }

    fn discriminant(&self) -> FitCost {
        let square = self.features * self.features;
        FitCost {
            seconds: 4e-4
                + (self.cells() * 16e-9 + self.rows * square * 0.15e-9) / self.threads
                + self.features * square * 1e-9,
            bytes: 3.0 * BASE + 6.0 * self.cells() + 48.0 * square,
        }
    }

    /// Pairs of rows are chosen some times for each row, and each time a row of the kernel is needed.
    fn machine(&self, machine: &SvmParameters) -> FitCost {
        // One of each pair of classes is a fit to the rows of both.
        let pairs = 2.0 * (self.lines() - 1.0).max(1.0) / self.lines().max(2.0);
        let fits = if machine.probability { 1.0 + 5.0 * 0.64 } else { 1.0 };
        let square = self.rows * self.rows;
        let step = (8.0 + 0.75 * self.features) * 1e-9;
        FitCost {
            seconds: pairs * fits * square * (self.rows / 1e4).powf(0.3) * step,
            bytes: BASE + (machine.cache_size * MEBIBYTE).min(4.0 * square) + 16.0 * self.cells(),
        }
    }

    /// The mean and the variance of each feature in each class.
    fn bayes(&self) -> FitCost {
        let model = 16.0 * self.features * self.outputs;
        FitCost { seconds: 1e-4 + self.cells() * 6e-9 / self.threads, bytes: BASE + model }
    }

    /// Nothing is learnt: the model is the rows.
    fn neighbours(&self) -> FitCost {
        FitCost { seconds: 5e-5 + self.cells() * 7.5e-9, bytes: BASE + 8.0 * self.cells() + 8.0 * self.rows }
    }

    /// Forward once and backward twice for each row of each epoch, until the loss settles.
    fn network(&self, network: &NeuralNetworkParameters) -> FitCost {
        let sizes = network.hidden_layer_sizes.iter().map(|&units| units as f64).chain([self.outputs]);
        let (_, weights, units) = sizes.fold((self.features, 0.0, 0.0), |(inputs, weights, all), units| {
            (units, weights + inputs * units, all + units)
        });
        let epochs = (network.max_iter as f64).min(EPOCHS);
        FitCost {
            seconds: epochs * self.rows * (3e-9 * units + 0.065e-9 * weights),
            bytes: 3.0 * BASE + 4.0 * self.cells() + 24.0 * weights,
        }
    }
}

/// A number with two significant digits; 0 where it is no size: more would promise more than an estimate holds.
pub fn two_digits(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(1.0 - value.log10().floor());
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Algorithm, Task};

    fn cost(algorithm: Algorithm, task: Task, rows: usize, features: usize) -> FitCost {
        let outputs = if task == Task::Classification { 3 } else { 1 };
        Hyperparameters::defaults(algorithm, task).unwrap().cost(&FitSize { rows, features, outputs })
    }

    #[test]
    fn more_rows_and_more_features_take_more() {
        for task in [Task::Classification, Task::Regression] {
            for &algorithm in Algorithm::for_task(task) {
                let small = cost(algorithm, task, 1_000, 10);
                for more in [cost(algorithm, task, 100_000, 10), cost(algorithm, task, 1_000, 400)] {
                    assert!(small.seconds > 0.0 && small.seconds < more.seconds, "{algorithm}: {small:?} {more:?}");
                    assert!(small.bytes > 0.0 && small.bytes <= more.bytes, "{algorithm}: {small:?} {more:?}");
                }
            }
        }
    }

    #[test]
    fn the_smallest_table_costs_something_finite() {
        for &algorithm in Algorithm::for_task(Task::Classification) {
            let FitCost { seconds, bytes } = cost(algorithm, Task::Classification, 0, 0);
            assert!(seconds.is_finite() && bytes.is_finite() && seconds > 0.0, "{algorithm}");
        }
    }

    #[test]
    fn numbers_have_two_digits() {
        assert_eq!([123.4, 0.001_26, 0.0, f64::INFINITY].map(two_digits), [120.0, 0.001_3, 0.0, 0.0]);
    }
}
