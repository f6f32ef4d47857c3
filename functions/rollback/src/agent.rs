//! The agent's two tasks, told apart by `step`.

use mlops_core::{Agent, Call, Error, Result, Task, TaskResult, ToolCaller};
use mlops_model_registry::tools::RollbackModel;
use mlops_model_registry::{ModelRegistry, Verification};
use serde::{Deserialize, Serialize};

use crate::healing::heal;
use crate::words;

/// The alias of the version that is in use.
pub(crate) const CHAMPION: &str = "champion";

/// Looks whether a version works, and rolls the champion back.
pub struct RollbackAgent {
    registry: ToolCaller<ModelRegistry>,
}

impl RollbackAgent {
    /// The agent that calls those tools.
    pub fn new(registry: ToolCaller<ModelRegistry>) -> Self {
        Self { registry }
    }
}

/// Which task it is, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Inputs {
    /// Verify a version that was just taken into use; when it does not work, roll back.
    Smoke(SmokeInputs),
    /// Roll back because somebody said so.
    Rollback(RollbackInputs),
}

/// Which version is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmokeInputs {
    /// The model's name.
    pub model_name: String,
    /// The version's number.
    pub version: u64,
}

/// Where the champion goes back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackInputs {
    /// The model's name.
    pub model_name: String,
    /// The version to go back to; by default the champion before the present one.
    #[serde(default)]
    pub to_version: Option<u64>,
    /// Who said so.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// The model's name.
    pub model_name: String,
    /// The version that was verified.
    pub version: u64,
    /// Whether the verified version can be used.
    pub healthy: bool,
    /// What was found and done, for people.
    pub reason: String,
    /// What was found when the version was looked at.
    pub verification: Verification,
    /// Where the champion went; null when it stayed.
    pub rolled_back: Option<RolledBack>,
    /// The version that is the champion now; null when there is none.
    pub champion: Option<u64>,
}

/// A move of the champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The version that was the champion; null when there was none.
    pub from: Option<u64>,
    /// The version that is the champion instead; null when there is none to go back to.
    pub to: Option<u64>,
}

impl Agent for RollbackAgent {
    const NAME: &'static str = "rollback";
    type Inputs = Inputs;
    type Outputs = Outputs;

    async fn handle(&self, task: Task<Inputs>, call: &Call) -> Result<TaskResult<Outputs>> {
        let outputs = match task.inputs {
            Inputs::Smoke(inputs) => self.smoke(inputs, call).await?,
            Inputs::Rollback(inputs) => self.roll_back(inputs, call).await?,
        };
        let hint = words::next_hint(&outputs, task.lang);
        Ok(TaskResult::succeeded::<Self>(task.run_id, outputs, hint))
    }
}

impl RollbackAgent {
    /// Verifies a version. One that does not work is rejected, and is the champion no longer.
    async fn smoke(&self, inputs: SmokeInputs, call: &Call) -> Result<Outputs> {
        let SmokeInputs { model_name, version } = inputs;
        let look = RollbackModel {
            model_name,
            alias: CHAMPION.to_owned(),
            to_version: Some(version),
            from_version: None,
            reason: words::smoke().to_owned(),
            actor: None,
            dry_run: true,
        };
        let seen = self.registry.call(look, call).await?;
        if !seen.verification.passed {
            return heal(&self.registry, seen, call).await;
        }
        Ok(Outputs {
            model_name: seen.model_name,
            version,
            healthy: true,
            reason: words::healthy(&seen.verification, call.lang),
            verification: seen.verification,
            rolled_back: None,
            champion: seen.points_at,
        })
    }

    /// Moves the champion back, when the version that it goes to works; when not, nothing is moved.
    async fn roll_back(&self, inputs: RollbackInputs, call: &Call) -> Result<Outputs> {
        if inputs.by.trim().is_empty() {
            return Err(Error::invalid_input("nobody is named who asks for the rollback").at("inputs.by"));
        }
        let given = inputs.reason.filter(|reason| !reason.trim().is_empty());
        let reason = given.unwrap_or_else(|| words::asked_for_by(&inputs.by, call.lang));
        let mut tool = RollbackModel {
            model_name: inputs.model_name,
            alias: CHAMPION.to_owned(),
            to_version: inputs.to_version,
            from_version: None,
            reason,
            actor: Some(inputs.by),
            dry_run: true,
        };
        let seen = self.registry.call(tool.clone(), call).await?;
        let refusal = seen.verification.reason.clone().or(seen.refusal);
        if let Some(reason) = refusal {
            return Ok(Outputs {
                model_name: seen.model_name,
                version: seen.to,
                healthy: false,
                reason: words::refused(seen.to, &reason, call.lang),
                verification: seen.verification,
                rolled_back: None,
                champion: seen.points_at,
            });
        }
        // What was seen is what is done: the same version, from where the champion was.
        tool.to_version = Some(seen.to);
        tool.from_version = seen.points_at;
        tool.dry_run = false;
        let done = self.registry.call(tool, call).await?;
        let moved = (done.from != Some(done.to)).then_some(RolledBack { from: done.from, to: Some(done.to) });
        Ok(Outputs {
            model_name: done.model_name,
            version: done.to,
            healthy: true,
            reason: words::went_back(done.from, done.to, call.lang),
            verification: done.verification,
            rolled_back: moved,
            champion: done.points_at,
        })
    }
}
