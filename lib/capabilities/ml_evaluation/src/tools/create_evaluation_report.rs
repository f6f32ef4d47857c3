//! `create_evaluation_report`: an evaluation for people.

use mlops_artifacts::{Artifacts, Kind, run_id};
use mlops_core::values::{ArtifactUri, TaskType};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MlEvaluation;
use crate::evaluation::{Evaluation, FORMAT};
use crate::reduction;
use crate::report::document::Material;
use crate::report::{self, DataFacts, Decided, Decision, Requested};
use crate::storing::Folder;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// The name of the document in which training tells of a reduction.
const REDUCTION: &str = "reduction.json";

/// Write the report of an evaluation for people: what was asked, found and decided, how good it is against guessing, where
/// the model errs, what matters most, and what limits the conclusions. One self-contained HTML page, Markdown, JSON with
/// every number of the page, and a short form for a comment.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEvaluationReport {
    /// The `evaluation.json` that `evaluate_classifier`, `evaluate_regressor` or `evaluate_clustering` wrote, or the
    /// `reduction.json` that `train_unsupervised_dimensionality_reduction` wrote.
    pub evaluation_uri: ArtifactUri,
    /// The title; made from the model's name or its target when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub title: Option<String>,
    /// What was decided, when something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decided>,
    /// What was asked for.
    #[serde(default)]
    pub request: Requested,
    /// Facts of the data and of training that the evaluation does not know.
    #[serde(default)]
    pub data: DataFacts,
    /// The run whose folder the files go to; that of the evaluation when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The language; that of the call when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// Makes the report and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Where the report lies.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct EvaluationReport {
    /// The page: one file that asks for nothing else.
    pub html_uri: String,
    /// The report as Markdown.
    pub markdown_uri: String,
    /// Everything that the page shows, as JSON.
    pub json_uri: String,
    /// The short form in Markdown, at most 10,000 characters, for a comment on an issue.
    pub comment: String,
    /// The title.
    pub title: String,
    /// What was decided; null when nothing was.
    pub decision: Option<Decision>,
    /// The first thing that was found, in one sentence.
    pub finding: String,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl Tool for CreateEvaluationReport {
    const NAME: &'static str = "create_evaluation_report";
    const TITLE: &'static str = "Create an evaluation report";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlEvaluation;
    type Output = EvaluationReport;

    async fn run(self, room: &MlEvaluation, call: &Call) -> Result<EvaluationReport> {
        let artifacts = &room.artifacts;
        if self.title.as_ref().is_some_and(|title| title.chars().count() > LONGEST_TITLE || title.trim().is_empty()) {
            return Err(Error::invalid_input(format!("a title has 1 to {LONGEST_TITLE} characters")).at("title"));
        }
        let evaluation = read(artifacts, &self.evaluation_uri).await.map_err(|error| error.at_or("evaluation_uri"))?;
        check(&evaluation, &self.evaluation_uri)?;
        let run_id = match (&self.run_id, &call.run_id) {
            (None, None) => run_id(Some(&evaluation.run_id), call, &(), &[])?,
            (given, _) => run_id(given.as_deref(), call, &(), &[])?,
        };
        let folder_run = run_id.clone();
        let (request, data, decided, title) = (self.request, self.data, self.decision, self.title);
        let lang = self.lang.unwrap_or(call.lang);
        let (document, html, markdown) = call
            .compute(move |_| {
                let material = Material {
                    evaluation: &evaluation,
                    title: title.as_deref(),
                    requested: &request,
                    decided: decided.as_ref(),
                    data: &data,
                    run_id: &run_id,
                    lang,
                };
                let document = report::build(&material);
                let (html, markdown) = (report::html(&document)?, report::markdown(&document)?);
                Ok((document, html, markdown))
            })
            .await?;
        call.check()?;
        let folder = Folder { artifacts, kind: Kind::Reports, run_id: &folder_run, dry_run: self.dry_run };
        let json_uri = folder.json("report.json", &document).await?;
        let markdown_uri = folder.bytes("report.md", markdown.into_bytes()).await?;
        let html_uri = folder.bytes("report.html", html.into_bytes()).await?;
        Ok(EvaluationReport {
            comment: report::comment(&document, &html_uri),
            html_uri,
            markdown_uri,
            json_uri,
            decision: document.verdict.decision,
            finding: document.found.first().map(|sentence| sentence.text.clone()).unwrap_or_default(),
            title: document.title,
            dry_run: self.dry_run,
        })
    }
}

/// Reads the document of an evaluation, or what training found about a reduction.
async fn read(artifacts: &Artifacts, uri: &ArtifactUri) -> Result<Evaluation> {
    if uri.file_name() == REDUCTION {
        return artifacts.read_reduction(uri).await.map(reduction::evaluation);
    }
    artifacts.read_json(uri).await
}

/// Refuses a document of another format, or one whose parts do not fit together.
fn check(evaluation: &Evaluation, uri: &ArtifactUri) -> Result<()> {
    let wrong = |what: &str| {
        Err(Error::invalid_input(format!("{uri} {what}"))
            .at("evaluation_uri")
            .hint("name the evaluation.json that an evaluate_ tool wrote, or the reduction.json of a reduction"))
    };
    if evaluation.format != FORMAT {
        return wrong(&format!("has format {}; this version reads format {FORMAT}", evaluation.format));
    }
    let details = [
        (TaskType::Classification, evaluation.classification.is_some()),
        (TaskType::Regression, evaluation.regression.is_some()),
        (TaskType::Clustering, evaluation.clustering.is_some()),
        (TaskType::DimensionalityReduction, evaluation.reduction.is_some()),
    ];
    if details.into_iter().any(|(task, is_there)| is_there != (task == evaluation.task)) {
        return wrong("does not have the details of its own task, and those alone");
    }
    Ok(())
}

impl Report for EvaluationReport {
    fn summary(&self, lang: Lang) -> String {
        match lang {
            Lang::En => format!("{}: {}", self.title, self.finding),
            Lang::Ja => format!("{}：{}", self.title, self.finding),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run {
            return Vec::new();
        }
        vec![
            ArtifactLink::new(self.html_uri.as_str(), "report.html"),
            ArtifactLink::new(self.markdown_uri.as_str(), "report.md"),
            ArtifactLink::new(self.json_uri.as_str(), "report.json"),
        ]
    }
}
