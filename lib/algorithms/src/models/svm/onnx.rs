//! Support vector machines in ONNX: kernels as products of matrices in double precision.

use super::coupling_onnx::couple;
use super::{Kernel, Machine, Sigmoid, SupportVectorMachine};
use crate::onnx::{Attribute, Element, Graph, OnnxError, OnnxReadError, Parts};

/// A probability of a pair stays this far from 0 and 1.
const NEAREST: f64 = 1e-7;

pub(super) fn write(model: &SupportVectorMachine, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
    let (count, machines) = (model.num_support_vectors(), model.machines.len());
    // As many coefficients as a machine has support vectors, in a table that has one for each.
    graph.reserve(8_usize.saturating_mul(count).saturating_mul(machines))?;
    let mut coefficients = vec![0.0; count * machines];
    for (index, machine) in model.machines.iter().enumerate() {
        for (&vector, coefficient) in machine.support.iter().zip(&machine.coefficients) {
            coefficients[vector as usize * machines + index] = *coefficient;
        }
    }
    let intercepts = model.intercepts();
    let vectors = graph.parameter("vectors", &[count, model.num_features as usize], &model.vectors)?;
    let coefficients = graph.parameter("coefficients", &[count, machines], &coefficients)?;
    let intercepts = graph.parameter("intercepts", &[machines], &intercepts)?;
    graph.describe("kernel", serde_json::to_value(model.kernel).unwrap_or_default());
    let kernels = kernels(model.kernel, graph, features, &vectors)?;
    let scores = graph.op("MatMul", &[&kernels, &coefficients]);
    let scores = graph.op("Add", &[&scores, &intercepts]);
    if model.labels.is_empty() {
        return Ok(scores);
    }
    let probabilities = if !model.sigmoids.is_empty() {
        let first = firsts(&model.sigmoids, graph, &scores)?;
        if machines == 1 {
            let one = graph.scalar(1.0)?;
            let second = graph.op("Sub", &[&one, &first]);
            graph.side_by_side(&[&first, &second])
        } else {
            couple(graph, &first, model.present.len())?
        }
    } else if machines == 1 {
        let second = graph.op("Neg", &[&scores]);
        graph.odds(&second)
    } else {
        votes(graph, &scores, model.present.len())?
    };
    graph.spread(probabilities, &model.present, model.labels.len())
}

/// The probability of the first class of each pair, rows × machines.
fn firsts(sigmoids: &[Sigmoid], graph: &mut Graph, scores: &str) -> Result<String, OnnxError> {
    let slopes = sigmoids.iter().map(|sigmoid| sigmoid.slope).collect::<Vec<_>>();
    let offsets = sigmoids.iter().map(|sigmoid| sigmoid.offset).collect::<Vec<_>>();
    let slopes = graph.parameter("slopes", &[slopes.len()], &slopes)?;
    let offsets = graph.parameter("offsets", &[offsets.len()], &offsets)?;
    let powers = graph.op("Mul", &[scores, &slopes]);
    let powers = graph.op("Add", &[&powers, &offsets]);
    let powers = graph.op("Neg", &[&powers]);
    let firsts = graph.op("Sigmoid", &[&powers]);
    let (low, high) = (graph.scalar(NEAREST)?, graph.scalar(1.0 - NEAREST)?);
    Ok(graph.op("Clip", &[&firsts, &low, &high]))
}

/// The kernels of each row with each vector, rows × vectors.
fn kernels(kernel: Kernel, graph: &mut Graph, features: &str, vectors: &str) -> Result<String, OnnxError> {
    let across = graph.op_with("Transpose", &[vectors], &[("perm", Attribute::Ints(&[1, 0]))]);
    let products = graph.op("MatMul", &[features, &across]);
    let scaled = |graph: &mut Graph, gamma: f64, coef0: f64| -> Result<String, OnnxError> {
        let (gamma, coef0) = (graph.scalar(gamma)?, graph.scalar(coef0)?);
        let scaled = graph.op("Mul", &[&products, &gamma]);
        Ok(graph.op("Add", &[&scaled, &coef0]))
    };
    Ok(match kernel {
        Kernel::Linear => products,
        Kernel::Polynomial { degree, gamma, coef0 } => {
            let (scaled, degree) = (scaled(graph, gamma, coef0)?, graph.scalar(f64::from(degree))?);
            graph.op("Pow", &[&scaled, &degree])
        }
        Kernel::Sigmoid { gamma, coef0 } => {
            let scaled = scaled(graph, gamma, coef0)?;
            graph.op("Tanh", &[&scaled])
        }
        Kernel::RadialBasis { gamma } => {
            let squares = graph.op("Mul", &[features, features]);
            let own = graph.sum(&squares, 1)?;
            let squares = graph.op("Mul", &[&across, &across]);
            let others = graph.sum(&squares, 0)?;
            let (two, none, factor) = (graph.scalar(2.0)?, graph.scalar(0.0)?, graph.scalar(-gamma)?);
            let twice = graph.op("Mul", &[&products, &two]);
            let both = graph.op("Add", &[&own, &others]);
            let apart = graph.op("Sub", &[&both, &twice]);
            let apart = graph.op("Max", &[&apart, &none]);
            let power = graph.op("Mul", &[&apart, &factor]);
            graph.op("Exp", &[&power])
        }
    })
}

/// Probabilities from the votes of the pairs of three or more classes, as `by_votes` makes them.
fn votes(graph: &mut Graph, scores: &str, classes: usize) -> Result<String, OnnxError> {
    let pairs = (0..classes).flat_map(|first| (first + 1..classes).map(move |second| (first, second)));
    let pairs = pairs.collect::<Vec<_>>();
    let table = |of: fn((usize, usize)) -> (usize, f64)| {
        let mut table = vec![0.0; pairs.len() * classes];
        for (machine, &pair) in pairs.iter().enumerate() {
            let (class, value) = of(pair);
            table[machine * classes + class] = value;
        }
        table
    };
    let (firsts, seconds) = (table(|(first, _)| (first, 1.0)), table(|(_, second)| (second, 1.0)));
    let shape = [pairs.len(), classes];
    let apart = firsts.iter().zip(&seconds).map(|(first, second)| first - second).collect::<Vec<_>>();
    let (firsts, seconds, apart) =
        (graph.constant(&shape, &firsts)?, graph.constant(&shape, &seconds)?, graph.constant(&shape, &apart)?);
    let (none, one, three) = (graph.scalar(0.0)?, graph.scalar(1.0)?, graph.scalar(3.0)?);
    let wins = graph.op("Greater", &[scores, &none]);
    let wins = graph.cast(&wins, Element::Double);
    let losses = graph.op("Sub", &[&one, &wins]);
    let votes = [graph.op("MatMul", &[&wins, &firsts]), graph.op("MatMul", &[&losses, &seconds])];
    let votes = graph.op("Add", &[&votes[0], &votes[1]]);
    let sums = graph.op("MatMul", &[scores, &apart]);
    let size = graph.op("Abs", &[&sums]);
    let size = graph.op("Add", &[&size, &one]);
    let size = graph.op("Mul", &[&size, &three]);
    let share = graph.op("Div", &[&sums, &size]);
    let votes = graph.op("Add", &[&votes, &share]);
    Ok(graph.softmax(&votes))
}

impl SupportVectorMachine {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let labels = parts.labels()?;
        let [_, features] = parts.shape("vectors")?;
        let [_, count] = parts.shape::<2>("coefficients")?;
        let (coefficients, intercepts) = (parts.doubles("coefficients")?, parts.doubles("intercepts")?);
        if intercepts.len() != count {
            return Err(OnnxReadError::damaged("`intercepts` has not one number a machine"));
        }
        let machine = |(index, intercept): (usize, f64)| {
            let column = coefficients.iter().skip(index).step_by(count.max(1));
            let (support, coefficients) = (0_u32..).zip(column).filter(|(_, value)| **value != 0.0).unzip();
            Machine { support, coefficients, intercept }
        };
        let sigmoids = if parts.has("slopes") {
            let (slopes, offsets) = (parts.doubles("slopes")?, parts.doubles("offsets")?);
            if slopes.len() != offsets.len() {
                return Err(OnnxReadError::damaged("`slopes` and `offsets` differ in length"));
            }
            slopes.into_iter().zip(offsets).map(|(slope, offset)| Sigmoid { slope, offset }).collect()
        } else {
            Vec::new()
        };
        Ok(Self {
            present: if labels.is_empty() { Vec::new() } else { parts.described("present")? },
            labels,
            num_features: features as u32,
            kernel: parts.described("kernel")?,
            vectors: parts.doubles("vectors")?,
            machines: intercepts.into_iter().enumerate().map(machine).collect(),
            sigmoids,
        })
    }
}
