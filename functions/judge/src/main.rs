//! The judge as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_judge::Judge;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_local::{Access, LocalMachine};

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let LocalMachine { settings, store, .. } = LocalMachine::here(settings, Access::HomeOnly)?;
        let store = GuardedStore::of(store, &settings);
        Ok(ClaimChecked::new(Arc::new(Judge), store, settings.store))
    })
}
