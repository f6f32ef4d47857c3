//! Clusterings of one file, timed, as a line of JSON each (`tests/bench/learning/clustering.py` reads them).
//!
//! Arguments: a file of little-endian doubles, the number of columns, the algorithm or `silhouette`, its parameters as
//! JSON, how many seeds, and the file for the labels of the last.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads a file and a clock, and prints"
)]

use std::error::Error;
use std::time::Instant;

use mlops_algorithms::clustering::{ClusterParameters, fit};
use mlops_algorithms::metrics::clustering::silhouette;
use mlops_algorithms::probe::Silent;
use ndarray::Array2;
use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, columns, algorithm, given, seeds, output] = arguments.as_slice() else {
        return Err("six arguments are needed".into());
    };
    let columns: usize = columns.parse()?;
    let bytes = std::fs::read(path)?;
    let numbers = bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<_>>();
    let x = Array2::from_shape_vec((numbers.len() / columns, columns), numbers)?;
    if algorithm == "silhouette" {
        let bytes = std::fs::read(output)?;
        let labels = bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect::<Vec<_>>();
        let (start, processor) = (Instant::now(), processor_seconds()?);
        let value = silhouette(x.view(), &labels, usize::MAX, 0, &Silent)?.mean.value;
        let (wall, cpu) = (start.elapsed().as_secs_f64(), processor_seconds()? - processor);
        println!("{}", json!({"wall": wall, "cpu": cpu, "quality": value}));
        return Ok(());
    }
    let given: Map<String, Value> = serde_json::from_str(given)?;
    let parameters = ClusterParameters::parse(algorithm.parse()?, &given)?;
    for seed in 0..seeds.parse()? {
        let (start, processor) = (Instant::now(), processor_seconds()?);
        let fitted = fit(x.view(), None, &parameters, seed, &Silent)?;
        let (wall, cpu) = (start.elapsed().as_secs_f64(), processor_seconds()? - processor);
        let quality = fitted.inertia.or(fitted.bic);
        let labels = fitted.labels.iter().flat_map(|label| label.to_le_bytes()).collect::<Vec<_>>();
        std::fs::write(output, labels)?;
        println!("{}", json!({"wall": wall, "cpu": cpu, "quality": quality, "iterations": fitted.iterations}));
    }
    Ok(())
}

/// The processor time of this process so far, from Linux; 0 elsewhere.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0.0;
    if let Ok(threads) = std::fs::read_dir("/proc/self/task") {
        for thread in threads.flatten() {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            nanoseconds += text.split_whitespace().next().unwrap_or("0").parse::<f64>()?;
        }
    }
    Ok(nanoseconds / 1e9)
}
