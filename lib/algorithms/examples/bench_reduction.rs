//! One fit of a dimensionality reduction, timed, as a line of JSON (`tests/bench/learning/reduction.py` reads it).
//!
//! Arguments: a file of little-endian doubles (rows, columns, features), the method, its parameters as JSON, the seed,
//! how often to fit (the quickest counts), and a file for the coordinates.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads a file and a clock, and prints"
)]

use std::error::Error;
use std::time::Instant;

use mlops_algorithms::probe::Silent;
use mlops_algorithms::reduction::{Reducer, ReducerParameters, fit};
use ndarray::ArrayView2;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, reducer, given, seed, times, result] = arguments.as_slice() else {
        return Err("six arguments are needed".into());
    };
    let bytes = std::fs::read(path)?;
    let numbers = bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<_>>();
    let [rows, columns] = [0, 1].map(|index| numbers[index] as usize);
    let x = ArrayView2::from_shape((rows, columns), &numbers[2..])?;
    let reducer: Reducer = reducer.parse()?;
    let parameters = ReducerParameters::parse(reducer, &serde_json::from_str(given)?)?;
    let seed = seed.parse()?;
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    let mut fitted = None;
    for _ in 0..times.parse::<usize>()?.max(1) {
        let (start, processor) = (Instant::now(), processor_seconds()?);
        let reduction = fit(x, &parameters, seed, &Silent)?;
        wall = wall.min(start.elapsed().as_secs_f64());
        cpu = cpu.min(processor_seconds()? - processor);
        fitted = Some(reduction);
    }
    let fitted = fitted.ok_or("nothing was fitted")?;
    let coordinates: Vec<u8> = fitted.coordinates.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(result, coordinates)?;
    let explained = fitted.model.explained_variance_ratio().map(|ratio| ratio.iter().sum::<f64>());
    println!("{}", json!({"fit": wall, "cpu": cpu, "kl": fitted.model.kl_divergence(), "explained": explained}));
    Ok(())
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
