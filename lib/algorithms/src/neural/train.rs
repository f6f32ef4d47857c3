//! Training a network on a table: batches, epochs, early stopping, and the loss of every epoch.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

use super::loss::Loss;
use super::matrix::{add, squares};
use super::network::Network;
use super::normalization::Normalization;
use super::optimizer::{Optimizer, Rule};
use super::schedule::Schedule;
use super::workspace::{Mode, Workspace};
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::seed::{derive, rng};

/// A chunk of a batch has about this many multiplications in one pass forward, and at least [`FEWEST_ROWS`] rows: enough to
/// be worth handing to another thread. Both are fixed, so that the result does not depend on the number of threads.
const CHUNK_WORK: usize = 2_000_000;
const FEWEST_ROWS: usize = 32;
/// The rows that are evaluated together.
const EVALUATED_TOGETHER: usize = 512;
/// [`Schedule::Adaptive`] ends at this learning rate, and divides by this until then.
const SLOWEST: f64 = 1e-6;
const ADAPTIVE_DIVISOR: f64 = 5.0;
/// The streams of random numbers.
const SHUFFLE_STREAM: u64 = 1;
const DROPOUT_STREAM: u64 = 2;

/// Rows to learn from or to measure on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// Rows × inputs, finite.
    pub x: &'a [f32],
    /// What the loss wants of each row; see [`Loss`].
    pub targets: &'a [f32],
    /// One weight above 0 a row; `None` when all count 1.
    pub weights: Option<&'a [f32]>,
}

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// What is made small.
    pub loss: Loss,
    /// How the parameters follow the gradient.
    pub rule: Rule,
    /// The first (for [`Schedule::OneCycle`] the highest) learning rate, above 0.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// The rows of a batch, at least 1; all rows when there are fewer.
    pub batch_size: usize,
    /// The most passes over the rows.
    pub epochs: usize,
    /// Whether each epoch takes the rows in a new order.
    pub shuffle: bool,
    /// `penalty / 2 · |weights|²` over the total weight of a batch is added to its mean loss, as in scikit-learn.
    pub penalty: f64,
    /// Each step also takes this share of the learning rate off the weights (Loshchilov and Hutter, 2019).
    pub weight_decay: f64,
    /// The share of hidden units that each row drops, from 0 to below 1.
    pub dropout: f64,
    /// A longer gradient is shortened to this length.
    pub clip: Option<f64>,
    /// A loss counts as better when it is lower than the best by more than this.
    pub tolerance: f64,
    /// Training ends after more epochs than this without a better loss.
    pub patience: usize,
    /// Whether the loss that has to get better is that of the validation rows; the parameters of the best epoch are then
    /// the result.
    pub early_stopping: bool,
}

/// The losses of one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochLoss {
    /// The mean loss over the batches of the epoch, each measured before its step, with the penalty.
    pub train: f64,
    /// The mean loss of the validation rows after the epoch, without dropout and penalty.
    pub validation: Option<f64>,
}

/// How the training went.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The losses of each epoch.
    pub history: Vec<EpochLoss>,
    /// The epoch, counted from 1, whose parameters are the result.
    pub epoch: usize,
    /// Whether training ended because the loss stopped falling rather than after the last epoch.
    pub converged: bool,
}

/// Why training ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    /// The loss is infinite or no number any more.
    #[error("the loss stopped being a finite number in epoch {epoch}")]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
    },
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// One chunk of a batch with its buffers.
#[derive(Default)]
struct Chunk {
    x: Vec<f32>,
    targets: Vec<f32>,
    weights: Vec<f32>,
    workspace: Workspace,
    loss: f64,
}

impl Chunk {
    /// The loss over `rows` of the data, summed, and the gradient of that sum times `scale`.
    fn pass(&mut self, network: &Network, data: Data<'_>, rows: &[u32], training: &Training, scale: f32, seed: u64) {
        gather(&mut self.x, data.x, rows, network.num_inputs());
        let outputs = network.num_outputs();
        gather(&mut self.targets, data.targets, rows, training.loss.targets_per_row(outputs));
        if let Some(weights) = data.weights {
            gather(&mut self.weights, weights, rows, 1);
        }
        let mut rng = rng(seed, 0);
        let mode = Mode::Train { dropout: training.dropout as f32, rng: &mut rng };
        network.forward(&self.x, rows.len(), mode, &mut self.workspace);
        let weights = data.weights.map(|_| self.weights.as_slice());
        let gradient = self.workspace.output_gradient();
        self.loss = training.loss.gradient(gradient, outputs, &self.targets, weights, scale);
        network.backward(&self.x, rows.len(), false, &mut self.workspace);
    }
}

fn gather(to: &mut Vec<f32>, from: &[f32], rows: &[u32], width: usize) {
    to.clear();
    for &row in rows {
        let start = row as usize * width;
        to.extend_from_slice(&from[start..start + width]);
    }
}

/// Trains a network in place.
///
/// The loss that must fall is that of the training rows, or of `validation` with [`Training::early_stopping`]. The probe
/// is asked before every batch whether to stop, and told of every epoch.
pub fn train(
    network: &mut Network,
    data: Data<'_>,
    validation: Option<Data<'_>>,
    training: &Training,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Trained, TrainError> {
    let mut run = Run::new(network, data, training, seed);
    let watched = validation.filter(|_| training.early_stopping);
    let mut best = (f64::INFINITY, 0, network.clone());
    let mut history = Vec::new();
    let (mut waited, mut slowed) = (0, 1.0);
    for epoch in 0..training.epochs {
        let train = run.epoch(network, epoch, slowed, probe)?;
        let validation = validation.map(|data| evaluate(network, data, training.loss));
        let losses = EpochLoss { train, validation };
        let loss = validation.filter(|_| watched.is_some()).unwrap_or(train);
        if !(loss.is_finite() && network.validate().is_ok()) {
            return Err(TrainError::Diverged { epoch: epoch + 1 });
        }
        history.push(losses);
        probe.progress((epoch + 1) as f64, training.epochs as f64, &describe(epoch + 1, losses));
        waited = if loss > best.0 - training.tolerance { waited + 1 } else { 0 };
        if loss < best.0 {
            best.0 = loss;
            best.1 = epoch + 1;
            if watched.is_some() {
                best.2.clone_from(network);
            }
        }
        if waited > training.patience {
            waited = 0;
            let slower = training.schedule == Schedule::Adaptive && training.learning_rate * slowed > SLOWEST;
            slowed /= ADAPTIVE_DIVISOR;
            if !slower {
                return Ok(finish(network, watched.map(|_| best), history, true));
            }
        }
    }
    Ok(finish(network, watched.map(|_| best), history, false))
}

fn finish(
    network: &mut Network,
    best: Option<(f64, usize, Network)>,
    history: Vec<EpochLoss>,
    converged: bool,
) -> Trained {
    let mut epoch = history.len();
    if let Some((_, best_epoch, parameters)) = best.filter(|(_, epoch, _)| *epoch > 0) {
        *network = parameters;
        epoch = best_epoch;
    }
    Trained { history, epoch, converged }
}

fn describe(epoch: usize, losses: EpochLoss) -> String {
    match losses.validation {
        Some(validation) => format!("epoch {epoch}: loss {:.4}, on validation data {validation:.4}", losses.train),
        None => format!("epoch {epoch}: loss {:.4}", losses.train),
    }
}

/// What one training keeps from batch to batch.
struct Run<'a> {
    data: Data<'a>,
    training: &'a Training,
    seed: u64,
    order: Vec<u32>,
    shuffle: Xoshiro256PlusPlus,
    optimizer: Optimizer,
    chunks: Vec<Chunk>,
    batch_size: usize,
    chunk_rows: usize,
    steps: u64,
    rows_seen: u64,
}

impl<'a> Run<'a> {
    fn new(network: &Network, data: Data<'a>, training: &'a Training, seed: u64) -> Self {
        let rows = data.x.len() / network.num_inputs();
        let batch_size = training.batch_size.clamp(1, rows.max(1));
        let parameters = network.parameters().len();
        // The mean and variance of batch normalisation are those of the whole batch, which therefore stays in one piece.
        let whole = network.normalization() == Normalization::Batch;
        let chunk_rows = if whole { usize::MAX } else { (CHUNK_WORK / parameters).max(FEWEST_ROWS) };
        Self {
            data,
            training,
            seed: derive(seed, DROPOUT_STREAM),
            order: (0..rows as u32).collect(),
            shuffle: rng(seed, SHUFFLE_STREAM),
            optimizer: Optimizer::new(training.rule, parameters),
            chunks: Vec::new(),
            batch_size,
            chunk_rows,
            steps: 0,
            rows_seen: 0,
        }
    }

    /// One pass over the rows; the mean loss.
    fn epoch(
        &mut self,
        network: &mut Network,
        epoch: usize,
        slowed: f64,
        probe: &dyn Probe,
    ) -> Result<f64, TrainError> {
        let mut order = std::mem::take(&mut self.order);
        if self.training.shuffle {
            shuffle(&mut order, &mut self.shuffle);
        }
        let most = (order.len().div_ceil(self.batch_size) * self.training.epochs) as u64;
        let (mut total, mut rest) = (0.0, order.as_slice());
        // The number of rows seen changes once an epoch, as in scikit-learn.
        let rows_seen = self.rows_seen;
        while !rest.is_empty() {
            probe.check()?;
            // One row has no variance, so that batch normalisation would learn nothing from it.
            let lonely = network.normalization() == Normalization::Batch && rest.len() == self.batch_size + 1;
            let size = if lonely { rest.len() } else { self.batch_size.min(rest.len()) };
            let (batch, after) = rest.split_at(size);
            let factor = self.training.schedule.factor(epoch, self.steps, most, rows_seen);
            let loss = self.step(network, batch, self.training.learning_rate * factor * slowed);
            if !loss.is_finite() {
                return Err(TrainError::Diverged { epoch: epoch + 1 });
            }
            total += loss * size as f64;
            rest = after;
        }
        self.rows_seen += order.len() as u64;
        let mean = total / order.len() as f64;
        self.order = order;
        Ok(mean)
    }

    /// One step by the gradient over the rows of a batch; the mean loss before it, with the penalty.
    fn step(&mut self, network: &mut Network, batch: &[u32], rate: f64) -> f64 {
        let (data, training) = (self.data, self.training);
        let weight = match data.weights {
            Some(weights) => batch.iter().map(|&row| f64::from(weights[row as usize])).sum(),
            None => batch.len() as f64,
        };
        let pieces = batch.len().div_ceil(self.chunk_rows);
        let piece = batch.len().div_ceil(pieces);
        self.chunks.resize_with(pieces.max(self.chunks.len()), Chunk::default);
        let seed = derive(self.seed, self.steps);
        let scale = (1.0 / weight) as f32;
        let pass = |(index, (chunk, rows)): (usize, (&mut Chunk, &[u32]))| {
            chunk.pass(network, data, rows, training, scale, derive(seed, index as u64));
        };
        if pieces == 1 {
            pass((0, (&mut self.chunks[0], batch)));
        } else {
            parallel::for_each(self.chunks.iter_mut().zip(batch.chunks(piece)).enumerate(), pass);
        }
        self.steps += 1;
        let (first, others) = self.chunks.split_at_mut(1);
        let mut loss = first[0].loss;
        let gradient = &mut first[0].workspace.gradient;
        for other in &others[..pieces - 1] {
            loss += other.loss;
            add(gradient, &other.workspace.gradient);
        }
        loss /= weight;
        let penalty = training.penalty / weight;
        for range in network.weight_ranges() {
            if penalty > 0.0 {
                let weights = &network.parameters()[range.clone()];
                loss += 0.5 * penalty * squares(weights);
                let factor = penalty as f32;
                gradient[range.clone()].iter_mut().zip(weights).for_each(|(to, weight)| *to += factor * weight);
            }
            if training.weight_decay > 0.0 {
                let keep = (1.0 - rate * training.weight_decay).max(0.0) as f32;
                network.parameters_mut()[range].iter_mut().for_each(|weight| *weight *= keep);
            }
        }
        if let Some(most) = training.clip {
            let length = squares(gradient).sqrt();
            if length > most {
                let factor = (most / length) as f32;
                for part in &mut *gradient {
                    *part *= factor;
                }
            }
        }
        self.optimizer.step(network.parameters_mut(), gradient, rate as f32);
        network.absorb_moments(&first[0].workspace);
        loss
    }
}

/// The mean loss of a network over rows, without dropout and penalty.
pub fn evaluate(network: &Network, data: Data<'_>, loss: Loss) -> f64 {
    let (inputs, outputs) = (network.num_inputs(), network.num_outputs());
    let per_row = loss.targets_per_row(outputs);
    let chunk = |(index, x): (usize, &[f32])| {
        let (rows, start) = (x.len() / inputs, index * EVALUATED_TOGETHER);
        let mut workspace = Workspace::new();
        network.forward(x, rows, Mode::Predict, &mut workspace);
        let targets = &data.targets[start * per_row..(start + rows) * per_row];
        let weights = data.weights.map(|weights| &weights[start..start + rows]);
        let sum = loss.gradient(workspace.output_gradient(), outputs, targets, weights, 1.0);
        (sum, weights.map_or(rows as f64, |weights| weights.iter().map(|weight| f64::from(*weight)).sum()))
    };
    let chunks = parallel::map(data.x.chunks(EVALUATED_TOGETHER * inputs).enumerate(), chunk);
    let (sum, weight) = chunks.into_iter().fold((0.0, 0.0), |all, part| (all.0 + part.0, all.1 + part.1));
    sum / weight
}

/// A new order, each equally likely (Fisher and Yates).
fn shuffle(order: &mut [u32], rng: &mut Xoshiro256PlusPlus) {
    for last in (1..order.len()).rev() {
        // The product's upper half is uniform below `last + 1`, to one part in 2^32 at least.
        let other = (u64::from(rng.next_u32()) * (last as u64 + 1)) >> 32;
        order.swap(last, other as usize);
    }
}
