//! `mlops retry`: a run is run again, or goes on from where it was broken off.

use std::process::ExitCode;

use agent_issue_detector::{Command, CommandEffect, Target};
use mlops_core::{Error, Result};

use super::run::{actor, follow};
use crate::output::tell;
use crate::{Platform, output};

/// Lets the run go on, or runs it again, in this process.
pub(crate) async fn run(platform: &Platform, name: &str, json: bool) -> Result<ExitCode> {
    let run = platform.find_run(name).await?;
    let call = platform.call("cli").in_lang(output::lang_of(&run));
    let key = format!("retry {}", call.clock.now());
    let outcome = platform.commands.run(Command::Retry, Target::Run(run.name.clone()), actor(&key), &call).await?;
    if outcome.effect == CommandEffect::NothingToDo {
        return Err(Error::conflict(outcome.message).hint(format!("see how it stands: mlops status {}", run.name)));
    }
    tell!("{}", outcome.message);
    follow(platform, outcome.run_id.as_deref().unwrap_or(&run.name), json).await
}
