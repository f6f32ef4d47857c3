//! Fitting a neural network: from hyperparameters and a table to a trained network.

use ndarray::ArrayView2;

use super::NeuralNetwork;
use super::hold_out;
use super::scaling::Scaling;
use crate::models::class_weight::weighted_rows;
use crate::models::fit::{CurvePoint, FitError, Fitted, TrainingData};
use crate::models::hyperparameters::{BatchSize, NeuralNetworkParameters, NumberLoss};
use crate::models::predictor::Predictor;
use crate::models::{InvalidModel, Model};
use crate::neural::{self, Data, Loss, Mode, Network, TrainError, Trained, Training, Workspace};
use crate::probe::Probe;
use crate::seed::rng;
use crate::target::Target;

/// The stream of random numbers for the first parameters; training has its own.
const FIRST_STREAM: u64 = 0;
/// The rows whose derivatives make up the importance of the features.
const IMPORTANCE_ROWS: usize = 1000;
/// What `batch_size = "auto"` stands for, with at least that many rows.
const AUTOMATIC_BATCH: usize = 200;
const ADVICE: &str = "lower learning_rate_init, or set gradient_clip to 1";

/// Rows in the form that a network learns from.
struct Prepared {
    x: Vec<f32>,
    targets: Vec<f32>,
    weights: Option<Vec<f32>>,
}

impl Prepared {
    fn data(&self) -> Data<'_> {
        Data { x: &self.x, targets: &self.targets, weights: self.weights.as_deref() }
    }
}

/// What the outputs of the network stand for.
struct Outputs {
    labels: Vec<String>,
    present: Vec<u32>,
    target: [f64; 2],
    width: usize,
    loss: Loss,
}

impl Outputs {
    /// By the rows to learn from.
    fn of(
        target: &Target,
        rows: &[u32],
        weights: Option<&[f64]>,
        parameters: &NeuralNetworkParameters,
    ) -> Result<Self, FitError> {
        match target {
            Target::Classes { labels, codes } => {
                let mut seen = vec![false; labels.len()];
                for &row in rows {
                    seen[codes[row as usize] as usize] = true;
                }
                let present: Vec<u32> = (0..labels.len() as u32).filter(|&code| seen[code as usize]).collect();
                if let [only] = present.as_slice() {
                    return Err(FitError::OneClass { label: labels[*only as usize].clone() });
                }
                let (width, loss) = if present.len() == 2 {
                    (1, Loss::BinaryCrossEntropy)
                } else {
                    (present.len(), Loss::CrossEntropy)
                };
                Ok(Self { labels: labels.clone(), present, target: [0.0, 1.0], width, loss })
            }
            Target::Numbers(values) => {
                let column = ArrayView2::from_shape((values.len(), 1), values).map_err(|_| FitError::OutOfRange)?;
                let scaling = Scaling::of(column, rows, weights).ok_or(FitError::OutOfRange)?;
                let loss = match parameters.loss {
                    NumberLoss::SquaredError => Loss::Squared,
                    NumberLoss::AbsoluteError => Loss::Absolute,
                    NumberLoss::Quantile(quantile) => Loss::Quantile(quantile as f32),
                };
                let target = [scaling.means()[0], scaling.scales()[0]];
                Ok(Self { labels: Vec::new(), present: Vec::new(), target, width: 1, loss })
            }
        }
    }

    /// The targets as the loss takes them; `None` for a row of a class that the network does not know.
    fn target_of(&self, target: &Target, row: u32) -> Option<f32> {
        match target {
            Target::Classes { codes, .. } => {
                let position = self.present.binary_search(&codes[row as usize]).ok()?;
                Some(position as f32)
            }
            Target::Numbers(values) => Some(((values[row as usize] - self.target[0]) / self.target[1]) as f32),
        }
    }

    /// The `rows` that the network knows the class of, in the form that it learns from; their weights get the mean 1.
    fn prepare(
        &self,
        x: ArrayView2<'_, f64>,
        target: &Target,
        rows: &[u32],
        weights: Option<&[f64]>,
        scaling: &Scaling,
    ) -> Prepared {
        let known = rows.iter().filter_map(|&row| Some((row, self.target_of(target, row)?)));
        let (rows, targets): (Vec<u32>, Vec<f32>) = known.unzip();
        let weights = weights.map(|weights| {
            let mean = rows.iter().map(|&row| weights[row as usize] / rows.len() as f64).sum::<f64>();
            rows.iter().map(|&row| ((weights[row as usize] / mean) as f32).max(f32::MIN_POSITIVE)).collect()
        });
        Prepared { x: scaling.apply_to(x, &rows), targets, weights }
    }
}

/// The weight of each row, with that of its class; `None` when all count 1.
fn row_weights(
    target: &Target,
    weights: Option<&[f64]>,
    parameters: &NeuralNetworkParameters,
) -> Result<Option<Vec<f64>>, FitError> {
    match target {
        Target::Classes { labels, codes } => {
            let classes = parameters.class_weight.of_classes(labels, codes, weights)?;
            Ok(weighted_rows(codes, weights, classes.as_deref()))
        }
        Target::Numbers(_) => Ok(weights.map(<[f64]>::to_vec)),
    }
}

/// The rows that count.
fn weighty(rows: usize, weights: Option<&[f64]>) -> Vec<u32> {
    let counts = |row: &u32| weights.is_none_or(|weights| weights[*row as usize] > 0.0);
    (0..rows as u32).filter(counts).collect()
}

/// Fits a network.
///
/// With early stopping, the loss on the validation data is watched, or where there are none on a share of the rows that is
/// held out, stratified by class; the model is then the network after its best epoch. Else the loss on the training rows
/// is watched, as in scikit-learn.
///
/// The importance of a feature is the mean, over up to 1,000 rows and all outputs, of the absolute derivative of the output
/// with respect to the feature, times the feature's standard deviation.
pub(in crate::models) fn fit(
    data: &TrainingData<'_>,
    parameters: &NeuralNetworkParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let weights = row_weights(data.target, data.weights, parameters)?;
    let weights = weights.as_deref();
    let mut rows = weighty(data.x.nrows(), weights);
    if rows.is_empty() {
        return Err(FitError::NoWeight);
    }
    let mut held_out = None;
    if parameters.early_stopping && data.validation.is_none() {
        let classes = match data.target {
            Target::Classes { codes, .. } => Some(codes.as_slice()),
            Target::Numbers(_) => None,
        };
        let (learnt, watched) = hold_out::split(&rows, classes, parameters.validation_fraction, seed)?;
        (rows, held_out) = (learnt, Some(watched));
    }
    let outputs = Outputs::of(data.target, &rows, weights, parameters)?;
    let scaling = Scaling::of(data.x, &rows, weights).ok_or(FitError::OutOfRange)?;
    let learnt = outputs.prepare(data.x, data.target, &rows, weights, &scaling);
    let watched = match (data.validation, held_out) {
        (Some(given), _) => {
            let weights = row_weights(given.target, given.sample_weight, parameters)?;
            let rows = weighty(given.x.nrows(), weights.as_deref());
            Some(outputs.prepare(given.x, given.target, &rows, weights.as_deref(), &scaling))
        }
        (None, Some(rows)) => Some(outputs.prepare(data.x, data.target, &rows, weights, &scaling)),
        (None, None) => None,
    };
    let watched = watched.filter(|watched| !watched.targets.is_empty());
    let sizes = [&[scaling.len()], parameters.hidden_layer_sizes.as_slice(), &[outputs.width]].concat();
    let (activation, normalization) = (parameters.activation, parameters.normalization);
    let mut network = Network::random(sizes, activation, normalization, &mut rng(seed, FIRST_STREAM))
        .map_err(|_| FitError::OutOfRange)?;
    let training = training(parameters, outputs.loss, rows.len());
    let validation = watched.as_ref().map(Prepared::data);
    let trained =
        neural::train(&mut network, learnt.data(), validation, &training, seed, probe).map_err(
            |error| match error {
                TrainError::Diverged { epoch } => FitError::Diverged { iteration: epoch, advice: ADVICE },
                TrainError::Cancelled(cancelled) => FitError::Cancelled(cancelled),
            },
        )?;
    let Outputs { labels, present, target, .. } = outputs;
    let model = NeuralNetwork { labels, present, scaling, target, network };
    model.validate().map_err(|InvalidModel { .. }| FitError::OutOfRange)?;
    let importance = importance(data, &model, &learnt.x);
    Ok(fitted(model, importance, &trained, parameters.early_stopping))
}

fn fitted(model: NeuralNetwork, importance: Vec<f64>, trained: &Trained, early_stopping: bool) -> Fitted {
    let point = |(index, losses): (usize, &neural::EpochLoss)| CurvePoint {
        iteration: index + 1,
        train: losses.train,
        validation: losses.validation,
    };
    Fitted {
        iterations: Some(trained.history.len()),
        converged: Some(trained.converged),
        best_iteration: early_stopping.then_some(trained.epoch),
        curve: trained.history.iter().enumerate().map(point).collect(),
        ..Fitted::new(Model::NeuralNetwork(model), importance)
    }
}

fn training(parameters: &NeuralNetworkParameters, loss: Loss, rows: usize) -> Training {
    let batch_size = match parameters.batch_size {
        BatchSize::Automatic => AUTOMATIC_BATCH.min(rows),
        BatchSize::Rows(rows) => rows,
    };
    Training {
        loss,
        rule: parameters.rule,
        learning_rate: parameters.learning_rate_init,
        schedule: parameters.schedule,
        batch_size,
        epochs: parameters.max_iter,
        shuffle: parameters.shuffle,
        penalty: parameters.alpha,
        weight_decay: parameters.weight_decay,
        dropout: parameters.dropout,
        clip: parameters.gradient_clip,
        tolerance: parameters.tolerance,
        patience: parameters.n_iter_no_change,
        early_stopping: parameters.early_stopping,
    }
}

/// See [`fit`]; `x` holds the standardised rows that were learnt from.
fn importance(data: &TrainingData<'_>, model: &NeuralNetwork, x: &[f32]) -> Vec<f64> {
    let (inputs, outputs) = (model.network.num_inputs(), model.network.num_outputs());
    let step = (x.len() / inputs).div_ceil(IMPORTANCE_ROWS).max(1);
    let x: Vec<f32> = x.chunks_exact(inputs).step_by(step).flatten().copied().collect();
    let rows = x.len() / inputs;
    let mut workspace = Workspace::new();
    model.network.forward(&x, rows, Mode::Predict, &mut workspace);
    let mut sums = vec![0.0; inputs];
    for output in 0..outputs {
        for gradient in workspace.output_gradient().chunks_exact_mut(outputs) {
            gradient.fill(0.0);
            gradient[output] = 1.0;
        }
        model.network.backward(&x, rows, true, &mut workspace);
        for gradient in workspace.input_gradient().chunks_exact(inputs) {
            sums.iter_mut().zip(gradient).for_each(|(sum, part)| *sum += f64::from(part.abs()));
        }
    }
    let count = (rows * outputs) as f64;
    let factors = data.standard_deviations().into_iter().zip(model.scaling.scales());
    let factors = factors.map(|(deviation, scale)| deviation / scale * model.target[1] / count);
    // Derivatives beyond single precision count as the largest finite number.
    sums.iter().zip(factors).map(|(sum, factor)| (sum * factor).clamp(0.0, f64::MAX)).collect()
}
