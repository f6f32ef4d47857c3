//! The judge as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_judge::Judge;
use mlops_core::ports::ObjectStore;
use mlops_core::{Result, Settings};
use mlops_host::{ClaimChecked, GuardedStore, lambda};

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let store = GuardedStore::of(store(&settings)?, &settings);
        Ok(ClaimChecked::new(Arc::new(Judge), store, settings.store))
    })
}

#[cfg(feature = "aws")]
fn store(settings: &Settings) -> Result<Arc<dyn ObjectStore>> {
    let aws = mlops_aws_environment::AwsEnvironment::from_variables()?;
    Ok(Arc::new(mlops_aws_s3::S3Store::new(&aws, settings.cloud.kms_key.clone())))
}

#[cfg(not(feature = "aws"))]
fn store(settings: &Settings) -> Result<Arc<dyn ObjectStore>> {
    Ok(mlops_local::LocalMachine::here(settings.clone(), mlops_local::Access::HomeOnly)?.store)
}
