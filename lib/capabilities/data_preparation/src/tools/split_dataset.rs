//! `split_dataset`: training, validation and test rows of one table.

use mlops_algorithms::models::Task;
use mlops_algorithms::split::{
    DuplicateLeak, PartCounts, PartDistributions, Split, SplitSpec, SplitStrategy, Strata, split,
};
use mlops_algorithms::table::Table;
use mlops_algorithms::target::Target;
use mlops_artifacts::run_id;
use mlops_artifacts::{Kind, LoadedTable, Manifest, ReadOptions, SplitRole, TableFormat};
use mlops_core::values::{ArtifactUri, SupervisedTask, TaskType};
use mlops_core::{ArtifactLink, Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::writing::Writing;
use crate::{DataPreparation, fault, target_column};

/// Split a table into training, validation and test tables of raw columns, each with a manifest that says what it is
/// for. By chance, by chance within each class (the default for a target of classes), by whole groups, or by time. The
/// result tells the target's distribution in each part and whether equal rows lie on both sides. Split before you
/// preprocess: what is fitted must see training rows only.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitDataset {
    /// Where the table lies: an `s3://` or `file://` URI, or a path.
    #[serde(alias = "uri", alias = "dataset_uri")]
    #[schemars(extend("x-aliases" = ["uri", "dataset_uri"]))]
    pub dataset_s3_uri: ArtifactUri,
    /// The column to predict; it is noted in the manifests. The manifest of the source names it when this does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column: Option<String>,
    /// The share of the rows for training. The three shares sum to 1.
    #[serde(default = "train_share")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub train: f64,
    /// The share of the rows for validation; 0 makes no such part.
    #[serde(default = "held_out_share")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub validation: f64,
    /// The share of the rows for test; 0 makes no such part.
    #[serde(default = "held_out_share")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub test: f64,
    /// What the target is for. With classification every value of the target is a class, however many there are. When
    /// not given: what the manifest of the source says, else what the target looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<SupervisedTask>,
    /// How rows are drawn. When not given: stratified for a target of classes, else random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<SplitStrategy>,
    /// The column of groups for `group`, or of points in time for `time`.
    #[serde(default, alias = "keys", alias = "key", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["keys", "key"]))]
    pub key_column: Option<String>,
    /// The seed of every random choice.
    #[serde(default = "mlops_core::values::default_seed")]
    pub seed: u64,
    /// The format of the three tables; that of the source when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<TableFormat>,
    /// The run whose folder the tables go to; the caller's run, or one made of the arguments, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Computes the split and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

fn train_share() -> f64 {
    0.7
}

fn held_out_share() -> f64 {
    0.15
}

/// The three tables of a split, and what was found when they were compared.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SplitResult {
    /// The training rows.
    pub train_uri: ArtifactUri,
    /// The validation rows; null when their share is 0.
    pub validation_uri: Option<ArtifactUri>,
    /// The test rows; null when their share is 0.
    pub test_uri: Option<ArtifactUri>,
    /// The number of rows in each part.
    pub counts: PartCounts,
    /// The target's distribution in each part; null when no target is known.
    pub distributions: Option<PartDistributions>,
    /// How rows were drawn.
    pub strategy: SplitStrategy,
    /// What the split was stratified by; null for the other strategies.
    pub stratified_by: Option<Strata>,
    /// The seed that was used.
    pub seed: u64,
    /// How many rows lie in more than one part; 0 in a sound split.
    pub overlapping_rows: usize,
    /// How many groups lie in more than one part; null unless the strategy is `group`.
    pub shared_groups: Option<usize>,
    /// Rows that are equal in all features and lie in different parts.
    pub duplicate_leak: DuplicateLeak,
    /// What the reader should know, in plain sentences.
    pub warnings: Vec<String>,
    /// SHA-256 of the source's bytes, in hex.
    pub source_sha256: String,
    /// SHA-256 of each part's bytes; null after a dry run.
    pub sha256: Option<SplitHashes>,
    /// The record of the whole split: its request, its counts and the hashes of its parts.
    pub manifest_uri: ArtifactUri,
    /// SHA-256 of that record, which stands for the whole split; null after a dry run.
    pub manifest_sha256: Option<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The hashes of the parts of a split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SplitHashes {
    /// SHA-256 of the training table's bytes.
    pub train: Option<String>,
    /// SHA-256 of the validation table's bytes; null when there is none.
    pub validation: Option<String>,
    /// SHA-256 of the test table's bytes; null when there is none.
    pub test: Option<String>,
}

/// The record of a split. It holds no place and no time, so that the same split has the same hash.
#[derive(Serialize)]
struct SplitRecord<'a> {
    format: u32,
    source_sha256: &'a str,
    request: &'a SplitSpec,
    counts: PartCounts,
    sha256: &'a SplitHashes,
}

impl Tool for SplitDataset {
    const NAME: &'static str = "split_dataset";
    const TITLE: &'static str = "Split a data set";
    const EFFECT: Effect = Effect::Create;
    type Capability = DataPreparation;
    type Output = SplitResult;

    async fn run(self, room: &DataPreparation, call: &Call) -> Result<SplitResult> {
        let options = ReadOptions::default();
        let read = room.artifacts.read_table(&self.dataset_s3_uri, &options, call).await;
        let data = read.map_err(|error| error.at_or("dataset_s3_uri"))?;
        let spec = self.spec(&data)?;
        let run_id = run_id(self.run_id.as_deref(), call, &self, &[&data.source.sha256])?;
        call.progress(1.0, Some(3.0), "splitting");
        let asked = spec.clone();
        let (data, parts) = call
            .compute(move |_| {
                let parts = split(&data.table, &asked).map_err(|error| fault::of_split(&error))?;
                Ok((data, parts))
            })
            .await?;
        let format = self.format.unwrap_or(data.source.format);
        let place = |name: &str| room.artifacts.place(Kind::Processed, &run_id, name);
        let part_uri = |role: SplitRole| place(&format!("split/{}.{}", role.as_str(), format.as_str()));
        let report = parts.report.clone();
        let mut result = SplitResult {
            train_uri: part_uri(SplitRole::Train),
            validation_uri: (!parts.validation.is_empty()).then(|| part_uri(SplitRole::Validation)),
            test_uri: (!parts.test.is_empty()).then(|| part_uri(SplitRole::Test)),
            counts: report.rows,
            distributions: report.distribution,
            strategy: spec.strategy,
            stratified_by: report.stratified_by,
            seed: spec.seed,
            overlapping_rows: report.overlapping_rows,
            shared_groups: report.shared_groups,
            duplicate_leak: report.duplicate_leak,
            warnings: report.warnings,
            source_sha256: data.source.sha256.clone(),
            sha256: None,
            manifest_uri: place("split/split.json"),
            manifest_sha256: None,
            dry_run: self.dry_run,
        };
        if data.manifest.as_ref().is_some_and(|manifest| manifest.preprocessor_sha256.is_some()) {
            let warning = "the table was preprocessed before the split, so training has learnt from all parts";
            result.warnings.push(warning.to_owned());
        }
        if self.dry_run {
            return Ok(result);
        }
        call.check()?;
        call.progress(2.0, Some(3.0), "writing");
        let mut writing = Writing::to(&room.artifacts);
        let outcome = write(&mut writing, &data, &parts, &spec, format, &mut result).await;
        writing.finish(outcome).await?;
        Ok(result)
    }
}

impl SplitDataset {
    /// The task that was named, else the one that the manifest of the source names.
    fn task(&self, data: &LoadedTable) -> Option<SupervisedTask> {
        self.task_type.or_else(|| data.manifest.as_ref()?.task?.supervised())
    }

    fn spec(&self, data: &LoadedTable) -> Result<SplitSpec> {
        let target = target_column::find_or_manifest(data, self.target_column.as_deref())?;
        let task = self.task(data).map(|task| match task {
            SupervisedTask::Classification => Task::Classification,
            SupervisedTask::Regression => Task::Regression,
        });
        let stratify = target.is_some_and(|column| match task {
            Some(task) => task == Task::Classification,
            None => Target::looks_like_classes(&column.values),
        });
        let default = if stratify { SplitStrategy::Stratified } else { SplitStrategy::Random };
        if let Some(key) = &self.key_column {
            target_column::find(data, key, "key_column")?;
        }
        Ok(SplitSpec {
            train: self.train,
            validation: self.validation,
            test: self.test,
            strategy: self.strategy.unwrap_or(default),
            target: target.map(|column| column.name.clone()),
            task,
            key: self.key_column.clone(),
            seed: self.seed,
        })
    }
}

/// Writes the three tables with their manifests, then the record, and notes the hashes in the result.
async fn write(
    writing: &mut Writing<'_>,
    data: &LoadedTable,
    parts: &Split,
    spec: &SplitSpec,
    format: TableFormat,
    result: &mut SplitResult,
) -> Result<()> {
    let mut hashes = SplitHashes::default();
    let places = [
        (SplitRole::Train, Some(&result.train_uri), &parts.train, &mut hashes.train),
        (SplitRole::Validation, result.validation_uri.as_ref(), &parts.validation, &mut hashes.validation),
        (SplitRole::Test, result.test_uri.as_ref(), &parts.test, &mut hashes.test),
    ];
    for (role, uri, rows, hash) in places {
        let Some(uri) = uri else { continue };
        let table = data.table.take(rows);
        let manifest = manifest(data, &table, spec, role);
        *hash = Some(writing.table(uri, &table, format, manifest).await?.sha256);
    }
    let record = SplitRecord {
        format: 1,
        source_sha256: &data.source.sha256,
        request: spec,
        counts: result.counts,
        sha256: &hashes,
    };
    result.manifest_sha256 = Some(writing.json(&result.manifest_uri, &record).await?.sha256);
    result.sha256 = Some(hashes);
    Ok(())
}

/// A part of a table that was preprocessed stays so.
fn manifest(data: &LoadedTable, table: &Table, spec: &SplitSpec, role: SplitRole) -> Manifest {
    let noted = data.manifest.as_ref();
    Manifest {
        format: 1,
        target_column: spec.target.clone(),
        task: spec.task.map(|task| match task {
            Task::Classification => TaskType::Classification,
            Task::Regression => TaskType::Regression,
        }),
        columns: crate::columns::of(table),
        rows: table.num_rows(),
        split_role: Some(role),
        data_sha256: String::new(),
        source_sha256: data.source.sha256.clone(),
        preprocessor_uri: noted.and_then(|manifest| manifest.preprocessor_uri.clone()),
        preprocessor_sha256: noted.and_then(|manifest| manifest.preprocessor_sha256.clone()),
        classes: noted.and_then(|manifest| manifest.classes.clone()),
    }
}

impl Report for SplitResult {
    fn summary(&self, lang: Lang) -> String {
        let PartCounts { train, validation, test } = self.counts;
        match lang {
            Lang::En => format!("split into {train} training, {validation} validation and {test} test rows"),
            Lang::Ja => format!("学習 {train} 行、検証 {validation} 行、テスト {test} 行に分割しました"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run {
            return Vec::new();
        }
        let parts = [
            (Some(&self.train_uri), "training rows"),
            (self.validation_uri.as_ref(), "validation rows"),
            (self.test_uri.as_ref(), "test rows"),
            (Some(&self.manifest_uri), "record of the split"),
        ];
        parts.into_iter().filter_map(|(uri, name)| Some(ArtifactLink::new(uri?.as_str(), name))).collect()
    }
}
