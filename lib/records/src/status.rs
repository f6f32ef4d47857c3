//! Where a version stands, and where it may go from there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// Registered, and nobody has decided yet.
    Pending,
    /// It passed its gates, or a person approved it.
    Approved,
    /// It was decided against.
    Rejected,
    /// It is tried out before it is used.
    Staging,
    /// It is used.
    Production,
    /// It is kept and no longer used.
    Archived,
}

/// Where a version may go from where it stands. What is not here is not allowed.
const TRANSITIONS: [(ModelStatus, &[ModelStatus]); 6] = {
    use ModelStatus::{Approved, Archived, Pending, Production, Rejected, Staging};
    [
        (Pending, &[Approved, Rejected, Staging, Production, Archived]),
        (Staging, &[Approved, Rejected, Production, Archived]),
        (Approved, &[Staging, Production, Rejected, Archived]),
        (Production, &[Approved, Rejected, Archived]),
        (Rejected, &[Pending, Approved, Archived]),
        (Archived, &[Pending]),
    ]
};

impl ModelStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Approved, Self::Rejected, Self::Staging, Self::Production, Self::Archived];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Archived => "archived",
        }
    }

    /// The statuses that a version may go to from this one.
    pub fn next(self) -> &'static [Self] {
        TRANSITIONS.iter().find(|(from, _)| *from == self).map_or(&[], |(_, to)| to)
    }

    /// Whether a version of this status can be pointed at by an alias.
    pub const fn can_be_used(self) -> bool {
        !matches!(self, Self::Rejected | Self::Archived)
    }
}

impl std::fmt::Display for ModelStatus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_wire_and_every_status_has_its_row() {
        for status in ModelStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.to_string());
            assert!(!status.next().is_empty() && !status.next().contains(&status), "{status}");
        }
    }
}
