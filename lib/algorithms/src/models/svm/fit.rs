//! Fitting support vector machines: one problem for regression, one a pair of classes for classification.

use super::kernel::Kernel;
use super::solver::{Problem, Settings, Solution, solve};
use super::{Machine, Sigmoid, SupportVectorMachine, platt};
use crate::models::Model;
use crate::models::class_weight::weighted_rows;
use crate::models::fit::{FitError, Fitted, TrainingData};
use crate::models::hyperparameters::{Gamma, KernelName, SvmParameters};
use crate::models::predictor::Predictor;
use crate::parallel;
use crate::probe::Probe;
use crate::seed;
use crate::target::Target;
use rand_xoshiro::rand_core::Rng;

/// With more rows the time, which grows with their square, is out of all proportion.
const MOST_ROWS: usize = 200_000;
/// The parts of the cross-validation whose scores the sigmoids are fitted to.
const FOLDS: usize = 5;
const MEGABYTE: f64 = 1_048_576.0;

/// The rows of one problem and the machine that they gave.
struct Solved {
    rows: Vec<usize>,
    solution: Solution,
    sigmoid: Option<Sigmoid>,
}

/// Fits machines by C of each row times its weight, as libsvm does.
///
/// The importance of a feature is, for the linear kernel, the mean over the machines of its absolute coefficient times
/// its standard deviation; another kernel gives none, and all are 0.
pub(in crate::models) fn fit(
    data: &TrainingData<'_>,
    parameters: &SvmParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let (count, features) = data.x.dim();
    if count > MOST_ROWS {
        return Err(FitError::TooMany { what: "rows for a support vector machine", count, most: MOST_ROWS });
    }
    probe.progress(0.0, 1.0, "fitting the support vector machine");
    let kernel = kernel(data, parameters)?;
    let x = data.x.as_standard_layout();
    let x = x.as_slice().unwrap_or(&[]);
    let work = Work { x, features, kernel, parameters, seed, probe };
    probe.check()?;
    let (labels, present, solved) = match data.target {
        Target::Numbers(target) => (Vec::new(), Vec::new(), vec![work.regression(target, data.weights)?]),
        Target::Classes { labels, codes } => {
            // As in scikit-learn, balanced goes by the number of the rows here and not by their weight.
            let class_weights = parameters.class_weight.of_classes(labels, codes, None)?;
            let weights = weighted_rows(codes, data.weights, class_weights.as_deref());
            let (present, solved) = work.classification(labels, codes, weights.as_deref())?;
            (labels.clone(), present, solved)
        }
    };
    let iterations = solved.iter().map(|solved| solved.solution.iterations).sum();
    let converged = solved.iter().all(|solved| solved.solution.converged);
    let model = assemble(&work, labels, present, &solved);
    model.validate().map_err(|_| FitError::OutOfRange)?;
    probe.progress(1.0, 1.0, "fitted the support vector machine");
    let importance = importance(&model, data);
    Ok(Fitted {
        iterations: Some(iterations),
        converged: Some(converged),
        ..Fitted::new(Model::Svm(model), importance)
    })
}

fn kernel(data: &TrainingData<'_>, parameters: &SvmParameters) -> Result<Kernel, FitError> {
    let features = data.x.ncols() as f64;
    let gamma = match parameters.gamma {
        Gamma::Value(gamma) => gamma,
        Gamma::Auto => 1.0 / features,
        Gamma::Scale => {
            let count = data.x.len() as f64;
            let mean = data.x.sum() / count;
            let variance = data.x.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            if variance == 0.0 { 1.0 } else { 1.0 / (features * variance) }
        }
    };
    let coef0 = parameters.coef0;
    let kernel = match parameters.kernel {
        KernelName::Linear => Kernel::Linear,
        KernelName::Polynomial => Kernel::Polynomial { degree: parameters.degree, gamma, coef0 },
        KernelName::RadialBasis => Kernel::RadialBasis { gamma },
        KernelName::Sigmoid => Kernel::Sigmoid { gamma, coef0 },
    };
    if kernel.is_valid() { Ok(kernel) } else { Err(FitError::OutOfRange) }
}

/// What all problems of a fit share.
struct Work<'a> {
    x: &'a [f64],
    features: usize,
    kernel: Kernel,
    parameters: &'a SvmParameters,
    seed: u64,
    probe: &'a dyn Probe,
}

impl<'a> Work<'a> {
    fn row(&self, row: usize) -> &'a [f64] {
        &self.x[row * self.features..(row + 1) * self.features]
    }

    fn solve(
        &self,
        rows: &[usize],
        (target, bounds): (Vec<f64>, Vec<(f64, f64)>),
        tube: f64,
        at_once: usize,
    ) -> Result<Solution, FitError> {
        let (lower, upper) = bounds.into_iter().unzip();
        let rows: Vec<&[f64]> = rows.iter().map(|&row| self.row(row)).collect();
        let diagonal_is_finite = |row: &&[f64]| row.iter().map(|value| value * value).sum::<f64>().is_finite();
        if !rows.iter().all(diagonal_is_finite) {
            return Err(FitError::OutOfRange);
        }
        let problem = Problem { kernel: self.kernel, features: self.features, rows, target, lower, upper, tube };
        let settings = Settings {
            tolerance: self.parameters.tolerance,
            max_iter: self.parameters.max_iter,
            shrinking: self.parameters.shrinking,
            // Problems that are solved at the same time share the memory.
            cache_bytes: (self.parameters.cache_size * MEGABYTE) as usize / at_once,
        };
        Ok(solve(problem, settings, self.probe)?)
    }

    fn regression(&self, target: &[f64], weights: Option<&[f64]>) -> Result<Solved, FitError> {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let rows: Vec<usize> = (0..target.len()).filter(|&row| weight(row) > 0.0).collect();
        let bound = |&row: &usize| (-self.parameters.penalty * weight(row), self.parameters.penalty * weight(row));
        let wanted = rows.iter().map(|&row| target[row]).collect();
        let bounds = rows.iter().map(bound).collect();
        let solution = self.solve(&rows, (wanted, bounds), self.parameters.epsilon, 1)?;
        Ok(Solved { rows, solution, sigmoid: None })
    }

    fn classification(
        &self,
        labels: &[String],
        codes: &[u32],
        weights: Option<&[f64]>,
    ) -> Result<(Vec<u32>, Vec<Solved>), FitError> {
        let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); labels.len()];
        for (row, &code) in codes.iter().enumerate() {
            if weights.is_none_or(|weights| weights[row] > 0.0) {
                rows_of[code as usize].push(row);
            }
        }
        let present: Vec<u32> = (0..labels.len() as u32).filter(|&code| !rows_of[code as usize].is_empty()).collect();
        match present.as_slice() {
            [] => return Err(FitError::NoWeight),
            [only] => return Err(FitError::OneClass { label: labels[*only as usize].clone() }),
            _ => {}
        }
        let firsts = present.iter().enumerate();
        let pairs = firsts.flat_map(|(index, &first)| present[index + 1..].iter().map(move |&second| (first, second)));
        let pairs: Vec<(u32, u32)> = pairs.collect();
        let parts = if self.parameters.probability { FOLDS + 1 } else { 1 };
        let at_once = parallel::threads().min(pairs.len() * parts).max(1);
        let solved = parallel::try_map(pairs.iter().enumerate(), |(index, &(first, second))| {
            let (first, second) = (&rows_of[first as usize], &rows_of[second as usize]);
            let machine = Pair { work: self, weights, at_once, size: first.len() };
            let rows: Vec<usize> = first.iter().chain(second).copied().collect();
            let all: Vec<usize> = (0..rows.len()).collect();
            let solution = machine.solve(&rows, &all)?;
            let sigmoid = self.parameters.probability.then(|| machine.sigmoid(&rows, index as u64)).transpose()?;
            self.probe.check()?;
            Ok::<_, FitError>(Solved { rows, solution, sigmoid })
        });
        Ok((present, solved?))
    }
}

/// The problem of two classes; the rows of the first come first.
struct Pair<'a> {
    work: &'a Work<'a>,
    weights: Option<&'a [f64]>,
    at_once: usize,
    /// How many rows are of the first class.
    size: usize,
}

impl Pair<'_> {
    /// Solves for the rows at these places.
    fn solve(&self, rows: &[usize], places: &[usize]) -> Result<Solution, FitError> {
        let bound = |&place: &usize| {
            let bound = self.work.parameters.penalty * self.weights.map_or(1.0, |weights| weights[rows[place]]);
            if place < self.size { (0.0, bound) } else { (-bound, 0.0) }
        };
        let target = places.iter().map(|&place| if place < self.size { 1.0 } else { -1.0 }).collect();
        let bounds = places.iter().map(bound).collect();
        let chosen: Vec<usize> = places.iter().map(|&place| rows[place]).collect();
        self.work.solve(&chosen, (target, bounds), 0.0, self.at_once)
    }

    /// The sigmoid of scores that each came from a machine without the row.
    fn sigmoid(&self, rows: &[usize], stream: u64) -> Result<Sigmoid, FitError> {
        let count = rows.len();
        let mut order: Vec<usize> = (0..count).collect();
        let mut random = seed::rng(self.work.seed, stream);
        for last in (1..count).rev() {
            let other = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
            order.swap(last, other as usize);
        }
        let parts = parallel::try_map(0..FOLDS, |fold| {
            let held = fold * count / FOLDS..(fold + 1) * count / FOLDS;
            let mut rest = [&order[..held.start], &order[held.end..]].concat();
            rest.sort_unstable();
            Ok::<_, FitError>((self.held_out_scores(rows, &rest, &order[held.clone()])?, held))
        });
        let mut scores = vec![0.0; count];
        for (part, held) in parts? {
            order[held].iter().zip(part).for_each(|(&place, score)| scores[place] = score);
        }
        let first: Vec<bool> = (0..count).map(|place| place < self.size).collect();
        Ok(platt::fit(&scores, &first))
    }

    fn held_out_scores(&self, rows: &[usize], rest: &[usize], held: &[usize]) -> Result<Vec<f64>, FitError> {
        let ours = rest.iter().filter(|&&place| place < self.size).count();
        if ours == 0 || ours == rest.len() {
            // As libsvm: a machine of one class is sure of it, one of none knows nothing.
            let score = if rest.is_empty() { 0.0 } else { f64::from(u8::from(ours > 0)) * 2.0 - 1.0 };
            return Ok(vec![score; held.len()]);
        }
        let solution = self.solve(rows, rest)?;
        let chosen: Vec<usize> = rest.iter().map(|&place| rows[place]).collect();
        let solved = Solved { rows: chosen, solution, sigmoid: None };
        let model = assemble(self.work, Vec::new(), Vec::new(), std::slice::from_ref(&solved));
        let features = self.work.features;
        let queries: Vec<f64> = held.iter().flat_map(|&place| self.work.row(rows[place])).copied().collect();
        let queries = ndarray::ArrayView2::from_shape((held.len(), features), &queries);
        Ok(queries.map(|queries| model.scores(queries)).unwrap_or_default())
    }
}

/// The model of the machines, with every row that some machine uses held once.
fn assemble(work: &Work<'_>, labels: Vec<String>, present: Vec<u32>, solved: &[Solved]) -> SupportVectorMachine {
    let used = |solved: &Solved| {
        let pairs = solved.rows.iter().zip(&solved.solution.coefficients);
        pairs.filter(|(_, coefficient)| **coefficient != 0.0).map(|(&row, &value)| (row, value)).collect::<Vec<_>>()
    };
    let used: Vec<Vec<(usize, f64)>> = solved.iter().map(used).collect();
    let mut rows: Vec<usize> = used.iter().flatten().map(|(row, _)| *row).collect();
    rows.sort_unstable();
    rows.dedup();
    let place = |row: usize| rows.partition_point(|&other| other < row) as u32;
    let machines = used.iter().zip(solved).map(|(used, solved)| {
        let mut terms: Vec<(u32, f64)> = used.iter().map(|&(row, value)| (place(row), value)).collect();
        terms.sort_unstable_by_key(|(vector, _)| *vector);
        let (support, coefficients) = terms.into_iter().unzip();
        Machine { support, coefficients, intercept: solved.solution.intercept }
    });
    SupportVectorMachine {
        machines: machines.collect(),
        labels,
        present,
        num_features: work.features as u32,
        kernel: work.kernel,
        vectors: rows.iter().flat_map(|&row| work.row(row)).copied().collect(),
        sigmoids: solved.iter().filter_map(|solved| solved.sigmoid).collect(),
    }
}

fn importance(model: &SupportVectorMachine, data: &TrainingData<'_>) -> Vec<f64> {
    let features = data.x.ncols();
    let mut sums = vec![0.0; features];
    if model.kernel == Kernel::Linear {
        for machine in &model.machines {
            let mut line = vec![0.0; features];
            for (&vector, coefficient) in machine.support.iter().zip(&machine.coefficients) {
                let values = &model.vectors[vector as usize * features..(vector as usize + 1) * features];
                line.iter_mut().zip(values).for_each(|(sum, value)| *sum += coefficient * value);
            }
            sums.iter_mut().zip(line).for_each(|(sum, value)| *sum += value.abs() / model.machines.len() as f64);
        }
        sums.iter_mut().zip(data.standard_deviations()).for_each(|(sum, deviation)| *sum *= deviation);
    }
    sums
}
