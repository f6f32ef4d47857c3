//! The rounds of boosting: derivatives, trees, scores, and when to stop.

use ndarray::ArrayView2;
use rand::RngExt;

use super::columns::ColumnSampler;
use super::gradients::Packed;
use super::grow::{Grower, Grown, Workspace};
use super::inputs::{BoostingError, BoostingInputs, check_categories, directions};
use super::matrix::{Matrix, single};
use super::model::BoostedTrees;
use super::nodes::BoostedTree;
use super::objective::{CHUNK, Labels, Objective};
use super::parameters::{BoostingParameters, ObjectiveName};
use super::partition::table;
use super::predict::margins;
use super::quantile::quantile;
use super::scoring::{Scored, spaced_rows};
use crate::models::class_weight::weighted_rows;
use crate::models::fit::{CurvePoint, FitError, TrainingData};
use crate::models::tree::bins::Bins;
use crate::parallel;
use crate::probe::Probe;
use crate::seed;
use crate::target::Target;

/// A fitted ensemble and how it got there.
pub(in crate::models) struct Boosted {
    pub(in crate::models) model: BoostedTrees,
    /// The score after each round, on at most 8,192 evenly spaced training rows and on the validation rows.
    pub(in crate::models) curve: Vec<CurvePoint>,
    /// The round of the best validation score, counted from 1.
    pub(in crate::models) best_iteration: Option<usize>,
}

/// Fits an ensemble; `data` may have NaN for missing features.
pub(in crate::models) fn fit(
    data: &TrainingData<'_>,
    params: &BoostingParameters,
    inputs: &BoostingInputs<'_>,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Boosted, FitError> {
    parallel::limited(params.n_jobs, || fit_here(data, params, inputs, seed, probe))
}

fn fit_here(
    data: &TrainingData<'_>,
    params: &BoostingParameters,
    inputs: &BoostingInputs<'_>,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Boosted, FitError> {
    let (rows, features) = data.x.dim();
    let (labels, values, weights) = targets(data, params)?;
    let targets = Labels { values: &values, weights: weights.as_deref() };
    let objective = objective(params, &labels)?;
    check(data, params, inputs, objective)?;
    let monotone = directions(params, features, inputs)?;
    let mut model = start(params, inputs, objective, labels, features, targets)?;
    let bins = Bins::new(data.x, params.max_bin - 1, inputs.categorical, data.weights);
    probe.check()?;
    let matrix = Matrix::new(data.x, bins, inputs.categorical);
    let mut state = State::new(&model, data.x, targets);
    let mut scored = Scored::new(&model, data.validation.as_ref());
    let sample = spaced_rows(rows);
    let (mut curve, mut best) = (Vec::new(), None);
    let earlier = model.trees.len();
    for round in 1..=params.n_estimators {
        probe.check()?;
        state.predict(objective);
        for group in 0..objective.groups() {
            let stream = (model.trees.len() + group) as u64;
            let tree = state.add_tree(&matrix, params, objective, &monotone, group, seed::derive(seed, stream))?;
            scored.add(&tree, group);
            model.trees.push(tree);
        }
        let point = CurvePoint {
            iteration: round,
            train: state.score(objective, &sample),
            validation: scored.score(objective),
        };
        report(probe, point, params.n_estimators, objective);
        curve.push(point);
        if let Some(score) = point.validation
            && best.is_none_or(|(least, _)| score < least)
        {
            best = Some((score, round));
        }
        let waited = best.map_or(0, |(_, best)| round - best);
        if params.early_stopping_rounds.is_some_and(|rounds| waited >= rounds) {
            break;
        }
    }
    if let (Some((_, round)), Some(_)) = (best, params.early_stopping_rounds) {
        model.trees.truncate(earlier + round * objective.groups());
    }
    Ok(Boosted { model, curve, best_iteration: best.map(|(_, round)| round) })
}

fn report(probe: &dyn Probe, point: CurvePoint, rounds: usize, objective: Objective) {
    let mut message = format!("round {} of {rounds}: {} {:.6}", point.iteration, objective.metric(), point.train);
    if let Some(validation) = point.validation {
        message = format!("{message}, validation {validation:.6}");
    }
    probe.progress(point.iteration as f64, rounds as f64, &message);
}

/// The labels of the classes, the target of each row and its weight.
type Targets = (Vec<String>, Vec<f32>, Option<Vec<f32>>);

/// What the objective is minimised on.
fn targets(data: &TrainingData<'_>, params: &BoostingParameters) -> Result<Targets, FitError> {
    let narrow = |weights: Vec<f64>| weights.into_iter().map(single).collect::<Vec<_>>();
    let classes = matches!(data.target, Target::Classes { .. });
    if params.objective.map_or(classes, ObjectiveName::classifies) {
        let (labels, codes) = data.classes()?;
        let classes = params.class_weight.of_classes(labels, codes, data.weights)?;
        let weights = weighted_rows(codes, data.weights, classes.as_deref());
        if weights.as_ref().is_some_and(|weights| weights.iter().all(|weight| *weight == 0.0)) {
            return Err(FitError::NoWeight);
        }
        return Ok((labels.to_vec(), codes.iter().map(|&code| code as f32).collect(), weights.map(narrow)));
    }
    let numbers = data.numbers()?;
    if numbers.iter().any(|number| number.abs() > f64::from(f32::MAX) / 4.0) {
        return Err(FitError::OutOfRange);
    }
    let weights = data.weights.map(|weights| narrow(weights.to_vec()));
    Ok((Vec::new(), numbers.iter().map(|&number| number as f32).collect(), weights))
}

fn objective(params: &BoostingParameters, labels: &[String]) -> Result<Objective, BoostingError> {
    let usual = match labels.len() {
        0 => ObjectiveName::Squared,
        2 => ObjectiveName::Logistic,
        _ => ObjectiveName::Softmax,
    };
    Ok(match params.objective.unwrap_or(usual) {
        ObjectiveName::Logistic if labels.len() != 2 => return Err(BoostingError::Classes { classes: labels.len() }),
        ObjectiveName::Logistic => Objective::Logistic { scale_pos_weight: params.scale_pos_weight },
        ObjectiveName::Softmax => Objective::Softmax { classes: labels.len() as u32 },
        ObjectiveName::Squared => Objective::Squared,
        ObjectiveName::Absolute => Objective::Absolute,
        ObjectiveName::Quantile => Objective::Quantile { alpha: params.quantile_alpha },
        ObjectiveName::Poisson => Objective::Poisson { max_delta_step: params.growth.max_delta_step },
        ObjectiveName::Tweedie => Objective::Tweedie { power: params.tweedie_variance_power },
    })
}

fn check(
    data: &TrainingData<'_>,
    params: &BoostingParameters,
    inputs: &BoostingInputs<'_>,
    objective: Objective,
) -> Result<(), FitError> {
    let (given, expected) = (inputs.categorical.len(), data.x.ncols());
    if given != 0 && given != expected {
        return Err(BoostingError::Categorical { given, expected }.into());
    }
    check_categories(data.x, inputs.categorical)?;
    if params.early_stopping_rounds.is_some() && data.validation.is_none() {
        return Err(BoostingError::NoValidation.into());
    }
    check_targets(data.target, objective)?;
    if let Some(validation) = &data.validation {
        check_targets(validation.target, objective).map_err(|error| FitError::Validation(Box::new(error.into())))?;
    }
    Ok(())
}

fn check_targets(target: &Target, objective: Objective) -> Result<(), BoostingError> {
    let (Some(least), Target::Numbers(numbers)) = (objective.least_target(), target) else { return Ok(()) };
    match numbers.iter().enumerate().find(|(_, value)| **value < least) {
        Some((row, &value)) => Err(BoostingError::Target { objective: objective.name(), least, row, value }),
        None => Ok(()),
    }
}

/// The model before the first round.
fn start(
    params: &BoostingParameters,
    inputs: &BoostingInputs<'_>,
    objective: Objective,
    labels: Vec<String>,
    num_features: usize,
    rows: Labels<'_>,
) -> Result<BoostedTrees, BoostingError> {
    if let Some(initial) = inputs.initial {
        let differs = |what| Err(BoostingError::Initial { what });
        return match () {
            () if initial.objective.name() != objective.name() => differs("objective"),
            () if initial.labels != labels => differs("list of classes"),
            () if initial.num_features != num_features => differs("number of features"),
            () if initial.categorical != inputs.categorical => differs("list of categorical features"),
            () => Ok(BoostedTrees { objective, ..initial.clone() }),
        };
    }
    let base_scores = match params.base_score {
        None => objective.best_constant(rows),
        Some(value) => {
            if !objective.margin_of(single(value)).is_finite() {
                let range = if matches!(objective, Objective::Logistic { .. }) {
                    "probabilities above 0 and below 1"
                } else {
                    "numbers above 0"
                };
                return Err(BoostingError::BaseScore { value, objective: objective.name(), range });
            }
            vec![single(value); objective.groups()]
        }
    };
    let categorical = inputs.categorical.to_vec();
    Ok(BoostedTrees { objective, labels, num_features, categorical, base_scores, trees: Vec::new() })
}

/// The training rows between two trees.
struct State<'a> {
    labels: Labels<'a>,
    groups: usize,
    /// Rows × groups.
    margins: Vec<f32>,
    /// The margins transformed, as they were before the round.
    predictions: Vec<f32>,
    gradients: Vec<[f32; 2]>,
    packed: Packed,
    workspace: Workspace,
}

impl<'a> State<'a> {
    fn new(model: &BoostedTrees, x: ArrayView2<'_, f64>, labels: Labels<'a>) -> Self {
        let margins = margins(&model.trees, &model.starts(), x);
        Self {
            labels,
            groups: model.objective.groups(),
            predictions: margins.clone(),
            margins,
            gradients: vec![[0.0; 2]; labels.values.len()],
            packed: Packed::default(),
            workspace: Workspace::default(),
        }
    }

    fn predict(&mut self, objective: Objective) {
        let size = CHUNK * self.groups;
        let chunks = self.predictions.chunks_mut(size).zip(self.margins.chunks(size));
        parallel::for_each(chunks, |(predictions, margins)| {
            predictions.copy_from_slice(margins);
            objective.transform(predictions);
        });
    }

    /// Grows the next tree of a group and adds it to the margins.
    fn add_tree(
        &mut self,
        matrix: &Matrix,
        params: &BoostingParameters,
        objective: Objective,
        monotone: &[i8],
        group: usize,
        seed: u64,
    ) -> Result<BoostedTree, FitError> {
        objective.gradients(&self.predictions, self.labels, group, &mut self.gradients);
        self.packed.set(&self.gradients);
        let all = params.subsample >= 1.0;
        let left_out = self.draw(params.subsample, seed);
        let columns = ColumnSampler::new(
            matrix.features.len(),
            params.colsample_bytree,
            params.colsample_bylevel,
            params.colsample_bynode,
            seed::derive(seed, 1),
        );
        let grower = Grower { matrix, growth: &params.growth, monotone, packed: &self.packed, eta: params.eta };
        let mut grown = grower.grow(&mut self.workspace, all, &columns);
        if let Some(alpha) = objective.leaf_quantile() {
            self.refit(&mut grown, alpha, params.eta);
        }
        if grown.tree.values.iter().chain(&grown.tree.covers).any(|value| !value.is_finite()) {
            return Err(FitError::OutOfRange);
        }
        for (leaf, places) in &grown.leaves {
            let value = grown.tree.values[*leaf as usize];
            for &row in &self.workspace.rows[places.clone()] {
                self.margins[row as usize * self.groups + group] += value;
            }
        }
        self.route(matrix, &grown, &left_out, group);
        Ok(grown.tree)
    }

    /// Puts the rows of the next tree into the workspace and gives those that it leaves out.
    fn draw(&mut self, subsample: f64, seed: u64) -> Vec<u32> {
        let rows = self.labels.values.len() as u32;
        self.workspace.rows.clear();
        if subsample >= 1.0 {
            self.workspace.rows.extend(0..rows);
            return Vec::new();
        }
        let mut rng = seed::rng(seed, 0);
        let mut left_out = Vec::new();
        for row in 0..rows {
            if rng.random::<f64>() < subsample { self.workspace.rows.push(row) } else { left_out.push(row) }
        }
        if self.workspace.rows.is_empty() {
            std::mem::swap(&mut self.workspace.rows, &mut left_out);
        }
        left_out
    }

    /// Sets each leaf to a quantile of what is left to explain in its rows.
    fn refit(&self, grown: &mut Grown, alpha: f64, eta: f64) {
        let weighted = self.labels.weights.is_some();
        let value = |places: &std::ops::Range<usize>| {
            let rows = self.workspace.rows[places.clone()].iter().map(|&row| row as usize);
            let residual = |row: usize| self.labels.values[row] - self.margins[row];
            let mut residuals: Vec<(f32, f32)> =
                rows.map(|row| (residual(row), self.labels.weights.map_or(1.0, |weights| weights[row]))).collect();
            (f64::from(quantile(&mut residuals, alpha, weighted)) * eta) as f32
        };
        let values = parallel::map(&grown.leaves, |(_, places)| value(places));
        for ((leaf, _), value) in grown.leaves.iter().zip(values) {
            grown.tree.values[*leaf as usize] = value;
        }
    }

    /// Adds the tree to the margins of rows that it has not learnt from.
    fn route(&mut self, matrix: &Matrix, grown: &Grown, rows: &[u32], group: usize) {
        let tree = &grown.tree;
        let tables = grown.rules.iter().zip(&tree.default_left);
        let tables: Vec<_> = tables.map(|(rule, left)| rule.as_ref().map(|rule| table(rule, *left))).collect();
        let value = |row: usize| {
            let mut node = 0;
            while let Some(table) = &tables[node] {
                let code = matrix.column(tree.features[node] as usize)[row];
                node = tree.left[node] as usize + usize::from(table[usize::from(code)]);
            }
            tree.values[node]
        };
        let values = parallel::map_rows(rows.len(), |place| value(rows[place] as usize));
        for (&row, value) in rows.iter().zip(values) {
            self.margins[row as usize * self.groups + group] += value;
        }
    }

    /// The score on some of the rows.
    fn score(&self, objective: Objective, rows: &[usize]) -> f64 {
        let row = |&row: &usize| self.margins[row * self.groups..(row + 1) * self.groups].iter().copied();
        let mut predictions: Vec<f32> = rows.iter().flat_map(row).collect();
        objective.transform(&mut predictions);
        let values: Vec<f32> = rows.iter().map(|&row| self.labels.values[row]).collect();
        let weights: Option<Vec<f32>> =
            self.labels.weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
        objective.score(&predictions, Labels { values: &values, weights: weights.as_deref() })
    }
}
