//! The agent's four tasks, told apart by `step`.

use mlops_core::{Agent, Artifact, Call, Result, Task, TaskResult, ToolCaller};
use mlops_ml_training::MlTraining;
use mlops_model_registry::ModelRegistry;
use serde::{Deserialize, Serialize};

use crate::approval::{DecideInputs, DecideOutputs, decide};
use crate::candidates::{TrainInputs, TrainOutputs, train};
use crate::registration::{RegisterInputs, RegisterOutputs, register};
use crate::structure::{StructureInputs, StructureOutputs, learn_structure};

/// Trains the model of a request, registers it once it was judged, and carries out what a person decides about it.
pub struct TrainingAgent {
    training: ToolCaller<MlTraining>,
    registry: ToolCaller<ModelRegistry>,
}

impl TrainingAgent {
    /// The agent that calls those tools.
    pub fn new(training: ToolCaller<MlTraining>, registry: ToolCaller<ModelRegistry>) -> Self {
        Self { training, registry }
    }
}

/// Which task it is, and what it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Inputs {
    /// Train.
    Train(TrainInputs),
    /// Find clusters, or fewer numbers for each row.
    LearnStructure(StructureInputs),
    /// Register the trained model.
    Register(RegisterInputs),
    /// Carry out what a person decided about the registered version.
    Decide(DecideInputs),
}

/// What the next states need, by task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outputs {
    /// After looking for structure.
    Structure(StructureOutputs),
    /// After training.
    Train(TrainOutputs),
    /// After registration.
    Register(RegisterOutputs),
    /// After a person's decision.
    Decide(DecideOutputs),
}

impl Agent for TrainingAgent {
    const NAME: &'static str = "training";
    type Inputs = Inputs;
    type Outputs = Outputs;

    async fn handle(&self, task: Task<Inputs>, call: &Call) -> Result<TaskResult<Outputs>> {
        let Task { run_id, config, inputs, lang, .. } = task;
        match inputs {
            Inputs::Train(inputs) => {
                let outputs = train(&self.training, &config, &run_id, inputs, call).await?;
                let hint = outputs.next_hint(lang);
                let artifact = Artifact { uri: outputs.model_s3_uri.to_string(), sha256: outputs.model_sha256.clone() };
                let metrics = outputs.metrics.clone();
                let mut result = TaskResult::succeeded::<Self>(run_id, Outputs::Train(outputs), hint);
                result.artifacts.push(artifact);
                result.metrics = metrics;
                Ok(result)
            }
            Inputs::LearnStructure(inputs) => {
                let outputs = learn_structure(&self.training, &config, &run_id, inputs, call).await?;
                let hint = outputs.next_hint(lang);
                let artifact = Artifact { uri: outputs.model_s3_uri.to_string(), sha256: outputs.model_sha256.clone() };
                let metrics = outputs.metrics.clone();
                let mut result = TaskResult::succeeded::<Self>(run_id, Outputs::Structure(outputs), hint);
                result.artifacts.push(artifact);
                result.metrics = metrics;
                Ok(result)
            }
            Inputs::Register(inputs) => {
                let outputs = register(&self.registry, &config, &run_id, inputs, call).await?;
                let hint = outputs.next_hint(lang);
                Ok(TaskResult::succeeded::<Self>(run_id, Outputs::Register(outputs), hint))
            }
            Inputs::Decide(inputs) => {
                let outputs = decide(&self.registry, inputs, call).await?;
                let hint = outputs.next_hint(lang);
                Ok(TaskResult::succeeded::<Self>(run_id, Outputs::Decide(outputs), hint))
            }
        }
    }
}
