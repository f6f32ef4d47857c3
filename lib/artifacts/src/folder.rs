//! The folders of the store, one for each kind of artifact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an artifact is; it names the folder that the artifact lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Tables that were split or prepared, and what prepared them.
    Processed,
    /// Models.
    Models,
    /// What an evaluation found.
    Evaluations,
    /// Reports for people.
    Reports,
    /// Records of runs.
    History,
    /// Registered data sets.
    Datasets,
    /// Messages to people.
    Notifications,
}

impl Kind {
    /// The name of the folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Models => "models",
            Self::Evaluations => "evaluations",
            Self::Reports => "reports",
            Self::History => "history",
            Self::Datasets => "datasets",
            Self::Notifications => "notifications",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
