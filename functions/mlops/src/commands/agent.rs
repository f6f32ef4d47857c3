//! `mlops agent`: one task for one agent.

use std::path::Path;

use agent_issue_detector::{IssueDetector, IssueRequest};
use mlops_core::{Error, Result};
use serde_json::Value;

use crate::{Platform, output};

/// Gives the agent the task and prints its result.
pub(crate) async fn run(platform: &Platform, name: &str, event: &Path) -> Result<()> {
    let text = output::read_text(event)?;
    let payload: Value = serde_json::from_str(&text)
        .map_err(|error| Error::invalid_input(format!("{} is not JSON: {error}", event.display())).at("event"))?;
    // The detector stands before the run: it takes no task, but the text of an issue.
    if name.replace('-', "_") == IssueDetector::NAME {
        let request: IssueRequest = serde_json::from_value(payload)
            .map_err(|error| Error::invalid_input(format!("the request is wrong: {error}")).at("event"))?;
        let outcome = platform.issue_detector.request(request, &platform.call("cli")).await?;
        let value = serde_json::to_value(&outcome).map_err(|error| Error::internal(error.to_string()))?;
        output::json(&value);
        return Ok(());
    }
    let agent = platform.agent(name)?;
    let result = agent.invoke(payload, &platform.call("cli")).await?;
    output::json(&result);
    Ok(())
}
