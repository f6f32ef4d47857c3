//! `mlops runs`: what has been run.

use jiff::Timestamp;
use mlops_core::Result;
use mlops_core::ports::{Execution, ExecutionStatus, Workflows as _};
use serde_json::{Value, json};

use crate::output::say;
use crate::progress::elapsed;
use crate::{Platform, TRAINING_MACHINE, output};

/// Lists the runs, the newest first.
pub(crate) async fn run(platform: &Platform, limit: usize, json: bool) -> Result<()> {
    let runs = platform.workflows.list(TRAINING_MACHINE, limit).await?;
    if json {
        let mut described = Vec::with_capacity(runs.len());
        for run in &runs {
            let mut value = describe(run);
            value["interrupted"] = json!(is_interrupted(platform, run).await?);
            described.push(value);
        }
        output::json(&json!({"runs": described}));
        return Ok(());
    }
    if runs.is_empty() {
        say!("nothing has been run yet: mlops run examples/penguins-classification.md");
        return Ok(());
    }
    say!("{:<44} {:<11} {:<12} {:>9}  started", "run", "status", "decision", "took");
    for run in &runs {
        let status = serde_json::to_value(run.status).unwrap_or_default();
        let decision = run.output.as_ref().and_then(|output| output["decision"].as_str()).unwrap_or("–");
        let took = run.ended.map_or_else(|| "–".to_owned(), |ended| output::seconds(elapsed(run.started, ended)));
        let interrupted = is_interrupted(platform, run).await?;
        let status = if interrupted { "INTERRUPTED" } else { status.as_str().unwrap_or_default() };
        say!("{:<44} {status:<11} {decision:<12} {took:>9}  {}", run.name, to_the_second(run.started));
    }
    Ok(())
}

/// Whether the run has not ended and nobody goes on with it.
pub(crate) async fn is_interrupted(platform: &Platform, run: &Execution) -> Result<bool> {
    Ok(run.status == ExecutionStatus::Running && !platform.workflows.is_walked(&run.name).await?)
}

/// A run as JSON.
pub(crate) fn describe(run: &Execution) -> Value {
    let output = run.output.as_ref();
    let of_output = |name: &str| output.map_or(Value::Null, |output| output[name].clone());
    json!({
        "run_id": run.name,
        "status": run.status,
        "model_name": run.input["config"]["model_name"],
        "decision": of_output("decision"),
        "version": of_output("version"),
        "report_uri": of_output("report_uri"),
        "started": run.started,
        "ended": run.ended,
        "error": run.error,
        "cause": run.cause,
    })
}

/// A moment without fractions of a second.
pub(crate) fn to_the_second(moment: Timestamp) -> String {
    format!("{moment:.0}")
}
