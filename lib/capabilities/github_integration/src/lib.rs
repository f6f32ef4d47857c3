//! Issues: webhooks verified and understood, requests read, checked with every error at once, and started as a run.
//!
//! [`tools::DetectMlopsIssue`] says what a webhook or an issue asks for, [`tools::ParseIssueConfig`] finds the request in
//! the text of an issue, [`tools::ValidateTrainingParams`] checks it and writes out the defaults, and
//! [`tools::StartWorkflow`] starts the run that it asks for.

/// A text with its arguments captured, in the language that people read.
macro_rules! say {
    ($lang:expr, $en:literal, $ja:literal) => {
        match $lang {
            mlops_core::Lang::En => format!($en),
            mlops_core::Lang::Ja => format!($ja),
        }
    };
}

mod capability;
mod check;
mod detection;
mod estimate;
mod execution;
mod findings;
mod intent;
mod keys;
mod markup;
mod metric_names;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod payloads;
mod refusal;
mod seen;
mod slash_command;
mod structure_estimate;
mod tables;
pub mod tools;
mod webhook;

pub use capability::GithubIntegration;
pub use estimate::Estimate;
pub use findings::{ConfigError, DefaultApplied, Notice};
pub use intent::{Intent, Signal};
pub use markup::{Format, Lines, Span, UnknownKey, language_of};
pub use metric_names::{METRICS, Metric};
pub use refusal::refused;
pub use seen::{SeenClass, SeenData, SeenTarget};
pub use slash_command::CommandArguments;
pub use tables::{FirstRows, Tables};
pub use webhook::LARGEST_DELIVERY;
