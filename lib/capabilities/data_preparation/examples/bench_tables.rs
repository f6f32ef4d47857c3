//! Reads and prepares tables in files, and says how long it took.
//!
//! usage: `bench_tables read FILE`, the file into columns with its hash; `bench_tables prepare FILE TARGET FOLDER`, the same, then
//! split, filled, scaled and one-hot, into one Parquet file for each part; `bench_tables tools FILE TARGET FOLDER`, the same by
//! the tools `split_dataset` and `preprocess_supervised`, which write the raw parts and manifests too.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor, Transformed};
use mlops_algorithms::split::{SplitSpec, split};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::{Artifacts, ReadOptions, TableFormat};
use mlops_core::Call;
use mlops_core::values::ArtifactUri;
use mlops_data_preparation::DataPreparation;
use mlops_data_preparation::tools::TOOLS;
use mlops_local::{Access, FileStore};
use serde_json::{Value, json};

/// The processor time of this process so far, in seconds; 0 where /proc is not there.
fn processor() -> f64 {
    let line = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = line.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that this process had, in MiB; 0 where /proc is not there.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}

fn features(transformed: &Transformed, target: Column) -> Table {
    let column = |(name, values): (&String, Vec<f64>)| Column {
        name: name.clone(),
        values: Values::Number { values, kind: NumberKind::Float },
    };
    let columns = transformed.feature_names.iter().zip(transformed.columns()).map(column);
    Table { columns: columns.chain([target]).collect() }
}

async fn prepare(artifacts: &Artifacts, table: &Table, target: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let spec = SplitSpec { target: Some(target.to_owned()), ..SplitSpec::default() };
    let parts = split(table, &spec)?;
    let mut fitted: Option<Preprocessor> = None;
    for (name, rows) in [("train", parts.train), ("validation", parts.validation), ("test", parts.test)] {
        let part = table.take(&rows);
        let raw = part.without(&[target]);
        let transformed = match &fitted {
            None => {
                let (preprocessor, transformed) =
                    Preprocessor::fit_transform(&raw, None, &PreprocessConfig::default(), 42)?;
                fitted = Some(preprocessor);
                transformed
            }
            Some(preprocessor) => preprocessor.transform(&raw)?,
        };
        let target = part.column(target).ok_or("the target is not there")?.clone();
        let uri = ArtifactUri::from_path(&folder.join(format!("{name}.parquet")));
        artifacts.write_table(&uri, &features(&transformed, target), TableFormat::Parquet).await?;
    }
    Ok(())
}

async fn tools(room: &DataPreparation, path: &str, target: &str) -> Result<(), Box<dyn Error>> {
    let run = async |name: &str, given: Value| {
        let entry = TOOLS.iter().find(|entry| entry.name == name).ok_or("no such tool")?;
        Ok::<_, Box<dyn Error>>((entry.run)(room, &Call::new("bench").in_run("bench"), given).await?.value)
    };
    let given = json!({"dataset_s3_uri": path, "target_column": target, "format": "parquet"});
    let parts = run("split_dataset", given).await?;
    let given = json!({"dataset_s3_uri": parts["train_uri"], "task_type": "classification", "target_column": target});
    let learnt = run("preprocess_supervised", given.clone()).await?;
    for part in ["validation_uri", "test_uri"] {
        let mut given = given.clone();
        given["dataset_s3_uri"] = parts[part].clone();
        given["preprocessor_uri"] = learnt["preprocessor_uri"].clone();
        run("preprocess_supervised", given).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    let usage = "usage: bench_tables read|prepare|tools FILE [TARGET FOLDER]";
    let &[what, path, ref rest @ ..] = arguments.as_slice() else { return Err(usage.into()) };
    let here = std::env::current_dir()?;
    let folder = rest.get(1).map_or_else(|| here.clone(), |folder| here.join(folder));
    let store = FileStore::new(folder.join("home"), &here, Access::Anywhere);
    let artifacts = Artifacts::new(Arc::new(store), ArtifactUri::from_path(&folder.join("home/store")));
    let (clock, before) = (Instant::now(), processor());
    let (mut rows, mut columns) = (0, 0);
    let mut stages = Vec::new();
    match (what, rest) {
        ("read" | "prepare", _) => {
            let uri = ArtifactUri::from_path(&here.join(path));
            let loaded = artifacts.read_table(&uri, &ReadOptions::default(), &Call::new("bench")).await?;
            stages.push(clock.elapsed().as_secs_f64());
            (rows, columns) = (loaded.table.num_rows(), loaded.table.num_columns());
            if let ("prepare", [target, ..]) = (what, rest) {
                prepare(&artifacts, &loaded.table, target, &folder.join("home")).await?;
            }
        }
        ("tools", [target, ..]) => {
            let room = DataPreparation { artifacts };
            tools(&room, &here.join(path).display().to_string(), target).await?;
        }
        _ => return Err(usage.into()),
    }
    let (wall, cpu) = (clock.elapsed().as_secs_f64(), processor() - before);
    println!(
        "{}",
        json!({"wall": wall, "cpu": cpu, "peak_mib": peak(), "rows": rows, "columns": columns, "stages": stages})
    );
    Ok(())
}
