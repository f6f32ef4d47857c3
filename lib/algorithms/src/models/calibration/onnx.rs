//! Calibrations in ONNX.

use super::{Calibrator, Isotonic, NEAREST};
use crate::onnx::{Attribute, Graph, OnnxError};

/// The name of the calibration in the description of a graph.
pub(in crate::models) const NAME: &str = "calibration";

/// The calibrated probabilities, rows × classes.
pub(in crate::models) fn write(
    calibrator: &Calibrator,
    graph: &mut Graph,
    probabilities: &str,
    classes: usize,
) -> Result<String, OnnxError> {
    graph.describe(NAME, serde_json::to_value(calibrator).unwrap_or_default());
    if let Calibrator::Temperature(temperature) = calibrator {
        let (nearest, inverse) = (graph.scalar(NEAREST)?, graph.scalar(temperature.inverse)?);
        let kept = graph.op("Max", &[probabilities, &nearest]);
        let logarithms = graph.op("Log", &[&kept]);
        let powers = graph.op("Mul", &[&logarithms, &inverse]);
        return Ok(graph.softmax(&powers));
    }
    let columns = super::calibrated_classes(classes).map(|class| class as i64).collect::<Vec<_>>();
    let places = graph.ints(&columns)?;
    let given = graph.op_with("Gather", &[probabilities, &places], &[("axis", Attribute::Int(1))]);
    let mapped = match calibrator {
        Calibrator::Sigmoid(maps) => {
            let slopes = maps.iter().map(|map| map.slope).collect::<Vec<_>>();
            let intercepts = maps.iter().map(|map| map.intercept).collect::<Vec<_>>();
            let (slopes, intercepts) =
                (graph.constant(&[slopes.len()], &slopes)?, graph.constant(&[intercepts.len()], &intercepts)?);
            let (low, high, one) = (graph.scalar(NEAREST)?, graph.scalar(1.0 - NEAREST)?, graph.scalar(1.0)?);
            let kept = graph.op("Clip", &[&given, &low, &high]);
            let rest = graph.op("Sub", &[&one, &kept]);
            let odds = graph.op("Div", &[&kept, &rest]);
            let log_odds = graph.op("Log", &[&odds]);
            let scores = graph.op("Mul", &[&log_odds, &slopes]);
            let scores = graph.op("Add", &[&scores, &intercepts]);
            graph.op("Sigmoid", &[&scores])
        }
        Calibrator::Isotonic(maps) => {
            let mut columns = Vec::with_capacity(maps.len());
            for (index, map) in maps.iter().enumerate() {
                let place = graph.ints(&[index as i64])?;
                let column = graph.op_with("Gather", &[&given, &place], &[("axis", Attribute::Int(1))]);
                columns.push(rising(map, graph, &column)?);
            }
            let columns = columns.iter().map(String::as_str).collect::<Vec<_>>();
            graph.side_by_side(&columns)
        }
        Calibrator::Temperature(_) => given,
    };
    let one = graph.scalar(1.0)?;
    if classes == 2 {
        let first = graph.op("Sub", &[&one, &mapped]);
        return Ok(graph.side_by_side(&[&first, &mapped]));
    }
    // The probabilities of a row are divided by their sum; all are alike where that is 0.
    let (none, even) = (graph.scalar(0.0)?, graph.scalar(1.0 / classes as f64)?);
    let sum = graph.sum(&mapped, 1)?;
    let sound = graph.op("Greater", &[&sum, &none]);
    let divisor = graph.op("Where", &[&sound, &sum, &one]);
    let shares = graph.op("Div", &[&mapped, &divisor]);
    Ok(graph.op("Where", &[&sound, &shares, &even]))
}

/// The values of a rising function, rows × 1: the first value, and the part of each step that a score has behind it.
fn rising(map: &Isotonic, graph: &mut Graph, scores: &str) -> Result<String, OnnxError> {
    let (points, values) = (map.scores(), map.values());
    let differences = |of: &[f64]| of.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    // A single point has no step; one that changes nothing takes its place.
    let [starts, widths, heights] = match points {
        [only] => [vec![*only], vec![1.0], vec![0.0]],
        _ => [points[..points.len() - 1].to_vec(), differences(points), differences(values)],
    };
    let steps = starts.len();
    let starts = graph.constant(&[steps], &starts)?;
    let widths = graph.constant(&[steps], &widths)?;
    let heights = graph.constant(&[steps, 1], &heights)?;
    let (none, one) = (graph.scalar(0.0)?, graph.scalar(1.0)?);
    let first = graph.scalar(values.first().copied().unwrap_or_default())?;
    let behind = graph.op("Sub", &[scores, &starts]);
    let shares = graph.op("Div", &[&behind, &widths]);
    let shares = graph.op("Clip", &[&shares, &none, &one]);
    let risen = graph.op("MatMul", &[&shares, &heights]);
    Ok(graph.op("Add", &[&risen, &first]))
}
