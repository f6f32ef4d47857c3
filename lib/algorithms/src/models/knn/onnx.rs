//! Nearest neighbours in ONNX: all distances, feature by feature, then the smallest ones.

use super::{Knn, Metric, NeighbourWeights};
use crate::onnx::{Attribute, Element, Graph, OnnxError, OnnxReadError, Parts};

/// The features that are added up apart, as [`Metric`] does it, so that rows that are equally near here are so there.
const LANES: usize = 4;

pub(super) fn write(model: &Knn, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
    let (count, width) = (model.num_rows(), model.num_features as usize);
    let rows = graph.parameter("rows", &[count, width], &model.rows)?;
    let answers = graph.parameter("answers", &[count], &model.answers)?;
    let weights = if model.sample_weights.is_empty() {
        None
    } else {
        Some(graph.parameter("sample_weights", &[count], &model.sample_weights)?)
    };
    for (name, value) in [
        ("n_neighbors", serde_json::to_value(model.n_neighbors)),
        ("weights", serde_json::to_value(model.weights)),
        ("metric", serde_json::to_value(model.metric)),
        ("search", serde_json::to_value(model.search)),
    ] {
        graph.describe(name, value.unwrap_or_default());
    }
    let distances = distances(model, graph, features, &rows)?;
    let most = graph.ints(&[i64::from(model.n_neighbors)])?;
    // Of equally near rows the earlier one comes first.
    let [distances, nearest] = graph.op_two("TopK", &[&distances, &most], &[("largest", Attribute::Int(0))]);
    let own = if let Some(weights) = &weights {
        graph.op("Gather", &[weights, &nearest])
    } else {
        let one = graph.scalar(1.0)?;
        let shape = graph.op("Shape", &[&distances]);
        graph.op("Expand", &[&one, &shape])
    };
    let voices = match model.weights {
        NeighbourWeights::Uniform => own,
        NeighbourWeights::Distance => by_distance(model.metric, graph, &distances, &own)?,
    };
    let total = graph.sum(&voices, 1)?;
    let shares = graph.op("Div", &[&voices, &total]);
    let answers = graph.op("Gather", &[&answers, &nearest]);
    let classes = model.labels.len();
    if classes == 0 {
        let parts = graph.op("Mul", &[&answers, &shares]);
        return graph.sum(&parts, 1);
    }
    let last = graph.ints(&[2])?;
    let (answers, shares) = (graph.op("Unsqueeze", &[&answers, &last]), graph.op("Unsqueeze", &[&shares, &last]));
    let codes = graph.constant(&[classes], &(0..classes).map(|code| code as f64).collect::<Vec<_>>())?;
    let hits = graph.op("Equal", &[&answers, &codes]);
    let hits = graph.cast(&hits, Element::Double);
    let parts = graph.op("Mul", &[&hits, &shares]);
    let second = graph.ints(&[1])?;
    Ok(graph.op_with("ReduceSum", &[&parts, &second], &[("keepdims", Attribute::Int(0))]))
}

/// The distances of each query to each row, squared for the Euclidean metric: queries × rows.
fn distances(model: &Knn, graph: &mut Graph, features: &str, rows: &str) -> Result<String, OnnxError> {
    let width = model.num_features as usize;
    let across = graph.op_with("Transpose", &[rows], &[("perm", Attribute::Ints(&[1, 0]))]);
    let mut lanes: [Option<String>; LANES + 1] = Default::default();
    for feature in 0..width {
        let place = graph.ints(&[feature as i64])?;
        let query = graph.op_with("Gather", &[features, &place], &[("axis", Attribute::Int(1))]);
        let row = graph.op("Gather", &[&across, &place]);
        let apart = graph.op("Sub", &[&query, &row]);
        let part = match model.metric {
            Metric::Euclidean => graph.op("Mul", &[&apart, &apart]),
            Metric::Manhattan => graph.op("Abs", &[&apart]),
        };
        // What is left over when the features do not fill all lanes is a sum of its own.
        let lane = if feature < width / LANES * LANES { feature % LANES } else { LANES };
        lanes[lane] = Some(match lanes[lane].take() {
            Some(sum) => graph.op("Add", &[&sum, &part]),
            None => part,
        });
    }
    let mut sums = lanes.into_iter().flatten();
    let first = sums.next().unwrap_or_default();
    Ok(sums.fold(first, |all, lane| graph.op("Add", &[&all, &lane])))
}

/// The voices of the neighbours, the nearer the louder; rows at the very place are the only ones that count.
fn by_distance(metric: Metric, graph: &mut Graph, distances: &str, own: &str) -> Result<String, OnnxError> {
    let (none, first) = (graph.scalar(0.0)?, graph.ints(&[0])?);
    let here = graph.op("Equal", &[distances, &none]);
    let at_place = graph.cast(&here, Element::Double);
    let at_place = graph.op("Mul", &[&at_place, own]);
    let finished = match metric {
        Metric::Euclidean => graph.op("Sqrt", &[distances]),
        Metric::Manhattan => distances.to_owned(),
    };
    let nearest = graph.op_with("Gather", &[&finished, &first], &[("axis", Attribute::Int(1))]);
    let louder = graph.op("Mul", &[own, &nearest]);
    let louder = graph.op("Div", &[&louder, &finished]);
    let touches = graph.op("Equal", &[&nearest, &none]);
    Ok(graph.op("Where", &[&touches, &at_place, &louder]))
}

impl Knn {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let [_, features] = parts.shape("rows")?;
        let weighted = parts.has("sample_weights");
        Ok(Self {
            labels: parts.labels()?,
            num_features: features as u32,
            n_neighbors: parts.described("n_neighbors")?,
            weights: parts.described("weights")?,
            metric: parts.described("metric")?,
            search: parts.described("search")?,
            rows: parts.doubles("rows")?,
            answers: parts.doubles("answers")?,
            sample_weights: if weighted { parts.doubles("sample_weights")? } else { Vec::new() },
        })
    }
}
