//! Rollback as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_rollback::RollbackAgent;
use mlops_artifacts::Artifacts;
use mlops_core::ToolCaller;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_local::{Access, LocalMachine};
use mlops_model_registry::ModelRegistry;

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let LocalMachine { settings, store, .. } = LocalMachine::here(settings, Access::HomeOnly)?;
        let store = GuardedStore::of(store, &settings);
        let artifacts = Artifacts::new(Arc::clone(&store), settings.store.clone());
        let agent = RollbackAgent::new(ToolCaller::embedded(ModelRegistry::new(artifacts)));
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}
