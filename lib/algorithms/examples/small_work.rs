//! Does one small piece of work, whose instructions `tests/bench/instructions.py` counts.
//!
//! usage: `small_work KIND NAME PARAMETERS`; KIND is `classifier` or `regressor` (fit, predict), `explain` (that, and Shapley
//! values), `clustering` or `reduction`; PARAMETERS is a JSON object. The table is always the same one.

use std::error::Error;

use mlops_algorithms::clustering::{self, ClusterParameters};
use mlops_algorithms::models::{self, ExplainedOutput, Hyperparameters, Task};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::reduction::{self, ReducerParameters};
use mlops_algorithms::target::Target;
use ndarray::{Array2, Axis, Slice};

const ROWS: usize = 400;
const FEATURES: usize = 12;
const EXPLAINED: usize = 40;
const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, name, given] = arguments.as_slice() else { return Err("small_work KIND NAME PARAMETERS".into()) };
    let given = serde_json::from_str(given)?;
    let x = table();
    match kind.as_str() {
        "clustering" => {
            clustering::fit(x.view(), None, &ClusterParameters::parse(name.parse()?, &given)?, SEED, &Silent)?;
        }
        "reduction" => {
            reduction::fit(x.view(), &ReducerParameters::parse(name.parse()?, &given)?, SEED, &Silent)?;
        }
        "classifier" | "regressor" | "explain" => {
            let signal = x.rows().into_iter().map(|row| row[0] + row[1] * row[2] - row[3].abs());
            let (task, target) = if kind == "regressor" {
                (Task::Regression, Target::Numbers(signal.collect()))
            } else {
                let codes = signal.map(|value| u32::from(value > -0.25) + u32::from(value > 0.4)).collect();
                (
                    Task::Classification,
                    Target::Classes { labels: ["low", "middle", "high"].map(str::to_owned).into(), codes },
                )
            };
            let parameters = Hyperparameters::parse(name.parse()?, task, &given)?;
            let fitted = models::fit(name.parse()?, x.view(), &target, None, &parameters, SEED, &Silent)?;
            fitted.model.predict(x.view())?;
            if kind == "explain" {
                fitted.model.explain(
                    x.slice_axis(Axis(0), Slice::from(..EXPLAINED)),
                    None,
                    ExplainedOutput::Raw,
                    &Silent,
                )?;
            }
        }
        _ => return Err(format!("no kind of work is called {kind}").into()),
    }
    Ok(())
}

/// Numbers between -1 and 1 in no order (the additive recurrence of the golden ratio, a multiple of it for each feature), in
/// four clumps.
fn table() -> Array2<f64> {
    let golden = 0.618_033_988_749_894_9;
    Array2::from_shape_fn((ROWS, FEATURES), |(row, feature)| {
        let spread = ((row + 1) as f64 * (feature + 1) as f64 * golden).fract() - 0.5;
        let centre = if row % 4 == feature % 4 { 0.5 } else { 0.0 };
        spread + centre
    })
}
