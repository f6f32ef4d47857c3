//! The history writer as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_history_writer::HistoryWriter;
use mlops_history_management::HistoryManagement;
use mlops_host::remote::Callers;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_local::{Access, LocalMachine};
use mlops_records::RunRecords;

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let LocalMachine { settings, store, code_host, secrets, .. } = LocalMachine::here(settings, Access::HomeOnly)?;
        let store = GuardedStore::of(store, &settings);
        let runs = RunRecords::new(Arc::clone(&store), &settings.store);
        let tools = Callers::new(&settings, &secrets).of(HistoryManagement { runs, code_host })?;
        let agent = HistoryWriter { tools };
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}
