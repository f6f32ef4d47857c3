//! Fits boosted trees to tables in files and says how long it took; also writes models as XGBoost JSON, and reads them.
//!
//! usage: `bench_boosting SPECIFICATION`, an object of JSON: `x`, `y`, `x_test` (files of little-endian f64), `features`, `classes`
//! (0 for numbers), `parameters`, and optionally `categorical`, `repeat`, `seed`, `out` (predictions), `explain` (how many test rows), `save` or `load` (a
//! model as XGBoost JSON).

#![expect(clippy::disallowed_methods, reason = "a benchmark reads files and a clock")]

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::time::Instant;

use mlops_algorithms::models::boosting::{BoostedTrees, BoostingInputs};
use mlops_algorithms::models::{Algorithm, Examples, ExplainedOutput, Hyperparameters, Model, Task, fit_boosted};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{Array2, Axis, Slice};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Specification {
    x: Option<String>,
    y: Option<String>,
    x_test: String,
    features: usize,
    #[serde(default)]
    classes: usize,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default)]
    categorical: Vec<bool>,
    repeat: Option<usize>,
    #[serde(default)]
    seed: u64,
    out: Option<String>,
    save: Option<String>,
    load: Option<String>,
    #[serde(default)]
    explain: usize,
}

fn numbers(path: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

fn table(path: &str, features: usize) -> Result<Array2<f64>, Box<dyn Error>> {
    let values = numbers(path)?;
    Ok(Array2::from_shape_vec((values.len() / features, features), values)?)
}

/// The processor time of this process so far, in seconds; 0 where /proc is not there.
fn processor() -> f64 {
    let line = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = line.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args().nth(1).ok_or("usage: bench_boosting SPECIFICATION")?;
    let given: Specification = serde_json::from_str(&given)?;
    let x_test = table(&given.x_test, given.features)?;
    let repeat = given.repeat.unwrap_or(1).max(1);
    let (mut fit, mut fit_cpu) = (f64::INFINITY, f64::INFINITY);
    let model = if let Some(path) = &given.load {
        Model::Xgboost(BoostedTrees::from_xgboost_json(&fs::read_to_string(path)?)?)
    } else {
        let x = table(given.x.as_deref().ok_or("x is missing")?, given.features)?;
        let y = numbers(given.y.as_deref().ok_or("y is missing")?)?;
        let task = if given.classes > 0 { Task::Classification } else { Task::Regression };
        let target = match task {
            Task::Regression => Target::Numbers(y),
            Task::Classification => Target::Classes {
                labels: (0..given.classes).map(|class| class.to_string()).collect(),
                codes: y.iter().map(|&class| class as u32).collect(),
            },
        };
        let parameters = Hyperparameters::parse(Algorithm::Xgboost, task, &given.parameters)?;
        let training = Examples { x: x.view(), target: &target, sample_weight: None };
        let inputs = BoostingInputs { categorical: &given.categorical, ..BoostingInputs::default() };
        let mut model = None;
        for _ in 0..repeat {
            let (wall, cpu) = (Instant::now(), processor());
            model = Some(fit_boosted(training, None, &inputs, &parameters, given.seed, &Silent)?.model);
            fit = fit.min(wall.elapsed().as_secs_f64());
            fit_cpu = fit_cpu.min(processor() - cpu);
        }
        model.ok_or("nothing was fitted")?
    };
    let (mut predict, mut predict_cpu, mut found) = (f64::INFINITY, f64::INFINITY, Vec::new());
    for _ in 0..repeat {
        let (wall, cpu) = (Instant::now(), processor());
        found = if model.task() == Task::Regression {
            model.predict_values(x_test.view())?
        } else {
            model.predict_proba(x_test.view())?.into_raw_vec_and_offset().0
        };
        predict = predict.min(wall.elapsed().as_secs_f64());
        predict_cpu = predict_cpu.min(processor() - cpu);
    }
    if let Some(path) = &given.out {
        fs::write(path, found.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
    }
    if let (Some(path), Model::Xgboost(trees)) = (&given.save, &model) {
        fs::write(path, trees.to_xgboost_json(&[]).to_string())?;
    }
    let some = x_test.slice_axis(Axis(0), Slice::from(..given.explain.min(x_test.nrows())));
    let wall = Instant::now();
    if given.explain > 0 {
        model.explain(some, None, ExplainedOutput::Raw, &Silent)?;
    }
    let explain = wall.elapsed().as_secs_f64();
    let seconds =
        json!({"explain": explain, "fit": fit, "fit_cpu": fit_cpu, "predict": predict, "predict_cpu": predict_cpu});
    writeln!(std::io::stdout(), "{seconds}")?;
    Ok(())
}
