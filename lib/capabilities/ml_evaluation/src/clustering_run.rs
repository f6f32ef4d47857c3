//! One evaluation of a clustering, from what was read to a document that can be written.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::Measure;
use mlops_algorithms::metrics::bootstrap::{BootstrapOptions, bootstrap};
use mlops_algorithms::metrics::clustering::{
    ClusterMetricError, ClusteringMeasures, SILHOUETTE_ROWS, measure, row_silhouettes,
};
use mlops_algorithms::metrics::paired;
use mlops_algorithms::reduction::{Reducer, ReducerParameters, ReductionModel, fit};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::{CallProbe, LoadedTable, LoadedUnsupervised, Placed, UnsupervisedInput};
use mlops_core::values::TaskType;
use mlops_core::{Call, Error, Result};
use ndarray::{Array2, Axis};
use serde_json::json;

use crate::classifier_run::{Evaluated, REPLICATES};
use crate::comparison::{ComparedModel, Comparison, Tests, deltas};
use crate::evaluation::{Evaluation, FORMAT, Metrics};
use crate::labels::Labels;
use crate::scoring::{self, Left};
use crate::structure::{ClusterFacts, ClusteringDetail};
use crate::{fault, known_groups, rounding};

/// The most rows in the picture of the clusters.
const POINTS: usize = 2_000;
/// The most clusters that the document describes.
const CLUSTERS: usize = 200;
/// The features that say what sets a cluster apart.
const SET_APART: usize = 3;

/// What is asked of an evaluation.
#[derive(Debug, Clone)]
pub(crate) struct ClusteringRequest {
    pub(crate) truth_column: Option<String>,
    pub(crate) confidence: f64,
    pub(crate) seed: u64,
}

/// Rows with their clusters.
struct Clustered {
    input: UnsupervisedInput,
    labels: Vec<i32>,
    /// Rows of the data that were left out.
    dropped: usize,
}

/// Measures the clusters of the data, and those of the other model if there is one.
pub(crate) fn run(
    model: &LoadedUnsupervised,
    data: &LoadedTable,
    labels: Option<&Labels>,
    other: Option<&LoadedUnsupervised>,
    request: &ClusteringRequest,
    call: &Call,
) -> Result<Evaluated> {
    call.progress(0.0, Some(3.0), "finding the cluster of each row");
    let clustered = clustered(model, data, labels, call)?;
    call.check()?;
    call.progress(1.0, Some(3.0), "measuring the clusters");
    let measured = measures(&clustered, request.seed, call)?;
    let (mut metrics, mut undefined) = named(&measured);
    let options = BootstrapOptions { replicates: REPLICATES, confidence: request.confidence, seed: request.seed };
    let mut intervals = BTreeMap::new();
    let silhouettes = silhouettes(&clustered, call)?;
    if let Some(values) = &silhouettes {
        let interval = bootstrap(values.len(), &options, |rows| mean(values, rows)).map_err(fault::of_metric)?;
        intervals.extend(interval.interval.map(|interval| ("silhouette".to_owned(), interval)));
    }
    let truth = match &request.truth_column {
        Some(column) => {
            let rows = (&clustered.input.kept_rows[..], &clustered.labels[..]);
            Some(known_groups::of(data, column, rows, &mut metrics, &mut undefined)?)
        }
        None => None,
    };
    call.progress(2.0, Some(3.0), "comparing");
    let comparison = match other {
        Some(other) => Some(compare((&clustered, &metrics), other, data, &options, call)?),
        None => None,
    };
    let (points, point_clusters, explained_by_points) = points(&clustered, request.seed, call)?;
    let clusters = facts(model, &clustered, &measured);
    let detail = ClusteringDetail {
        clusters,
        noise: measured.noise,
        silhouette_rows: measured.silhouette_rows,
        silhouette_sampled: measured.silhouette_sampled,
        k_search: model.card.k_search.clone(),
        truth,
        as_fitted: labels.is_some(),
        points,
        point_clusters,
        explained_by_points,
    };
    let mut notes = Vec::new();
    if measured.silhouette_sampled {
        notes.push(format!("the silhouette is that of {} rows, drawn by the seed", measured.silhouette_rows));
    }
    let left = Left {
        dropped_rows: clustered.dropped,
        unknown_classes: BTreeMap::new(),
        unseen: clustered.input.unseen.clone(),
    };
    let evaluation = Evaluation {
        format: FORMAT,
        run_id: String::new(),
        task: TaskType::Clustering,
        model: scoring::unsupervised_facts(model),
        data: scoring::test_facts(data, clustered.labels.len(), left),
        metrics,
        intervals,
        confidence: request.confidence,
        undefined,
        notes,
        beats_guessing: None,
        baseline: None,
        comparison,
        slices: Vec::new(),
        classification: None,
        regression: None,
        clustering: Some(detail),
        reduction: None,
        predictions_uri: String::new(),
        plots: Vec::new(),
    };
    let predictions = predictions(&clustered);
    Ok(Evaluated { evaluation, predictions })
}

/// The rows that the model can take, with the clusters that were given or that the model says.
fn clustered(
    model: &LoadedUnsupervised,
    data: &LoadedTable,
    labels: Option<&Labels>,
    call: &Call,
) -> Result<Clustered> {
    let mut input = model.input(data).map_err(|error| error.at_or("data_s3_uri"))?;
    let all = data.table.num_rows();
    let labels = match labels {
        Some(given) => {
            let found = given.of(&input.kept_rows, all)?;
            let kept = (0..found.len()).filter(|&at| found[at].is_some()).collect::<Vec<_>>();
            if kept.is_empty() {
                return Err(
                    Error::invalid_input("no row of the data has a cluster among the labels").at("labels_s3_uri")
                );
            }
            if kept.len() < found.len() {
                input.features = input.features.select(Axis(0), &kept);
                input.kept_rows = kept.iter().map(|&at| input.kept_rows[at]).collect();
            }
            found.into_iter().flatten().collect()
        }
        None => match model.place(&input.features, &CallProbe(call), call) {
            Ok(Placed::Clusters(labels)) => labels,
            Ok(Placed::Coordinates(_)) => return Err(Error::internal("a clustering gave coordinates")),
            Err(error) => return Err(error.at_or("data_s3_uri")),
        },
    };
    let dropped = all - labels.len();
    Ok(Clustered { input, labels, dropped })
}

fn measures(clustered: &Clustered, seed: u64, call: &Call) -> Result<ClusteringMeasures> {
    let x = clustered.input.features.view();
    measure(x, &clustered.labels, SILHOUETTE_ROWS, seed, &CallProbe(call)).map_err(|error| of_measure(error, call))
}

/// The silhouette of every row, where there are few enough rows and at least two clusters.
fn silhouettes(clustered: &Clustered, call: &Call) -> Result<Option<Vec<f64>>> {
    if clustered.labels.len() > SILHOUETTE_ROWS {
        return Ok(None);
    }
    let x = clustered.input.features.view();
    row_silhouettes(x, &clustered.labels, &CallProbe(call)).map_err(|error| of_measure(error, call))
}

fn of_measure(error: ClusterMetricError, call: &Call) -> Error {
    match error {
        ClusterMetricError::Cancelled(_) => call.check().err().unwrap_or_else(Error::cancelled),
        ClusterMetricError::Argument(error) => {
            Error::invalid_input(format!("the clusters cannot be measured: {error}")).at("data_s3_uri")
        }
    }
}

fn named(measured: &ClusteringMeasures) -> (Metrics, BTreeMap<String, String>) {
    let all = [
        ("silhouette", &measured.silhouette),
        ("davies_bouldin", &measured.davies_bouldin),
        ("calinski_harabasz", &measured.calinski_harabasz),
        ("inertia", &measured.inertia),
    ];
    let mut metrics = Metrics::from([
        ("noise_ratio".to_owned(), Some(measured.noise_ratio)),
        ("num_clusters".to_owned(), Some(measured.clusters as f64)),
    ]);
    let mut undefined = BTreeMap::new();
    for (name, measure) in all {
        note(name, measure, &mut metrics, &mut undefined);
    }
    (metrics, undefined)
}

pub(crate) fn note(name: &str, measure: &Measure, metrics: &mut Metrics, undefined: &mut BTreeMap<String, String>) {
    metrics.insert(name.to_owned(), measure.value.map(rounding::settled));
    undefined.extend(measure.reason.as_ref().map(|reason| (name.to_owned(), reason.clone())));
}

/// The first clusters that have rows, ascending.
pub(crate) fn present(labels: &[i32]) -> Vec<i32> {
    let mut present = labels.iter().copied().filter(|label| *label >= 0).collect::<Vec<_>>();
    present.sort_unstable();
    present.dedup();
    present.truncate(CLUSTERS);
    present
}

/// The clusters, with the features that set them apart.
fn facts(model: &LoadedUnsupervised, clustered: &Clustered, measured: &ClusteringMeasures) -> Vec<ClusterFacts> {
    let (x, labels) = (&clustered.input.features, &clustered.labels);
    let count = x.nrows() as f64;
    let means = x.columns().into_iter().map(|column| column.iter().map(|value| value / count).sum::<f64>());
    let means = means.collect::<Vec<_>>();
    let spread =
        x.columns().into_iter().zip(&means).map(|(column, mean)| {
            column.iter().map(|value| (value - mean) * (value - mean) / count).sum::<f64>().sqrt()
        });
    let spread = spread.collect::<Vec<_>>();
    let fact = |label: i32| {
        let index = label as usize;
        let rows = (0..labels.len()).filter(|&row| labels[row] == label).collect::<Vec<_>>();
        let size = rows.len() as f64;
        let away = |feature: usize| {
            let own = rows.iter().map(|&row| x[[row, feature]] / size).sum::<f64>();
            (spread[feature] > 0.0).then(|| (own - means[feature]) / spread[feature])
        };
        let mut apart = (0..x.ncols()).filter_map(|at| Some((at, away(at)?))).collect::<Vec<_>>();
        apart.retain(|(_, distance)| distance.is_finite());
        apart.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        let name = |at: usize| model.card.feature_names.get(at).cloned().unwrap_or_default();
        ClusterFacts {
            cluster: index as u32,
            rows: rows.len() as u64,
            silhouette: measured.silhouette_by_cluster.get(index).copied().flatten(),
            set_apart: apart.into_iter().take(SET_APART).map(|(at, distance)| (name(at), distance)).collect(),
        }
    };
    present(labels).into_iter().map(fact).collect()
}

/// Points on a plane, the cluster of each, and the share of the variance that the plane explains.
type Points = (Vec<[f64; 2]>, Vec<i32>, Option<f64>);

/// Rows spread evenly over the data on the plane of their first two principal components, their clusters, and the share of
/// the variance that the plane explains. Nothing for rows that are all the same.
fn points(clustered: &Clustered, seed: u64, call: &Call) -> Result<Points> {
    let x = &clustered.input.features;
    let components = x.ncols().min(x.nrows()).min(2);
    let given = json!({"n_components": components});
    let parameters = ReducerParameters::parse(Reducer::Pca, given.as_object().unwrap_or(&serde_json::Map::new()));
    let parameters = parameters.map_err(|error| Error::internal(error.to_string()))?;
    let Ok(map) = fit(x.view(), &parameters, seed, &CallProbe(call)) else {
        call.check()?;
        return Ok((Vec::new(), Vec::new(), None));
    };
    let explained = match &map.model {
        ReductionModel::Pca(pca) => Some(pca.explained_variance_ratio().iter().sum::<f64>().min(1.0)),
        ReductionModel::Tsne(_) | ReductionModel::Umap(_) => None,
    };
    let count = x.nrows().min(POINTS);
    let rows = (0..count).map(|index| index * x.nrows() / count).collect::<Vec<_>>();
    let at = |row: usize| coordinate(&map.coordinates, row);
    let points = rows.iter().map(|&row| at(row)).collect();
    Ok((points, rows.iter().map(|&row| clustered.labels[row]).collect(), explained))
}

/// Two coordinates with the digits that a picture needs.
fn coordinate(coordinates: &Array2<f64>, row: usize) -> [f64; 2] {
    let value = |column: usize| coordinates.get([row, column]).copied().unwrap_or(0.0);
    [0, 1].map(|column| format!("{:.5e}", value(column)).parse().unwrap_or(0.0))
}

fn mean(values: &[f64], rows: &[usize]) -> Option<f64> {
    (!rows.is_empty()).then(|| rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64)
}

/// The other model's clusters of the same rows, by the silhouettes of the rows in both.
fn compare(
    (clustered, metrics): (&Clustered, &Metrics),
    other: &LoadedUnsupervised,
    data: &LoadedTable,
    options: &BootstrapOptions,
    call: &Call,
) -> Result<Comparison> {
    let field = "baseline_model_s3_uri";
    let refuse = |what: String| Err(Error::invalid_input(what).at(field));
    if let Some(reason) = other.no_place() {
        return refuse(reason);
    }
    let theirs = self::clustered(other, data, None, call).map_err(|error| error.at(field))?;
    let (our_rows, their_rows) = crate::comparison::common(&clustered.input.kept_rows, &theirs.input.kept_rows);
    if our_rows.is_empty() || our_rows.len() > SILHOUETTE_ROWS {
        return refuse(format!("{} common rows cannot be compared; 1 to {SILHOUETTE_ROWS} can", our_rows.len()));
    }
    // Both are measured in the space of our features, or a scale of its own would decide.
    let features = clustered.input.features.select(Axis(0), &our_rows);
    let take = |labels: &[i32], rows: &[usize]| rows.iter().map(|&row| labels[row]).collect::<Vec<_>>();
    let (ours, theirs) = (take(&clustered.labels, &our_rows), take(&theirs.labels, &their_rows));
    let probe = CallProbe(call);
    let silhouettes =
        |labels: &[i32]| row_silhouettes(features.view(), labels, &probe).map_err(|error| of_measure(error, call));
    let (Some(a), Some(b)) = (silhouettes(&ours)?, silhouettes(&theirs)?) else {
        return refuse("one of the two models puts all of these rows into one cluster".to_owned());
    };
    let measured = measure(features.view(), &theirs, SILHOUETTE_ROWS, options.seed, &probe)
        .map_err(|error| of_measure(error, call))?;
    let (baseline_metrics, _) = named(&measured);
    let difference = paired::bootstrap_difference(a.len(), options, |rows| mean(&a, rows), |rows| mean(&b, rows))
        .map_err(fault::of_metric)?;
    let level = rounding::level(options.confidence);
    Ok(Comparison {
        baseline: ComparedModel {
            uri: other.uri.to_string(),
            sha256: other.sha256.clone(),
            algorithm: other.card.algorithm.clone(),
        },
        n: our_rows.len(),
        deltas: deltas(metrics, &baseline_metrics),
        baseline_metrics,
        metric: "silhouette".to_owned(),
        gain: difference.difference.unwrap_or(0.0),
        test: "paired bootstrap of silhouettes".to_owned(),
        p_value: difference.p_value,
        level,
        significant: difference.p_value.is_some_and(|p_value| p_value < level),
        tests: Tests { silhouette: Some(difference), ..Tests::default() },
    })
}

fn predictions(clustered: &Clustered) -> Table {
    let number = |values: Vec<f64>| Values::Number { values, kind: NumberKind::Integer };
    let columns = [
        ("row", number(clustered.input.kept_rows.iter().map(|&row| row as f64).collect())),
        ("cluster", number(clustered.labels.iter().map(|&label| f64::from(label)).collect())),
    ];
    Table { columns: columns.into_iter().map(|(name, values)| Column { name: name.to_owned(), values }).collect() }
}
