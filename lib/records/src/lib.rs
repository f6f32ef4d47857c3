//! Append-only records over an object store: the versions of models, what people are asked, and the
//! history of runs.
//!
//! Nothing is overwritten that a person may ask for later: versions and run records are created under the next free
//! number, and what changes (aliases, statuses) is one small document that is swapped only by who read its last state.

mod approvals;
mod deliveries;
mod issue_runs;
mod registry;
mod runs;
mod sent;
mod state;
mod status;
mod version;

pub use approvals::{Answered, Approval, Approvals, NewApproval};
pub use deliveries::{Deliveries, Repeat};
pub use issue_runs::IssueRuns;
pub use registry::{Changed, Registered, Registry};
pub use runs::{RecordedRun, RunApproval, RunDecision, RunModel, RunRecord, RunRecords, RunSmoke, RunStage, RunStatus};
pub use sent::{Sending, Sent};
pub use state::{Change, How, State, StateChange};
pub use status::ModelStatus;
pub use version::{ExportedFile, GoldenRows, ModelVersion, NewVersion};

use mlops_core::{Error, Result};

/// Checks a name that becomes part of a key: 1 to 64 of `A–Z a–z 0–9 . _ -`, not beginning with a dot.
pub fn check_name(field: &str, name: &str) -> Result<()> {
    if mlops_core::masking::mask_text(name) != name {
        return Err(
            Error::invalid_input(format!("`{field}` looks like a secret: it would be written into records")).at(field)
        );
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(fits) {
        let shown: String = name.chars().take(80).collect();
        let message =
            format!("`{field}` must be 1 to 64 letters, digits, dots, dashes or underscores, and is `{shown}`");
        return Err(Error::invalid_input(message).at(field));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for name in ["", "..", ".hidden", "a/b", "a b", "ペンギン", &"x".repeat(65)] {
            assert_eq!(check_name("model_name", name).unwrap_err().field.as_deref(), Some("model_name"), "{name}");
        }
        check_name("model_name", "penguins-v2.1_a").unwrap();
        let token = format!("ghp_{}", "a1".repeat(18));
        assert!(!check_name("model_name", &token).unwrap_err().message.contains(&token));
    }
}
