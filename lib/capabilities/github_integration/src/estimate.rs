//! How long a run will take and what it will cost, roughly, before it is started.

use mlops_algorithms::models::{Algorithm, FitSize, Hyperparameters, Task, two_digits};
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
/// The cores of the machine that is reckoned with, wherever this is asked.
pub(crate) const CORES: usize = 2;
/// Seconds for one multiplication in looking for neighbours.
const PER_NEIGHBOUR: f64 = 2e-10;
/// How far the time may be off in either direction.
const UNCERTAINTY: f64 = 2.0;

/// A rough estimate of time and cost, for one machine with two cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The expected time of the run in seconds; half to twice of it is likely.
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
            seconds: two_digits(seconds),
            usd_low: two_digits(seconds / UNCERTAINTY * MEMORY.0 * USD_PER_GB_SECOND_ARM + requests),
            usd_high: two_digits(seconds * UNCERTAINTY * MEMORY.1 * USD_PER_GB_SECOND_X86 + requests),
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
    /// How many classes the target has; 1 for numbers.
    pub(crate) classes: usize,
    /// `None` when the run tries every algorithm of the task.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) hyperparameters: &'a Map<String, Value>,
    /// How hyperparameters are searched; empty when they are not.
    pub(crate) search: &'a Map<String, Value>,
}

impl Workload<'_> {
    /// The time of the fits by [`Hyperparameters::cost`]; `auto` is the sum over the algorithms of the task. A search fits
    /// `trials · folds` times more, each time to all folds but one, until its time limit.
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
        // What is not right is said elsewhere; the defaults are the next best guess then.
        let given = Hyperparameters::parse(algorithm, self.task, self.hyperparameters);
        let Ok(parameters) = given.or_else(|_| Hyperparameters::defaults(algorithm, self.task)) else { return 0.0 };
        let (rows, features) = (self.rows as usize, self.features as usize);
        let size = FitSize { rows, features, outputs: self.classes };
        let fit = parameters.cost_with_threads(&size, CORES).seconds;
        // Nothing is learnt of neighbours: a tenth of the rows ask all others when the model is evaluated.
        let asked = if algorithm == Algorithm::Knn {
            0.1 * (rows as f64).powi(2) * features as f64 * PER_NEIGHBOUR
        } else {
            0.0
        };
        fit + asked
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn estimate(rows: u64, algorithm: Option<Algorithm>) -> Estimate {
        let hyperparameters = Map::new();
        let (task, search) = (Task::Classification, Map::new());
        let (hyperparameters, search) = (&hyperparameters, &search);
        Workload { rows, columns: 20, features: 30, task, classes: 2, algorithm, hyperparameters, search }.estimate()
    }

    #[test]
    fn a_search_takes_the_time_of_its_trials_up_to_its_limit() {
        let hyperparameters = Map::new();
        let seconds = |search: Value| {
            let search = search.as_object().unwrap();
            let (hyperparameters, algorithm) = (&hyperparameters, Some(Algorithm::RandomForest));
            let task = Task::Classification;
            let rows = 1_000_000;
            Workload { rows, columns: 20, features: 30, task, classes: 2, algorithm, hyperparameters, search }
                .estimate()
                .seconds
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
}
