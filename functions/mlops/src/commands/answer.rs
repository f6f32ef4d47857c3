//! `mlops approve` and `mlops reject`: a person's answer to a run that waits for one.

use std::process::ExitCode;

use agent_issue_detector::{Command, CommandEffect, Target};
use mlops_core::{Error, Result};

use super::run::{actor, follow};
use crate::output::tell;
use crate::{Platform, output};

/// Gives the answer; the run then goes on in this process.
pub(crate) async fn run(
    platform: &Platform,
    name: &str,
    (approved, reason): (bool, Option<String>),
    json: bool,
) -> Result<ExitCode> {
    let run = platform.find_run(name).await?;
    // An answer that waits for nobody any more is told from one that comes too late by looking at the time first.
    platform.workflows.run_to_end(&run.name, |_| {}).await?;
    let command = if approved { Command::Approve { reason } } else { Command::Reject { reason } };
    let call = platform.call("cli").in_lang(output::lang_of(&run));
    let outcome = platform.commands.run(command, Target::Run(run.name.clone()), actor("answer"), &call).await?;
    if outcome.effect == CommandEffect::NothingToDo {
        return Err(Error::conflict(outcome.message).hint(format!("see how it stands: mlops status {}", run.name)));
    }
    tell!("{}", outcome.message);
    follow(platform, &run.name, json).await
}
