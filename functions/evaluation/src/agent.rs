//! The agent's three tasks, told apart by `step`.

use std::collections::BTreeMap;

use mlops_core::{Agent, Call, Result, Task, TaskResult, ToolCaller};
use mlops_ml_evaluation::MlEvaluation;
use mlops_model_registry::ModelRegistry;
use serde::{Deserialize, Serialize};

use crate::evaluate::{EvaluateInputs, EvaluateOutputs, evaluate};
use crate::measure::{MeasureInputs, measure};
use crate::report::{ReportInputs, ReportOutputs, report};

/// Evaluates a trained model on the test rows, and writes the report once the model was judged.
pub struct EvaluationAgent {
    evaluation: ToolCaller<MlEvaluation>,
    registry: ToolCaller<ModelRegistry>,
}

impl EvaluationAgent {
    /// The agent that calls those tools.
    pub fn new(evaluation: ToolCaller<MlEvaluation>, registry: ToolCaller<ModelRegistry>) -> Self {
        Self { evaluation, registry }
    }
}

/// Which task it is, and what it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Inputs {
    /// Score the model, and the champion, on the test rows.
    Evaluate(EvaluateInputs),
    /// Measure clusters or coordinates, and the champion's where they can be compared.
    Measure(MeasureInputs),
    /// Write the report.
    Report(Box<ReportInputs>),
}

/// What the next states need, by task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outputs {
    /// After the evaluation.
    Evaluate(EvaluateOutputs),
    /// After the report.
    Report(ReportOutputs),
}

impl Agent for EvaluationAgent {
    const NAME: &'static str = "evaluation";
    type Inputs = Inputs;
    type Outputs = Outputs;

    async fn handle(&self, task: Task<Inputs>, call: &Call) -> Result<TaskResult<Outputs>> {
        let Task { run_id, issue, config, inputs, lang, .. } = task;
        let (tools, registry) = (&self.evaluation, &self.registry);
        let outputs = match inputs {
            Inputs::Evaluate(inputs) => evaluate(tools, registry, &config, &run_id, inputs, call).await?,
            Inputs::Measure(inputs) => measure(tools, registry, &config, &run_id, inputs, call).await?,
            Inputs::Report(inputs) => {
                let outputs = report(tools, &config, issue.as_ref(), &run_id, *inputs, call).await?;
                let hint = lang.pick("remember the run", "実行を記録する");
                return Ok(TaskResult::succeeded::<Self>(run_id, Outputs::Report(outputs), hint));
            }
        };
        let defined = outputs.evidence.metrics.iter().filter_map(|(name, value)| Some((name.clone(), (*value)?)));
        let metrics: BTreeMap<String, f64> = defined.collect();
        let hint = lang.pick("hold the metrics against the gates", "指標をゲートと照らし合わせる");
        let mut result = TaskResult::succeeded::<Self>(run_id, Outputs::Evaluate(outputs), hint);
        result.metrics = metrics;
        Ok(result)
    }
}
