//! Data preparation as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_data_preparation::DataPreparationAgent;
use mlops_artifacts::Artifacts;
use mlops_core::ToolCaller;
use mlops_data_preparation::DataPreparation;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_local::{Access, LocalMachine};

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let LocalMachine { settings, store, .. } = LocalMachine::here(settings, Access::HomeOnly)?;
        let store = GuardedStore::of(store, &settings);
        let artifacts = Artifacts::new(Arc::clone(&store), settings.store.clone());
        let data = ToolCaller::embedded(DataPreparation { artifacts: artifacts.clone() });
        let agent = DataPreparationAgent::new(data, artifacts);
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}
