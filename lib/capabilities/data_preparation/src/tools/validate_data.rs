//! `validate_data`: checks of a table before anything is learnt from it.

use mlops_algorithms::checks::{self, CheckOptions, CheckResult, Expectation, Severity, TableSchema, Thresholds};
use mlops_artifacts::ReadOptions;
use mlops_core::values::{ArtifactUri, SupervisedTask};
use mlops_core::{Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DataPreparation, fault, inline, target_column};

/// Check a table before anything is learnt from it: missing and infinite values, mixed types, repeated rows, constant and
/// id-like columns, outliers; and, when the target is named, its own values, the size of its classes and columns that
/// give it away. Expectations or a schema that was saved from a result are checked as well. Nothing is changed. An error
/// means that training would fail or its result would mean nothing; a warning is worth a look.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateData {
    /// Where the table lies: an `s3://` or `file://` URI, or a path.
    #[serde(alias = "uri", alias = "dataset_uri")]
    #[schemars(extend("x-aliases" = ["uri", "dataset_uri"]))]
    pub dataset_s3_uri: ArtifactUri,
    /// The column to predict. The table's manifest names it when this does not; without it the checks of the target are
    /// left out.
    #[serde(default, alias = "target", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["target"]))]
    pub target_column: Option<String>,
    /// The kind of learning. When not given, a target of text or of few whole numbers is taken as classes.
    #[serde(default, alias = "task", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["task"]))]
    pub task_type: Option<SupervisedTask>,
    /// Columns that are left out of the checks, because training does not use them.
    #[serde(default, alias = "drop_columns", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-aliases" = ["drop_columns"]))]
    pub ignore_columns: Vec<String>,
    /// What single columns are expected to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<Expectation>,
    /// The `inferred_schema` of an earlier result, which this table should fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<TableSchema>,
    /// The limits of the default checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
}

/// What the checks found.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ValidationResult {
    /// Whether no result is an error.
    pub passed: bool,
    /// From 0 to 1: 1 when nothing was found, less for each warning and more so for each error.
    pub score: f64,
    /// The number of errors.
    pub errors: usize,
    /// The number of warnings.
    pub warnings: usize,
    /// What each check found, errors first, as many as fit into a result.
    pub results: Vec<CheckResult>,
    /// How many further results there are.
    pub results_omitted: usize,
    /// What the columns hold, as many as fit into a result. Save it, and give it as `schema` to check later tables against it.
    pub inferred_schema: TableSchema,
    /// How many further columns there are.
    pub columns_omitted: usize,
    /// The number of rows that were checked.
    pub num_rows: usize,
    /// The target whose checks ran; null when none is known.
    pub target_column: Option<String>,
    /// SHA-256 of the table's bytes.
    pub sha256: String,
}

impl Tool for ValidateData {
    const NAME: &'static str = "validate_data";
    const TITLE: &'static str = "Check a data set";
    const EFFECT: Effect = Effect::Read;
    type Capability = DataPreparation;
    type Output = ValidationResult;

    async fn run(self, room: &DataPreparation, call: &Call) -> Result<ValidationResult> {
        let read = room.artifacts.read_table(&self.dataset_s3_uri, &ReadOptions::default(), call).await;
        let data = read.map_err(|error| error.at_or("dataset_s3_uri"))?;
        let target = target_column::find_or_manifest(&data, self.target_column.as_deref())?;
        let target_column = target.map(|column| column.name.clone());
        let ignored = self.ignore_columns.iter().map(String::as_str).collect::<Vec<_>>();
        for name in &ignored {
            target_column::find(&data, name, "ignore_columns")?;
        }
        let table = data.table.without(&ignored);
        let noted = data.manifest.as_ref().and_then(|manifest| manifest.task?.supervised());
        let options = CheckOptions {
            target: target_column.clone(),
            task: self.task_type.or(noted).map(|task| match task {
                SupervisedTask::Classification => checks::Task::Classification,
                SupervisedTask::Regression => checks::Task::Regression,
            }),
            thresholds: self.thresholds.unwrap_or_default(),
            schema: self.schema,
            expectations: self.expectations,
        };
        let (num_rows, num_columns, sha256) = (table.num_rows(), table.num_columns(), data.source.sha256);
        let found = call.compute(move |_| checks::validate(&table, &options).map_err(fault::of_check)).await?;
        let count = |severity: Severity| found.results.iter().filter(|result| result.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let all = found.results.len();
        let results = inline::within(found.results);
        let mut inferred_schema = found.inferred_schema;
        inferred_schema.columns = inline::within(inferred_schema.columns);
        Ok(ValidationResult {
            passed: found.passed,
            score: found.score,
            errors,
            warnings,
            results_omitted: all - results.len(),
            results,
            columns_omitted: num_columns - inferred_schema.columns.len(),
            inferred_schema,
            num_rows,
            target_column,
            sha256,
        })
    }
}

impl ValidationResult {
    /// Each error as a sentence that names its column.
    pub fn errors(&self) -> Vec<String> {
        self.sentences(Severity::Error)
    }

    /// Each warning as a sentence that names its column.
    pub fn findings(&self) -> Vec<String> {
        self.sentences(Severity::Warning)
    }

    fn sentences(&self, severity: Severity) -> Vec<String> {
        let found = self.results.iter().filter(|result| result.severity == severity);
        let sentence = |result: &CheckResult| match &result.column {
            Some(column) => format!("`{column}`: {}", result.message),
            None => result.message.clone(),
        };
        found.map(sentence).collect()
    }
}

impl Report for ValidationResult {
    fn summary(&self, lang: Lang) -> String {
        let (errors, warnings, score) = (self.errors, self.warnings, self.score);
        match (lang, self.passed) {
            (Lang::En, true) => format!("passed with score {score:.2}: {warnings} warnings"),
            (Lang::En, false) => format!("not passed, score {score:.2}: {errors} errors, {warnings} warnings"),
            (Lang::Ja, true) => format!("合格（スコア {score:.2}、警告 {warnings} 件）"),
            (Lang::Ja, false) => format!("不合格（スコア {score:.2}、エラー {errors} 件、警告 {warnings} 件）"),
        }
    }
}
