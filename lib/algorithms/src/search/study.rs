//! A study: trials are asked for and told, and what is known lies in the list of trials alone.

use std::collections::HashSet;

use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bayesian;
use super::error::SearchError;
use super::pruner::Pruner;
use super::sobol::Sobol;
use super::space::{SearchSpace, features};
use super::trial::{Direction, IntermediateValue, Origin, Outcome, Trial, TrialStatus};
use crate::probe::Probe;
use crate::seed;

/// The most nodes of a grid, and of a finite space that is looked through for what was not tried.
const MOST_NODES: usize = 100_000;
/// How many points of the sequence are passed over because they were tried already.
const REPEATS: u32 = 4096;

/// How the parameters of the next trial are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Every combination of a few values of each parameter, in an order that the seed decides.
    Grid,
    /// Scrambled Sobol points, which fill the space more evenly than chance does.
    Random,
    /// Where a Gaussian process over the trials so far expects the greatest improvement.
    #[default]
    Bayesian,
}

/// What a study is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudySettings {
    /// The space.
    pub search_space: SearchSpace,
    /// How trials are chosen.
    #[serde(default)]
    pub strategy: Strategy,
    /// Whether a lower or a higher value is better.
    #[serde(default)]
    pub direction: Direction,
    /// Decides every random choice.
    #[serde(default)]
    pub seed: u64,
    /// How many trials of a Bayesian search are spread over the space first; by the number of parameters when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_trials: Option<usize>,
    /// How many values of a range a grid has, 1 to 1000; of choices it has all.
    #[serde(default = "grid_points")]
    pub grid_points: usize,
    /// When trials are stopped early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruner: Option<Pruner>,
}

fn grid_points() -> usize {
    5
}

/// A study. What it asks for depends on its settings and its trials alone, so that it can be written down, read back and
/// gone on with anywhere; reading checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedStudy")]
pub struct Study {
    settings: StudySettings,
    trials: Vec<Trial>,
}

#[derive(Deserialize)]
#[serde(rename = "Study")]
struct UncheckedStudy {
    settings: StudySettings,
    trials: Vec<Trial>,
}

impl TryFrom<UncheckedStudy> for Study {
    type Error = SearchError;

    fn try_from(study: UncheckedStudy) -> Result<Self, SearchError> {
        Self::restore(study.settings, study.trials)
    }
}

impl StudySettings {
    /// Settings with the defaults: a Bayesian search for the least value.
    pub const fn new(search_space: SearchSpace) -> Self {
        Self {
            search_space,
            strategy: Strategy::Bayesian,
            direction: Direction::Minimize,
            seed: 0,
            startup_trials: None,
            grid_points: 5,
            pruner: None,
        }
    }

    fn check(&self) -> Result<(), SearchError> {
        if !(1..=1000).contains(&self.grid_points) {
            let value = self.grid_points.to_string();
            return Err(SearchError::Setting { name: "grid_points", value, allowed: "1 to 1000" });
        }
        match self.startup_trials {
            Some(trials) if !(1..=10_000).contains(&trials) => {
                let value = trials.to_string();
                return Err(SearchError::Setting { name: "startup_trials", value, allowed: "1 to 10000" });
            }
            _ => {}
        }
        self.pruner.as_ref().map_or(Ok(()), Pruner::check)
    }

    fn startup_trials(&self) -> usize {
        self.startup_trials.unwrap_or_else(|| (2 * self.search_space.len()).clamp(5, 10))
    }
}

impl Study {
    /// A study without trials; settings out of their range, and a grid that is too large, are refused.
    pub fn new(settings: StudySettings) -> Result<Self, SearchError> {
        settings.check()?;
        if settings.strategy == Strategy::Grid {
            settings.search_space.grid(settings.grid_points, MOST_NODES)?;
        }
        Ok(Self { settings, trials: Vec::new() })
    }

    /// A study with the trials that it had; trials that do not fit the settings are refused.
    pub fn restore(settings: StudySettings, trials: Vec<Trial>) -> Result<Self, SearchError> {
        settings.check()?;
        let study = Self { settings, trials };
        for (number, trial) in study.trials.iter().enumerate() {
            study.check(number, trial).map_err(|reason| SearchError::Invalid { reason })?;
        }
        Ok(study)
    }

    /// The settings.
    pub const fn settings(&self) -> &StudySettings {
        &self.settings
    }

    /// Every trial, by its number.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The complete trial with the best value; of equal ones the first.
    pub fn best(&self) -> Option<&Trial> {
        let complete = self.trials.iter().filter(|trial| trial.status == TrialStatus::Complete);
        let value = |trial: &Trial| trial.value.map_or(f64::INFINITY, |value| self.settings.direction.minimized(value));
        complete.min_by(|a, b| value(a).total_cmp(&value(b)))
    }

    /// The next trial, which runs from now on: one that waits, or a new one; `None` when every point of the space, or
    /// every node of the grid, was tried.
    ///
    /// Several may be asked for before any is told of. What is asked for depends on the order of asking and telling, and
    /// on nothing else.
    pub fn ask(&mut self, probe: &dyn Probe) -> Result<Option<Trial>, SearchError> {
        if let Some(waiting) = self.trials.iter_mut().find(|trial| trial.status == TrialStatus::Waiting) {
            waiting.status = TrialStatus::Running;
            return Ok(Some(waiting.clone()));
        }
        let params = match self.settings.strategy {
            Strategy::Grid => self.next_node()?,
            Strategy::Random => self.next_point()?,
            Strategy::Bayesian => self.next_expected(probe)?,
        };
        let Some(params) = params else { return Ok(None) };
        self.push(params, Origin::Sampled, TrialStatus::Running);
        Ok(self.trials.last().cloned())
    }

    /// Puts parameters first in line; their number. Those that have a trial already get no second one.
    pub fn enqueue(&mut self, params: Map<String, Value>) -> Result<usize, SearchError> {
        self.settings.search_space.places(&params)?;
        match self.trials.iter().find(|trial| trial.params == params) {
            Some(trial) => Ok(trial.number),
            None => Ok(self.push(params, Origin::Enqueued, TrialStatus::Waiting)),
        }
    }

    /// Adds a trial whose value is known from elsewhere; its number. The same parameters with the same value are not added
    /// twice.
    pub fn add(&mut self, params: Map<String, Value>, value: f64) -> Result<usize, SearchError> {
        self.settings.search_space.places(&params)?;
        if !value.is_finite() {
            return Err(SearchError::NotFinite { number: self.trials.len(), value });
        }
        if let Some(trial) = self.trials.iter().find(|trial| trial.params == params && trial.value == Some(value)) {
            return Ok(trial.number);
        }
        let number = self.push(params, Origin::Known, TrialStatus::Complete);
        self.trials[number].value = Some(value);
        Ok(number)
    }

    /// Takes an intermediate value of a running trial, and says whether the pruner wants it stopped.
    pub fn report(&mut self, number: usize, step: u64, value: f64) -> Result<bool, SearchError> {
        if !value.is_finite() {
            return Err(SearchError::NotFinite { number, value });
        }
        let trial = self.running(number)?;
        if let Some(last) = trial.intermediate.last().map(|last| last.step).filter(|last| *last >= step) {
            return Err(SearchError::Step { number, step, last });
        }
        trial.intermediate.push(IntermediateValue { step, value });
        let direction = self.settings.direction;
        let pruner = self.settings.pruner.as_ref();
        Ok(pruner.is_some_and(|pruner| pruner.stops(&self.trials[number], &self.trials, direction)))
    }

    /// Ends a running trial.
    pub fn tell(&mut self, number: usize, outcome: Outcome) -> Result<(), SearchError> {
        let trial = self.running(number)?;
        match outcome {
            Outcome::Complete(value) if !value.is_finite() => return Err(SearchError::NotFinite { number, value }),
            Outcome::Complete(value) => (trial.status, trial.value) = (TrialStatus::Complete, Some(value)),
            Outcome::Pruned => trial.status = TrialStatus::Pruned,
            Outcome::Failed(reason) => (trial.status, trial.reason) = (TrialStatus::Failed, Some(reason)),
        }
        Ok(())
    }

    /// Puts every running trial back in line, as after a crash: whoever ran them is gone.
    pub fn recover(&mut self) {
        for trial in self.trials.iter_mut().filter(|trial| trial.status == TrialStatus::Running) {
            trial.status = TrialStatus::Waiting;
            trial.intermediate.clear();
        }
    }

    fn running(&mut self, number: usize) -> Result<&mut Trial, SearchError> {
        let trials = self.trials.len();
        let trial = self.trials.get_mut(number).ok_or(SearchError::NoTrial { number, trials })?;
        if trial.status.has_ended() { Err(SearchError::Ended { number }) } else { Ok(trial) }
    }

    fn push(&mut self, params: Map<String, Value>, origin: Origin, status: TrialStatus) -> usize {
        let number = self.trials.len();
        let (value, intermediate, reason) = (None, Vec::new(), None);
        self.trials.push(Trial { number, params, origin, status, value, intermediate, reason });
        number
    }

    /// What a point is, whatever the spelling of its numbers.
    fn key(&self, params: &Map<String, Value>) -> Result<Vec<u64>, SearchError> {
        let space = &self.settings.search_space;
        Ok(features(space, &space.places(params)?).into_iter().map(f64::to_bits).collect())
    }

    fn tried(&self) -> Result<HashSet<Vec<u64>>, SearchError> {
        self.trials.iter().map(|trial| self.key(&trial.params)).collect()
    }

    fn next_node(&self) -> Result<Option<Map<String, Value>>, SearchError> {
        self.untried(self.settings.search_space.grid(self.settings.grid_points, MOST_NODES)?)
    }

    /// The first of the nodes that was not tried, in an order that the seed decides.
    fn untried(&self, mut nodes: Vec<Map<String, Value>>) -> Result<Option<Map<String, Value>>, SearchError> {
        nodes.shuffle(&mut seed::rng(self.settings.seed, 0));
        let tried = self.tried()?;
        for node in nodes {
            if !tried.contains(&self.key(&node)?) {
                return Ok(Some(node));
            }
        }
        Ok(None)
    }

    /// The next point of the Sobol sequence that was not tried.
    fn next_point(&self) -> Result<Option<Map<String, Value>>, SearchError> {
        let space = &self.settings.search_space;
        let sobol = Sobol::new(space.len(), seed::derive(self.settings.seed, 1));
        let tried = self.tried()?;
        let first = self.trials.iter().filter(|trial| trial.origin == Origin::Sampled).count() as u32;
        for index in first..first.saturating_add(REPEATS) {
            let params = space.at(&sobol.point(index));
            if !tried.contains(&self.key(&params)?) {
                return Ok(Some(params));
            }
        }
        // Only a finite space repeats itself like that.
        match space.size(MOST_NODES as u64) {
            Some(_) => self.untried(space.grid(usize::MAX, MOST_NODES)?),
            None => Ok(None),
        }
    }

    fn next_expected(&self, probe: &dyn Probe) -> Result<Option<Map<String, Value>>, SearchError> {
        let known = |trial: &&Trial| trial.status.has_ended() || trial.status == TrialStatus::Running;
        if self.trials.iter().filter(known).count() >= self.settings.startup_trials() {
            let random_seed = seed::derive(seed::derive(self.settings.seed, 2), self.trials.len() as u64);
            let (space, direction) = (&self.settings.search_space, self.settings.direction);
            if let Some(params) = bayesian::propose(space, &self.trials, direction, random_seed, probe)? {
                return Ok(Some(params));
            }
        }
        self.next_point()
    }

    fn check(&self, number: usize, trial: &Trial) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("trial {number} {what}"));
        if trial.number != number {
            return wrong("has another number than its place");
        }
        if let Err(error) = self.settings.search_space.places(&trial.params) {
            return wrong(&format!("does not fit the space: {error}"));
        }
        if trial.value.is_some() != (trial.status == TrialStatus::Complete) {
            return wrong("has a value without being complete, or the other way round");
        }
        let values = trial.intermediate.iter().map(|one| one.value).chain(trial.value);
        if values.into_iter().any(|value| !value.is_finite()) {
            return wrong("has a value that is not finite");
        }
        if trial.intermediate.windows(2).any(|pair| pair[0].step >= pair[1].step) {
            return wrong("has steps that do not rise");
        }
        Ok(())
    }
}
