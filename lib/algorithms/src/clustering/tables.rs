//! The parameters of each algorithm: scikit-learn's names and defaults, with the ranges that are accepted here.

use super::Clusterer;
use crate::models::{Accepts, DefaultValue, HyperparameterSpec};

/// Any integer that a JavaScript number holds exactly.
const LARGEST_SEED: i64 = 9_007_199_254_740_991;
/// No table has more rows than this.
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

const POSITIVE: Accepts = Accepts::Number { min: 0.0, above: true, max: f64::INFINITY, below: false };
const AT_LEAST_ZERO: Accepts = Accepts::Number { min: 0.0, above: false, max: f64::INFINITY, below: false };
const COUNT: Accepts = Accepts::Integer { min: 1, max: MANY };

const N_CLUSTERS: HyperparameterSpec = spec(
    "n_clusters",
    &["k", "num_clusters"],
    "The number of clusters; at most the number of rows.",
    &[COUNT],
    DefaultValue::Integer(8),
);
const INIT: HyperparameterSpec = spec(
    "init",
    &[],
    "Where the centers begin: k-means++ (far from each other) or rows drawn at random.",
    &[Accepts::Choice(&["k-means++", "random"])],
    DefaultValue::Text("k-means++"),
);
const N_INIT_AUTO: HyperparameterSpec = spec(
    "n_init",
    &[],
    "How many starts are tried; auto for 1 with k-means++, and with random for 10 (minibatch_kmeans: 3).",
    &[Accepts::Choice(&["auto"]), Accepts::Integer { min: 1, max: 10_000 }],
    DefaultValue::Text("auto"),
);
const RANDOM_STATE: HyperparameterSpec = spec(
    "random_state",
    &["seed"],
    "The seed of this model; null for the seed of the call.",
    &[Accepts::Null, Accepts::Integer { min: 0, max: LARGEST_SEED }],
    DefaultValue::Null,
);
const METRIC: HyperparameterSpec = spec(
    "metric",
    &[],
    "The distance between rows; there is the Euclidean one.",
    &[Accepts::Choice(&["euclidean", "l2"])],
    DefaultValue::Text("euclidean"),
);
const SEARCH: HyperparameterSpec = spec(
    "algorithm",
    &[],
    "How neighbours are found; the fastest way is taken, so this changes nothing.",
    &[Accepts::Choice(&["auto", "brute", "kd_tree", "ball_tree"])],
    DefaultValue::Text("auto"),
);
const LEAF_SIZE: HyperparameterSpec = spec(
    "leaf_size",
    &[],
    "The rows of a leaf of the search tree; a good number is taken, so this changes nothing.",
    &[COUNT],
    DefaultValue::Integer(30),
);
const N_JOBS: HyperparameterSpec = spec(
    "n_jobs",
    &[],
    "The number of threads; null or -1 for all. The result does not depend on it.",
    &[Accepts::Null, Accepts::Integer { min: -1, max: -1 }, Accepts::Integer { min: 1, max: 1024 }],
    DefaultValue::Null,
);

const fn max_iter(default: i64) -> HyperparameterSpec {
    const ACCEPTS: &[Accepts] = &[Accepts::Integer { min: 1, max: 1_000_000 }];
    spec(
        "max_iter",
        &["max_iterations"],
        "The largest number of iterations of one start.",
        ACCEPTS,
        DefaultValue::Integer(default),
    )
}

const KMEANS: &[HyperparameterSpec] = &[
    N_CLUSTERS,
    INIT,
    N_INIT_AUTO,
    max_iter(300),
    spec(
        "tol",
        &[],
        "The iterations stop when the centers move by less than this share of the features' mean variance.",
        &[AT_LEAST_ZERO],
        DefaultValue::Number(1e-4),
    ),
    spec(
        "algorithm",
        &[],
        "The iterations are Lloyd's with bounds, whichever is given.",
        &[Accepts::Choice(&["lloyd", "elkan"])],
        DefaultValue::Text("lloyd"),
    ),
    RANDOM_STATE,
];

const MINIBATCH_KMEANS: &[HyperparameterSpec] = &[
    N_CLUSTERS,
    INIT,
    max_iter(100),
    spec("batch_size", &[], "The number of rows of a batch.", &[COUNT], DefaultValue::Integer(1024)),
    spec(
        "tol",
        &[],
        "The batches stop when the centers move by less than this share of the features' mean variance; 0 for never.",
        &[AT_LEAST_ZERO],
        DefaultValue::Number(0.0),
    ),
    spec(
        "max_no_improvement",
        &[],
        "How many batches in a row may pass without a better smoothed inertia; null for any number.",
        &[Accepts::Null, COUNT],
        DefaultValue::Integer(10),
    ),
    spec(
        "init_size",
        &[],
        "How many rows the starts are chosen from; null for three batches.",
        &[Accepts::Null, COUNT],
        DefaultValue::Null,
    ),
    N_INIT_AUTO,
    spec(
        "reassignment_ratio",
        &[],
        "A center with less than this share of the rows of the largest is moved.",
        &[Accepts::Number { min: 0.0, above: false, max: 1.0, below: false }],
        DefaultValue::Number(0.01),
    ),
    RANDOM_STATE,
];

const DBSCAN: &[HyperparameterSpec] = &[
    spec("eps", &["epsilon"], "The radius of a neighbourhood.", &[POSITIVE], DefaultValue::Number(0.5)),
    spec(
        "min_samples",
        &[],
        "The fewest rows in the neighbourhood of a core row, itself among them.",
        &[COUNT],
        DefaultValue::Integer(5),
    ),
    METRIC,
    SEARCH,
    LEAF_SIZE,
    N_JOBS,
];

const HDBSCAN: &[HyperparameterSpec] = &[
    spec(
        "min_cluster_size",
        &[],
        "The fewest rows of a cluster.",
        &[Accepts::Integer { min: 2, max: MANY }],
        DefaultValue::Integer(5),
    ),
    spec(
        "min_samples",
        &[],
        "The number of rows of a neighbourhood, its own row among them; null for min_cluster_size.",
        &[Accepts::Null, COUNT],
        DefaultValue::Null,
    ),
    spec(
        "cluster_selection_epsilon",
        &[],
        "Clusters that split at a distance below this are taken together.",
        &[AT_LEAST_ZERO],
        DefaultValue::Number(0.0),
    ),
    spec(
        "max_cluster_size",
        &[],
        "The most rows of a cluster that excess of mass selects; null for any number.",
        &[Accepts::Null, COUNT],
        DefaultValue::Null,
    ),
    METRIC,
    spec(
        "alpha",
        &[],
        "By how much distances are divided before they are compared with core distances.",
        &[POSITIVE],
        DefaultValue::Number(1.0),
    ),
    SEARCH,
    LEAF_SIZE,
    N_JOBS,
    spec(
        "cluster_selection_method",
        &[],
        "Which clusters of the hierarchy are taken: eom for those that last longest, leaf for those that split no more.",
        &[Accepts::Choice(&["eom", "leaf"])],
        DefaultValue::Text("eom"),
    ),
    spec(
        "allow_single_cluster",
        &[],
        "Whether all rows may be one cluster.",
        &[Accepts::Boolean],
        DefaultValue::Boolean(false),
    ),
];

const GAUSSIAN_MIXTURE: &[HyperparameterSpec] = &[
    spec(
        "n_components",
        &["k", "n_clusters", "num_clusters"],
        "The number of components; at most the number of rows.",
        &[COUNT],
        DefaultValue::Integer(1),
    ),
    spec(
        "covariance_type",
        &[],
        "What the covariances may be: any, one a component (full) or one for all (tied); diagonal (diag); or one \
         variance a component (spherical).",
        &[Accepts::Choice(&["full", "tied", "diag", "spherical"])],
        DefaultValue::Text("full"),
    ),
    spec(
        "tol",
        &[],
        "The fit stops when the mean log-likelihood of a row changes by less.",
        &[AT_LEAST_ZERO],
        DefaultValue::Number(1e-3),
    ),
    spec("reg_covar", &[], "What is added to every variance.", &[AT_LEAST_ZERO], DefaultValue::Number(1e-6)),
    max_iter(100),
    spec(
        "n_init",
        &[],
        "How many starts are tried; the most likely is kept.",
        &[Accepts::Integer { min: 1, max: 10_000 }],
        DefaultValue::Integer(1),
    ),
    spec(
        "init_params",
        &[],
        "Where the fit begins: from the clusters of k-means, or from rows drawn at random.",
        &[Accepts::Choice(&["kmeans", "random_from_data"])],
        DefaultValue::Text("kmeans"),
    ),
    RANDOM_STATE,
];

/// The parameters of an algorithm: for documentation, forms and search spaces.
pub fn parameter_table(clusterer: Clusterer) -> &'static [HyperparameterSpec] {
    match clusterer {
        Clusterer::KMeans => KMEANS,
        Clusterer::MiniBatchKMeans => MINIBATCH_KMEANS,
        Clusterer::Dbscan => DBSCAN,
        Clusterer::Hdbscan => HDBSCAN,
        Clusterer::GaussianMixture => GAUSSIAN_MIXTURE,
    }
}
