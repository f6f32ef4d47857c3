//! Hyperparameter search from the outside: what is found, that it is repeated exactly, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mlops_algorithms::probe::{Probe, Silent};
use mlops_algorithms::search::{
    Direction, Origin, Outcome, Pruner, SearchError, SearchSpace, Strategy, Study, StudySettings, TrialStatus,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn settings(space: &Value, strategy: Strategy, seed: u64) -> StudySettings {
    let space = SearchSpace::parse(space.as_object().unwrap()).unwrap();
    StudySettings { strategy, seed, ..StudySettings::new(space) }
}

fn number(params: &Map<String, Value>, name: &str) -> f64 {
    params[name].as_f64().unwrap()
}

/// Branin and Hoo's function: three minima of 0.397887.
fn branin(params: &Map<String, Value>) -> f64 {
    let (x, y) = (number(params, "x"), number(params, "y"));
    let pi = std::f64::consts::PI;
    let bend = y - 5.1 / (4.0 * pi * pi) * x * x + 5.0 / pi * x - 6.0;
    bend * bend + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * x.cos() + 10.0
}

fn plane() -> Value {
    json!({"x": {"float": [-5, 10]}, "y": {"float": [0, 15]}})
}

fn run(study: &mut Study, trials: usize, objective: impl Fn(&Map<String, Value>) -> f64) {
    for _ in 0..trials {
        let Some(trial) = study.ask(&Silent).unwrap() else { break };
        study.tell(trial.number, Outcome::Complete(objective(&trial.params))).unwrap();
    }
}

#[test]
fn a_bayesian_search_finds_what_chance_does_not() {
    let regret = |strategy| {
        let regrets = (0..3).map(|seed| {
            let mut study = Study::new(settings(&plane(), strategy, seed)).unwrap();
            run(&mut study, 30, branin);
            study.best().unwrap().value.unwrap() - 0.397_887
        });
        regrets.fold(0.0, f64::max)
    };
    let (bayesian, random) = (regret(Strategy::Bayesian), regret(Strategy::Random));
    assert!(bayesian < 0.1 && random > bayesian, "{bayesian} {random}");
}

#[test]
fn a_study_that_was_written_down_goes_on_as_if_it_had_not_been() {
    let space = json!({
        "model": ["svm", "knn"], "C": {"log": [0.01, 100], "when": {"model": "svm"}},
        "k": {"int": [1, 30], "when": {"model": "knn"}}
    });
    let objective = |params: &Map<String, Value>| match params["model"].as_str() {
        Some("svm") => number(params, "C").log10().powi(2),
        _ => number(params, "k") / 10.0 - 0.2,
    };
    for strategy in [Strategy::Grid, Strategy::Random, Strategy::Bayesian] {
        let mut whole = Study::new(settings(&space, strategy, 3)).unwrap();
        let mut parts = whole.clone();
        run(&mut whole, 14, objective);
        for _ in 0..14 {
            parts = serde_json::from_str(&serde_json::to_string(&parts).unwrap()).unwrap();
            run(&mut parts, 1, objective);
        }
        assert_eq!(whole, parts, "{strategy:?}");
        let mut params = whole.trials().iter().map(|trial| trial.params.clone()).collect::<Vec<_>>();
        params.dedup();
        assert_eq!(params.len(), whole.trials().len());
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut study = Study::new(settings(&plane(), Strategy::Bayesian, 5)).unwrap();
            run(&mut study, 12, branin);
            let shares = mlops_algorithms::search::importance(&study);
            (serde_json::to_string(&study).unwrap(), shares)
        })
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(7));
}

#[test]
fn trials_that_are_asked_for_together_lie_apart() {
    let mut study = Study::new(settings(&plane(), Strategy::Bayesian, 1)).unwrap();
    run(&mut study, 10, branin);
    let batch = (0..4).map(|_| study.ask(&Silent).unwrap().unwrap()).collect::<Vec<_>>();
    for (at, trial) in batch.iter().enumerate() {
        for other in &batch[..at] {
            let apart = (number(&trial.params, "x") - number(&other.params, "x")).abs()
                + (number(&trial.params, "y") - number(&other.params, "y")).abs();
            assert!(apart > 0.05, "{:?} {:?}", trial.params, other.params);
        }
    }
    study.tell(batch[2].number, Outcome::Failed("diverged".to_owned())).unwrap();
    study.tell(batch[0].number, Outcome::Complete(branin(&batch[0].params))).unwrap();
    assert!(study.ask(&Silent).unwrap().is_some());
    assert_eq!(study.trials()[batch[2].number].reason.as_deref(), Some("diverged"));
    study.recover();
    assert_eq!(study.ask(&Silent).unwrap().unwrap().number, batch[1].number);
}

#[test]
fn a_finite_space_ends() {
    let space = json!({"a": [1, 2, 3], "b": {"int": [1, 4], "when": {"a": [2, 3]}}});
    for strategy in [Strategy::Grid, Strategy::Random, Strategy::Bayesian] {
        let mut study = Study::new(settings(&space, strategy, 9)).unwrap();
        run(&mut study, 50, |params| params.get("b").map_or(9.0, |b| b.as_f64().unwrap()));
        assert_eq!(study.trials().len(), 9, "{strategy:?}");
        assert_eq!(study.best().unwrap().value, Some(1.0));
        assert!(study.ask(&Silent).unwrap().is_none());
    }
}

#[test]
fn what_is_known_beforehand_is_not_tried_again() {
    let mut study = Study::new(settings(&plane(), Strategy::Bayesian, 2)).unwrap();
    let params = |x: f64, y: f64| json!({"x": x, "y": y}).as_object().unwrap().clone();
    assert_eq!(study.enqueue(params(1.0, 2.0)).unwrap(), 0);
    assert_eq!(study.enqueue(params(1.0, 2.0)).unwrap(), 0);
    assert_eq!(study.add(params(3.1, 2.3), 0.41).unwrap(), 1);
    assert_eq!(study.add(params(3.1, 2.3), 0.41).unwrap(), 1);
    let first = study.ask(&Silent).unwrap().unwrap();
    assert_eq!((first.number, first.origin), (0, Origin::Enqueued));
    assert_eq!(study.best().unwrap().origin, Origin::Known);
    let error = study.add(params(99.0, 0.0), 1.0).unwrap_err();
    assert_eq!(error.to_string(), "x: 99.0 is not a number from -5 to 10");
}

#[test]
fn reports_and_ends_are_checked() {
    let mut asked = settings(&plane(), Strategy::Random, 2);
    asked.pruner = Some(Pruner::Median { startup_trials: 2, warmup_steps: 0 });
    asked.direction = Direction::Maximize;
    let mut study = Study::new(asked).unwrap();
    for value in [1.0, 2.0] {
        let trial = study.ask(&Silent).unwrap().unwrap();
        assert!(!study.report(trial.number, 1, value).unwrap());
        study.tell(trial.number, Outcome::Complete(value)).unwrap();
    }
    let trial = study.ask(&Silent).unwrap().unwrap();
    assert!(study.report(trial.number, 1, 1.2).unwrap());
    let error = study.report(trial.number, 1, 1.2).unwrap_err();
    assert_eq!(error, SearchError::Step { number: 2, step: 1, last: 1 });
    assert!(matches!(study.tell(2, Outcome::Complete(f64::NAN)), Err(SearchError::NotFinite { .. })));
    study.tell(2, Outcome::Pruned).unwrap();
    assert_eq!(study.tell(2, Outcome::Pruned).unwrap_err(), SearchError::Ended { number: 2 });
    assert_eq!(study.report(7, 1, 1.0).unwrap_err(), SearchError::NoTrial { number: 7, trials: 3 });
    assert_eq!(study.best().unwrap().value, Some(2.0));
    assert_eq!(study.trials()[2].status, TrialStatus::Pruned);
}

#[test]
fn a_study_from_outside_is_checked() {
    let mut study = Study::new(settings(&plane(), Strategy::Random, 2)).unwrap();
    run(&mut study, 2, branin);
    let written = serde_json::to_value(&study).unwrap();
    let error = |path: &str, value: Value| {
        let mut damaged = written.clone();
        *damaged.pointer_mut(path).unwrap() = value;
        serde_json::from_value::<Study>(damaged).unwrap_err().to_string()
    };
    assert!(error("/trials/1/number", json!(5)).contains("another number"));
    assert!(error("/trials/1/params/x", json!(50)).contains("does not fit the space: x: 50"));
    assert!(error("/trials/0/status", json!("failed")).contains("without being complete"));
    assert!(error("/settings/grid_points", json!(0)).contains("grid_points is 0, but it must be 1 to 1000"));
    assert!(error("/settings/search_space", json!({})).contains("at least one parameter"));
}

#[test]
fn a_search_can_be_stopped() {
    struct Stop;
    impl Probe for Stop {
        fn cancelled(&self) -> bool {
            true
        }
        fn progress(&self, _done: f64, _total: f64, _message: &str) {}
    }
    let mut study = Study::new(settings(&plane(), Strategy::Bayesian, 2)).unwrap();
    run(&mut study, 10, branin);
    assert!(matches!(study.ask(&Stop), Err(SearchError::Cancelled(_))));
    assert_eq!(study.trials().len(), 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the objective gives, a trial lies in the space and is new.
    #[test]
    fn any_values_leave_a_search_that_goes_on(seed in 0_u64..1000, values in prop::collection::vec(-1e300..1e300_f64, 12)) {
        let space = json!({"x": {"log": [1e-9, 1e9]}, "k": {"int": [-3, 900]}, "c": ["a", null, 2.5]});
        let mut study = Study::new(settings(&space, Strategy::Bayesian, seed)).unwrap();
        for (at, value) in values.into_iter().enumerate() {
            let trial = study.ask(&Silent).unwrap().unwrap();
            prop_assert!((1e-9..=1e9).contains(&number(&trial.params, "x")));
            let outcome = if at % 5 == 4 { Outcome::Failed(String::new()) } else { Outcome::Complete(value) };
            study.tell(trial.number, outcome).unwrap();
        }
    }
}
