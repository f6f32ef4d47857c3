//! A run that is killed at any moment goes on where it was, and nothing is done twice.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::json;

use crate::fleet::Fleet;

const ISSUE: &str = "examples/penguins-classification.md";
const STEPS: usize = 10;

/// Starts the run, kills it after `lines` finished steps, and says whether it was still going on.
fn kill_after_steps(fleet: &Fleet, lines: usize) -> bool {
    let mut child = fleet
        .command(&["run", ISSUE, "--json"])
        // A process that is killed leaves half a coverage profile, which must not lie among the whole ones.
        .env("LLVM_PROFILE_FILE", fleet.path("killed.profraw"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let output = BufReader::new(child.stderr.take().expect("a pipe"));
    let finished = output.lines().map_while(Result::ok).filter(|line| line.contains('✓')).take(lines).count();
    child.kill().expect("killed");
    let status = child.wait().expect("ended");
    finished == lines && !status.success()
}

fn assert_ends_well(fleet: &Fleet) {
    let output = fleet.json(&["run", ISSUE, "--json"]);
    assert_eq!(output["decision"], "promote");
    let versions = fleet.tool("list_model_versions", &json!({"model_name": output["model_name"]}));
    assert_eq!(versions["total"], 1);
    let runs = fleet.json(&["runs", "--json"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    let status = fleet.json(&["status", output["run_id"].as_str().unwrap(), "--json"]);
    let steps = status["steps"].as_array().unwrap();
    assert_eq!(steps.len(), STEPS, "each step is there once: {steps:#?}");
    for step in steps {
        assert_eq!(step["result"], "succeeded", "{step:#}");
        assert_eq!(step["succeeded"], 1, "a finished step ran once: {step:#}");
    }
    let events = std::fs::read_dir(fleet.path("home/outbox/events")).unwrap().count();
    assert_eq!(events, 1, "the event is published once");
}

#[test]
fn a_run_killed_after_each_step_goes_on_and_ends_well() {
    let fleet = Fleet::new();
    // The same run is killed again and again, each time one step further.
    for _ in 1..STEPS {
        kill_after_steps(&fleet, 1);
    }
    assert_ends_well(&fleet);
}

#[test]
fn a_run_killed_after_any_step_ends_well() {
    let mut killed = 0;
    for steps in 1..=STEPS {
        let fleet = Fleet::new();
        killed += usize::from(kill_after_steps(&fleet, steps));
        assert_ends_well(&fleet);
    }
    assert!(killed >= STEPS / 2, "only {killed} of {STEPS} runs were still going on when they were killed");
}

#[test]
fn a_run_killed_at_twenty_random_moments_ends_well() {
    let fleet = Fleet::new();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    for _ in 0..20 {
        let mut child = fleet
            .command(&["run", ISSUE, "--json"])
            .env("LLVM_PROFILE_FILE", fleet.path("killed.profraw"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_millis(random.random_range(1..250)));
        // It may have ended by itself; then the next one finds it ended.
        let _ = child.kill();
        child.wait().expect("ended");
    }
    assert_ends_well(&fleet);
}
