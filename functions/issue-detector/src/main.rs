//! The issue detector as a Lambda function: deliveries of GitHub's webhook, and the first task of a run.

use std::process::ExitCode;
use std::sync::Arc;

use agent_issue_detector::{Commands, IssueDetector, Webhook};
use mlops_artifacts::Artifacts;
use mlops_core::ToolCaller;
use mlops_core::ports::Workflows;
use mlops_github_integration::GithubIntegration;
use mlops_history_management::HistoryManagement;
use mlops_host::lambda::{self, Function, HttpResponse};
use mlops_host::{ClaimChecked, GuardedStore};
use mlops_local::{Access, LocalMachine};
use mlops_records::{Approvals, Deliveries, IssueRuns, RunRecords};

const TRAINING: &str = include_str!("../../../statemachine/training.asl.json");
const ROLLBACK: &str = include_str!("../../../statemachine/rollback.asl.json");

fn main() -> ExitCode {
    lambda::http(|settings| {
        let machine = LocalMachine::here(settings, Access::HomeOnly)?;
        // Executions are only recorded here: who walks them has the agents.
        let workflows =
            machine.workflows([]).recording().machine("training", TRAINING)?.machine("rollback", ROLLBACK)?;
        let workflows: Arc<dyn Workflows> = Arc::new(workflows);
        let LocalMachine { settings, store, secrets, code_host, .. } = machine;
        let root = &settings.store;
        let approvals = Approvals::new(Arc::clone(&store), root);
        let store = GuardedStore::of(store, &settings);
        let runs = IssueRuns::new(Arc::clone(&store), root);

        let github = GithubIntegration {
            workflows: Arc::clone(&workflows),
            code_host: Arc::clone(&code_host),
            artifacts: Artifacts::new(Arc::clone(&store), root.clone()),
            secrets,
            requests: settings.requests,
        };
        let history =
            HistoryManagement { runs: RunRecords::new(Arc::clone(&store), root), code_host: Arc::clone(&code_host) };
        let detector = IssueDetector::new(ToolCaller::embedded(github), ToolCaller::embedded(history));
        let commands = Commands::new(detector.clone(), workflows, approvals, runs.clone());
        let deliveries = Deliveries::new(Arc::clone(&store), root);
        let webhook = Webhook::new(detector.clone(), commands, code_host, deliveries, runs);

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
