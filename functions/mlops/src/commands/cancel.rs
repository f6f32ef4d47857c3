//! `mlops cancel`: a run ends now.

use agent_issue_detector::{Command, Target};
use mlops_core::{Error, Result};

use super::run::actor;
use crate::output::say;
use crate::{Platform, output};

/// Stops the run and says how it ended.
pub(crate) async fn run(platform: &Platform, name: &str, reason: Option<String>, json: bool) -> Result<()> {
    let run = platform.find_run(name).await?;
    let call = platform.call("cli").in_lang(output::lang_of(&run));
    let command = Command::Cancel { reason };
    let outcome = platform.commands.run(command, Target::Run(run.name), actor("cancel"), &call).await?;
    if json {
        output::json(&serde_json::to_value(&outcome).map_err(|error| Error::internal(error.to_string()))?);
    } else {
        say!("{}", outcome.message);
    }
    Ok(())
}
