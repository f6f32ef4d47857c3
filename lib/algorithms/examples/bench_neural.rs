//! One fit of a neural network, timed, as a line of JSON (`tests/bench/learning/neural.py` reads it).
//!
//! Arguments: a file of little-endian doubles (rows, columns, rows to learn from, features, target), the task, the
//! hyperparameters as JSON, and the seed.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads a file and a clock, and prints"
)]

use std::error::Error;
use std::time::Instant;

use mlops_algorithms::models::{Algorithm, Hyperparameters, Task, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{ArrayView2, Axis};
use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, task, given, seed] = arguments.as_slice() else { return Err("four arguments are needed".into()) };
    let bytes = std::fs::read(path)?;
    let numbers = bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<_>>();
    let [rows, columns, learnt] = [0, 1, 2].map(|index| numbers[index] as usize);
    let (x, y) = numbers[3..].split_at(rows * columns);
    let (x, test_x) = ArrayView2::from_shape((rows, columns), x)?.split_at(Axis(0), learnt);
    let task: Task = task.parse()?;
    let target = target(task, &y[..learnt]);
    let given: Map<String, Value> = serde_json::from_str(given)?;
    let parameters = Hyperparameters::parse(Algorithm::NeuralNetwork, task, &given)?;
    let (start, processor) = (Instant::now(), processor_seconds()?);
    let fitted = fit(Algorithm::NeuralNetwork, x, &target, None, &parameters, seed.parse()?, &Silent)?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), processor_seconds()? - processor);
    let start = Instant::now();
    let predicted = fitted.model.predict(test_x)?;
    let predict = start.elapsed().as_secs_f64();
    let score = score(&predicted, &y[learnt..]);
    println!(
        "{}",
        json!({"fit": wall, "cpu": cpu, "predict": predict, "score": score, "iterations": fitted.iterations})
    );
    Ok(())
}

fn target(task: Task, values: &[f64]) -> Target {
    let classes = values.iter().fold(0.0_f64, |most, value| most.max(*value)) as usize + 1;
    match task {
        Task::Regression => Target::Numbers(values.to_vec()),
        Task::Classification => Target::Classes {
            labels: (0..classes).map(|class| class.to_string()).collect(),
            codes: values.iter().map(|value| *value as u32).collect(),
        },
    }
}

/// The processor time of this process so far, from Linux; 0 elsewhere.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0.0;
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Ok(0.0) };
    for thread in threads.flatten() {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        nanoseconds += text.split_whitespace().next().unwrap_or("0").parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

/// The accuracy, or R².
fn score(predicted: &Target, truth: &[f64]) -> f64 {
    match predicted {
        Target::Classes { codes, .. } => {
            let right = codes.iter().zip(truth).filter(|(code, class)| f64::from(**code) == **class);
            right.count() as f64 / truth.len() as f64
        }
        Target::Numbers(values) => {
            let mean = truth.iter().sum::<f64>() / truth.len() as f64;
            let errors: f64 = values.iter().zip(truth).map(|(a, b)| (a - b) * (a - b)).sum();
            1.0 - errors / truth.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>()
        }
    }
}
