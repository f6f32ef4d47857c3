//! `evaluate_clustering`: how well the clusters of rows are told apart.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::Interval;
use mlops_artifacts::{Kind, LoadedUnsupervised, ReadOptions, UnsupervisedModel, run_id};
use mlops_core::values::ArtifactUri;
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evaluate_classifier::{links, usual_confidence, usual_seed, yes};
use crate::clustering_run::{self, ClusteringRequest};
use crate::evaluation::{Evaluation, PlotFile};
use crate::labels::Labels;
use crate::storing::{self, Folder};
use crate::{Comparison, MlEvaluation};

/// The most clusters that a result describes; the document has more.
const CLUSTERS: usize = 100;

/// Measure how well the clusters of rows are told apart: silhouette with its interval, Davies–Bouldin, Calinski–Harabasz,
/// sizes and noise, and with a column of known groups the adjusted Rand index and the normalised mutual information. If
/// asked, another clustering is measured on the same rows. Writes evaluation.json, the clusters and plots. Data may be raw:
/// the model brings its preprocessor.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateClustering {
    /// Where the model lies, as `train_unsupervised_clustering` gave it.
    pub model_s3_uri: ArtifactUri,
    /// Where the rows lie: raw columns, or columns that the model's own preprocessor made.
    #[serde(alias = "test_data_s3_uri", alias = "dataset_s3_uri")]
    #[schemars(extend("x-aliases" = ["test_data_s3_uri", "dataset_s3_uri"]))]
    pub data_s3_uri: ArtifactUri,
    /// The clusters of these very rows, as `train_unsupervised_clustering` gave them. Without it the model says the cluster of
    /// each row; hdbscan cannot, and needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_s3_uri: Option<ArtifactUri>,
    /// A column of the data that holds known groups, which the clusters are held against. Rows without a group are left out
    /// of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth_column: Option<String>,
    /// Another clustering, such as the champion, whose clusters of the same rows are measured and compared, in the features
    /// of the first model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_model_s3_uri: Option<ArtifactUri>,
    /// Whether plots are drawn as PNG and SVG.
    #[serde(default = "yes")]
    pub generate_plots: bool,
    /// The confidence level of intervals and tests, above 0 and below 1.
    #[serde(default = "usual_confidence")]
    pub confidence: f64,
    /// The seed of resampling.
    #[serde(default = "usual_seed")]
    pub seed: u64,
    /// The run whose folder the files go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Measures and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The metrics of a clustering; null where one is not defined, and `undefined` says why.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClusteringScores {
    /// The mean silhouette, from -1 to 1; higher is better.
    pub silhouette: Option<f64>,
    /// The index of Davies and Bouldin; lower is better, 0 is best.
    pub davies_bouldin: Option<f64>,
    /// The index of Calinski and Harabasz; higher is better.
    pub calinski_harabasz: Option<f64>,
    /// The sum of the squared distances of the rows to the mean of their cluster.
    pub inertia: Option<f64>,
    /// The share of rows that belong to no cluster.
    pub noise_ratio: Option<f64>,
    /// The number of clusters that have rows.
    pub num_clusters: Option<f64>,
    /// The adjusted Rand index against the known groups: 1 for the same groups, 0 for what chance gives; null without them.
    pub ari: Option<f64>,
    /// The normalised mutual information with the known groups, 0 to 1; null without them.
    pub nmi: Option<f64>,
}

/// One cluster of a result.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct MeasuredCluster {
    /// Its label.
    pub cluster: u32,
    /// How many rows it has.
    pub rows: u64,
    /// The mean silhouette of its rows; null where none was measured.
    pub silhouette: Option<f64>,
    /// The features that set it apart most, at most three, with how many standard deviations of all rows its mean lies from
    /// that of all rows.
    pub set_apart: BTreeMap<String, f64>,
}

/// How well clusters are told apart.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct EvaluatedClustering {
    /// The metrics.
    pub metrics: ClusteringScores,
    /// The interval of the silhouette, by resampling rows.
    pub intervals: BTreeMap<String, Interval>,
    /// Why a metric is not defined, by name.
    pub undefined: BTreeMap<String, String>,
    /// The clusters that have rows; at most the first hundred.
    pub clusters: Vec<MeasuredCluster>,
    /// The number of rows that belong to no cluster.
    pub noise: u64,
    /// How many rows were measured.
    pub n: usize,
    /// How many rows were left out.
    pub dropped_rows: usize,
    /// By column, how many values were categories that training had not seen.
    pub unseen: BTreeMap<String, usize>,
    /// The number of rows that the silhouette was computed on.
    pub silhouette_rows: u64,
    /// What a reader must know about the numbers.
    pub notes: Vec<String>,
    /// How the clusters compare with those of the other model; null when none was given or it is the same model.
    pub comparison: Option<Comparison>,
    /// Everything as one document, from which `create_evaluation_report` makes the report.
    pub evaluation_uri: String,
    /// The cluster of every row as Parquet: row and cluster.
    pub predictions_uri: String,
    /// The plots.
    pub plots: Vec<PlotFile>,
    /// SHA-256 of the model's bytes.
    pub model_sha256: String,
    /// SHA-256 of the data's bytes.
    pub data_sha256: String,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl Tool for EvaluateClustering {
    const NAME: &'static str = "evaluate_clustering";
    const TITLE: &'static str = "Evaluate a clustering";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlEvaluation;
    type Output = EvaluatedClustering;

    async fn run(self, room: &MlEvaluation, call: &Call) -> Result<EvaluatedClustering> {
        let artifacts = &room.artifacts;
        let model = read(room, &self.model_s3_uri, "model_s3_uri").await?;
        if let (Some(reason), None) = (model.no_place(), &self.labels_s3_uri) {
            return Err(Error::invalid_input(reason)
                .at("labels_s3_uri")
                .hint("give the labels_s3_uri of the training, and the rows that it was given"));
        }
        let other = match &self.baseline_model_s3_uri {
            Some(uri) => Some(read(room, uri, "baseline_model_s3_uri").await?).filter(|of| of.sha256 != model.sha256),
            None => None,
        };
        let data = artifacts.read_table(&self.data_s3_uri, &ReadOptions::default(), call).await;
        let data = data.map_err(|error| error.at_or("data_s3_uri"))?;
        let labels = match &self.labels_s3_uri {
            Some(uri) => Some(Labels::read(artifacts, uri, &data, call).await?),
            None => None,
        };
        let run_id =
            run_id(self.run_id.as_deref(), call, &self, &[model.sha256.as_str(), data.source.sha256.as_str()])?;
        let request =
            ClusteringRequest { truth_column: self.truth_column.clone(), confidence: self.confidence, seed: self.seed };
        let draw = self.generate_plots;
        let (mut evaluated, plots) = call
            .compute(move |call| {
                let evaluated = clustering_run::run(&model, &data, labels.as_ref(), other.as_ref(), &request, call)?;
                let plots = if draw { storing::draw_all(&evaluated.evaluation)? } else { Vec::new() };
                Ok((evaluated, plots))
            })
            .await?;
        let folder = Folder { artifacts, kind: Kind::Evaluations, run_id: &run_id, dry_run: self.dry_run };
        let evaluation_uri = storing::write(&folder, &mut evaluated, plots, call).await?;
        result(evaluated.evaluation, evaluation_uri, self.dry_run)
    }
}

/// Reads a clustering.
async fn read(room: &MlEvaluation, uri: &ArtifactUri, field: &str) -> Result<LoadedUnsupervised> {
    let model = room.artifacts.read_unsupervised(uri).await.map_err(|error| error.at_or(field))?;
    match &model.model {
        UnsupervisedModel::Clustering(_) => Ok(model),
        UnsupervisedModel::Reduction(_) => {
            Err(Error::invalid_input(format!("the model at {uri} is a reduction; a clustering is needed"))
                .at(field)
                .hint("a reduction is measured when it is trained; its reduction.json has what was found"))
        }
    }
}

fn result(evaluation: Evaluation, evaluation_uri: String, dry_run: bool) -> Result<EvaluatedClustering> {
    let detail = evaluation.clustering.ok_or_else(|| Error::internal("a clustering's details are missing"))?;
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    let clusters = detail.clusters.into_iter().take(CLUSTERS).map(|facts| MeasuredCluster {
        cluster: facts.cluster,
        rows: facts.rows,
        silhouette: facts.silhouette,
        set_apart: facts.set_apart.into_iter().collect(),
    });
    Ok(EvaluatedClustering {
        metrics: ClusteringScores {
            silhouette: value("silhouette"),
            davies_bouldin: value("davies_bouldin"),
            calinski_harabasz: value("calinski_harabasz"),
            inertia: value("inertia"),
            noise_ratio: value("noise_ratio"),
            num_clusters: value("num_clusters"),
            ari: value("ari"),
            nmi: value("nmi"),
        },
        intervals: evaluation.intervals,
        undefined: evaluation.undefined,
        clusters: clusters.collect(),
        noise: detail.noise,
        n: evaluation.data.evaluated,
        dropped_rows: evaluation.data.dropped_rows,
        unseen: evaluation.data.unseen,
        silhouette_rows: detail.silhouette_rows,
        notes: evaluation.notes,
        comparison: evaluation.comparison,
        evaluation_uri,
        predictions_uri: evaluation.predictions_uri,
        plots: evaluation.plots,
        model_sha256: evaluation.model.sha256,
        data_sha256: evaluation.data.sha256,
        dry_run,
    })
}

impl Report for EvaluatedClustering {
    fn summary(&self, lang: Lang) -> String {
        let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        let (silhouette, index) = (show(self.metrics.silhouette), show(self.metrics.davies_bouldin));
        let (clusters, n) = (self.metrics.num_clusters.unwrap_or_default(), self.n);
        match lang {
            Lang::En => format!("{clusters} clusters of {n} rows: silhouette {silhouette}, Davies–Bouldin {index}"),
            Lang::Ja => format!("{n} 行、{clusters} 個のクラスタ: シルエット {silhouette}、Davies–Bouldin {index}"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        links(self.dry_run, &self.evaluation_uri, &self.predictions_uri, &self.plots)
    }
}
