//! The agent that evaluates a trained model against the champion, and writes the report.

mod agent;
mod champion;
mod evaluate;
mod evidence;
mod measure;
mod report;

pub use agent::{EvaluationAgent, Inputs, Outputs};
pub use evaluate::{EvaluateInputs, EvaluateOutputs};
pub use evidence::{Champion, Comparison, Evidence, Interval};
pub use measure::MeasureInputs;
pub use report::{ReportInputs, ReportOutputs};

#[cfg(test)]
mod tests;
