//! Fits one model, clustering or reduction and says what it took beside what was expected, for `tests/bench/learning/costs.py`.
//!
//! `bench_cost FILE ALGORITHM PARAMETERS SEED` reads the file of [`bench_file`] and prints seconds and bytes as JSON: those of
//! [`Hyperparameters::cost`] and its like, and those observed from the features in memory to the finished model.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads a file and a clock, and prints"
)]

mod bench_file;

use std::error::Error;
use std::fs;
use std::time::Instant;

use mlops_algorithms::clustering::{self, ClusterParameters, Clusterer};
use mlops_algorithms::models::{self, Algorithm, FitCost, FitSize, Hyperparameters};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::reduction::{self, Reducer, ReducerParameters};
use mlops_algorithms::target::Target;
use serde_json::{Map, Value, json};

use bench_file::Training;

/// Something to fit, which a name stands for.
enum Work {
    Model(Algorithm, Hyperparameters),
    Clusters(ClusterParameters),
    Coordinates(ReducerParameters),
}

impl Work {
    fn parse(name: &str, training: &Training, given: &Map<String, Value>) -> Result<Self, Box<dyn Error>> {
        if let Ok(clusterer) = name.parse::<Clusterer>() {
            return Ok(Self::Clusters(ClusterParameters::parse(clusterer, given)?));
        }
        if let Ok(reducer) = name.parse::<Reducer>() {
            return Ok(Self::Coordinates(ReducerParameters::parse(reducer, given)?));
        }
        let algorithm = name.parse()?;
        Ok(Self::Model(algorithm, Hyperparameters::parse(algorithm, training.task, given)?))
    }

    fn cost(&self, training: &Training) -> FitCost {
        let (rows, features) = training.x.dim();
        match self {
            Self::Model(_, parameters) => {
                let outputs = if let Target::Classes { labels, .. } = &training.target { labels.len() } else { 1 };
                parameters.cost(&FitSize { rows, features, outputs })
            }
            Self::Clusters(parameters) => parameters.cost(rows, features),
            Self::Coordinates(parameters) => parameters.cost(rows, features),
        }
    }

    /// Fits, and says after how many iterations, where there are such.
    fn fit(&self, training: &Training, seed: u64) -> Result<Option<usize>, Box<dyn Error>> {
        let x = training.x.view();
        Ok(match self {
            Self::Model(algorithm, parameters) => {
                models::fit(*algorithm, x, &training.target, None, parameters, seed, &Silent)?.iterations
            }
            Self::Clusters(parameters) => clustering::fit(x, None, parameters, seed, &Silent)?.iterations,
            Self::Coordinates(parameters) => {
                reduction::fit(x, parameters, seed, &Silent)?;
                None
            }
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, algorithm, parameters, seed] = arguments.as_slice() else {
        return Err("bench_cost FILE ALGORITHM PARAMETERS SEED".into());
    };
    let (training, _) = bench_file::read(file)?;
    let work = Work::parse(algorithm, &training, &serde_json::from_str(parameters)?)?;
    let expected = work.cost(&training);
    // The highest mark of the memory begins anew.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = memory("VmRSS")?;
    let start = Instant::now();
    let iterations = work.fit(&training, seed.parse()?)?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = memory("VmHWM")? - before;
    let found = json!({
        "expected": {"seconds": expected.seconds, "bytes": expected.bytes},
        "observed": {"seconds": seconds, "bytes": bytes},
        "iterations": iterations,
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
