//! The issue detector as a Lambda function: deliveries of GitHub's webhook, and the first task of a run.

use std::process::ExitCode;
use std::sync::Arc;

use agent_issue_detector::{Commands, IssueDetector, Webhook};
use mlops_artifacts::Artifacts;
use mlops_core::ports::{CodeHost, ObjectStore, Repositories, Secrets, Workflows};
use mlops_core::{Result, Settings, ToolCaller};
use mlops_github_integration::GithubIntegration;
use mlops_history_management::HistoryManagement;
use mlops_host::lambda::{self, Function, HttpResponse};
use mlops_host::remote::Callers;
use mlops_host::{ClaimChecked, GuardedStore};
use mlops_records::{Approvals, Deliveries, IssueRuns, RunRecords};

struct Ports {
    store: Arc<dyn ObjectStore>,
    workflows: Arc<dyn Workflows>,
    code_host: Arc<dyn CodeHost>,
    repositories: Arc<dyn Repositories>,
    secrets: Arc<dyn Secrets>,
}

fn main() -> ExitCode {
    lambda::http(|settings| {
        let Ports { store, workflows, code_host, repositories, secrets } = ports(&settings)?;
        let root = &settings.store;
        let approvals = Approvals::new(Arc::clone(&store), root);
        let store = GuardedStore::of(store, &settings);
        let runs = IssueRuns::new(Arc::clone(&store), root);

        let github = Arc::new(GithubIntegration {
            workflows: Arc::clone(&workflows),
            code_host: Arc::clone(&code_host),
            artifacts: Artifacts::new(Arc::clone(&store), root.clone()),
            secrets: Arc::clone(&secrets),
            requests: settings.requests.clone(),
        });
        let history = Arc::new(HistoryManagement {
            runs: RunRecords::new(Arc::clone(&store), root),
            code_host: Arc::clone(&code_host),
            repositories,
        });
        // Who knocks is looked at here; what a run asks for may be done elsewhere.
        let door =
            IssueDetector::new(ToolCaller::embedded(Arc::clone(&github)), ToolCaller::embedded(Arc::clone(&history)));
        let tools = Callers::new(&settings, &secrets);
        let detector = IssueDetector::new(tools.of(github)?, tools.of(history)?);
        let commands = Commands::new(door.clone(), workflows, approvals, runs.clone());
        let deliveries = Deliveries::new(Arc::clone(&store), root);
        let webhook = Webhook::new(door, commands, code_host, deliveries, runs);

        let answer = move |request: lambda::HttpRequest, call| {
            let webhook = webhook.clone();
            async move {
                let answer = webhook.answer(&request.headers, &request.body, &call).await;
                Ok(HttpResponse::json(answer.status, &answer.body))
            }
        };
        let tasks = ClaimChecked::new(Arc::new(detector), store, settings.store);
        Ok(Function::of_requests(answer).with_tasks(tasks))
    })
}

#[cfg(feature = "aws")]
fn ports(settings: &Settings) -> Result<Ports> {
    use mlops_core::ports::SystemClock;
    let aws = mlops_aws_environment::AwsEnvironment::from_variables()?;
    let secrets: Arc<dyn Secrets> =
        Arc::new(mlops_aws_secretsmanager::SecretsManager::new(&aws, Arc::new(SystemClock)));
    let github = mlops_github::Github::new(&settings.github, Arc::clone(&secrets))?;
    let machines = settings.cloud.state_machines.clone();
    Ok(Ports {
        store: Arc::new(mlops_aws_s3::S3Store::new(&aws, settings.cloud.kms_key.clone())),
        workflows: Arc::new(mlops_aws_stepfunctions::StepFunctions::new(&aws, machines)?),
        code_host: Arc::new(github.clone()),
        repositories: Arc::new(github),
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
    let LocalMachine { store, secrets, code_host, repositories, .. } = machine;
    Ok(Ports { store, workflows: Arc::new(workflows), code_host, repositories, secrets })
}
