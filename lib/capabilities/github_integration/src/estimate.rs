//! How long a run will take and what it will cost, roughly, before it is started.

use mlops_algorithms::models::{Algorithm, Task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// AWS Lambda, one GB-second on Arm in US East (N. Virginia), first tier, in US dollars. Source:
/// <https://aws.amazon.com/lambda/pricing/>, as of December 2025.
const USD_PER_GB_SECOND_ARM: f64 = 0.000_013_333_4;
/// The same on x86.
const USD_PER_GB_SECOND_X86: f64 = 0.000_016_666_7;
/// One request to AWS Lambda, in US dollars; same source.
const USD_PER_REQUEST: f64 = 0.000_000_2;
/// The least and the most memory that is reckoned with, in GB: a default function, and one for large tables.
const MEMORY: (f64, f64) = (1.769, 10.24);
/// The functions of a run, each called once.
const REQUESTS: f64 = 7.0;
/// Seconds of a run that do not depend on the data: starting seven functions, plots and the report.
const FIXED_SECONDS: f64 = 2.0;
/// Seconds for reading, splitting, preparing and writing one cell.
const PER_CELL: f64 = 4e-7;
/// Seconds for one step of sorting one value while a tree grows.
const PER_TREE_STEP: f64 = 1.5e-8;
/// Seconds for one multiplication of a linear model.
const PER_PRODUCT: f64 = 2e-9;
/// Seconds for one multiplication of a neural network, in single precision.
const PER_SINGLE_PRODUCT: f64 = 4e-11;
/// How far the time may be off in either direction.
const UNCERTAINTY: f64 = 3.0;

/// A rough estimate of time and cost, for one machine with two cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The expected time of the run in seconds; a third to three times of it is likely.
    pub seconds: f64,
    /// The least cost to expect in US dollars, at the public price of AWS Lambda.
    pub usd_low: f64,
    /// The greatest cost to expect in US dollars.
    pub usd_high: f64,
    /// The rows that the estimate reckons with.
    pub rows: u64,
    /// The features that the estimate reckons with, after encoding.
    pub features: u64,
}

impl Estimate {
    /// The estimate for a table of so many rows, columns and features whose models take so many seconds to fit.
    pub(crate) fn of([rows, columns, features]: [u64; 3], fitting: f64) -> Self {
        let cells = rows as f64 * (columns + features) as f64;
        let seconds = FIXED_SECONDS + cells * PER_CELL + fitting;
        let requests = REQUESTS * USD_PER_REQUEST;
        Self {
            seconds: rounded(seconds),
            usd_low: rounded(seconds / UNCERTAINTY * MEMORY.0 * USD_PER_GB_SECOND_ARM + requests),
            usd_high: rounded(seconds * UNCERTAINTY * MEMORY.1 * USD_PER_GB_SECOND_X86 + requests),
            rows,
            features,
        }
    }
}

/// The work of a run.
pub(crate) struct Workload<'a> {
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    pub(crate) features: u64,
    pub(crate) task: Task,
    /// `None` when the run tries every algorithm of the task.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) hyperparameters: &'a Map<String, Value>,
    /// How hyperparameters are searched; empty when they are not.
    pub(crate) search: &'a Map<String, Value>,
}

impl Workload<'_> {
    /// With `n` rows, `p` features and `T` trees, the steps of fitting are
    /// forest `T · n · log₂ n · q`, where `q` is √p for classes and p for numbers, shared by two cores; tree `n · log₂ n · p`;
    /// logistic regression `iterations · n · p`; linear regression `n · p²`. `auto` is the sum over the algorithms of the task.
    /// A search fits `trials · folds` times more, each time to all folds but one, until its time limit.
    pub(crate) fn estimate(&self) -> Estimate {
        let algorithms = match &self.algorithm {
            Some(algorithm) => std::slice::from_ref(algorithm),
            None => Algorithm::for_task(self.task),
        };
        let fitting: f64 = algorithms.iter().map(|algorithm| self.fitting(*algorithm)).sum();
        Estimate::of([self.rows, self.columns, self.features], fitting + self.searching(fitting))
    }

    /// The time of the trials, given that of fitting once.
    fn searching(&self, fitting: f64) -> f64 {
        let given = |name: &str| self.search.get(name).and_then(Value::as_f64);
        let (Some(trials), Some(folds)) = (given("max_trials"), given("folds")) else { return 0.0 };
        (fitting * trials * (folds - 1.0)).min(given("time_limit_seconds").unwrap_or(f64::INFINITY))
    }

    fn fitting(&self, algorithm: Algorithm) -> f64 {
        let rows = self.rows.max(2) as f64;
        let features = self.features.max(1) as f64;
        let given =
            |name: &str, default: f64| self.hyperparameters.get(name).and_then(Value::as_f64).unwrap_or(default);
        match algorithm {
            Algorithm::RandomForest | Algorithm::ExtraTrees => {
                let tried = if self.task == Task::Classification { features.sqrt() } else { features };
                given("n_estimators", 100.0) * rows * rows.log2() * tried * PER_TREE_STEP / 2.0
            }
            // Each level of each tree reads a byte of every feature of every row.
            Algorithm::Xgboost => {
                given("n_estimators", 100.0) * given("max_depth", 6.0) * rows * features * PER_PRODUCT
            }
            Algorithm::DecisionTree => rows * rows.log2() * features * PER_TREE_STEP,
            Algorithm::LogisticRegression => given("max_iter", 100.0) * rows * features * 2.0 * PER_PRODUCT,
            Algorithm::LinearRegression => rows * features * features * PER_PRODUCT,
            Algorithm::Ridge | Algorithm::Lasso | Algorithm::ElasticNet => {
                0.2 * rows * features * features * PER_PRODUCT
            }
            // The kernel of every row with a share of the others that grows with the noise, a tenth of them as a rule.
            Algorithm::Svm => {
                let folds = if self.hyperparameters.get("probability") == Some(&Value::Bool(true)) { 5.0 } else { 1.0 };
                folds * 0.1 * rows * rows * features * PER_PRODUCT
            }
            Algorithm::NaiveBayes => 2.0 * rows * features * PER_PRODUCT,
            // One product of the rows with themselves, and the directions of what comes of it.
            Algorithm::LinearDiscriminantAnalysis => (0.2 * rows + features) * features * features * PER_PRODUCT,
            // Nothing is learnt; a tenth of the rows ask all others.
            Algorithm::Knn => 0.1 * rows * rows * features * 0.1 * PER_PRODUCT,
            Algorithm::NeuralNetwork => {
                let sizes = self.hyperparameters.get("hidden_layer_sizes").and_then(Value::as_array);
                let sizes = sizes.map_or_else(|| vec![100.0], |sizes| sizes.iter().filter_map(Value::as_f64).collect());
                let (last, weights) =
                    sizes.iter().fold((features, 0.0), |(inputs, weights), units| (*units, weights + inputs * units));
                // Forward once and backward twice for each row of each epoch.
                given("max_iter", 200.0) * rows * (weights + last) * 3.0 * PER_SINGLE_PRODUCT
            }
        }
    }
}

/// Two significant digits: more would promise more than an estimate holds.
fn rounded(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powf(1.0 - value.log10().floor());
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn estimate(rows: u64, algorithm: Option<Algorithm>) -> Estimate {
        let hyperparameters = Map::new();
        let (task, search) = (Task::Classification, Map::new());
        let (hyperparameters, search) = (&hyperparameters, &search);
        Workload { rows, columns: 20, features: 30, task, algorithm, hyperparameters, search }.estimate()
    }

    #[test]
    fn a_search_takes_the_time_of_its_trials_up_to_its_limit() {
        let hyperparameters = Map::new();
        let seconds = |search: Value| {
            let search = search.as_object().unwrap();
            let (hyperparameters, algorithm) = (&hyperparameters, Some(Algorithm::RandomForest));
            let task = Task::Classification;
            let rows = 1_000_000;
            Workload { rows, columns: 20, features: 30, task, algorithm, hyperparameters, search }.estimate().seconds
        };
        let once = seconds(json!({}));
        let searched = seconds(json!({"max_trials": 10, "folds": 5}));
        assert!(searched > 20.0 * once, "{searched} {once}");
        let limited = seconds(json!({"max_trials": 10, "folds": 5, "time_limit_seconds": 60}));
        assert!(limited > once && limited <= 1.1 * (once + 60.0), "{limited} {once}");
    }

    #[test]
    fn more_work_costs_more() {
        let small = estimate(1_000, Some(Algorithm::RandomForest));
        let large = estimate(1_000_000, Some(Algorithm::RandomForest));
        assert!(small.seconds >= FIXED_SECONDS && small.seconds < large.seconds);
        for estimate in [&small, &large] {
            assert!(0.0 < estimate.usd_low && estimate.usd_low < estimate.usd_high, "{estimate:?}");
        }
        let all = estimate(1_000_000, None);
        assert!(all.seconds > large.seconds && all.rows == 1_000_000);
        assert!(estimate(1_000_000, Some(Algorithm::LogisticRegression)).seconds < large.seconds);
    }

    #[test]
    fn numbers_have_two_digits() {
        assert_eq!(rounded(123.4), 120.0);
        assert_eq!(rounded(0.001_26), 0.001_3);
        assert_eq!(rounded(0.0), 0.0);
        assert_eq!(rounded(f64::INFINITY), 0.0);
    }
}
