//! The local platform, put together: the only place that chooses its adapters.

use std::path::PathBuf;
use std::sync::Arc;

use agent_data_preparation::DataPreparationAgent;
use agent_evaluation::EvaluationAgent;
use agent_history_writer::HistoryWriter;
use agent_issue_detector::{Commands, IssueDetector, Webhook};
use agent_judge::Judge;
use agent_notification::NotificationAgent;
use agent_planner::Planner;
use agent_rollback::RollbackAgent;
use agent_training::TrainingAgent;
use mcp_endpoint::{Ports, Rooms};
use mlops_artifacts::Artifacts;
use mlops_core::arguments::nearest;
use mlops_core::ports::{Execution, ObjectStore, Secrets, Workflows};
use mlops_core::{AgentHandler, Audit, Call, Error, ErrorKind, Result, Settings, ToolCaller};
use mlops_host::remote::Callers;
use mlops_host::{ClaimChecked, GuardedStore, Toolbox};
use mlops_local::{Access, LocalMachine, LocalWorkflows};
use mlops_records::{Approvals, Deliveries, IssueRuns, Sent};
use secrecy::SecretString;

use crate::driver::DrivenWorkflows;

/// The name of the state machine that trains.
pub const TRAINING_MACHINE: &str = "training";
/// The name of the state machine that rolls back.
pub const ROLLBACK_MACHINE: &str = "rollback";

const TRAINING: &str = include_str!("../../../statemachine/training.asl.json");
const ROLLBACK: &str = include_str!("../../../statemachine/rollback.asl.json");

/// Who gives the orders: that decides which files they may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The user of this machine, at the command line or over stdio: every file that this user can read.
    Owner,
    /// Whoever reaches a port: the store and the buckets that the settings name.
    Others,
}

/// Everything that the commands need.
pub struct Platform {
    /// The settings of this process.
    pub settings: Settings,
    /// Where artifacts and records lie.
    pub store: Arc<dyn ObjectStore>,
    /// Where audit lines go.
    pub audit: Arc<dyn Audit>,
    /// The secrets.
    pub secrets: Arc<dyn Secrets>,
    /// The state machines.
    pub workflows: LocalWorkflows,
    /// Reads issues and starts runs.
    pub issue_detector: IssueDetector,
    /// Approves, rejects, retries, cancels and rolls back.
    pub commands: Commands,
    /// Answers deliveries of GitHub's webhook.
    pub webhook: Webhook,
    /// The questions that wait for a person.
    pub approvals: Approvals,
    /// Looks at tables without running anything.
    pub artifacts: Artifacts,
    /// Every tool.
    pub toolbox: Arc<Toolbox>,
    /// Runs that the tool `start_workflow` has started.
    started: DrivenWorkflows,
    agents: Vec<Arc<dyn AgentHandler>>,
}

impl Platform {
    /// The platform that the environment describes.
    pub fn from_environment(audience: Audience) -> Result<Self> {
        let working_directory = std::env::current_dir()
            .map_err(|error| Error::unavailable("the working directory is not there").caused_by(error))?;
        let settings = Settings::from_variables(|name| std::env::var(name).ok(), &working_directory)?;
        Self::new(settings, working_directory, audience)
    }

    /// The platform of those settings; relative paths resolve against the working directory.
    pub fn new(settings: Settings, working_directory: PathBuf, audience: Audience) -> Result<Self> {
        let access = match audience {
            Audience::Owner => Access::Anywhere,
            Audience::Others => Access::HomeOnly,
        };
        let machine = LocalMachine::new(settings, working_directory, access)?;
        let LocalMachine { settings, store, audit, secrets, code_host, repositories, topics, mailer } = machine.clone();
        let approvals = Approvals::new(Arc::clone(&store), &settings.store);
        let store = match audience {
            Audience::Owner => store,
            Audience::Others => GuardedStore::of(store, &settings),
        };
        let rooms = |workflows: Arc<dyn Workflows>| {
            let (store, code_host, secrets) = (Arc::clone(&store), Arc::clone(&code_host), Arc::clone(&secrets));
            let (mailer, repositories) = (Arc::clone(&mailer), Arc::clone(&repositories));
            Rooms::new(&settings, Ports { store, workflows, code_host, repositories, mailer, secrets })
        };
        let artifacts = Artifacts::new(Arc::clone(&store), settings.store.clone());
        let callers = Callers::new(&settings, &secrets);
        let issue_runs = IssueRuns::new(Arc::clone(&store), &settings.store);

        // No task of a run starts another.
        let recorded: Arc<dyn Workflows> = Arc::new(
            machine
                .workflows([])
                .recording()
                .machine(TRAINING_MACHINE, TRAINING)?
                .machine(ROLLBACK_MACHINE, ROLLBACK)?,
        );
        let own = rooms(recorded);
        let registry = callers.of(own.registry)?;
        let history = callers.of(own.history)?;
        let (training, evaluation) = (callers.of(own.training)?, callers.of(own.evaluation)?);
        let agents: [Arc<dyn AgentHandler>; 8] = [
            Arc::new(Planner::new(callers.of(own.github)?, history.clone())),
            Arc::new(DataPreparationAgent::new(callers.of(own.data)?, artifacts.clone())),
            Arc::new(TrainingAgent::new(training, registry.clone())),
            Arc::new(EvaluationAgent::new(evaluation, registry.clone())),
            Arc::new(Judge),
            Arc::new(HistoryWriter::new(history, &settings.github)),
            Arc::new(NotificationAgent {
                tools: callers.of(own.notification)?,
                topics,
                sent: Sent::new(Arc::clone(&machine.store), &settings.store),
                approvals: approvals.clone(),
            }),
            Arc::new(RollbackAgent::new(registry)),
        ];
        let agents: Vec<Arc<dyn AgentHandler>> = agents
            .into_iter()
            .map(|agent| -> Arc<dyn AgentHandler> {
                Arc::new(ClaimChecked::new(agent, Arc::clone(&store), settings.store.clone()))
            })
            .collect();
        let workflows = machine
            .workflows(agents.iter().cloned())
            .machine(TRAINING_MACHINE, TRAINING)?
            .machine(ROLLBACK_MACHINE, ROLLBACK)?;

        let started = DrivenWorkflows::new(workflows.clone());
        let toolbox = rooms(Arc::new(started.clone())).toolbox();
        let walked: Arc<dyn Workflows> = Arc::new(workflows.clone());
        let front = rooms(Arc::clone(&walked));
        let issue_detector = IssueDetector::new(ToolCaller::embedded(front.github));
        let commands = Commands::new(issue_detector.clone(), walked, approvals.clone(), issue_runs.clone());
        let deliveries = Deliveries::new(Arc::clone(&store), &settings.store);
        Ok(Self {
            webhook: Webhook::new(issue_detector.clone(), commands.clone(), code_host, deliveries, issue_runs),
            artifacts,
            toolbox: Arc::new(toolbox),
            settings,
            store,
            audit,
            secrets,
            workflows,
            issue_detector,
            commands,
            approvals,
            started,
            agents,
        })
    }

    /// A call on behalf of that front door.
    pub fn call(&self, agent_id: &str) -> Call {
        let now = jiff::Timestamp::now().as_microsecond();
        let call = Call::new(format!("{agent_id}-{}-{now:x}", std::process::id())).by(agent_id);
        call.in_lang(self.settings.lang).audited_by(Arc::clone(&self.audit))
    }

    /// The key of the MCP endpoint; `None` when none was set.
    pub async fn api_key(&self) -> Result<Option<SecretString>> {
        api_key(&*self.secrets).await
    }

    /// Waits for the runs that tools have started in this process.
    pub async fn finish_started_runs(&self) {
        self.started.finish().await;
    }

    /// The names of the agents that take tasks.
    pub fn agent_names(&self) -> Vec<&'static str> {
        self.agents.iter().map(|agent| agent.name()).collect()
    }

    /// The agent of that name, written with dashes or underscores.
    pub fn agent(&self, name: &str) -> Result<&dyn AgentHandler> {
        let wanted = name.replace('-', "_");
        self.agents.iter().find(|agent| agent.name() == wanted).map(|agent| &**agent).ok_or_else(|| {
            let names = self.agent_names();
            let error = Error::not_found(format!("there is no agent `{name}`; there are: {}", names.join(", ")));
            match nearest(&wanted, names) {
                Some(near) => error.at("name").hint(format!("did you mean `{near}`?")),
                None => error.at("name"),
            }
        })
    }

    /// The run of that id, or the only one whose id begins so.
    pub async fn find_run(&self, name: &str) -> Result<Execution> {
        match self.workflows.describe(name).await {
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::InvalidInput) => {}
            found => return found,
        }
        let runs = self.workflows.list(TRAINING_MACHINE, usize::MAX).await?;
        let mut fitting: Vec<&Execution> = runs.iter().filter(|run| run.name.starts_with(name)).collect();
        match (fitting.pop(), fitting.len()) {
            (Some(only), 0) => Ok(only.clone()),
            (Some(_), more) => {
                Err(Error::invalid_input(format!("{} runs begin with `{name}`", more + 1)).hint("give the whole id"))
            }
            (None, _) => Err(Error::not_found(format!("there is no run `{name}`")).hint("list them with `mlops runs`")),
        }
    }
}

async fn api_key(secrets: &dyn Secrets) -> Result<Option<SecretString>> {
    match secrets.secret("mlops/mcp-api-key").await {
        Ok(key) => Ok(Some(key)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
