//! What a caller may set: names, ranges and defaults of scikit-learn and umap-learn, and their typed form.

use serde_json::{Map, Value};

use super::Reducer;
use super::tables::parameter_table;
use crate::models::{Checked, HyperparameterError, nearest};

/// The checked parameters of one method.
#[derive(Debug, Clone, PartialEq)]
pub struct ReducerParameters {
    typed: Typed,
    random_state: Option<u64>,
    resolved: Map<String, Value>,
    defaults_applied: Vec<&'static str>,
}

/// Why parameters were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// No parameter has that name.
    #[error("'{name}' is not a parameter of {reducer}; {hint}it has {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// The method.
        reducer: Reducer,
        /// Empty, or the nearest name as a question.
        hint: String,
        /// All the names, joined by commas.
        known: String,
    },
    /// A parameter was given twice, by its name and by an alias.
    #[error("'{alias}' and '{name}' are the same parameter; give one of them")]
    Repeated {
        /// The name of the parameter.
        name: &'static str,
        /// The second name that was given.
        alias: String,
    },
    /// The value has the wrong type or lies outside the range.
    #[error(transparent)]
    Value(#[from] HyperparameterError),
    /// Two parameters contradict each other.
    #[error("{name} is {value}, but it must be {allowed}")]
    Conflict {
        /// The name of the parameter.
        name: &'static str,
        /// Its value as JSON.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

impl ParameterError {
    /// The name of the parameter at fault, as it was given.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Unknown { name, .. } | Self::Repeated { alias: name, .. } => Some(name),
            Self::Value(error) => error.field(),
            Self::Conflict { name, .. } => Some(name),
        }
    }
}

/// The typed values of each method.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Typed {
    Pca(PcaParameters),
    Tsne(TsneParameters),
    Umap(UmapParameters),
}

/// How many components are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Components {
    All,
    Count(usize),
    /// As few as explain more than this share of the variance.
    Share(f64),
}

/// How principal components are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Solver {
    Auto,
    Full,
    Randomised,
}

/// Where a map begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Initial {
    Pca,
    Random,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct PcaParameters {
    pub(super) num_components: Components,
    pub(super) whiten: bool,
    pub(super) solver: Solver,
    pub(super) n_oversamples: usize,
    pub(super) iterated_power: Option<usize>,
}

impl Default for PcaParameters {
    fn default() -> Self {
        Self {
            num_components: Components::All,
            whiten: false,
            solver: Solver::Auto,
            n_oversamples: 10,
            iterated_power: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct TsneParameters {
    pub(super) num_components: usize,
    pub(super) perplexity: f64,
    pub(super) early_exaggeration: f64,
    pub(super) learning_rate: Option<f64>,
    pub(super) max_iter: usize,
    pub(super) n_iter_without_progress: usize,
    pub(super) min_grad_norm: f64,
    pub(super) init: Initial,
    pub(super) angle: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct UmapParameters {
    pub(super) n_neighbors: usize,
    pub(super) num_components: usize,
    pub(super) min_dist: f64,
    pub(super) spread: f64,
    pub(super) n_epochs: Option<usize>,
    pub(super) learning_rate: f64,
    pub(super) init: Initial,
    pub(super) set_op_mix_ratio: f64,
    pub(super) repulsion_strength: f64,
    pub(super) negative_sample_rate: usize,
}

impl ReducerParameters {
    /// Checks every given value against [`parameter_table`] and fills in the defaults; the first problem is the error.
    ///
    /// A whole number with a fraction of zero counts as an integer where only integers are allowed. Where both are, as
    /// for `n_components` of pca, `1` is a count and `0.95` the share of the variance.
    pub fn parse(reducer: Reducer, given: &Map<String, Value>) -> Result<Self, ParameterError> {
        let (checked, problems) = check(reducer, given);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        let table = parameter_table(reducer);
        let asked = |name: &str| checked.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone());
        let defaults_applied = table.iter().filter(|spec| asked(spec.name).is_none()).map(|spec| spec.name).collect();
        let values: Vec<(&'static str, Checked)> =
            table.iter().map(|spec| (spec.name, asked(spec.name).unwrap_or_else(|| spec.default.checked()))).collect();
        let resolved = values.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect();
        let values = Values(&values);
        let random_state = values.integer("random_state").and_then(|value| u64::try_from(value).ok());
        Ok(Self { typed: values.typed(reducer)?, random_state, resolved, defaults_applied })
    }

    /// The defaults of a method.
    pub fn defaults(reducer: Reducer) -> Result<Self, ParameterError> {
        Self::parse(reducer, &Map::new())
    }

    /// Every problem with the given values at once; empty when [`ReducerParameters::parse`] accepts them.
    pub fn problems(reducer: Reducer, given: &Map<String, Value>) -> Vec<ParameterError> {
        let (_, mut problems) = check(reducer, given);
        if problems.is_empty() {
            problems.extend(Self::parse(reducer, given).err());
        }
        problems
    }

    /// The method.
    pub const fn reducer(&self) -> Reducer {
        match self.typed {
            Typed::Pca(_) => Reducer::Pca,
            Typed::Tsne(_) => Reducer::Tsne,
            Typed::Umap(_) => Reducer::Umap,
        }
    }

    /// Every parameter with the value that holds, under its own name, in the order of the table.
    pub const fn resolved(&self) -> &Map<String, Value> {
        &self.resolved
    }

    /// The names that were not given and took their default.
    pub fn defaults_applied(&self) -> &[&'static str] {
        &self.defaults_applied
    }

    /// `random_state`, when it was given; it then takes the place of the seed of the call.
    pub const fn random_state(&self) -> Option<u64> {
        self.random_state
    }

    pub(super) const fn typed(&self) -> &Typed {
        &self.typed
    }
}

/// The values under their own names, and everything that is wrong with them.
fn check(reducer: Reducer, given: &Map<String, Value>) -> (Vec<(&'static str, Checked)>, Vec<ParameterError>) {
    let table = parameter_table(reducer);
    let mut checked: Vec<(&'static str, Checked)> = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in given {
        let Some(spec) = table.iter().find(|spec| spec.name == name || spec.aliases.contains(&name.as_str())) else {
            let names = table.iter().flat_map(|spec| std::iter::once(spec.name).chain(spec.aliases.iter().copied()));
            let hint = nearest(name, names).map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
            let known = table.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
            problems.push(ParameterError::Unknown { name: name.clone(), reducer, hint, known });
            continue;
        };
        if checked.iter().any(|(other, _)| *other == spec.name) {
            problems.push(ParameterError::Repeated { name: spec.name, alias: name.clone() });
            continue;
        }
        match spec.check(value) {
            Ok(value) => checked.push((spec.name, value)),
            Err(problem) => problems.push(problem.into()),
        }
    }
    (checked, problems)
}

/// The checked values of one table, to be read by name.
struct Values<'a>(&'a [(&'static str, Checked)]);

impl Values<'_> {
    fn get(&self, name: &str) -> &Checked {
        self.0.iter().find(|(other, _)| *other == name).map_or(&Checked::Null, |(_, value)| value)
    }

    fn integer(&self, name: &str) -> Option<i64> {
        if let Checked::Integer(value) = self.get(name) { Some(*value) } else { None }
    }

    fn count(&self, name: &str) -> Option<usize> {
        self.integer(name).and_then(|value| usize::try_from(value).ok())
    }

    fn number(&self, name: &str) -> Option<f64> {
        if let Checked::Number(value) = self.get(name) { Some(*value) } else { None }
    }

    fn initial(&self) -> Initial {
        if matches!(self.get("init"), Checked::Text("random")) { Initial::Random } else { Initial::Pca }
    }

    fn typed(&self, reducer: Reducer) -> Result<Typed, ParameterError> {
        match reducer {
            Reducer::Pca => Ok(Typed::Pca(self.pca())),
            Reducer::Tsne => Ok(Typed::Tsne(self.tsne())),
            Reducer::Umap => self.umap().map(Typed::Umap),
        }
    }

    fn pca(&self) -> PcaParameters {
        let share = self.number("n_components").map(Components::Share);
        let num_components = self.count("n_components").map(Components::Count).or(share).unwrap_or(Components::All);
        PcaParameters {
            num_components,
            whiten: matches!(self.get("whiten"), Checked::Boolean(true)),
            solver: match self.get("svd_solver") {
                Checked::Text("full" | "covariance_eigh") => Solver::Full,
                Checked::Text("randomized") => Solver::Randomised,
                _ => Solver::Auto,
            },
            n_oversamples: self.count("n_oversamples").unwrap_or(10),
            iterated_power: self.count("iterated_power"),
        }
    }

    fn tsne(&self) -> TsneParameters {
        TsneParameters {
            num_components: self.count("n_components").unwrap_or(2),
            perplexity: self.number("perplexity").unwrap_or(30.0),
            early_exaggeration: self.number("early_exaggeration").unwrap_or(12.0),
            learning_rate: self.number("learning_rate"),
            max_iter: self.count("max_iter").unwrap_or(1000),
            n_iter_without_progress: self.count("n_iter_without_progress").unwrap_or(300),
            min_grad_norm: self.number("min_grad_norm").unwrap_or(1e-7),
            init: self.initial(),
            angle: self.number("angle").unwrap_or(0.5),
        }
    }

    fn umap(&self) -> Result<UmapParameters, ParameterError> {
        let umap = UmapParameters {
            n_neighbors: self.count("n_neighbors").unwrap_or(15),
            num_components: self.count("n_components").unwrap_or(2),
            min_dist: self.number("min_dist").unwrap_or(0.1),
            spread: self.number("spread").unwrap_or(1.0),
            n_epochs: self.count("n_epochs"),
            learning_rate: self.number("learning_rate").unwrap_or(1.0),
            init: self.initial(),
            set_op_mix_ratio: self.number("set_op_mix_ratio").unwrap_or(1.0),
            repulsion_strength: self.number("repulsion_strength").unwrap_or(1.0),
            negative_sample_rate: self.count("negative_sample_rate").unwrap_or(5),
        };
        if umap.min_dist > umap.spread {
            let value = umap.min_dist.to_string();
            return Err(ParameterError::Conflict { name: "min_dist", value, allowed: "at most spread" });
        }
        Ok(umap)
    }
}
