//! Evaluation as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_evaluation::EvaluationAgent;
use mlops_artifacts::Artifacts;
#[cfg(feature = "aws")]
use mlops_core::ports::SystemClock;
use mlops_core::ports::{ObjectStore, Secrets};
use mlops_core::{Result, Settings};
use mlops_host::remote::Callers;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_ml_evaluation::MlEvaluation;
use mlops_model_registry::ModelRegistry;

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let (store, secrets) = ports(&settings)?;
        let store = GuardedStore::of(store, &settings);
        let artifacts = Artifacts::new(Arc::clone(&store), settings.store.clone());
        let tools = Callers::new(&settings, &secrets);
        let evaluation = tools.of(MlEvaluation { artifacts: artifacts.clone() })?;
        let registry = tools.of(ModelRegistry::new(artifacts))?;
        let agent = EvaluationAgent::new(evaluation, registry);
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}

#[cfg(feature = "aws")]
fn ports(settings: &Settings) -> Result<(Arc<dyn ObjectStore>, Arc<dyn Secrets>)> {
    let aws = mlops_aws_environment::AwsEnvironment::from_variables()?;
    let store = mlops_aws_s3::S3Store::new(&aws, settings.cloud.kms_key.clone());
    let secrets = mlops_aws_secretsmanager::SecretsManager::new(&aws, Arc::new(SystemClock));
    Ok((Arc::new(store), Arc::new(secrets)))
}

#[cfg(not(feature = "aws"))]
fn ports(settings: &Settings) -> Result<(Arc<dyn ObjectStore>, Arc<dyn Secrets>)> {
    let machine = mlops_local::LocalMachine::here(settings.clone(), mlops_local::Access::HomeOnly)?;
    Ok((machine.store, machine.secrets))
}
