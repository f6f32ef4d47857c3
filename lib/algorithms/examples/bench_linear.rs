//! Fits one model to data from standard input and says how long it took, for `tests/bench/learning/linear.py`.
//!
//! In: a line of JSON (`algorithm`, `task`, `params`, `rows`, `features`, `test_rows`, `repeat`), then little-endian f64:
//! the features row by row, the target, the features of the test rows. Out: one JSON object.

use std::io::{BufRead as _, Error, Read as _, Write as _};

use mlops_algorithms::models::{Algorithm, Hyperparameters, Model, Task, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::ArrayView2;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Request {
    algorithm: Algorithm,
    task: Task,
    params: Map<String, Value>,
    rows: usize,
    features: usize,
    test_rows: usize,
    repeat: usize,
}

fn main() -> Result<(), Error> {
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    input.read_line(&mut line)?;
    let request: Request = serde_json::from_str(&line)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let values: Vec<f64> = bytes
        .chunks_exact(8)
        .map(|bytes| {
            f64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
        })
        .collect();
    drop(bytes);
    let (x, rest) = values.split_at(request.rows * request.features);
    let (y, test) = rest.split_at(request.rows);
    let x = ArrayView2::from_shape((request.rows, request.features), x).map_err(Error::other)?;
    let test = ArrayView2::from_shape((request.test_rows, request.features), test).map_err(Error::other)?;
    let target = match request.task {
        Task::Regression => Target::Numbers(y.to_vec()),
        Task::Classification => {
            let classes = y.iter().copied().fold(0.0, f64::max) as u32 + 1;
            let labels = (0..classes).map(|class| class.to_string()).collect();
            Target::Classes { labels, codes: y.iter().map(|&class| class as u32).collect() }
        }
    };
    let parameters = Hyperparameters::parse(request.algorithm, request.task, &request.params).map_err(Error::other)?;
    let (mut fit_times, mut predict_times, mut last) = (Vec::new(), Vec::new(), None);
    for _ in 0..request.repeat {
        let start = times()?;
        let fitted = fit(request.algorithm, x, &target, None, &parameters, 0, &Silent).map_err(Error::other)?;
        fit_times.push(since(start)?);
        let start = times()?;
        let predicted = fitted.model.predict(test).map_err(Error::other)?;
        predict_times.push(since(start)?);
        last = Some((fitted, predicted));
    }
    let Some((fitted, predicted)) = last else { return Err(Error::other("repeat is 0")) };
    let coefficients = match &fitted.model {
        Model::LogisticRegression(model) => [model.coefficients(), model.intercepts()].concat(),
        Model::LinearRegression(model) | Model::Ridge(model) | Model::Lasso(model) | Model::ElasticNet(model) => {
            [model.coefficients(), &[model.intercept()]].concat()
        }
        _ => Vec::new(),
    };
    let predicted = match predicted {
        Target::Numbers(values) => values,
        Target::Classes { codes, .. } => codes.into_iter().map(f64::from).collect(),
    };
    let answer = json!({
        "fit": fit_times, "predict": predict_times, "iterations": fitted.iterations, "converged": fitted.converged,
        "coefficients": coefficients, "predicted": predicted,
    });
    writeln!(std::io::stdout().lock(), "{answer}")
}

/// The time, and the processor time of all threads so far, in seconds.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures; the library has no clock")]
fn times() -> Result<(std::time::Instant, f64), Error> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    }
    Ok((std::time::Instant::now(), nanoseconds * 1e-9))
}

/// The seconds and the processor seconds since then.
fn since((start, processor): (std::time::Instant, f64)) -> Result<[f64; 2], Error> {
    let elapsed = start.elapsed().as_secs_f64();
    Ok([elapsed, times()?.1 - processor])
}
