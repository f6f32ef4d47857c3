//! A search from its first to its last trial: trials are asked for, written down, run on threads, and written down again.

use std::time::{Duration, Instant};

use mlops_algorithms::probe::{Cancelled, Probe};
use mlops_algorithms::search::{Origin, Outcome, SearchError, Study, Trial, TrialStatus};
use mlops_artifacts::CallProbe;
use mlops_core::{Call, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::search_objective::Objective;
use crate::search_records::{SearchRecords, open_trials};

/// After so many failures and no value, the search ends with the first of them.
const HOPELESS: usize = 3;

/// Why a search has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchEnd {
    /// All trials that were asked for have ended.
    MaxTrials,
    /// The time was over; calling again with the same arguments goes on.
    TimeLimit,
    /// Every point of the space, or every node of the grid, was tried.
    Exhausted,
}

/// How far a search may go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) max_trials: usize,
    pub(crate) time_limit: Option<Duration>,
    /// How many trials run at once.
    pub(crate) parallel: usize,
}

/// What one call has done for a search.
pub(crate) struct Searched {
    pub(crate) study: Study,
    pub(crate) end: SearchEnd,
    /// The trials that ended in this call.
    pub(crate) new_trials: usize,
}

/// Runs trials until the budget is spent. The trials do not depend on how long they take, nor on how many calls they took.
pub(crate) async fn search(
    mut study: Study,
    objective: Objective,
    records: &SearchRecords<'_>,
    budget: Budget,
    call: &Call,
) -> Result<Searched> {
    let started = Instant::now();
    let objective = std::sync::Arc::new(objective);
    let mut open = open_trials(&study);
    let mut new_trials = 0;
    let mut longest = Duration::ZERO;
    let end = loop {
        call.check()?;
        let done = count(&study);
        if open.is_empty() && done >= budget.max_trials {
            break SearchEnd::MaxTrials;
        }
        // A trial that an earlier call gave out waits as well: whoever calls again may have more time for it.
        if is_over(started, longest, budget.time_limit, call) {
            break SearchEnd::TimeLimit;
        }
        if open.is_empty() {
            let most = budget.parallel.min(budget.max_trials - done);
            (study, open) = ask(study, most, call).await?;
            if open.is_empty() {
                break SearchEnd::Exhausted;
            }
            records.asked(&open).await?;
        }
        let began = Instant::now();
        let batch = open.drain(..open.len().min(budget.parallel)).collect::<Vec<_>>();
        let (given, goal) = (study.clone(), std::sync::Arc::clone(&objective));
        let ended = call.compute(move |call| Ok(run(&goal, &given, &batch, call))).await?;
        let mut fault = None;
        for trial in ended {
            match trial {
                Ok(trial) => {
                    settle(&mut study, &records.ended(trial).await?)?;
                    new_trials += 1;
                }
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        // What has ended is kept, whatever became of the others.
        if let Some(error) = fault {
            return Err(error);
        }
        longest = longest.max(began.elapsed());
        report(&study, budget.max_trials, call);
        refuse_hopeless(&study)?;
    };
    Ok(Searched { study, end, new_trials })
}

/// How many trials the search has made itself.
pub(crate) fn count(study: &Study) -> usize {
    let own = |trial: &&Trial| trial.origin != Origin::Known && trial.status != TrialStatus::Waiting;
    study.trials().iter().filter(own).count()
}

/// The study after it has given out some more trials, and these.
async fn ask(mut study: Study, most: usize, call: &Call) -> Result<(Study, Vec<Trial>)> {
    call.compute(move |call| {
        let quiet = Quiet(call);
        let mut asked = Vec::with_capacity(most);
        while asked.len() < most {
            match study.ask(&quiet) {
                Ok(Some(trial)) => asked.push(trial),
                Ok(None) => break,
                Err(SearchError::Cancelled(Cancelled)) => {
                    return Err(call.check().err().unwrap_or_else(Error::cancelled));
                }
                Err(error) => return Err(fault::of_search(error)),
            }
        }
        Ok((study, asked))
    })
    .await
}

/// Runs trials, each on a thread of its own.
fn run(objective: &Objective, study: &Study, batch: &[Trial], call: &Call) -> Vec<Result<Trial>> {
    if let [trial] = batch {
        return vec![objective.run(study, trial, call)];
    }
    std::thread::scope(|scope| {
        let running = batch.iter().map(|trial| scope.spawn(move || objective.run(study, trial, call)));
        let running = running.collect::<Vec<_>>();
        let broken = |_| Err(Error::internal("a trial has panicked"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(broken)).collect()
    })
}

/// Tells the study of a trial that has ended.
fn settle(study: &mut Study, trial: &Trial) -> Result<()> {
    for shown in &trial.intermediate {
        study.report(trial.number, shown.step, shown.value).map_err(fault::of_search)?;
    }
    let reason = || trial.reason.clone().unwrap_or_default();
    let outcome = match (trial.status, trial.value) {
        (TrialStatus::Complete, Some(value)) => Outcome::Complete(value),
        (TrialStatus::Pruned, _) => Outcome::Pruned,
        _ => Outcome::Failed(reason()),
    };
    study.tell(trial.number, outcome).map_err(fault::of_search)
}

/// Whether there is no time for one more round of trials that takes as long as the longest one.
fn is_over(started: Instant, longest: Duration, limit: Option<Duration>, call: &Call) -> bool {
    let elapsed = started.elapsed();
    let is_spent = limit.is_some_and(|limit| elapsed >= limit || elapsed + longest > limit);
    // Some room is left for the last writes.
    let ends = Instant::now() + longest.mul_f64(1.25) + Duration::from_millis(200);
    is_spent || call.deadline.is_some_and(|deadline| !longest.is_zero() && ends >= deadline)
}

fn report(study: &Study, max_trials: usize, call: &Call) {
    let best = study.best().and_then(|trial| trial.value).map(|value| format!(", best {value:.6}"));
    let done = count(study);
    let message = format!("{done} of {max_trials} trials{}", best.unwrap_or_default());
    call.progress(done as f64, Some(max_trials as f64), message);
}

fn refuse_hopeless(study: &Study) -> Result<()> {
    let failed = study.trials().iter().filter(|trial| trial.status == TrialStatus::Failed).collect::<Vec<_>>();
    match failed.first() {
        Some(first) if failed.len() >= HOPELESS && study.best().is_none() => {
            let reason = first.reason.as_deref().unwrap_or("no reason is known");
            let message = format!("the first {} trials failed and none gave a value: {reason}", failed.len());
            Err(Error::invalid_input(message)
                .at("search_space")
                .hint("narrow the space, under another training_job_name"))
        }
        _ => Ok(()),
    }
}

/// Lets the search for the next point be stopped, and reports nothing of it.
struct Quiet<'a>(&'a Call);

impl Probe for Quiet<'_> {
    fn cancelled(&self) -> bool {
        CallProbe(self.0).cancelled()
    }

    fn progress(&self, _done: f64, _total: f64, _message: &str) {}
}
