//! Hyperparameters of neural networks: scikit-learn's `MLPClassifier` and `MLPRegressor`, and more.

use serde_json::json;

use super::Parameters;
use super::common::{CLASS_WEIGHT, MANY, RANDOM_STATE, at_least_zero, fraction, spec};
use super::definition::Definition;
use super::specification::{Accepts, Checked, DefaultValue, HyperparameterSpec};
use super::unavailable::{self, Unavailable, entry};
use super::values::Values;
use crate::models::class_weight::ClassWeight;
use crate::neural::{Activation, Normalization, Rule, Schedule};

/// How a neural network is built and trained.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuralNetworkParameters {
    /// The number of units of each hidden layer.
    pub hidden_layer_sizes: Vec<usize>,
    /// The function of the hidden units.
    pub activation: Activation,
    /// The normalisation of the hidden layers.
    pub normalization: Normalization,
    /// The share of hidden units that each row drops while it is learnt.
    pub dropout: f64,
    /// How the parameters follow the gradient.
    pub rule: Rule,
    /// The first learning rate.
    pub learning_rate_init: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// The strength of the squared penalty on the weights.
    pub alpha: f64,
    /// The share of the learning rate that each step takes off the weights.
    pub weight_decay: f64,
    /// The largest length of a gradient; `None` for no limit.
    pub gradient_clip: Option<f64>,
    /// The rows of a batch.
    pub batch_size: BatchSize,
    /// The most epochs.
    pub max_iter: usize,
    /// Whether each epoch takes the rows in a new order.
    pub shuffle: bool,
    /// A loss is better when it is lower by more than this.
    pub tolerance: f64,
    /// How many epochs without a better loss are borne.
    pub n_iter_no_change: usize,
    /// Whether the loss on rows that are not learnt from decides.
    pub early_stopping: bool,
    /// The share of rows that is held out where there are no validation data.
    pub validation_fraction: f64,
    /// What a regression makes small; of no effect for classes.
    pub loss: NumberLoss,
    /// The weights of the classes.
    pub class_weight: ClassWeight,
    /// The seed of the model, in place of the call's.
    pub random_state: Option<u64>,
}

/// The rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// 200, or all rows when there are fewer.
    Automatic,
    /// That many, or all rows when there are fewer.
    Rows(usize),
}

/// What a regression makes small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberLoss {
    /// The squared error, for the mean.
    SquaredError,
    /// The absolute error, for the median.
    AbsoluteError,
    /// The pinball loss, for that quantile.
    Quantile(f64),
}

const RATE: Accepts = Accepts::Number { min: 0.0, above: true, max: 100.0, below: false };
const BETWEEN_0_AND_1: Accepts = Accepts::Number { min: 0.0, above: true, max: 1.0, below: true };
const BELOW_1: Accepts = Accepts::Number { min: 0.0, above: false, max: 1.0, below: true };

const HIDDEN_LAYER_SIZES: HyperparameterSpec = spec(
    "hidden_layer_sizes",
    &["hidden_layers", "hidden_units"],
    "The number of units of each hidden layer, as an array; one integer for one layer.",
    &[Accepts::Sizes { most: 20, min: 1, max: 16_384 }],
    DefaultValue::Sizes(&[100]),
);
const ACTIVATION: HyperparameterSpec = spec(
    "activation",
    &[],
    "The function of the hidden units.",
    &[Accepts::Choice(&["relu", "tanh", "logistic", "gelu", "identity"])],
    DefaultValue::Text("relu"),
);
const NORMALIZATION: HyperparameterSpec = spec(
    "normalization",
    &[],
    "Whether the inputs of hidden units are normalised: over the rows of a batch, or over the units of a layer; null for neither.",
    &[Accepts::Null, Accepts::Choice(&["batch", "layer"])],
    DefaultValue::Null,
);
const DROPOUT: HyperparameterSpec = spec(
    "dropout",
    &["dropout_rate"],
    "The share of hidden units that each row drops while it is learnt.",
    &[BELOW_1],
    DefaultValue::Number(0.0),
);
const SOLVER: HyperparameterSpec = spec(
    "solver",
    &["optimizer"],
    "The optimiser: Adam, or stochastic gradient descent with momentum.",
    &[Accepts::Choice(&["adam", "sgd"])],
    DefaultValue::Text("adam"),
);
const ALPHA: HyperparameterSpec = spec(
    "alpha",
    &[],
    "The strength of the squared penalty on the weights, as part of the loss.",
    &[at_least_zero()],
    DefaultValue::Number(1e-4),
);
const WEIGHT_DECAY: HyperparameterSpec = spec(
    "weight_decay",
    &[],
    "Each step takes this share of the learning rate off the weights, apart from the gradient (as AdamW does).",
    &[at_least_zero()],
    DefaultValue::Number(0.0),
);
const BATCH_SIZE: HyperparameterSpec = spec(
    "batch_size",
    &[],
    "The rows of a batch; auto for 200, or all rows when there are fewer.",
    &[Accepts::Choice(&["auto"]), Accepts::Integer { min: 1, max: MANY }],
    DefaultValue::Text("auto"),
);
const LEARNING_RATE: HyperparameterSpec = spec(
    "learning_rate",
    &["schedule", "lr_schedule"],
    "How the learning rate changes, with either solver: constant; invscaling by power_t; adaptive, divided by 5 when the loss stops falling; step, times gamma every step_size epochs; cosine, down to 0; one_cycle, up and down. A number is taken as learning_rate_init, constant.",
    &[Accepts::Choice(&["constant", "invscaling", "adaptive", "step", "cosine", "one_cycle"]), RATE],
    DefaultValue::Text("constant"),
);
const LEARNING_RATE_INIT: HyperparameterSpec = spec(
    "learning_rate_init",
    &["lr"],
    "The first learning rate; with one_cycle the highest.",
    &[RATE],
    DefaultValue::Number(1e-3),
);
const POWER_T: HyperparameterSpec = spec(
    "power_t",
    &[],
    "The exponent of the number of rows seen by which invscaling divides the learning rate.",
    &[Accepts::Number { min: 0.0, above: false, max: 10.0, below: false }],
    DefaultValue::Number(0.5),
);
const STEP_SIZE: HyperparameterSpec = spec(
    "step_size",
    &[],
    "After how many epochs the schedule step changes the learning rate.",
    &[Accepts::Integer { min: 1, max: 1_000_000 }],
    DefaultValue::Integer(30),
);
const GAMMA: HyperparameterSpec = spec(
    "gamma",
    &[],
    "What the schedule step multiplies the learning rate by.",
    &[fraction(1.0, false)],
    DefaultValue::Number(0.1),
);
const GRADIENT_CLIP: HyperparameterSpec = spec(
    "gradient_clip",
    &["max_grad_norm", "clip_norm"],
    "A gradient longer than this is shortened to it; null for no limit.",
    &[Accepts::Null, Accepts::Number { min: 0.0, above: true, max: f64::INFINITY, below: false }],
    DefaultValue::Null,
);
const MAX_ITER: HyperparameterSpec = spec(
    "max_iter",
    &["epochs", "max_epochs", "n_epochs"],
    "The most epochs: passes over the rows.",
    &[Accepts::Integer { min: 1, max: 1_000_000 }],
    DefaultValue::Integer(200),
);
const SHUFFLE: HyperparameterSpec = spec(
    "shuffle",
    &[],
    "Whether each epoch takes the rows in a new order.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(true),
);
const TOLERANCE: HyperparameterSpec = spec(
    "tol",
    &["tolerance"],
    "A loss counts as better when it is lower than the best by more than this.",
    &[at_least_zero()],
    DefaultValue::Number(1e-4),
);
const N_ITER_NO_CHANGE: HyperparameterSpec = spec(
    "n_iter_no_change",
    &["patience", "early_stopping_rounds"],
    "Training ends after more epochs than this without a better loss.",
    &[Accepts::Integer { min: 1, max: 1_000_000 }],
    DefaultValue::Integer(10),
);
const EARLY_STOPPING: HyperparameterSpec = spec(
    "early_stopping",
    &[],
    "Whether the loss on the validation data, or on rows that are held out, ends the training; the best epoch's network is then the model.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(false),
);
const VALIDATION_FRACTION: HyperparameterSpec = spec(
    "validation_fraction",
    &[],
    "The share of rows that early stopping holds out where there are no validation data.",
    &[BETWEEN_0_AND_1],
    DefaultValue::Number(0.1),
);
const MOMENTUM: HyperparameterSpec = spec(
    "momentum",
    &[],
    "The share of the last step that sgd keeps.",
    &[Accepts::Number { min: 0.0, above: false, max: 1.0, below: false }],
    DefaultValue::Number(0.9),
);
const NESTEROVS_MOMENTUM: HyperparameterSpec = spec(
    "nesterovs_momentum",
    &[],
    "Whether sgd takes the gradient as if after the momentum.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(true),
);
const BETA_1: HyperparameterSpec =
    spec("beta_1", &[], "The decay of Adam's mean gradient.", &[BELOW_1], DefaultValue::Number(0.9));
const BETA_2: HyperparameterSpec =
    spec("beta_2", &[], "The decay of Adam's mean squared gradient.", &[BELOW_1], DefaultValue::Number(0.999));
const EPSILON: HyperparameterSpec = spec(
    "epsilon",
    &[],
    "Added to the root of Adam's mean squared gradient.",
    &[fraction(1.0, false)],
    DefaultValue::Number(1e-8),
);
const LOSS: HyperparameterSpec = spec(
    "loss",
    &["objective"],
    "What is made small: the squared error (for the mean), the absolute error (for the median), or the loss of a quantile.",
    &[Accepts::Choice(&["squared_error", "absolute_error", "quantile"])],
    DefaultValue::Text("squared_error"),
);
const QUANTILE: HyperparameterSpec =
    spec("quantile", &[], "The quantile that the loss quantile is for.", &[BETWEEN_0_AND_1], DefaultValue::Number(0.5));

/// The table, with a few rows that differ between the tasks.
macro_rules! table {
    ($($own:expr),+) => {
        &[
            HIDDEN_LAYER_SIZES, ACTIVATION, SOLVER, ALPHA, BATCH_SIZE, LEARNING_RATE, LEARNING_RATE_INIT, POWER_T, MAX_ITER,
            SHUFFLE, RANDOM_STATE, TOLERANCE, MOMENTUM, NESTEROVS_MOMENTUM, EARLY_STOPPING, VALIDATION_FRACTION, BETA_1,
            BETA_2, EPSILON, N_ITER_NO_CHANGE, DROPOUT, NORMALIZATION, WEIGHT_DECAY, GRADIENT_CLIP, STEP_SIZE, GAMMA,
            $($own),+
        ]
    };
}

static CLASSIFIER: &[HyperparameterSpec] = table!(CLASS_WEIGHT);
static REGRESSOR: &[HyperparameterSpec] = table!(LOSS, QUANTILE);
static UNAVAILABLE: &[Unavailable] = &[
    entry("max_fun", || vec![json!(15_000)], "there is no solver lbfgs; limit adam or sgd by max_iter"),
    unavailable::VERBOSE,
    unavailable::WARM_START,
];

/// A neural network.
pub(super) static NEURAL_NETWORK: Definition = Definition {
    classification: CLASSIFIER,
    regression: REGRESSOR,
    unavailable: UNAVAILABLE,
    parse: |values| Ok(Parameters::NeuralNetwork(typed(values))),
};

fn typed(values: &Values<'_>) -> NeuralNetworkParameters {
    let number = |name: &str, default: f64| values.number(name).unwrap_or(default);
    let rate = values.number("learning_rate");
    NeuralNetworkParameters {
        hidden_layer_sizes: match values.get("hidden_layer_sizes") {
            Checked::Sizes(sizes) => sizes.iter().map(|&size| size as usize).collect(),
            _ => vec![100],
        },
        activation: match values.get("activation") {
            Checked::Text("tanh") => Activation::Tanh,
            Checked::Text("logistic") => Activation::Logistic,
            Checked::Text("gelu") => Activation::Gelu,
            Checked::Text("identity") => Activation::Identity,
            _ => Activation::Relu,
        },
        normalization: match values.get("normalization") {
            Checked::Text("batch") => Normalization::Batch,
            Checked::Text("layer") => Normalization::Layer,
            _ => Normalization::None,
        },
        dropout: number("dropout", 0.0),
        rule: if matches!(values.get("solver"), Checked::Text("sgd")) {
            Rule::Descent { momentum: number("momentum", 0.9) as f32, nesterov: values.boolean("nesterovs_momentum") }
        } else {
            let decay = |name, default| (number(name, default) as f32).min(LARGEST_DECAY);
            Rule::Adam {
                beta_1: decay("beta_1", 0.9),
                beta_2: decay("beta_2", 0.999),
                epsilon: (number("epsilon", 1e-8) as f32).max(f32::MIN_POSITIVE),
            }
        },
        learning_rate_init: rate.unwrap_or_else(|| number("learning_rate_init", 1e-3)),
        schedule: match values.get("learning_rate") {
            Checked::Text("invscaling") => Schedule::InverseScaling { power: number("power_t", 0.5) },
            Checked::Text("adaptive") => Schedule::Adaptive,
            Checked::Text("step") => {
                Schedule::Step { epochs: values.count("step_size").unwrap_or(30), factor: number("gamma", 0.1) }
            }
            Checked::Text("cosine") => Schedule::Cosine,
            Checked::Text("one_cycle") => Schedule::OneCycle,
            _ => Schedule::Constant,
        },
        alpha: number("alpha", 1e-4),
        weight_decay: number("weight_decay", 0.0),
        gradient_clip: values.number("gradient_clip"),
        batch_size: values.count("batch_size").map_or(BatchSize::Automatic, BatchSize::Rows),
        max_iter: values.count("max_iter").unwrap_or(200),
        shuffle: values.boolean("shuffle"),
        tolerance: number("tol", 1e-4),
        n_iter_no_change: values.count("n_iter_no_change").unwrap_or(10),
        early_stopping: values.boolean("early_stopping"),
        validation_fraction: number("validation_fraction", 0.1),
        loss: match values.get("loss") {
            Checked::Text("absolute_error") => NumberLoss::AbsoluteError,
            Checked::Text("quantile") => NumberLoss::Quantile(number("quantile", 0.5)),
            _ => NumberLoss::SquaredError,
        },
        class_weight: values.class_weight(),
        random_state: values.random_state(),
    }
}

/// The largest single-precision number below 1, which a decay just below 1 would otherwise round up to.
const LARGEST_DECAY: f32 = 1.0 - f32::EPSILON / 2.0;
