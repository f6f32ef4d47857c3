//! What can be wrong with a search, with the place of the fault.

/// A fault of a search space, at a path such as `gamma.when.kernel`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SpaceProblem {
    /// Where it is: names joined by dots, from the space.
    pub path: String,
    /// What is wrong, and what is allowed.
    pub message: String,
}

/// Every fault of a search space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "))]
pub struct SpaceProblems(pub Vec<SpaceProblem>);

/// Why a study refuses something.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SearchError {
    /// The space is not one.
    #[error(transparent)]
    Space(#[from] SpaceProblems),
    /// A setting lies outside its range.
    #[error("{name} is {value}, but it must be {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// The parameters of a trial do not belong to the space.
    #[error("{name}: {message}")]
    Parameters {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// There is no trial of that number.
    #[error("there is no trial {number}; the study has {trials}")]
    NoTrial {
        /// The number.
        number: usize,
        /// How many trials there are.
        trials: usize,
    },
    /// A trial that has ended cannot be told of again.
    #[error("trial {number} has ended already")]
    Ended {
        /// The number.
        number: usize,
    },
    /// An objective value is not a finite number.
    #[error("the value of trial {number} is {value}; tell the trial as failed when there is no finite value")]
    NotFinite {
        /// The number of the trial.
        number: usize,
        /// The value.
        value: f64,
    },
    /// The steps of a trial's intermediate values must rise.
    #[error("trial {number} reports step {step} after step {last}; steps must rise")]
    Step {
        /// The number of the trial.
        number: usize,
        /// The step.
        step: u64,
        /// The last step.
        last: u64,
    },
    /// A grid has more nodes than can be held.
    #[error("the grid has more than {most} nodes; use fewer grid_points, narrow the space, or search at random")]
    GridTooLarge {
        /// The most nodes.
        most: usize,
    },
    /// A study that was read back contradicts itself.
    #[error("the study is not valid: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] crate::probe::Cancelled),
}

impl SearchError {
    /// The path of the fault within the arguments of a study, where there is one.
    pub fn field(&self) -> Option<String> {
        match self {
            Self::Space(SpaceProblems(problems)) => {
                problems.first().map(|problem| format!("search_space.{}", problem.path))
            }
            Self::Setting { name, .. } => Some((*name).to_owned()),
            Self::Parameters { name, .. } => Some(name.clone()),
            Self::GridTooLarge { .. } => Some("search_space".to_owned()),
            _ => None,
        }
    }
}
