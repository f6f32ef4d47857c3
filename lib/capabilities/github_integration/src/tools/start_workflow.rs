//! Starts the run that a request asks for.

use std::pin::Pin;

use bytes::Bytes;
use mlops_core::ports::{Body, Condition, ExecutionStatus, NewExecution, Workflows};
use mlops_core::values::{ArtifactUri, IssueRef, TrainingConfig};
use mlops_core::{ArtifactLink, Call, Effect, Entry, Error, ErrorKind, Lang, Outcome, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{GithubIntegration, execution};

/// The state machine.
const MACHINE: &str = "training";
/// The largest input of an execution of Step Functions, in bytes of UTF-8.
const LARGEST_INPUT: usize = 256 * 1024;

/// Start the run that a checked request asks for. The run's name follows from the repository, the issue and the request,
/// so the same request is the same run: starting it again starts nothing and says `already_running`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartWorkflow {
    /// The request, as `validate_training_params` gives it in `normalized_config`.
    pub config: TrainingConfig,
    /// The issue that asks for the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_ref: Option<IssueRef>,
    /// The language of results; that of the request when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// The version of the data, such as its hash. The same request for another version is another run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_version: Option<String>,
    /// Whether only to say what would be started.
    #[serde(default)]
    pub dry_run: bool,
}

/// The run as it stands after it was started.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct StartedWorkflow {
    /// The ARN of the execution; null when it was only asked what would be started and there is none.
    pub execution_arn: Option<String>,
    /// The name of the execution, which is the id of the run.
    pub execution_name: String,
    /// Whether an execution of that name was there before, running or ended.
    pub already_running: bool,
    /// Where a person can look at it; null where there is no such place.
    pub console_url: Option<String>,
    /// How the execution stands; null when there is none.
    pub status: Option<ExecutionStatus>,
    /// Where the input lies that was too large for the execution itself; null otherwise.
    pub input_uri: Option<ArtifactUri>,
    /// Whether nothing was started because that was asked.
    pub dry_run: bool,
}

impl Tool for StartWorkflow {
    const NAME: &'static str = "start_workflow";
    const TITLE: &'static str = "Start a training run";
    const EFFECT: Effect = Effect::Create;
    type Capability = GithubIntegration;
    type Output = StartedWorkflow;

    async fn run(self, room: &GithubIntegration, call: &Call) -> Result<StartedWorkflow> {
        let workflows = room.workflows()?;
        let lang = self.lang.unwrap_or(self.config.lang);
        let issue = self.issue_ref.as_ref();
        let name = execution::name(&self.config, issue, lang, self.data_version.as_deref());
        let input = execution::input(&name, &self.config, issue, lang);
        let place = place_of_large(room, &name, &input);
        if self.dry_run {
            return observed(workflows, name, place).await;
        }
        call.check()?;
        let input = match &place {
            Some(place) => claim_check(room, &name, &input, place).await?,
            None => input,
        };
        let execution = NewExecution { machine: MACHINE.to_owned(), name: name.clone(), input };
        let started = workflows.start(execution).await?;
        let execution = workflows.describe(&name).await?;
        Ok(StartedWorkflow {
            execution_arn: Some(execution.execution_arn),
            execution_name: execution.name,
            already_running: started.already_exists,
            console_url: started.console_url,
            status: Some(execution.status),
            input_uri: place,
            dry_run: false,
        })
    }
}

/// The tool's row, which says of a config that is not complete how to complete it.
pub(super) const ENTRY: Entry<GithubIntegration> = Entry { run, ..Entry::of::<StartWorkflow>() };

fn run<'a>(
    room: &'a GithubIntegration,
    call: &'a Call,
    arguments: Value,
) -> Pin<Box<dyn Future<Output = Result<Outcome>> + Send + 'a>> {
    Box::pin(async move { (Entry::of::<StartWorkflow>().run)(room, call, arguments).await.map_err(pointed) })
}

/// The error with a hint at the tool that completes a config, when the config is at fault.
fn pointed(error: Error) -> Error {
    let is_of_config = error.field.as_deref().is_some_and(|field| field == "config" || field.starts_with("config."));
    if error.kind != ErrorKind::InvalidInput || !is_of_config {
        return error;
    }
    let how = "hand the request to `validate_training_params` and give its `normalized_config` as `config`";
    let hint = error.hint.as_ref().map_or_else(|| how.to_owned(), |hint| format!("{hint} {how}"));
    error.hint(hint)
}

/// The run as it stands without being started.
async fn observed(workflows: &dyn Workflows, name: String, input_uri: Option<ArtifactUri>) -> Result<StartedWorkflow> {
    let found = match workflows.describe(&name).await {
        Ok(execution) => Some(execution),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(StartedWorkflow {
        execution_arn: found.as_ref().map(|execution| execution.execution_arn.clone()),
        execution_name: name,
        already_running: found.is_some(),
        console_url: None,
        status: found.map(|execution| execution.status),
        input_uri,
        dry_run: true,
    })
}

/// The place of an input that is too large for an execution.
fn place_of_large(room: &GithubIntegration, name: &str, input: &Value) -> Option<ArtifactUri> {
    let is_large = input.to_string().len() > LARGEST_INPUT;
    is_large.then(|| room.root.join("inputs").join(name).join("input.json"))
}

/// Puts the input into the store and gives one in its place that says where it lies.
async fn claim_check(room: &GithubIntegration, name: &str, input: &Value, place: &ArtifactUri) -> Result<Value> {
    let bytes = Bytes::from(
        serde_json::to_vec(input)
            .map_err(|error| Error::internal("the input could not be written as JSON").caused_by(error))?,
    );
    // The name holds the hash of the input: what lies there already is the same.
    match room.store.put(place, Body::from(bytes), Condition::Absent).await {
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let mut short = json!({"run_id": name, "input_uri": place});
    for key in ["issue", "lang"] {
        if let Some(value) = input.get(key) {
            short[key] = value.clone();
        }
    }
    Ok(short)
}

impl Report for StartedWorkflow {
    fn summary(&self, lang: Lang) -> String {
        let name = &self.execution_name;
        match (self.dry_run, self.already_running) {
            (true, false) => say!(lang, "the run {name} would be started", "実行 {name} を開始します（確認のみ）"),
            (false, false) => say!(lang, "the run {name} was started", "実行 {name} を開始しました"),
            (_, true) => say!(lang, "the run {name} is there already", "実行 {name} はすでに存在します"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        let link = |uri: &ArtifactUri| ArtifactLink::new(uri.as_str(), "input.json");
        self.input_uri.iter().filter(|_| !self.dry_run).map(link).collect()
    }
}
