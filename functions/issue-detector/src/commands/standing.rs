//! How a run stands.

use std::collections::BTreeSet;

use mlops_core::ports::{Execution, HistoryEvent};
use mlops_core::{Call, Result};
use serde_json::json;

use super::{CommandOutcome, Commands, done};
use crate::replies::{Reply, Standing};

impl Commands {
    /// Where the run is, how it ended, and whether it waits for a person.
    pub(super) async fn status(&self, execution: Execution, call: &Call) -> Result<CommandOutcome> {
        let history = self.workflows.history(&execution.name).await?;
        let state = open_state(&history);
        let waits = execution.ended.is_none()
            && self.approvals.find(&execution.name).await?.is_some_and(|approval| approval.answer.is_none());
        let output = execution.output.as_ref();
        let decision = output.and_then(|output| output["decision"].as_str()).map(str::to_owned);
        let details = json!({
            "machine": execution.machine, "status": execution.status, "state": state, "started": execution.started,
            "ended": execution.ended, "error": execution.error, "cause": execution.cause, "decision": decision,
            "waits_for_approval": waits,
        });
        let standing =
            Standing { execution: &execution, state: state.as_deref(), decision: decision.as_deref(), waits };
        Ok(done(&execution.name, &Reply::Stands(standing), details, call.lang))
    }
}

/// The state that was entered last and was not left.
fn open_state(history: &[HistoryEvent]) -> Option<String> {
    let mut left = BTreeSet::new();
    for event in history.iter().rev() {
        let Some(state) = &event.state else { continue };
        if event.kind.ends_with("StateExited") {
            left.insert(state.clone());
        } else if event.kind.ends_with("StateEntered") && !left.contains(state) {
            return Some(state.clone());
        }
    }
    None
}
