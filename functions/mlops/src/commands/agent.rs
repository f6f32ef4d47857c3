//! `mlops agent`: one task for one agent.

use std::path::Path;

use mlops_core::{Error, Result};
use serde_json::Value;

use crate::{Platform, output};

/// Gives the agent the task and prints its result.
pub(crate) async fn run(platform: &Platform, name: &str, event: &Path) -> Result<()> {
    let text = output::read_text(event)?;
    let payload: Value = serde_json::from_str(&text)
        .map_err(|error| Error::invalid_input(format!("{} is not JSON: {error}", event.display())).at("event"))?;
    let agent = platform.agent(name)?;
    let result = agent.invoke(payload, &platform.call("cli")).await?;
    output::json(&result);
    Ok(())
}
