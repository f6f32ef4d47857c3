//! `mlops status`: how a run stands.

use mlops_core::Result;
use mlops_core::ports::{ExecutionStatus, HistoryEvent, Workflows as _};
use serde_json::{Value, json};

use super::runs::{describe, is_interrupted, to_the_second};
use crate::output::say;
use crate::progress::elapsed;
use crate::{Platform, output};

/// Shows the steps of a run with their times, and what went wrong.
pub(crate) async fn run(platform: &Platform, name: &str, json: bool) -> Result<()> {
    let run = platform.find_run(name).await?;
    let steps = steps(&platform.workflows.history(&run.name).await?);
    if json {
        let mut status = describe(&run);
        status["interrupted"] = json!(is_interrupted(platform, &run).await?);
        status["steps"] = json!(steps);
        status["output"] = run.output.unwrap_or_default();
        output::json(&status);
        return Ok(());
    }
    say!("{} started {}", run.name, to_the_second(run.started));
    for step in &steps {
        let took = step["seconds"].as_f64().map_or_else(|| "–".to_owned(), output::seconds);
        say!(
            "  {:<16} {:>9}  {}",
            step["step"].as_str().unwrap_or_default(),
            took,
            step["result"].as_str().unwrap_or_default()
        );
    }
    match run.status {
        ExecutionStatus::Running if is_interrupted(platform, &run).await? => {
            say!("it was interrupted, and goes on when the same command is given again");
        }
        ExecutionStatus::Running => say!("it is going on"),
        ExecutionStatus::Succeeded => {
            let output = run.output.unwrap_or_default();
            say!("decision: {}", output["decision"].as_str().unwrap_or("none"));
            say!("report: {}", output::shown_path(output["report_uri"].as_str().unwrap_or_default()));
        }
        _ => say!(
            "{}: {}",
            run.error.unwrap_or_default(),
            super::run::readable_cause(&run.cause.unwrap_or_default()).message
        ),
    }
    Ok(())
}

/// One row for each time a task was entered.
fn steps(history: &[HistoryEvent]) -> Vec<Value> {
    let mut steps: Vec<Value> = Vec::new();
    for event in history {
        let Some(state) = &event.state else { continue };
        let open = steps.iter_mut().rev().find(|step| step["step"] == *state && step["ended"].is_null());
        match (event.kind.as_str(), open) {
            // A run that was interrupted enters the state again when it goes on: that is the same row.
            ("TaskStateEntered", None) => steps.push(json!({"step": state, "started": event.timestamp, "ended": null,
                "seconds": null, "attempts": 0, "succeeded": 0, "result": "running"})),
            ("TaskScheduled", Some(step)) => step["attempts"] = json!(step["attempts"].as_u64().unwrap_or(0) + 1),
            ("TaskStateExited", Some(step)) => {
                let started = step["started"].as_str().and_then(|text| text.parse().ok()).unwrap_or(event.timestamp);
                step["ended"] = json!(event.timestamp);
                step["seconds"] = json!(elapsed(started, event.timestamp));
                if step["result"] == "running" {
                    step["result"] = json!("succeeded");
                }
            }
            ("TaskFailed" | "TaskTimedOut", Some(step)) => {
                step["result"] = event.details["error"].clone();
            }
            ("TaskSucceeded", Some(step)) => {
                step["succeeded"] = json!(step["succeeded"].as_u64().unwrap_or(0) + 1);
                step["result"] = json!("succeeded");
            }
            _ => {}
        }
    }
    steps
}
