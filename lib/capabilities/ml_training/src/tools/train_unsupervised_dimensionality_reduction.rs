//! `train_unsupervised_dimensionality_reduction`: rows described by fewer numbers.

use std::collections::BTreeMap;

use mlops_algorithms::reduction::{Reducer, ReductionModel};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::drawing::scatter::{self, Point, Words};
use mlops_artifacts::{
    Artifacts, CARD_FORMAT, Kind, REDUCTION_FORMAT, ReductionRecord, UnsupervisedCard, UnsupervisedModel, run_id,
};
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, TaskType};
use mlops_core::{ArtifactLink, Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::train_unsupervised_clustering::{manifest, write_described};
use crate::MlTraining;
use crate::estimate::TrainingEstimate;
use crate::importance::{FeatureImportance, highest};
use crate::reduction_job::{NEIGHBOURS, Reduced, ReductionRequest, reduce};
use crate::request::check_job_name;
use crate::rows::{Rows, Source};
use crate::signature::signature_of;

/// Describe rows by fewer numbers, and measure how well these keep what the features say. `pca` and `umap` have a
/// transform for new rows; `tsne` has none: it places only the rows that it is given, so its model cannot be used on others.
/// Give it the table that `preprocess_unsupervised` made; its manifest names the preprocessor, which travels inside the
/// model. Writes the model, the coordinates of every row, a scatter plot and everything that was found as one document.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainUnsupervisedDimensionalityReduction {
    /// The method.
    pub algorithm: Reducer,
    /// The rows: an `s3://` or `file://` URI, or a path.
    #[serde(alias = "dataset_s3_uri")]
    #[schemars(extend("x-aliases" = ["dataset_s3_uri"]))]
    pub train_data_s3_uri: ArtifactUri,
    /// How many numbers describe a row; 2 when neither this nor `variance` is given. `tsne` takes 1 to 3, `umap` 1 to 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub n_components: Option<usize>,
    /// For `pca`: as few components as explain more than this share of the variance, above 0 and below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<f64>,
    /// Hyperparameters by the names of scikit-learn and umap-learn, such as `perplexity` or `n_neighbors`; their defaults
    /// hold for the others.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hyperparameters: Map<String, Value>,
    /// The name of the training: letters, digits, `-`, `_` and `.`, at most 63; the method's when not given. It names the
    /// model's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub training_job_name: Option<String>,
    /// The preprocessor that goes into the model: the one of the manifest when not given. Raw columns are made into
    /// features with it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_uri: Option<ArtifactUri>,
    /// The seed of every random choice, unless the hyperparameters have a `random_state`.
    #[serde(default = "mlops_core::values::default_seed")]
    pub seed: u64,
    /// The run whose folder the files go to; the caller's run, or one made of the arguments, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Reduces and measures, and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A reduction.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct TrainedReduction {
    /// Where the model lies.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of the model's bytes; null after a dry run.
    pub model_sha256: Option<String>,
    /// The coordinates of every row as Parquet: `row` (its position in the table, from 0), `component_1`, `component_2` …
    pub transformed_s3_uri: ArtifactUri,
    /// SHA-256 of the coordinates' bytes; null after a dry run.
    pub transformed_sha256: Option<String>,
    /// Everything that was found as one document, from which `create_evaluation_report` makes the report.
    pub reduction_uri: ArtifactUri,
    /// The scatter plot of the first two coordinates as SVG.
    pub scatter_plot_uri: ArtifactUri,
    /// The method.
    pub algorithm: Reducer,
    /// How well the coordinates keep what the features say.
    pub metrics: ReductionMetrics,
    /// Why a metric is not defined, by name.
    pub undefined: BTreeMap<String, String>,
    /// The share of the variance along each component, the largest first; null but for pca.
    pub explained_variance_ratio: Option<Vec<f64>>,
    /// The fifty features that weigh most in the components; empty but for pca.
    pub feature_importance: Vec<FeatureImportance>,
    /// The number of columns of the coordinates.
    pub num_components: usize,
    /// The number of features.
    pub num_features: usize,
    /// The number of rows that were reduced.
    pub train_rows: usize,
    /// The number of rows that were left out because a value is missing.
    pub dropped_rows: usize,
    /// Whether the model has a transform for rows that it was not fitted to. t-SNE has none.
    pub has_transform: bool,
    /// Every hyperparameter with the value that held.
    pub hyperparameters: Map<String, Value>,
    /// The names of those that were not given.
    pub defaults_applied: Vec<String>,
    /// The seed that held.
    pub seed: u64,
    /// SHA-256 of the preprocessor inside the model; null when it has none.
    pub preprocessor_sha256: Option<String>,
    /// What fitting was expected to take.
    pub estimate: TrainingEstimate,
    /// What the reader should know, in plain sentences.
    pub warnings: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// How well coordinates keep what the features say. A metric is null where the method has none, or where it is not defined;
/// `undefined` says why.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ReductionMetrics {
    /// The share of the variance that the components explain, 0 to 1; null but for pca.
    pub explained_variance: Option<f64>,
    /// The mean squared difference between the features and what the components say of them; null but for pca.
    pub reconstruction_error: Option<f64>,
    /// The Kullback–Leibler divergence in nats, lower is better; null but for tsne.
    pub kl_divergence: Option<f64>,
    /// Whether the 5 nearest rows on the map are near among the features: at most 1, the best.
    pub trustworthiness: Option<f64>,
    /// Whether the 5 nearest rows among the features are near on the map: at most 1, the best.
    pub continuity: Option<f64>,
    /// The share of the 5 nearest rows among the features that are among the 5 nearest on the map.
    pub preservation: Option<f64>,
    /// Seconds from features in memory to the finished coordinates.
    pub training_time_seconds: f64,
}

impl Tool for TrainUnsupervisedDimensionalityReduction {
    const NAME: &'static str = "train_unsupervised_dimensionality_reduction";
    const TITLE: &'static str = "Reduce dimensions";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlTraining;
    type Output = TrainedReduction;

    async fn run(self, room: &MlTraining, call: &Call) -> Result<TrainedReduction> {
        let name = self.training_job_name.clone().unwrap_or_else(|| self.algorithm.to_string());
        check_job_name(&name)?;
        let request = ReductionRequest {
            algorithm: self.algorithm,
            n_components: self.n_components,
            variance: self.variance,
            hyperparameters: self.hyperparameters.clone(),
            seed: self.seed,
        };
        let parameters = request.parameters()?;
        let seed = parameters.random_state().unwrap_or(request.seed);
        let source = Source::read(room, call, &self.train_data_s3_uri, self.preprocessor_uri.as_ref()).await?;
        let run_id = run_id(self.run_id.as_deref(), call, &self, &[source.data.source.sha256.as_str()])?;
        let place = |file: &str| room.artifacts.place(Kind::Models, &run_id, &format!("{name}/{file}"));
        let (source, rows, reduced, parameters) = call
            .compute(move |call| {
                let rows = source.rows(call)?;
                let reduced = reduce(&rows, &parameters, seed, call)?;
                Ok((source, rows, reduced, parameters))
            })
            .await?;
        let metric = |name: &str| reduced.metrics.get(name).copied().flatten();
        let model = &reduced.reduction.model;
        let weights = rows.names.iter().filter_map(|name| reduced.importance.get(name).copied()).collect::<Vec<_>>();
        let importance = if weights.is_empty() { Vec::new() } else { highest(&rows.names, &weights) };
        let mut result = TrainedReduction {
            model_s3_uri: place("model.tar.gz"),
            model_sha256: None,
            transformed_s3_uri: place("transformed.parquet"),
            transformed_sha256: None,
            reduction_uri: place("reduction.json"),
            scatter_plot_uri: place("scatter.svg"),
            algorithm: self.algorithm,
            metrics: ReductionMetrics {
                explained_variance: metric("explained_variance"),
                reconstruction_error: metric("reconstruction_error"),
                kl_divergence: metric("kl_divergence"),
                trustworthiness: metric("trustworthiness"),
                continuity: metric("continuity"),
                preservation: metric("preservation"),
                training_time_seconds: reduced.seconds,
            },
            undefined: reduced.undefined.clone(),
            explained_variance_ratio: model.explained_variance_ratio().map(<[f64]>::to_vec),
            feature_importance: importance,
            num_components: model.num_components(),
            num_features: rows.names.len(),
            train_rows: rows.kept.len(),
            dropped_rows: source.data.table.num_rows() - rows.kept.len(),
            has_transform: !matches!(model, ReductionModel::Tsne(_)),
            hyperparameters: parameters.resolved().clone(),
            defaults_applied: parameters.defaults_applied().iter().map(ToString::to_string).collect(),
            seed,
            preprocessor_sha256: source.preprocessor.as_ref().map(|hashed| hashed.sha256.clone()),
            estimate: reduced.estimate,
            warnings: reduced.warnings.clone(),
            dry_run: self.dry_run,
        };
        if self.dry_run {
            return Ok(result);
        }
        // From here on everything is written, what was found last: a call that is cancelled has written nothing or all of it.
        call.check()?;
        write(&room.artifacts, &mut result, &source, (rows, reduced), &run_id).await?;
        Ok(result)
    }
}

/// Writes coordinates, plot, model and document, the document last, and notes the hashes in the result.
async fn write(
    artifacts: &Artifacts,
    result: &mut TrainedReduction,
    source: &Source,
    (rows, reduced): (Rows, Reduced),
    run_id: &str,
) -> Result<()> {
    let table = coordinates(&rows.kept, &reduced);
    let manifest = manifest(&table, TaskType::DimensionalityReduction, source);
    let written = write_described(artifacts, &result.transformed_s3_uri, &table, manifest).await?;
    result.transformed_sha256 = Some(written.sha256);
    let place = &result.scatter_plot_uri;
    let drawn = picture(result.algorithm, result.num_components, &reduced.points);
    artifacts.write_bytes(place, drawn, Condition::None).await?;
    let preprocessor = source.preprocessor.as_ref().map(|hashed| &hashed.preprocessor);
    let card = UnsupervisedCard {
        format: CARD_FORMAT,
        task: TaskType::DimensionalityReduction,
        algorithm: result.algorithm.to_string(),
        feature_names: rows.names.clone(),
        signature: signature_of(&rows.names, preprocessor, "coordinates"),
        outputs: result.num_components,
        fitted_rows: result.train_rows,
        hyperparameters: result.hyperparameters.clone(),
        metrics: reduced.metrics.iter().filter_map(|(name, value)| Some((name.clone(), (*value)?))).collect(),
        k_search: None,
        seed: result.seed,
        train_sha256: source.data.source.sha256.clone(),
        preprocessor: preprocessor.cloned(),
        preprocessor_sha256: result.preprocessor_sha256.clone(),
        weights_sha256: String::new(),
        library_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let library_version = card.library_version.clone();
    let model = UnsupervisedModel::Reduction(reduced.reduction.model);
    let written = artifacts.write_unsupervised(&result.model_s3_uri, card, &model).await?;
    let record = ReductionRecord {
        format: REDUCTION_FORMAT,
        run_id: run_id.to_owned(),
        model_uri: written.uri.to_string(),
        model_sha256: written.sha256.clone(),
        algorithm: result.algorithm.to_string(),
        feature_names: rows.names,
        num_components: result.num_components,
        hyperparameters: result.hyperparameters.clone(),
        seed: result.seed,
        preprocessor_sha256: result.preprocessor_sha256.clone(),
        library_version,
        data_uri: source.data.source.uri.to_string(),
        data_sha256: source.data.source.sha256.clone(),
        source_sha256: source.data.manifest.as_ref().map(|manifest| manifest.source_sha256.clone()),
        read: source.data.source.notes.clone(),
        rows: source.data.table.num_rows(),
        fitted_rows: result.train_rows,
        unseen: rows.unseen,
        metrics: reduced.metrics,
        undefined: reduced.undefined,
        explained_variance_ratio: result.explained_variance_ratio.clone(),
        feature_importance: reduced.importance,
        n_neighbors: NEIGHBOURS,
        measured_rows: reduced.measured_rows,
        has_transform: result.has_transform,
        points: reduced.points,
        transformed_uri: result.transformed_s3_uri.to_string(),
        plot_uri: result.scatter_plot_uri.to_string(),
    };
    artifacts.write_json(&result.reduction_uri, &record).await?;
    result.model_sha256 = Some(written.sha256);
    Ok(())
}

fn coordinates(kept: &[usize], reduced: &Reduced) -> Table {
    let row = Values::Number { values: kept.iter().map(|&row| row as f64).collect(), kind: NumberKind::Integer };
    let components = reduced.reduction.coordinates.columns().into_iter().enumerate();
    let components = components.map(|(index, values)| Column {
        name: format!("component_{}", index + 1),
        values: Values::Number { values: values.to_vec(), kind: NumberKind::Float },
    });
    Table { columns: [Column { name: "row".to_owned(), values: row }].into_iter().chain(components).collect() }
}

fn picture(algorithm: Reducer, components: usize, points: &[[f64; 2]]) -> String {
    let points = points.iter().map(|&at| Point { at, group: -1 }).collect::<Vec<_>>();
    let title = format!("The rows on a map of {}", algorithm.display_name());
    let y = if components > 1 { "Component 2" } else { "" };
    scatter::draw(&points, Words { title: &title, line: "Each point is a row", x: "Component 1", y })
}

impl Report for TrainedReduction {
    fn summary(&self, lang: Lang) -> String {
        let (name, from, to) = (self.algorithm.display_name(), self.num_features, self.num_components);
        let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        let trust = share(self.metrics.trustworthiness);
        let own = match (lang, self.metrics.explained_variance, self.metrics.kl_divergence) {
            (Lang::En, Some(value), _) => format!("explained variance {value:.4}, "),
            (Lang::Ja, Some(value), _) => format!("説明された分散 {value:.4}、"),
            (Lang::En, _, Some(value)) => format!("KL divergence {value:.4}, "),
            (Lang::Ja, _, Some(value)) => format!("KL ダイバージェンス {value:.4}、"),
            _ => String::new(),
        };
        let transform = match (lang, self.has_transform) {
            (_, true) => "",
            (Lang::En, false) => "; it has no transform for other rows",
            (Lang::Ja, false) => "。他の行を変換することはできません",
        };
        match lang {
            Lang::En => format!("{name} describes {from} features by {to}: {own}trustworthiness {trust}{transform}"),
            Lang::Ja => format!("{name} が {from} 個の特徴量を {to} 個にまとめました: {own}信頼性 {trust}{transform}"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run {
            return Vec::new();
        }
        let files = [
            (&self.model_s3_uri, "trained model"),
            (&self.transformed_s3_uri, "coordinates of each row"),
            (&self.scatter_plot_uri, "scatter plot"),
            (&self.reduction_uri, "what was found"),
        ];
        files.into_iter().map(|(uri, name)| ArtifactLink::new(uri.as_str(), name)).collect()
    }
}
