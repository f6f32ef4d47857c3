//! The local platform, put together: the only place that chooses its adapters.

use std::path::PathBuf;
use std::sync::Arc;

use agent_data_preparation::DataPreparationAgent;
use agent_evaluation::EvaluationAgent;
use agent_history_writer::HistoryWriter;
use agent_issue_detector::IssueDetector;
use agent_judge::Judge;
use agent_notification::NotificationAgent;
use agent_training::TrainingAgent;
use mlops_artifacts::Artifacts;
use mlops_core::arguments::nearest;
use mlops_core::ports::{Execution, ObjectStore, Workflows};
use mlops_core::{AgentHandler, Audit, Call, Error, ErrorKind, Result, Settings, ToolCaller};
use mlops_data_preparation::DataPreparation;
use mlops_github_integration::GithubIntegration;
use mlops_history_management::HistoryManagement;
use mlops_host::Toolbox;
use mlops_local::{Access, FileCodeHost, FileSecrets, FileStore, JsonLines, LocalWorkflows, Outbox};
use mlops_ml_evaluation::MlEvaluation;
use mlops_ml_training::MlTraining;
use mlops_model_registry::ModelRegistry;
use mlops_notification::Notification;
use mlops_records::RunRecords;

use crate::driver::DrivenWorkflows;

/// The name of the state machine that trains.
pub const TRAINING_MACHINE: &str = "training";

const TRAINING_DEFINITION: &str = include_str!("../../../statemachine/training.asl.json");

/// Everything that the commands need.
pub struct Platform {
    /// The settings of this process.
    pub settings: Settings,
    /// Where artifacts and records lie.
    pub store: Arc<dyn ObjectStore>,
    /// Where audit lines go.
    pub audit: Arc<dyn Audit>,
    /// The secrets.
    pub secrets: FileSecrets,
    /// The state machines.
    pub workflows: LocalWorkflows,
    /// Reads issues and starts runs.
    pub issue_detector: IssueDetector,
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
    pub fn from_environment() -> Result<Self> {
        let working_directory = std::env::current_dir()
            .map_err(|error| Error::unavailable("the working directory is not there").caused_by(error))?;
        let settings = Settings::from_variables(|name| std::env::var(name).ok(), &working_directory)?;
        Self::new(settings, working_directory)
    }

    /// The platform of those settings; relative paths resolve against the working directory.
    pub fn new(settings: Settings, working_directory: PathBuf) -> Result<Self> {
        let home = settings.home.clone();
        let store: Arc<dyn ObjectStore> = Arc::new(FileStore::new(&home, working_directory, Access::Anywhere));
        let audit: Arc<dyn Audit> = Arc::new(JsonLines::new(&home));
        let artifacts = Artifacts::new(Arc::clone(&store), settings.store.clone());
        let runs = RunRecords::new(Arc::clone(&store), &settings.store);

        let data = Arc::new(DataPreparation { artifacts: artifacts.clone() });
        let training = Arc::new(MlTraining { artifacts: artifacts.clone() });
        let evaluation = Arc::new(MlEvaluation { artifacts: artifacts.clone() });
        let registry = Arc::new(ModelRegistry::new(artifacts.clone()));
        let history = Arc::new(HistoryManagement { runs });
        let notification = Arc::new(Notification);

        let registry_tools = ToolCaller::embedded(Arc::clone(&registry));
        let agents: Vec<Arc<dyn AgentHandler>> = vec![
            Arc::new(DataPreparationAgent::new(ToolCaller::embedded(Arc::clone(&data)), artifacts.clone())),
            Arc::new(TrainingAgent::new(ToolCaller::embedded(Arc::clone(&training)), registry_tools.clone())),
            Arc::new(EvaluationAgent::new(ToolCaller::embedded(Arc::clone(&evaluation)), registry_tools)),
            Arc::new(Judge),
            Arc::new(HistoryWriter { tools: ToolCaller::embedded(Arc::clone(&history)) }),
            Arc::new(NotificationAgent {
                tools: ToolCaller::embedded(Arc::clone(&notification)),
                messenger: Arc::new(Outbox::new(&home)),
            }),
        ];
        let call = Call::new("workflows").audited_by(Arc::clone(&audit)).in_lang(settings.lang);
        let workflows = LocalWorkflows::new(&home, agents.iter().cloned())
            .calling(call)
            .machine(TRAINING_MACHINE, TRAINING_DEFINITION)?;
        let started = DrivenWorkflows::new(workflows.clone());
        let github = |workflows: Arc<dyn Workflows>| {
            let code_host = Arc::new(FileCodeHost::new(&home));
            Arc::new(GithubIntegration { workflows, code_host, artifacts: artifacts.clone() })
        };
        let toolbox = Toolbox::default()
            .with(&github(Arc::new(started.clone())), mlops_github_integration::tools::TOOLS)
            .with(&data, mlops_data_preparation::tools::TOOLS)
            .with(&training, mlops_ml_training::tools::TOOLS)
            .with(&evaluation, mlops_ml_evaluation::tools::TOOLS)
            .with(&notification, mlops_notification::tools::TOOLS)
            .with(&history, mlops_history_management::tools::TOOLS)
            .with(&registry, mlops_model_registry::tools::TOOLS);
        Ok(Self {
            secrets: FileSecrets::from_environment(settings.secrets_file.clone()),
            issue_detector: IssueDetector::new(ToolCaller::embedded(github(Arc::new(workflows.clone())))),
            toolbox: Arc::new(toolbox),
            settings,
            store,
            audit,
            workflows,
            artifacts,
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
