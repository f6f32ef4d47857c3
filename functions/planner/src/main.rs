//! The planner as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;

use agent_planner::Planner;
use mlops_core::ports::{CodeHost, ObjectStore, Repositories, Secrets};
use mlops_core::{Result, Settings};
use mlops_github_integration::GithubIntegration;
use mlops_history_management::HistoryManagement;
use mlops_host::remote::Callers;
use mlops_host::{ClaimChecked, GuardedStore, lambda};
use mlops_records::RunRecords;

struct Ports {
    store: Arc<dyn ObjectStore>,
    code_host: Arc<dyn CodeHost>,
    repositories: Arc<dyn Repositories>,
    secrets: Arc<dyn Secrets>,
}

fn main() -> ExitCode {
    lambda::agent(|settings| {
        let Ports { store, code_host, repositories, secrets } = ports(&settings)?;
        let store = GuardedStore::of(store, &settings);
        let github = GithubIntegration {
            workflows: None,
            code_host: Arc::clone(&code_host),
            store: Arc::clone(&store),
            root: settings.store.clone(),
            tables: None,
            secrets: Arc::clone(&secrets),
            requests: settings.requests.clone(),
        };
        let runs = RunRecords::new(Arc::clone(&store), &settings.store);
        let history = HistoryManagement { runs, code_host, repositories };
        let tools = Callers::new(&settings, &secrets);
        let agent = Planner::new(tools.of(github.with_tables())?, tools.of(history)?);
        Ok(ClaimChecked::new(Arc::new(agent), store, settings.store))
    })
}

#[cfg(feature = "aws")]
fn ports(settings: &Settings) -> Result<Ports> {
    use mlops_core::ports::SystemClock;
    let aws = mlops_aws_environment::AwsEnvironment::from_variables()?;
    let secrets: Arc<dyn Secrets> =
        Arc::new(mlops_aws_secretsmanager::SecretsManager::new(&aws, Arc::new(SystemClock)));
    let github = mlops_github::Github::new(&settings.github, Arc::clone(&secrets))?;
    Ok(Ports {
        store: Arc::new(mlops_aws_s3::S3Store::new(&aws, settings.cloud.kms_key.clone())),
        code_host: Arc::new(github.clone()),
        repositories: Arc::new(github),
        secrets,
    })
}

#[cfg(not(feature = "aws"))]
fn ports(settings: &Settings) -> Result<Ports> {
    let machine = mlops_local::LocalMachine::here(settings.clone(), mlops_local::Access::HomeOnly)?;
    let mlops_local::LocalMachine { store, code_host, repositories, secrets, .. } = machine;
    Ok(Ports { store, code_host, repositories, secrets })
}
