//! The tables of the parameters: names, ranges and defaults of scikit-learn's `PCA` and `TSNE`, and of umap-learn.

use super::Reducer;
use crate::models::{Accepts, DefaultValue, HyperparameterSpec};

/// Any integer that a JavaScript number holds exactly.
const LARGEST_SEED: i64 = 9_007_199_254_740_991;
/// No table has more columns than this.
const MANY: i64 = 1_000_000_000;

const fn spec(
    name: &'static str,
    aliases: &'static [&'static str],
    description: &'static str,
    accepts: &'static [Accepts],
    default: DefaultValue,
) -> HyperparameterSpec {
    HyperparameterSpec { name, aliases, description, accepts, default }
}

const fn number(min: f64, above: bool, max: f64) -> Accepts {
    Accepts::Number { min, above, max, below: false }
}

const RANDOM_STATE: HyperparameterSpec = spec(
    "random_state",
    &["seed"],
    "The seed of this fit; null for the seed of the call. Without random choices it changes nothing.",
    &[Accepts::Null, Accepts::Integer { min: 0, max: LARGEST_SEED }],
    DefaultValue::Null,
);
const INIT: HyperparameterSpec = spec(
    "init",
    &["initialization"],
    "Where the map begins: on the first principal components, or at random places.",
    &[Accepts::Choice(&["pca", "random"])],
    DefaultValue::Text("pca"),
);

static PCA: &[HyperparameterSpec] = &[
    spec(
        "n_components",
        &["variance"],
        "How many components are kept: a count, the share of the variance that they must explain, or null for all.",
        &[
            Accepts::Null,
            Accepts::Integer { min: 1, max: MANY },
            Accepts::Number { min: 0.0, above: true, max: 1.0, below: true },
        ],
        DefaultValue::Null,
    ),
    spec(
        "whiten",
        &[],
        "Whether the coordinates are scaled to a variance of 1.",
        &[Accepts::Boolean],
        DefaultValue::Boolean(false),
    ),
    spec(
        "svd_solver",
        &["solver"],
        "How the components are found: auto, exactly (full and covariance_eigh are the same), or, for a given number of components, by a randomised method.",
        &[Accepts::Choice(&["auto", "full", "covariance_eigh", "randomized"])],
        DefaultValue::Text("auto"),
    ),
    spec(
        "n_oversamples",
        &[],
        "How many directions more than asked for the randomised method follows.",
        &[Accepts::Integer { min: 0, max: 1000 }],
        DefaultValue::Integer(10),
    ),
    spec(
        "iterated_power",
        &[],
        "How often the randomised method multiplies the table after the first time; auto for 3, all products being kept.",
        &[Accepts::Choice(&["auto"]), Accepts::Integer { min: 0, max: 100 }],
        DefaultValue::Text("auto"),
    ),
    RANDOM_STATE,
];

static TSNE: &[HyperparameterSpec] = &[
    spec(
        "n_components",
        &[],
        "The number of axes of the map.",
        &[Accepts::Integer { min: 1, max: 3 }],
        DefaultValue::Integer(2),
    ),
    spec(
        "perplexity",
        &[],
        "How many neighbours a row has, softly counted; below the number of rows.",
        &[number(1.0, false, 10_000.0)],
        DefaultValue::Number(30.0),
    ),
    spec(
        "early_exaggeration",
        &[],
        "By how much neighbours attract more strongly at first.",
        &[number(1.0, false, 1000.0)],
        DefaultValue::Number(12.0),
    ),
    spec(
        "learning_rate",
        &[],
        "The length of a step: auto for the number of rows divided by 4 times early_exaggeration and at least 50, or a number.",
        &[Accepts::Choice(&["auto"]), number(0.0, true, 1e6)],
        DefaultValue::Text("auto"),
    ),
    spec(
        "max_iter",
        &["n_iter", "iterations"],
        "The largest number of iterations; the first 250 exaggerate.",
        &[Accepts::Integer { min: 250, max: 1_000_000 }],
        DefaultValue::Integer(1000),
    ),
    spec(
        "n_iter_without_progress",
        &[],
        "The map is finished when the divergence has not sunk for so many iterations.",
        &[Accepts::Integer { min: 1, max: 1_000_000 }],
        DefaultValue::Integer(300),
    ),
    spec(
        "min_grad_norm",
        &[],
        "The map is finished when the gradient is no longer than this.",
        &[number(0.0, false, f64::INFINITY)],
        DefaultValue::Number(1e-7),
    ),
    INIT,
    spec(
        "angle",
        &["theta"],
        "How coarsely far points are summed: the size of a cell over its distance; 0 for exact sums.",
        &[number(0.0, false, 1.0)],
        DefaultValue::Number(0.5),
    ),
    RANDOM_STATE,
];

static UMAP: &[HyperparameterSpec] = &[
    spec(
        "n_neighbors",
        &["k"],
        "How many neighbours tie a row, itself counted; at most the number of rows.",
        &[Accepts::Integer { min: 2, max: 10_000 }],
        DefaultValue::Integer(15),
    ),
    spec(
        "n_components",
        &[],
        "The number of axes of the map.",
        &[Accepts::Integer { min: 1, max: 64 }],
        DefaultValue::Integer(2),
    ),
    spec(
        "min_dist",
        &[],
        "How near the points of a map may come to each other; at most spread.",
        &[number(0.0, false, 100.0)],
        DefaultValue::Number(0.1),
    ),
    spec("spread", &[], "The scale of the map.", &[number(0.0, true, 100.0)], DefaultValue::Number(1.0)),
    spec(
        "n_epochs",
        &["epochs"],
        "How many epochs the layout takes; null for 500, or 200 beyond 10000 rows.",
        &[Accepts::Null, Accepts::Integer { min: 1, max: 100_000 }],
        DefaultValue::Null,
    ),
    spec(
        "learning_rate",
        &[],
        "The length of the first steps.",
        &[number(0.0, true, 100.0)],
        DefaultValue::Number(1.0),
    ),
    INIT,
    spec(
        "set_op_mix_ratio",
        &[],
        "1 for ties that hold one way or the other, 0 for those that hold both ways, or a mixture.",
        &[number(0.0, false, 1.0)],
        DefaultValue::Number(1.0),
    ),
    spec(
        "repulsion_strength",
        &["gamma"],
        "How strongly random points push.",
        &[number(0.0, false, 1000.0)],
        DefaultValue::Number(1.0),
    ),
    spec(
        "negative_sample_rate",
        &[],
        "How many random points push for each tie that pulls.",
        &[Accepts::Integer { min: 0, max: 100 }],
        DefaultValue::Integer(5),
    ),
    RANDOM_STATE,
];

/// The parameters of a method: for documentation, forms and search spaces.
pub fn parameter_table(reducer: Reducer) -> &'static [HyperparameterSpec] {
    match reducer {
        Reducer::Pca => PCA,
        Reducer::Tsne => TSNE,
        Reducer::Umap => UMAP,
    }
}
