//! The issue detector as a Lambda function: deliveries of GitHub's webhook.

use std::process::ExitCode;
use std::sync::Arc;

use agent_issue_detector::{Commands, IssueDetector, Webhook};
use mlops_core::ports::{CodeHost, ObjectStore, Secrets, Workflows};
use mlops_core::{Result, Settings, ToolCaller};
use mlops_github_integration::GithubIntegration;
use mlops_host::GuardedStore;
use mlops_host::lambda::{self, Function, HttpResponse};
use mlops_records::{Approvals, Deliveries, IssueRuns};

struct Ports {
    store: Arc<dyn ObjectStore>,
    workflows: Arc<dyn Workflows>,
    code_host: Arc<dyn CodeHost>,
    secrets: Arc<dyn Secrets>,
}

fn main() -> ExitCode {
    lambda::http(|settings| {
        let Ports { store, workflows, code_host, secrets } = ports(&settings)?;
        let root = settings.store.clone();
        let approvals = Approvals::new(Arc::clone(&store), &root);
        let store = GuardedStore::of(store, &settings);
        let runs = IssueRuns::new(Arc::clone(&store), &root);
        let deliveries = Deliveries::new(Arc::clone(&store), &root);

        // Who knocks is looked at here, whatever the settings say about where tools are called.
        let github = GithubIntegration {
            workflows: Some(Arc::clone(&workflows)),
            code_host: Arc::clone(&code_host),
            store,
            root,
            tables: None,
            secrets,
            requests: settings.requests,
        };
        let detector = IssueDetector::new(ToolCaller::embedded(github));
        let commands = Commands::new(detector.clone(), workflows, approvals, runs.clone());
        let webhook = Webhook::new(detector, commands, code_host, deliveries, runs);

        Ok(Function::of_requests(move |request: lambda::HttpRequest, call| {
            let webhook = webhook.clone();
            async move {
                let answer = webhook.answer(&request.headers, &request.body, &call).await;
                Ok(HttpResponse::json(answer.status, &answer.body))
            }
        }))
    })
}

#[cfg(feature = "aws")]
fn ports(settings: &Settings) -> Result<Ports> {
    use mlops_core::ports::SystemClock;
    let aws = mlops_aws_environment::AwsEnvironment::from_variables()?;
    let secrets: Arc<dyn Secrets> =
        Arc::new(mlops_aws_secretsmanager::SecretsManager::new(&aws, Arc::new(SystemClock)));
    let machines = settings.cloud.state_machines.clone();
    Ok(Ports {
        store: Arc::new(mlops_aws_s3::S3Store::new(&aws, settings.cloud.kms_key.clone())),
        workflows: Arc::new(mlops_aws_stepfunctions::StepFunctions::new(&aws, machines)?),
        code_host: Arc::new(mlops_github::Github::new(&settings.github, Arc::clone(&secrets))?),
        secrets,
    })
}

#[cfg(not(feature = "aws"))]
fn ports(settings: &Settings) -> Result<Ports> {
    use mlops_local::{Access, LocalMachine};
    let machine = LocalMachine::here(settings.clone(), Access::HomeOnly)?;
    // Executions are only recorded here: who walks them has the agents.
    let workflows = machine
        .workflows([])
        .recording()
        .machine("training", include_str!("../../../statemachine/training.asl.json"))?
        .machine("rollback", include_str!("../../../statemachine/rollback.asl.json"))?;
    let LocalMachine { store, secrets, code_host, .. } = machine;
    Ok(Ports { store, workflows: Arc::new(workflows), code_host, secrets })
}
