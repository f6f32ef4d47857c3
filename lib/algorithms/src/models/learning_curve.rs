//! What the losses of a fit show: the curve in few points, and a diagnosis by a fixed rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit::{CurvePoint, Fitted};
use super::hyperparameters::{Hyperparameters, NumberLoss, Parameters};
use super::{Model, Task};

/// A rise of the loss above this share of its size is more than noise.
const NOISE: f64 = 0.05;
/// A rise above this share of what the loss had fallen is more than noise.
const SHARE_OF_FALL: f64 = 0.1;
/// A fall below this share of the whole one is none.
const STANDSTILL: f64 = 0.001;
/// With fewer iterations nothing is said of a plateau.
const FEW: usize = 10;

/// What a learning curve shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Diagnosis {
    /// Nothing of the others.
    Ok,
    /// The loss on the validation rows ends well above its least, while the one on the training rows went on falling.
    Overfitting,
    /// The last third of the iterations has changed nothing to speak of.
    Plateau,
    /// The loss on the training rows ends well above its least.
    Diverging,
    /// Some loss is not a finite number.
    Nan,
}

/// A diagnosis with the figures behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diagnosed {
    /// What the curve shows.
    pub diagnosis: Diagnosis,
    /// The iteration with the least loss on the rows that are watched: the validation rows, where there are any.
    pub least_at: usize,
    /// That least loss.
    pub least: f64,
    /// The loss at the end, the mean of the last twentieth of the iterations.
    pub end: f64,
}

impl Fitted {
    /// The iteration whose state is the model, where early stopping chose it.
    pub fn kept_iteration(&self, parameters: &Hyperparameters) -> Option<usize> {
        let stops_early = match parameters.parameters() {
            Parameters::Xgboost(boosting) => boosting.early_stopping_rounds.is_some(),
            Parameters::NeuralNetwork(network) => network.early_stopping,
            _ => false,
        };
        self.best_iteration.filter(|_| stops_early)
    }

    /// What the losses of [`Fitted::curve`] are, in words; `None` for an algorithm that keeps none.
    pub fn loss_name(&self, parameters: &Hyperparameters) -> Option<String> {
        match (&self.model, parameters.parameters()) {
            (Model::Xgboost(model), _) => Some(model.objective().metric().to_owned()),
            (_, Parameters::LogisticRegression(_)) => Some("log loss with the penalty".to_owned()),
            (_, Parameters::NeuralNetwork(network)) => Some(match (parameters.task(), network.loss) {
                (Task::Classification, _) => "log loss".to_owned(),
                (Task::Regression, NumberLoss::SquaredError) => {
                    "half squared error of the standardised target".to_owned()
                }
                (Task::Regression, NumberLoss::AbsoluteError) => "absolute error of the standardised target".to_owned(),
                (Task::Regression, NumberLoss::Quantile(_)) => "pinball loss of the standardised target".to_owned(),
            }),
            _ => None,
        }
    }
}

/// What the curve shows; `None` without a point.
///
/// The rule, in this order, over the iterations up to `kept` (all of them without early stopping). The end of a curve is the
/// mean of its last twentieth. A rise counts when it is more than 5 % of the least loss and more than a tenth of the fall
/// from the first loss to the least.
/// 1. `nan`: some loss of the whole fit is not finite.
/// 2. `diverging`: the training loss ends that far above its least.
/// 3. `overfitting`: the validation loss ends that far above its least, and the training loss fell meanwhile.
/// 4. `plateau`: of at least ten iterations, the last third took less than a thousandth of the whole fall off the least loss
///    on the validation rows, or on the training rows where there are none. An algorithm that stopped by its tolerance
///    (`converged`) or early (`kept`) has no plateau: it ended where one begins.
/// 5. `ok`.
pub fn diagnose(curve: &[CurvePoint], converged: Option<bool>, kept: Option<usize>) -> Option<Diagnosed> {
    let is_finite = |point: &CurvePoint| point.train.is_finite() && point.validation.is_none_or(f64::is_finite);
    let whole = curve;
    let curve = &curve[..kept.map_or(curve.len(), |kept| kept.clamp(1, curve.len().max(1)).min(curve.len()))];
    let train = curve.iter().map(|point| point.train).collect::<Vec<_>>();
    let validation = curve.iter().map(|point| point.validation).collect::<Option<Vec<_>>>();
    let watched = validation.as_deref().unwrap_or(&train);
    let least = Series::of(watched)?;
    let found = |diagnosis| {
        let iteration = curve.get(least.at).map_or(0, |point| point.iteration);
        Some(Diagnosed { diagnosis, least_at: iteration, least: least.least, end: least.end })
    };
    if !whole.iter().all(is_finite) {
        return found(Diagnosis::Nan);
    }
    let learnt = Series::of(&train)?;
    if learnt.ends_high() {
        return found(Diagnosis::Diverging);
    }
    if validation.is_some() && least.ends_high() && learnt.end < train[least.at] {
        return found(Diagnosis::Overfitting);
    }
    let before = &watched[..watched.len() - watched.len() / 3];
    let gained = before.iter().copied().fold(f64::INFINITY, f64::min) - least.least;
    let stands = gained <= STANDSTILL * (watched[0] - least.least);
    if watched.len() >= FEW && stands && converged != Some(true) && kept.is_none() {
        return found(Diagnosis::Plateau);
    }
    found(Diagnosis::Ok)
}

/// What is known of the losses of some rows.
struct Series {
    first: f64,
    /// The place of the least loss, counted from 0.
    at: usize,
    least: f64,
    end: f64,
}

impl Series {
    fn of(losses: &[f64]) -> Option<Self> {
        let (at, least) = losses.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let last = &losses[losses.len() - losses.len().div_ceil(20)..];
        let end = last.iter().sum::<f64>() / last.len() as f64;
        Some(Self { first: losses[0], at, least, end })
    }

    /// Whether the end lies above the least by more than noise.
    fn ends_high(&self) -> bool {
        let rise = self.end - self.least;
        rise > NOISE * self.least.abs() && rise > SHARE_OF_FALL * (self.first - self.least)
    }
}

/// At most `most` points of the curve, at least 3: the first, the last, the one of the least loss, and others at even
/// distances.
pub fn thinned(curve: &[CurvePoint], most: usize) -> Vec<CurvePoint> {
    let most = most.max(3);
    if curve.len() <= most {
        return curve.to_vec();
    }
    let watched = |point: &CurvePoint| point.validation.unwrap_or(point.train);
    let least = (0..curve.len()).min_by(|&a, &b| watched(&curve[a]).total_cmp(&watched(&curve[b])));
    let steps = most - 2;
    let mut places = (0..=steps).map(|step| step * (curve.len() - 1) / steps).chain(least).collect::<Vec<_>>();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| curve[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(losses: impl IntoIterator<Item = (f64, Option<f64>)>) -> Vec<CurvePoint> {
        let point = |(at, (train, validation))| CurvePoint { iteration: at + 1, train, validation };
        losses.into_iter().enumerate().map(point).collect()
    }

    fn diagnosis(curve: &[CurvePoint]) -> Diagnosis {
        diagnose(curve, None, None).unwrap().diagnosis
    }

    #[test]
    fn every_shape_has_its_name() {
        let steps = || (0..60).map(f64::from);
        let falling = curve(steps().map(|at| (0.95_f64.powf(at), Some(0.2 + 0.95_f64.powf(at)))));
        assert_eq!(diagnosis(&falling), Diagnosis::Ok);
        let rising = curve(steps().map(|at| (0.9_f64.powf(at), Some(0.5 + (at - 20.0).powi(2) / 2000.0))));
        let found = diagnose(&rising, None, None).unwrap();
        assert_eq!((found.diagnosis, found.least_at, found.least), (Diagnosis::Overfitting, 21, 0.5));
        assert!(found.end > 1.0);
        let flat = curve(steps().map(|at| (0.5_f64.powf(at) + 0.3, None)));
        assert_eq!(diagnosis(&flat), Diagnosis::Plateau);
        assert_eq!(diagnose(&flat, Some(true), None).unwrap().diagnosis, Diagnosis::Ok);
        let away = curve(steps().map(|at| (1.0 + (at - 10.0).abs(), None)));
        assert_eq!(diagnosis(&away), Diagnosis::Diverging);
        let broken = curve([(0.5, Some(0.5)), (0.4, Some(f64::NAN))]);
        assert_eq!(diagnosis(&broken), Diagnosis::Nan);
        assert_eq!(diagnose(&[], None, None), None);
        assert_eq!(diagnosis(&curve([(0.5, None)])), Diagnosis::Ok);
    }

    #[test]
    fn a_model_that_was_stopped_early_does_not_overfit() {
        let rising =
            curve((0..60).map(f64::from).map(|at| (0.9_f64.powf(at), Some(0.5 + (at - 20.0).powi(2) / 2000.0))));
        let found = diagnose(&rising, Some(true), Some(21)).unwrap();
        assert_eq!((found.diagnosis, found.least_at), (Diagnosis::Ok, 21));
        assert!(diagnose(&rising, None, Some(0)).is_some() && diagnose(&rising, None, Some(999)).is_some());
    }

    #[test]
    fn noise_is_no_rise() {
        let noisy = curve((0..40).map(|at| (1.0 / f64::from(at + 1), Some(0.5 + 0.01 * f64::from(at % 3)))));
        assert_ne!(diagnosis(&noisy), Diagnosis::Overfitting);
    }

    #[test]
    fn few_points_hold_the_ends_and_the_least() {
        let long = curve((0..1000).map(|at| (f64::from((at - 333_i32).abs()), None)));
        let few = thinned(&long, 100);
        assert!(few.len() <= 100 && few.len() > 95, "{}", few.len());
        assert!((few[0].iteration, few[few.len() - 1].iteration) == (1, 1000));
        assert!(few.iter().any(|point| point.train == 0.0));
        assert!(few.windows(2).all(|pair| pair[0].iteration < pair[1].iteration));
        assert_eq!(thinned(&long[..50], 100).len(), 50);
    }
}
