//! Linear discriminant analysis: within a class the features are normally distributed, with one covariance for all
//! classes. What is fitted predicts as a logistic regression does, and is one.

use ndarray::{Array1, Array2, Axis};

use super::Model;
use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::{ClassCovariance, DiscriminantParameters};
use super::logistic_regression::{LogisticRegression, importance};
use super::moments::{Means, second_moments};
use super::priors::priors;
use super::ridge::LARGEST_SYSTEM;
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::reduction::eigenvectors;

/// The parts of the rows that are summed on their own; fixed, so that the sums do not depend on the number of threads.
const PARTS: usize = 16;
const SMALLEST_PART: usize = 256;

/// The rows of one class.
struct Group {
    /// Their features less [`Group::first`], so that a feature that does not vary is 0 and not what rounding leaves of it.
    x: Array2<f64>,
    first: Array1<f64>,
    weights: Option<Vec<f64>>,
    total: f64,
}

/// Fits as scikit-learn does: the scores of class k are `x·C⁻¹·(mₖ − c) − ½ (mₖ − c)·C⁻¹·(mₖ − c) − c·C⁻¹·(mₖ − c) + log pₖ`,
/// with the mean `mₖ` and the prior `pₖ` of the class, the covariance C within the classes and a centre c, which is that of
/// the means where C is pooled and else 0 (Hastie and others, The Elements of Statistical Learning, 4.3). A weight of 2
/// is the row twice.
///
/// Directions in which no class varies are left out of `C⁻¹`; where C is pooled also those within the tolerance, and those
/// of the means that are small beside the largest.
///
/// The importance of a feature is the mean over the classes of the absolute coefficient, less its mean over the classes,
/// times the feature's standard deviation.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &DiscriminantParameters,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let (labels, codes) = data.classes()?;
    let present = data.present_classes()?;
    let features = data.x.ncols();
    if features > LARGEST_SYSTEM {
        return Err(FitError::TooMany { what: "features", count: features, most: LARGEST_SYSTEM });
    }
    let mut rows = vec![Vec::new(); labels.len()];
    for (row, &code) in codes.iter().enumerate() {
        if data.weights.is_none_or(|weights| weights[row] > 0.0) {
            rows[code as usize].push(row);
        }
    }
    rows.retain(|rows| !rows.is_empty());
    let (counted, classes) = (rows.iter().map(Vec::len).sum(), present.len());
    if counted <= classes {
        return Err(FitError::FewRows { rows: counted, classes });
    }
    let weight = |row: usize| data.weights.map_or(1.0, |weights| weights[row]);
    let totals: Vec<f64> = rows.iter().map(|rows| rows.iter().map(|&row| weight(row)).sum()).collect();
    let total: f64 = totals.iter().sum();
    let priors = priors(parameters.priors.as_ref(), labels, &present, &totals)?;
    if let Some(never) = priors.iter().position(|prior| *prior <= 0.0) {
        let label = &labels[present[never] as usize];
        return Err(FitError::Priors { problem: format!("that of the class '{label}' is 0, and it has rows") });
    }
    let steps = classes as f64 + 1.0;
    let mut means = Array2::zeros((classes, features));
    let mut within = Array2::zeros((features, features));
    for (class, rows) in rows.iter().enumerate() {
        probe.check()?;
        probe.progress(class as f64, steps, "measuring the covariances of the classes");
        let group = Group::new(data, rows, totals[class]);
        let (mean, mut covariance) = group.moments(probe)?;
        match parameters.covariance {
            ClassCovariance::Pooled => {}
            ClassCovariance::Shrunk(share) => shrink(&mut covariance, share, None),
            ClassCovariance::LedoitWolf => group.shrink_by_lemma(&mut covariance, &mean),
        }
        let share =
            if parameters.covariance == ClassCovariance::Pooled { totals[class] / total } else { priors[class] };
        within.scaled_add(share, &covariance);
        means.row_mut(class).assign(&(mean + &group.first));
    }
    probe.check()?;
    probe.progress(classes as f64, steps, "separating the classes");
    let priors = Array1::from(priors);
    let pooled = parameters.covariance == ClassCovariance::Pooled;
    let centre = if pooled { priors.dot(&means) } else { Array1::zeros(features) };
    let centred = &means - &centre;
    let whitening = whitening(&within, if pooled { parameters.tolerance.powi(2) } else { 0.0 }, probe)?;
    let mut whitened = centred.dot(&whitening.t());
    if pooled {
        project(&mut whitened, &priors, parameters.tolerance.powi(2), probe)?;
    }
    let coefficients = whitened.dot(&whitening);
    let halves = (&coefficients * &(&centred * 0.5 + &centre)).sum_axis(Axis(1));
    let intercepts = priors.mapv(f64::ln) - halves;
    let (coefficients, intercepts, moving) = if classes == 2 {
        let second = &coefficients.row(1) - &coefficients.row(0);
        (second.to_vec(), vec![intercepts[1] - intercepts[0]], second.to_vec())
    } else {
        let moving = &coefficients - &priors.dot(&coefficients);
        (coefficients.into_iter().collect(), intercepts.to_vec(), moving.into_iter().collect())
    };
    let model = LogisticRegression::new(labels, present, features, coefficients, intercepts)?;
    let importance = importance(&moving, data);
    probe.progress(steps, steps, "fitted the linear discriminant analysis");
    Ok(Fitted::new(Model::LinearDiscriminantAnalysis(model), importance))
}

impl Group {
    fn new(data: &TrainingData<'_>, rows: &[usize], total: f64) -> Self {
        let first = data.x.row(rows[0]).to_owned();
        let mut x = data.x.select(Axis(0), rows);
        x -= &first;
        let weights = data.weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
        Self { x, first, weights, total }
    }

    /// The mean and the covariance, divided by the total weight.
    fn moments(&self, probe: &dyn Probe) -> Result<(Array1<f64>, Array2<f64>), Cancelled> {
        let features = self.x.ncols();
        let (target, weights) = (vec![0.0; self.x.nrows()], self.weights.as_deref());
        let means = Means::new(self.x.view(), &target, weights);
        let sums = second_moments(self.x.view(), &target, weights, &means, probe)?;
        let covariance = Array2::from_shape_fn((features, features), |place| sums[place] / self.total);
        Ok((Array1::from(means.features), covariance))
    }

    /// Shrinks the covariance, in units of the standard deviations, by the share of the mean variance that Ledoit and
    /// Wolf (2004, A well-conditioned estimator for large-dimensional covariance matrices) derive.
    fn shrink_by_lemma(&self, covariance: &mut Array2<f64>, mean: &Array1<f64>) {
        let features = covariance.nrows();
        let deviations = deviations(covariance);
        let size = self.x.nrows().div_ceil(PARTS).max(SMALLEST_PART);
        // The sum of the squared squares of the lengths of the rows.
        let parts = parallel::map(parallel::ranges(self.x.nrows(), size), |rows| {
            let length = |row: usize| {
                let values = self.x.row(row).into_iter().zip(mean).zip(&deviations);
                values.map(|((value, mean), deviation)| ((value - mean) / deviation).powi(2)).sum::<f64>()
            };
            let weight = |row: usize| self.weights.as_ref().map_or(1.0, |weights| weights[row]);
            rows.map(|row| weight(row) * length(row).powi(2)).sum::<f64>()
        });
        let fourth = parts.iter().sum::<f64>() / self.total;
        let correlation = |(i, j): (usize, usize)| covariance[[i, j]] / (deviations[i] * deviations[j]);
        let squares: f64 =
            (0..features).flat_map(|i| (0..features).map(move |j| (i, j))).map(|at| correlation(at).powi(2)).sum();
        let trace: f64 = (0..features).map(|i| correlation((i, i))).sum();
        let noise = (fourth - squares) / self.total;
        let spread = squares - trace * trace / features as f64;
        let share = if noise > 0.0 && spread > 0.0 { (noise / spread).min(1.0) } else { 0.0 };
        shrink(covariance, share, Some(&deviations));
    }
}

/// Gives a share of the covariance to the mean of the variances, in units of the deviations where there are any.
fn shrink(covariance: &mut Array2<f64>, share: f64, deviations: Option<&[f64]>) {
    let features = covariance.nrows();
    let unit = |feature: usize| deviations.map_or(1.0, |deviations| deviations[feature].powi(2));
    let variance = (0..features).map(|i| covariance[[i, i]] / unit(i)).sum::<f64>() / features as f64;
    *covariance *= 1.0 - share;
    for feature in 0..features {
        covariance[[feature, feature]] += share * variance * unit(feature);
    }
}

/// The standard deviations of a covariance; 1 for a feature that does not vary.
fn deviations(covariance: &Array2<f64>) -> Vec<f64> {
    covariance.diag().iter().map(|&variance| if variance > 0.0 { variance.sqrt() } else { 1.0 }).collect()
}

/// W of `C⁻¹ = Wᵀ·W`, directions × features. Where the features have the variance 1, only directions with a variance above
/// `least` have a row, and above what rounding leaves of directions that do not vary.
fn whitening(covariance: &Array2<f64>, least: f64, probe: &dyn Probe) -> Result<Array2<f64>, FitError> {
    let features = covariance.nrows();
    let deviations = deviations(covariance);
    let scaled =
        Array2::from_shape_fn((features, features), |(i, j)| covariance[[i, j]] / deviations[i] / deviations[j]);
    let (variances, mut directions) = directions(scaled, |largest| least.max(rounding(features, largest)), probe)?;
    for (mut direction, variance) in directions.rows_mut().into_iter().zip(variances) {
        let scale = variance.sqrt();
        direction.iter_mut().zip(&deviations).for_each(|(value, deviation)| *value /= scale * deviation);
    }
    Ok(directions)
}

/// Takes the directions out of the whitened means (classes × directions) whose variance between the classes is at most
/// `least` times the largest one.
fn project(whitened: &mut Array2<f64>, priors: &Array1<f64>, least: f64, probe: &dyn Probe) -> Result<(), FitError> {
    let (classes, width) = whitened.dim();
    if width == 0 {
        return Ok(());
    }
    let roots = priors.mapv(f64::sqrt).insert_axis(Axis(1));
    let weighted = &*whitened * &roots;
    let products = weighted.dot(&weighted.t());
    let (_, kept) = directions(products, |largest| (least * largest).max(rounding(classes, largest)), probe)?;
    // Around their centre the means span one dimension less than there are classes; if these are kept, so is everything.
    if kept.nrows() < width.min(classes - 1) {
        *whitened = kept.t().dot(&kept.dot(&weighted)) / &roots;
    }
    Ok(())
}

/// What rounding may leave of an eigenvalue that is 0.
fn rounding(size: usize, largest: f64) -> f64 {
    f64::EPSILON * size as f64 * largest
}

/// The eigenvalues of a symmetric matrix above what `least` makes of the largest one, descending, and their
/// eigenvectors, one a row.
fn directions(
    matrix: Array2<f64>,
    least: impl Fn(f64) -> f64,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Array2<f64>), FitError> {
    if matrix.iter().any(|value| !value.is_finite()) {
        return Err(FitError::OutOfRange);
    }
    let size = matrix.nrows();
    let wanted = |values: &[f64]| {
        let least = least(values[0]);
        values.iter().take_while(|value| **value > least && **value > 0.0).count()
    };
    let (mut values, vectors) = eigenvectors(matrix.into_raw_vec_and_offset().0, size, wanted, probe)?;
    let count = vectors.len() / size;
    values.truncate(count);
    let vectors = Array2::from_shape_vec((count, size), vectors).map_err(|_| FitError::OutOfRange)?;
    Ok((values, vectors))
}
