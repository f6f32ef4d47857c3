//! `train_unsupervised_clustering`: groups of rows that nobody has labelled.

use std::collections::BTreeMap;

use mlops_algorithms::clustering::{Clusterer, KSearch, SearchCriterion};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::drawing::k_search;
use mlops_artifacts::{
    Artifacts, CARD_FORMAT, Kind, Manifest, ManifestColumn, TableFormat, UnsupervisedCard, UnsupervisedModel, Written,
    run_id,
};
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, TaskType};
use mlops_core::{ArtifactLink, Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::MlTraining;
use crate::clustering_job::{ClusterRequest, Clustered, cluster};
use crate::estimate::TrainingEstimate;
use crate::request::check_job_name;
use crate::rows::{Rows, Source};
use crate::signature::signature_of;

/// The most clusters whose sizes go into a result.
const SIZES: usize = 1000;

/// Find groups of rows that nobody has labelled, and measure how well they are told apart. Give it the table that
/// `preprocess_unsupervised` made; its manifest names the preprocessor, which travels inside the model. Without `k`, numbers
/// of clusters are compared and the best is kept. Writes the model, the cluster of every row, and a plot of the
/// comparison. The same data, parameters and seed give the same bytes.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainUnsupervisedClustering {
    /// The algorithm: `kmeans`, `minibatch_kmeans` and `gaussian_mixture` take a number of clusters, `dbscan` and `hdbscan`
    /// find it.
    pub algorithm: Clusterer,
    /// The rows: an `s3://` or `file://` URI, or a path.
    #[serde(alias = "dataset_s3_uri")]
    #[schemars(extend("x-aliases" = ["dataset_s3_uri"]))]
    pub train_data_s3_uri: ArtifactUri,
    /// The number of clusters, at most the number of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub k: Option<usize>,
    /// The first and the last number of clusters to compare, at most 100 numbers. When neither this nor `k` is given, 2 to
    /// 10 are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k_range: Option<[usize; 2]>,
    /// By what the number of clusters is chosen; the silhouette when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<SearchCriterion>,
    /// The radius of a neighbourhood of `dbscan`, above 0; 0.5 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f64>,
    /// Hyperparameters by scikit-learn's names, such as `min_samples` or `covariance_type`; scikit-learn's defaults hold for
    /// the others.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hyperparameters: Map<String, Value>,
    /// The name of the training: letters, digits, `-`, `_` and `.`, at most 63; the algorithm's when not given. It names the
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
    /// Clusters and measures, and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A clustering.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct TrainedClustering {
    /// Where the model lies.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of the model's bytes; null after a dry run.
    pub model_sha256: Option<String>,
    /// The cluster of every row as Parquet: `row` (its position in the table, from 0), `cluster` (-1 for noise), and
    /// `probability` for hdbscan and mixtures.
    pub labels_s3_uri: ArtifactUri,
    /// SHA-256 of the labels' bytes; null after a dry run.
    pub labels_sha256: Option<String>,
    /// The algorithm.
    pub algorithm: Clusterer,
    /// How well the clusters are told apart.
    pub metrics: ClusteringMetrics,
    /// Why a metric is not defined, by name.
    pub undefined: BTreeMap<String, String>,
    /// The number of clusters.
    pub num_clusters: usize,
    /// The number of rows of each cluster, in the order of the labels; at most the first thousand.
    pub sizes: Vec<u64>,
    /// The number of rows that belong to no cluster.
    pub noise: u64,
    /// The share of rows that belong to no cluster.
    pub noise_ratio: f64,
    /// The numbers of clusters that were compared; null when one was given or the algorithm finds it.
    pub k_search: Option<KSearch>,
    /// The plot of the comparison as SVG; null without one.
    pub k_search_plot_uri: Option<ArtifactUri>,
    /// The number of features.
    pub num_features: usize,
    /// The number of rows that were clustered.
    pub train_rows: usize,
    /// The number of rows that were left out because a value is missing.
    pub dropped_rows: usize,
    /// Every hyperparameter with the value that held.
    pub hyperparameters: Map<String, Value>,
    /// The names of those that were not given.
    pub defaults_applied: Vec<String>,
    /// The seed that held.
    pub seed: u64,
    /// How many iterations were done; null for an algorithm that does not iterate.
    pub iterations: Option<usize>,
    /// Whether they reached the tolerance; null for an algorithm that does not iterate.
    pub converged: Option<bool>,
    /// Whether the model can give rows that it was not fitted to a cluster.
    pub predicts: bool,
    /// SHA-256 of the preprocessor inside the model; null when it has none.
    pub preprocessor_sha256: Option<String>,
    /// What fitting was expected to take.
    pub estimate: TrainingEstimate,
    /// What the reader should know, in plain sentences.
    pub warnings: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// How well clusters are told apart, on the rows that are not noise. A metric is null where it is not defined, as for one
/// cluster alone; `undefined` says why.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClusteringMetrics {
    /// The mean silhouette, from -1 to 1; higher is better.
    pub silhouette: Option<f64>,
    /// The index of Davies and Bouldin; lower is better, 0 is best.
    pub davies_bouldin: Option<f64>,
    /// The index of Calinski and Harabasz; higher is better.
    pub calinski_harabasz: Option<f64>,
    /// The sum of the squared distances of the rows to the mean of their cluster.
    pub inertia: Option<f64>,
    /// The share of rows that belong to no cluster.
    pub noise_ratio: f64,
    /// The Bayesian information criterion, lower is better; null but for mixtures.
    pub bic: Option<f64>,
    /// The Akaike information criterion, lower is better; null but for mixtures.
    pub aic: Option<f64>,
    /// Seconds from features in memory to the finished clustering, a comparison of numbers included.
    pub training_time_seconds: f64,
}

impl Tool for TrainUnsupervisedClustering {
    const NAME: &'static str = "train_unsupervised_clustering";
    const TITLE: &'static str = "Cluster rows";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlTraining;
    type Output = TrainedClustering;

    async fn run(self, room: &MlTraining, call: &Call) -> Result<TrainedClustering> {
        let name = self.training_job_name.clone().unwrap_or_else(|| self.algorithm.to_string());
        check_job_name(&name)?;
        let plan = self.request().plan()?;
        let (seed, predicts) = (plan.seed, self.algorithm.predicts());
        let source = Source::read(room, call, &self.train_data_s3_uri, self.preprocessor_uri.as_ref()).await?;
        let run_id = run_id(self.run_id.as_deref(), call, &self, &[source.data.source.sha256.as_str()])?;
        let place = |file: &str| room.artifacts.place(Kind::Models, &run_id, &format!("{name}/{file}"));
        let (source, rows, clustered) = call
            .compute(move |call| {
                let rows = source.rows(call)?;
                let clustered = cluster(&rows, &plan, call)?;
                Ok((source, rows, clustered))
            })
            .await?;
        let mut result = self.result(&rows, &clustered, &source, seed, predicts);
        result.model_s3_uri = place("model.tar.gz");
        result.labels_s3_uri = place("labels.parquet");
        result.k_search_plot_uri = clustered.k_search.as_ref().map(|_| place("k_search.svg"));
        if self.dry_run {
            return Ok(result);
        }
        // From here on everything is written, the model last: a call that is cancelled has written nothing or all of it.
        call.check()?;
        write(&room.artifacts, &mut result, &source, rows, clustered).await?;
        Ok(result)
    }
}

impl TrainUnsupervisedClustering {
    fn request(&self) -> ClusterRequest {
        ClusterRequest {
            algorithm: self.algorithm,
            k: self.k,
            k_range: self.k_range,
            criterion: self.criterion,
            eps: self.eps,
            hyperparameters: self.hyperparameters.clone(),
            seed: self.seed,
        }
    }

    fn result(
        &self,
        rows: &Rows,
        clustered: &Clustered,
        source: &Source,
        seed: u64,
        predicts: bool,
    ) -> TrainedClustering {
        let (metrics, undefined) = clustered.metrics();
        let metric = |name: &str| metrics.get(name).copied().flatten();
        let Clustered { clustering, parameters, k_search, measures, estimate, seconds, warnings } = clustered;
        TrainedClustering {
            model_s3_uri: self.train_data_s3_uri.clone(),
            model_sha256: None,
            labels_s3_uri: self.train_data_s3_uri.clone(),
            labels_sha256: None,
            algorithm: self.algorithm,
            metrics: ClusteringMetrics {
                silhouette: metric("silhouette"),
                davies_bouldin: metric("davies_bouldin"),
                calinski_harabasz: metric("calinski_harabasz"),
                inertia: metric("inertia"),
                noise_ratio: measures.noise_ratio,
                bic: metric("bic"),
                aic: metric("aic"),
                training_time_seconds: *seconds,
            },
            undefined,
            num_clusters: clustering.model.num_clusters(),
            sizes: clustering.sizes.iter().take(SIZES).copied().collect(),
            noise: clustering.noise,
            noise_ratio: measures.noise_ratio,
            k_search: k_search.clone(),
            k_search_plot_uri: None,
            num_features: rows.names.len(),
            train_rows: rows.kept.len(),
            dropped_rows: source.data.table.num_rows() - rows.kept.len(),
            hyperparameters: parameters.resolved().clone(),
            defaults_applied: parameters.defaults_applied().iter().map(ToString::to_string).collect(),
            seed,
            iterations: clustering.iterations,
            converged: clustering.converged,
            predicts,
            preprocessor_sha256: source.preprocessor.as_ref().map(|hashed| hashed.sha256.clone()),
            estimate: *estimate,
            warnings: warnings.clone(),
            dry_run: self.dry_run,
        }
    }
}

/// Writes labels, plot and model, the model last, and notes the hashes in the result.
async fn write(
    artifacts: &Artifacts,
    result: &mut TrainedClustering,
    source: &Source,
    rows: Rows,
    clustered: Clustered,
) -> Result<()> {
    let table = labels(&rows.kept, &clustered);
    let manifest = manifest(&table, TaskType::Clustering, source);
    let written = write_described(artifacts, &result.labels_s3_uri, &table, manifest).await?;
    result.labels_sha256 = Some(written.sha256);
    if let (Some(place), Some(search)) = (&result.k_search_plot_uri, &clustered.k_search) {
        artifacts.write_bytes(place, k_search::draw(search, Lang::En), Condition::None).await?;
    }
    let (metrics, _) = clustered.metrics();
    let card = UnsupervisedCard {
        format: CARD_FORMAT,
        task: TaskType::Clustering,
        algorithm: result.algorithm.to_string(),
        signature: signature_of(
            &rows.names,
            source.preprocessor.as_ref().map(|hashed| &hashed.preprocessor),
            "cluster",
        ),
        feature_names: rows.names,
        outputs: result.num_clusters,
        fitted_rows: result.train_rows,
        hyperparameters: result.hyperparameters.clone(),
        metrics: metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        k_search: clustered.k_search,
        seed: result.seed,
        train_sha256: source.data.source.sha256.clone(),
        preprocessor: source.preprocessor.as_ref().map(|hashed| hashed.preprocessor.clone()),
        preprocessor_sha256: result.preprocessor_sha256.clone(),
        weights_sha256: String::new(),
        library_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let model = UnsupervisedModel::Clustering(clustered.clustering.model);
    let written = artifacts.write_unsupervised(&result.model_s3_uri, card, &model).await?;
    result.model_sha256 = Some(written.sha256);
    Ok(())
}

fn labels(kept: &[usize], clustered: &Clustered) -> Table {
    let column =
        |name: &str, values: Vec<f64>, kind| Column { name: name.to_owned(), values: Values::Number { values, kind } };
    let clustering = &clustered.clustering;
    let clusters = clustering.labels.iter().map(|&label| f64::from(label)).collect();
    let mut columns = vec![
        column("row", kept.iter().map(|&row| row as f64).collect(), NumberKind::Integer),
        column("cluster", clusters, NumberKind::Integer),
    ];
    if let Some(probabilities) = &clustering.probabilities {
        columns.push(column("probability", probabilities.clone(), NumberKind::Float));
    }
    Table { columns }
}

/// Writes a table with the manifest beside it, once its hash is known.
pub(super) async fn write_described(
    artifacts: &Artifacts,
    uri: &ArtifactUri,
    table: &Table,
    mut manifest: Manifest,
) -> Result<Written> {
    let written = artifacts.write_table(uri, table, TableFormat::Parquet).await?;
    manifest.data_sha256.clone_from(&written.sha256);
    artifacts.write_manifest(uri, &manifest).await?;
    Ok(written)
}

/// The manifest of a table that says something about the rows of another.
pub(super) fn manifest(table: &Table, task: TaskType, source: &Source) -> Manifest {
    let column = |column: &Column| ManifestColumn { name: column.name.clone(), kind: column.values.kind() };
    Manifest {
        format: 1,
        target_column: None,
        task: Some(task),
        columns: table.columns.iter().map(column).collect(),
        rows: table.num_rows(),
        split_role: None,
        data_sha256: String::new(),
        source_sha256: source.data.source.sha256.clone(),
        preprocessor_uri: None,
        preprocessor_sha256: None,
        classes: None,
    }
}

impl Report for TrainedClustering {
    fn summary(&self, lang: Lang) -> String {
        let (name, clusters, rows) = (self.algorithm.display_name(), self.num_clusters, self.train_rows);
        let silhouette = self.metrics.silhouette.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        let seconds = self.metrics.training_time_seconds;
        match lang {
            Lang::En => {
                format!("{name} found {clusters} clusters in {rows} rows in {seconds:.2} s: silhouette {silhouette}")
            }
            Lang::Ja => format!(
                "{name} により {rows} 行から {clusters} 個のクラスタが {seconds:.2} 秒で見つかりました（シルエット \
                 {silhouette}）"
            ),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run {
            return Vec::new();
        }
        let plot = self.k_search_plot_uri.as_ref().map(|uri| (uri, "comparison of the numbers of clusters"));
        let files = [(&self.model_s3_uri, "trained model"), (&self.labels_s3_uri, "cluster of each row")];
        files.into_iter().chain(plot).map(|(uri, name)| ArtifactLink::new(uri.as_str(), name)).collect()
    }
}
