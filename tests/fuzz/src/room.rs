//! A machine in a temporary folder, made anew now and then so that a long search does not fill the disk.

use std::sync::Arc;

use async_trait::async_trait;
use mlops_artifacts::Artifacts;
use mlops_core::ports::Secrets;
use mlops_core::settings::RequestSettings;
use mlops_core::{Result, Settings};
use mlops_github_integration::GithubIntegration;
use mlops_local::{Access, LocalMachine, LocalWorkflows};
use secrecy::SecretString;
use tempfile::TempDir;

/// The secret of the webhook.
pub(crate) const SECRET: &str = "between us";

const MACHINE: &str = r#"{"QueryLanguage": "JSONata", "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#;

struct OneSecret;

#[async_trait]
impl Secrets for OneSecret {
    async fn secret(&self, _: &str) -> Result<SecretString> {
        Ok(SECRET.into())
    }
}

/// A machine and the room of the tools that read issues.
pub(crate) struct Room {
    pub(crate) machine: LocalMachine,
    pub(crate) workflows: LocalWorkflows,
    pub(crate) artifacts: Artifacts,
    pub(crate) github: Arc<GithubIntegration>,
    _folder: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let home = folder.path().display().to_string();
        let settings = Settings::from_variables(|name| (name == "MLOPS_HOME").then(|| home.clone()), folder.path());
        let mut machine = LocalMachine::new(settings.unwrap(), folder.path().to_owned(), Access::HomeOnly).unwrap();
        machine.secrets = Arc::new(OneSecret);
        let workflows = machine.workflows([]).machine("training", MACHINE).unwrap();
        let artifacts = Artifacts::new(Arc::clone(&machine.store), machine.settings.store.clone());
        let github = GithubIntegration {
            workflows: Some(Arc::new(workflows.clone())),
            code_host: Arc::clone(&machine.code_host),
            store: Arc::clone(&machine.store),
            root: machine.settings.store.clone(),
            tables: None,
            secrets: Arc::clone(&machine.secrets),
            requests: RequestSettings::default(),
        };
        let github = Arc::new(github.with_tables());
        Self { machine, workflows, artifacts, github, _folder: folder }
    }
}

/// Something that is made anew after so many uses.
pub(crate) struct Renewed<T> {
    make: fn() -> T,
    value: Option<(T, u32)>,
}

impl<T> Renewed<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self { make, value: None }
    }

    pub(crate) fn get(&mut self) -> &T {
        if self.value.as_ref().is_some_and(|(_, uses)| *uses >= 2_000) {
            self.value = None;
        }
        let (value, uses) = self.value.get_or_insert_with(|| ((self.make)(), 0));
        *uses += 1;
        value
    }
}

/// The requests of the examples, and some of each other form.
pub(crate) fn issues() -> Vec<String> {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |path: &str| std::fs::read_to_string(format!("{repository}/{path}")).unwrap();
    vec![
        read("examples/penguins-classification.md"),
        read("examples/penguins-regression-ja.md"),
        "### Task\n\nclassification\n\n### Dataset\n\ns3://b/k.csv\n\n### Target column\n\n_No response_\n".to_owned(),
        "---\ntask: regression\ndataset_s3_uri: s3://b/k.parquet\ntarget_column: y\nalgorithm: auto\n---\nPlease."
            .to_owned(),
        r#"{"task": "classification", "dataset_s3_uri": "x.csv", "target_column": "y", "algorithm": "random_forest",
            "hyperparameters": {"n_estimators": 10, "max_depth": null}, "gates": {"accuracy": {"min": 0.9}}}"#
            .to_owned(),
        "```yaml mlops\na: &a {task: classification}\nb: *a\nsplit: {train: 0.7, validation: 0.15, test: 0.15}\n```"
            .to_owned(),
    ]
}
