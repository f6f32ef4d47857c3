//! `mlops rollback`: an earlier version of a model takes the place of the present one.

use agent_issue_detector::{Command, Target};
use mlops_core::ports::{ExecutionStatus, Workflows as _};
use mlops_core::{Error, Result};

use super::run::{actor, failure};
use crate::output::{say, tell};
use crate::{Platform, TRAINING_MACHINE, output};

/// Rolls the model back, in this process, and says what holds now.
pub(crate) async fn run(
    platform: &Platform,
    model: &str,
    (version, reason): (Option<u64>, Option<String>),
    json: bool,
) -> Result<()> {
    let runs = platform.workflows.list(TRAINING_MACHINE, usize::MAX).await?;
    let Some(run) = runs.into_iter().find(|run| run.input["config"]["model_name"] == model) else {
        return Err(Error::not_found(format!("no run has trained a model `{model}`"))
            .at("model")
            .hint(format!("a model that was registered by hand: mlops tool rollback_model model_name={model}")));
    };
    let call = platform.call("cli").in_lang(output::lang_of(&run));
    let key = format!("rollback {}", call.clock.now());
    let command = Command::Rollback { version, reason };
    let outcome = platform.commands.run(command, Target::Run(run.name), actor(&key), &call).await?;
    tell!("{}", outcome.message);
    let name = outcome.run_id.ok_or_else(|| Error::internal("the rollback has no name"))?;
    let ended = platform.workflows.run_to_end(&name, |_| {}).await?;
    let (ExecutionStatus::Succeeded, Some(result)) = (ended.status, &ended.output) else {
        return Err(failure(&ended));
    };
    if json {
        output::json(result);
    } else {
        say!("{}", result["reason"].as_str().unwrap_or_default());
    }
    Ok(())
}
