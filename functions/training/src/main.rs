//! Training as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_training::TrainingAgent;
use mlops_artifacts::Artifacts;
use mlops_core::ToolCaller;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_local::{Access, LocalMachine};
use mlops_ml_training::MlTraining;
use mlops_model_registry::ModelRegistry;

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let LocalMachine { settings, store, .. } = LocalMachine::here(settings, Access::HomeOnly)?;
        let store = GuardedStore::of(store, &settings);
        let artifacts = Artifacts::new(Arc::clone(&store), settings.store.clone());
        let training = ToolCaller::embedded(MlTraining { artifacts: artifacts.clone() });
        let registry = ToolCaller::embedded(ModelRegistry::new(artifacts));
        let agent = TrainingAgent::new(training, registry);
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}
