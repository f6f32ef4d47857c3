//! What commands do.

use futures::executor::block_on;
use jiff::Timestamp;
use mlops_core::ToolCaller;
use mlops_core::values::ArtifactUri;
use mlops_records::NewApproval;
use secrecy::SecretString;

use super::*;
use crate::outside::{Outside, room};
use crate::{Checked, IssueRequest};

const ENGLISH: &str = include_str!("../../../../examples/penguins-classification.md");

struct World {
    commands: Commands,
    outside: Arc<Outside>,
    run: String,
}

fn issue() -> IssueRef {
    IssueRef { repo: "octo/models".into(), number: 5 }
}

/// A world in which the issue 5 has started a run.
fn world() -> World {
    let (room, outside) = room();
    let detector = IssueDetector::new(ToolCaller::embedded(room));
    let root = ArtifactUri::new("s3://store/root").unwrap();
    let runs = IssueRuns::new(outside.clone(), &root);
    let commands =
        Commands::new(detector.clone(), outside.clone(), Approvals::new(outside.clone(), &root), runs.clone());
    let request = IssueRequest {
        title: String::new(),
        body: ENGLISH.to_owned(),
        issue: Some(issue()),
        source_name: "octo/models#5".into(),
        data_version: None,
        default_lang: Lang::En,
    };
    let Checked::Accepted(accepted) = block_on(detector.check_and_start(request, false, &Call::new("r"))).unwrap()
    else {
        panic!("the example is a request")
    };
    block_on(runs.add(&issue(), &accepted.run_id)).unwrap();
    World { commands, outside, run: accepted.run_id }
}

impl World {
    fn say(&self, command: Command, key: &str) -> Result<CommandOutcome> {
        let actor = Actor { name: "github:octocat".into(), key: key.into() };
        block_on(self.commands.run(command, Target::Issue(issue()), actor, &Call::new("r")))
    }

    fn done(&self, command: Command, key: &str) -> CommandOutcome {
        let outcome = self.say(command, key).unwrap();
        assert_eq!(outcome.effect, CommandEffect::Done, "{outcome:?}");
        outcome
    }

    fn in_vain(&self, command: Command) -> String {
        let outcome = self.say(command, "k").unwrap();
        assert_eq!(outcome.effect, CommandEffect::NothingToDo, "{outcome:?}");
        outcome.message
    }

    fn end(&self, status: ExecutionStatus) {
        let mut executions = self.outside.executions.lock().unwrap();
        let execution = executions.get_mut(&self.run).unwrap();
        execution.status = status;
        execution.ended = (status != ExecutionStatus::Running).then_some(Timestamp::UNIX_EPOCH);
    }

    /// The run asks a person.
    fn ask(&self, token: &str) {
        self.outside.tokens.lock().unwrap().insert(token.to_owned(), None);
        let new = NewApproval {
            run_id: self.run.clone(),
            issue: Some(issue()),
            token: SecretString::from(token),
            model_name: "penguin-species".into(),
            version: Some(2),
            report_uri: None,
            asked_at: Timestamp::UNIX_EPOCH,
        };
        block_on(self.commands.approvals.ask(new)).unwrap();
    }

    fn answer(&self, token: &str) -> Option<Value> {
        match self.outside.tokens.lock().unwrap()[token].clone()? {
            TaskAnswer::Success(value) => Some(value),
            other => panic!("{other:?}"),
        }
    }
}

fn approve() -> Command {
    Command::Approve { reason: Some("the recall is fine".into()) }
}

fn reject() -> Command {
    Command::Reject { reason: None }
}

#[test]
fn an_approval_reaches_the_waiting_task_once() {
    let world = world();
    assert!(world.in_vain(approve()).contains("does not wait for an approval"));
    world.ask("token-of-this-run");
    let outcome = world.done(approve(), "comment 1");
    assert!(
        outcome.message.starts_with("penguin-species version 2 was approved by `github:octocat`"),
        "{}",
        outcome.message
    );
    assert!(outcome.message.contains("`the recall is fine`") && !format!("{outcome:?}").contains("token-of-this-run"));
    let expected = json!({"approved": true, "by": "github:octocat", "reason": "the recall is fine"});
    assert_eq!(world.answer("token-of-this-run"), Some(expected.clone()));
    // The same answer again, with another reason, is the one that was given first.
    let again = world.done(Command::Approve { reason: Some("me too".into()) }, "comment 2");
    assert_eq!(again.details["reason"], "the recall is fine");
    assert!(world.in_vain(reject()).contains("was approved by `github:octocat`"));
    assert_eq!(world.answer("token-of-this-run"), Some(expected));
    world.end(ExecutionStatus::Succeeded);
    world.done(approve(), "comment 3");
}

/// Workflows that forget a token once it was answered, as Step Functions does.
struct Forgetful {
    inner: Arc<Outside>,
    given: std::sync::Mutex<Option<Value>>,
}

#[async_trait::async_trait]
impl Workflows for Forgetful {
    async fn start(&self, execution: NewExecution) -> Result<mlops_core::ports::Started> {
        self.inner.start(execution).await
    }

    async fn describe(&self, name: &str) -> Result<Execution> {
        self.inner.describe(name).await
    }

    async fn history(&self, _: &str) -> Result<Vec<mlops_core::ports::HistoryEvent>> {
        let given = self.given.lock().unwrap().clone();
        let event = given.map(|output| mlops_core::ports::HistoryEvent {
            id: 1,
            timestamp: Timestamp::UNIX_EPOCH,
            kind: "TaskSucceeded".into(),
            state: Some("AskApproval".into()),
            path: None,
            details: json!({ "output": output }),
        });
        Ok(event.into_iter().collect())
    }

    async fn list(&self, machine: &str, limit: usize) -> Result<Vec<Execution>> {
        self.inner.list(machine, limit).await
    }

    async fn redrive(&self, name: &str) -> Result<()> {
        self.inner.redrive(name).await
    }

    async fn answer(&self, _: &str, answer: TaskAnswer) -> Result<()> {
        let mut given = self.given.lock().unwrap();
        match (&*given, answer) {
            (None, TaskAnswer::Success(output)) => *given = Some(output),
            _ => return Err(Error::conflict("the task of that token does not wait any more")),
        }
        Ok(())
    }

    async fn stop(&self, name: &str, error: &str, cause: &str) -> Result<()> {
        self.inner.stop(name, error, cause).await
    }
}

#[test]
fn an_answer_that_comes_again_is_found_in_the_history() {
    let mut world = world();
    let forgetful = Arc::new(Forgetful { inner: world.outside.clone(), given: std::sync::Mutex::default() });
    world.commands.workflows = forgetful.clone();
    world.ask("token-of-this-run");
    let first = world.done(approve(), "comment 1");
    let again = world.done(approve(), "comment 2");
    assert_eq!((first.message, first.details), (again.message, again.details));
    *forgetful.given.lock().unwrap() = Some(json!({"approved": true, "by": "somebody else"}));
    assert!(world.in_vain(approve()).contains("its time was over"));
}

#[test]
fn a_rejection_and_an_answer_that_comes_too_late() {
    let world = world();
    world.ask("token-of-that-run");
    world.done(reject(), "comment 1");
    assert_eq!(world.answer("token-of-that-run").unwrap()["approved"], false);
    let world = self::world();
    world.ask("token-that-is-over");
    world.outside.tokens.lock().unwrap().clear();
    assert!(world.in_vain(approve()).contains("its time was over"));
    let world = self::world();
    world.ask("token-of-an-ended-run");
    world.end(ExecutionStatus::Aborted);
    assert!(world.in_vain(approve()).contains("has ended: cancelled"));
    assert_eq!(world.answer("token-of-an-ended-run"), None);
}

#[test]
fn a_failed_run_goes_on_and_one_that_ended_well_is_run_again() {
    let world = world();
    assert!(world.in_vain(Command::Retry).contains("still going on"));
    world.end(ExecutionStatus::Failed);
    let outcome = world.done(Command::Retry, "comment 1");
    assert_eq!(
        (outcome.run_id.as_deref(), outcome.details["redriven"].as_bool()),
        (Some(world.run.as_str()), Some(true))
    );
    assert_eq!(world.outside.redriven.lock().unwrap().as_slice(), std::slice::from_ref(&world.run));
    for status in [ExecutionStatus::Succeeded, ExecutionStatus::Aborted, ExecutionStatus::TimedOut] {
        let world = self::world();
        world.end(status);
        let outcome = world.done(Command::Retry, "comment 1");
        let new = outcome.run_id.unwrap();
        assert_ne!(new, world.run);
        let executions = world.outside.executions.lock().unwrap().clone();
        assert_eq!(executions[&new].input["config"], executions[&world.run].input["config"]);
        assert_eq!(executions[&new].input["run_id"], new.as_str());
        // From now on the issue speaks of the new run, which goes on.
        assert_eq!(block_on(world.commands.issue_runs.latest(&issue())).unwrap(), Some(new));
        assert!(world.in_vain(Command::Retry).contains("still going on"));
    }
}

#[test]
fn a_rollback_is_a_run_of_its_own_with_a_name_that_follows_from_the_command() {
    let world = world();
    let back = |version, key| world.done(Command::Rollback { version, reason: None }, key);
    let first = back(Some(3), "comment 1");
    let name = first.run_id.clone().unwrap();
    assert!(name.starts_with("rollback-penguin-species-") && name.len() <= 80, "{name}");
    let execution = world.outside.executions.lock().unwrap()[&name].clone();
    assert_eq!(execution.machine, "rollback");
    let expected = json!({
        "step": "rollback", "model_name": "penguin-species", "reason": "asked for by github:octocat",
        "by": "github:octocat", "to_version": 3,
    });
    assert_eq!(execution.input["inputs"], expected);
    assert_eq!((execution.input["run_id"].as_str(), &execution.input["issue"]), (Some(name.as_str()), &json!(issue())));
    let again = back(Some(3), "comment 1");
    assert_eq!((again.run_id, again.details["already_started"].as_bool()), (Some(name.clone()), Some(true)));
    assert_ne!(back(Some(3), "comment 2").run_id, Some(name.clone()));
    let before = back(None, "comment 1");
    assert_ne!(before.run_id, Some(name));
    assert!(before.message.contains("the version before the present one"));
}

#[test]
fn a_run_is_cancelled_while_it_goes_on() {
    let world = world();
    let cancel = || Command::Cancel { reason: Some("wrong data".into()) };
    let outcome = world.done(cancel(), "comment 1");
    assert_eq!(outcome.details["status"], "ABORTED");
    let cause = world.outside.executions.lock().unwrap()[&world.run].cause.clone();
    assert_eq!(cause.as_deref(), Some("cancelled by github:octocat: wrong data"));
    world.done(cancel(), "comment 1");
    world.end(ExecutionStatus::Succeeded);
    assert!(world.in_vain(cancel()).contains("has ended: succeeded"));
}

#[test]
fn the_status_says_where_a_run_is_and_whether_it_waits() {
    let world = world();
    world.ask("token-of-a-status");
    let outcome = world.done(Command::Status, "k");
    assert_eq!((&outcome.details["status"], &outcome.details["waits_for_approval"]), (&json!("RUNNING"), &json!(true)));
    assert!(outcome.message.contains("- status: running") && outcome.message.contains("/mlops approve"));
    world.end(ExecutionStatus::Failed);
    assert_eq!(world.done(Command::Status, "k").details["waits_for_approval"], false);
}

#[test]
fn what_is_not_there_is_told() {
    let world = world();
    let actor = Actor { name: "cli:me".into(), key: "1".into() };
    let elsewhere = Target::Issue(IssueRef { repo: "octo/models".into(), number: 6 });
    let call = Call::new("r").in_lang(Lang::Ja);
    let outcome = block_on(world.commands.run(Command::Status, elsewhere, actor.clone(), &call)).unwrap();
    assert_eq!(outcome.message, "octo/models#6 から開始された実行はありません。");
    let error = block_on(world.commands.run(Command::Retry, Target::Run("no-run".into()), actor, &call)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}
