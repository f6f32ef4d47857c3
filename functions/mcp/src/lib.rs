//! The MCP endpoint: every room of the fleet, and all their tools in one toolbox.

use std::sync::Arc;

use mlops_artifacts::Artifacts;
use mlops_core::Settings;
use mlops_core::ports::{CodeHost, Mailer, ObjectStore, Repositories, Secrets, Workflows};
use mlops_data_preparation::DataPreparation;
use mlops_github_integration::GithubIntegration;
use mlops_history_management::HistoryManagement;
use mlops_host::Toolbox;
use mlops_ml_evaluation::MlEvaluation;
use mlops_ml_training::MlTraining;
use mlops_model_registry::ModelRegistry;
use mlops_notification::Notification;
use mlops_records::RunRecords;

/// What the rooms are given of a platform.
pub struct Ports {
    /// Where artifacts and records lie.
    pub store: Arc<dyn ObjectStore>,
    /// Where runs are started.
    pub workflows: Arc<dyn Workflows>,
    /// Issues and comments.
    pub code_host: Arc<dyn CodeHost>,
    /// Repositories.
    pub repositories: Arc<dyn Repositories>,
    /// Carries mail.
    pub mailer: Arc<dyn Mailer>,
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
}

/// Every room of the fleet.
pub struct Rooms {
    /// Issues and runs.
    pub github: Arc<GithubIntegration>,
    /// Tables.
    pub data: Arc<DataPreparation>,
    /// Models.
    pub training: Arc<MlTraining>,
    /// How good models are.
    pub evaluation: Arc<MlEvaluation>,
    /// Messages.
    pub notification: Arc<Notification>,
    /// What was done.
    pub history: Arc<HistoryManagement>,
    /// Versions of models.
    pub registry: Arc<ModelRegistry>,
}

impl Rooms {
    /// The rooms over those ports.
    pub fn new(settings: &Settings, ports: Ports) -> Self {
        let Ports { store, workflows, code_host, repositories, mailer, secrets } = ports;
        let artifacts = Artifacts::new(Arc::clone(&store), settings.store.clone());
        let notification = Notification::new(settings, Arc::clone(&store), mailer, Arc::clone(&code_host));
        let runs = RunRecords::new(Arc::clone(&store), &settings.store);
        let github = GithubIntegration {
            workflows: Some(workflows),
            code_host: Arc::clone(&code_host),
            store,
            root: settings.store.clone(),
            tables: None,
            secrets,
            requests: settings.requests.clone(),
        };
        Self {
            github: Arc::new(github.with_tables()),
            data: Arc::new(DataPreparation { artifacts: artifacts.clone() }),
            training: Arc::new(MlTraining { artifacts: artifacts.clone() }),
            evaluation: Arc::new(MlEvaluation { artifacts: artifacts.clone() }),
            notification: Arc::new(notification),
            history: Arc::new(HistoryManagement { runs, code_host, repositories }),
            registry: Arc::new(ModelRegistry::new(artifacts)),
        }
    }

    /// All their tools.
    pub fn toolbox(&self) -> Toolbox {
        Toolbox::default()
            .with(&self.github, mlops_github_integration::tools::TOOLS)
            .with(&self.data, mlops_data_preparation::tools::TOOLS)
            .with(&self.training, mlops_ml_training::tools::TOOLS)
            .with(&self.evaluation, mlops_ml_evaluation::tools::TOOLS)
            .with(&self.notification, mlops_notification::tools::TOOLS)
            .with(&self.history, mlops_history_management::tools::TOOLS)
            .with(&self.registry, mlops_model_registry::tools::TOOLS)
    }
}
