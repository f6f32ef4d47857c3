//! Fits one model and says what it took beside what was expected, for `tests/bench/learning/costs.py`.
//!
//! `bench_cost FILE ALGORITHM PARAMETERS SEED` reads the file of [`bench_file`] and prints seconds and bytes as JSON: those of
//! [`Hyperparameters::cost`], and those observed from the features in memory to the finished model.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads a file and a clock, and prints"
)]

mod bench_file;

use std::error::Error;
use std::fs;
use std::time::Instant;

use mlops_algorithms::models::{Algorithm, FitSize, Hyperparameters, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, algorithm, parameters, seed] = arguments.as_slice() else {
        return Err("bench_cost FILE ALGORITHM PARAMETERS SEED".into());
    };
    let (training, _) = bench_file::read(file)?;
    let given = serde_json::from_str(parameters)?;
    let algorithm = algorithm.parse::<Algorithm>()?;
    let parameters = Hyperparameters::parse(algorithm, training.task, &given)?;
    let (rows, features) = training.x.dim();
    let outputs = if let Target::Classes { labels, .. } = &training.target { labels.len() } else { 1 };
    let expected = parameters.cost(&FitSize { rows, features, outputs });
    // The highest mark of the memory begins anew.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = memory("VmRSS")?;
    let start = Instant::now();
    let fitted = fit(algorithm, training.x.view(), &training.target, None, &parameters, seed.parse()?, &Silent)?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = memory("VmHWM")? - before;
    let found = serde_json::json!({
        "expected": {"seconds": expected.seconds, "bytes": expected.bytes},
        "observed": {"seconds": seconds, "bytes": bytes},
        "iterations": fitted.iterations,
    });
    println!("{found}");
    Ok(())
}

/// A line of `/proc/self/status`, in bytes.
fn memory(name: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<f64>()? * 1024.0)
}
