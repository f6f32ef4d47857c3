//! Times tree models on one file, for `tests/bench/learning/trees.py`.
//!
//! `bench_trees FILE ALGORITHM PARAMETERS SEED EXPLAINED` reads the file of [`bench_file`] and prints seconds and quality
//! as JSON.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads a file and a clock, and prints"
)]

mod bench_file;

use std::error::Error;
use std::time::Instant;

use mlops_algorithms::models::{Algorithm, ExplainedOutput, Hyperparameters, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{Axis, Slice};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, algorithm, parameters, seed, explained] = arguments.as_slice() else {
        return Err("bench_trees FILE ALGORITHM PARAMETERS SEED EXPLAINED".into());
    };
    let (training, (x_test, y_test)) = bench_file::read(file)?;
    let given = serde_json::from_str(parameters)?;
    let parameters = Hyperparameters::parse(algorithm.parse::<Algorithm>()?, training.task, &given)?;
    let (start, processor) = (Instant::now(), processor_seconds());
    let fitted =
        fit(algorithm.parse()?, training.x.view(), &training.target, None, &parameters, seed.parse()?, &Silent)?;
    let (fit_seconds, cpu) = (start.elapsed().as_secs_f64(), processor_seconds() - processor);
    let start = Instant::now();
    fitted.model.predict(training.x.view())?;
    let predict_seconds = start.elapsed().as_secs_f64();
    let tests = y_test.len() as f64;
    let quality = match fitted.model.predict(x_test.view())? {
        Target::Classes { codes, .. } => {
            codes.iter().zip(&y_test).filter(|(code, class)| f64::from(**code) == **class).count() as f64 / tests
        }
        Target::Numbers(predicted) => {
            let mean = y_test.iter().sum::<f64>() / tests;
            let errors: f64 = predicted.iter().zip(&y_test).map(|(value, y)| (value - y).powi(2)).sum();
            1.0 - errors / y_test.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
        }
    };
    let count = explained.parse::<usize>()?.min(y_test.len());
    let start = Instant::now();
    if count > 0 {
        let some = x_test.slice_axis(Axis(0), Slice::from(..count));
        fitted.model.explain(some, None, ExplainedOutput::Raw, &Silent)?;
    }
    let explain_seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({"fit": fit_seconds, "cpu": cpu, "predict": predict_seconds, "explain": explain_seconds, "quality": quality})
    );
    Ok(())
}

/// The processor time of this process so far, from Linux; 0 elsewhere.
fn processor_seconds() -> f64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|field| field.parse::<f64>().ok())
    });
    nanoseconds.sum::<f64>() / 1e9
}
