//! Searches by lines of JSON on standard input and output, so that any language can hold the objective
//! (`tests/bench/learning/search.py` does).
//!
//! In: the settings of a study with `trials`, then `{"number": 0, "value": 1.5}` for each trial. Out: each trial.

use std::io::{BufRead as _, Error, Write as _};

use mlops_algorithms::probe::Silent;
use mlops_algorithms::search::{Outcome, Study, StudySettings};
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    let mut lines = std::io::stdin().lock().lines();
    let mut read = || -> Result<Value, Error> {
        let line = lines.next().ok_or_else(|| Error::other("the input has ended"))??;
        Ok(serde_json::from_str(&line)?)
    };
    let mut settings = read()?;
    let trials = settings.as_object_mut().and_then(|map| map.remove("trials")).and_then(|trials| trials.as_u64());
    let settings: StudySettings = serde_json::from_value(settings)?;
    let mut study = Study::new(settings).map_err(Error::other)?;
    let mut output = std::io::stdout().lock();
    for _ in 0..trials.unwrap_or(30) {
        let Some(trial) = study.ask(&Silent).map_err(Error::other)? else { break };
        writeln!(output, "{}", json!({"number": trial.number, "params": trial.params}))?;
        output.flush()?;
        let told = read()?;
        let outcome = told["value"].as_f64().map_or_else(|| Outcome::Failed("no value".to_owned()), Outcome::Complete);
        study.tell(trial.number, outcome).map_err(Error::other)?;
    }
    Ok(())
}
