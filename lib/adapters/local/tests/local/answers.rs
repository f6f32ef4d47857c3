//! Tasks that wait for an answer from outside.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mlops_core::ports::{Clock, ExecutionStatus, TaskAnswer, Workflows as _};
use mlops_core::{Call, Error, ErrorKind};
use mlops_local::{LocalWorkflows, WaitingTask};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::machines::{Scripted, echo, executor, flow, kinds, machine, run, start, task, walk_until};

/// A task that passes its token on to the worker, with more fields.
fn asking(more: &Value) -> Value {
    let mut state = task(&json!({
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": "worker", "Payload": {"token": "{% $states.context.Task.Token %}"}},
    }));
    for (name, value) in more.as_object().unwrap() {
        state[name] = value.clone();
    }
    state
}

async fn only_task(executor: &LocalWorkflows) -> WaitingTask {
    let mut waiting = executor.waiting_tasks("run").await.unwrap();
    assert_eq!(waiting.len(), 1);
    waiting.remove(0)
}

fn success(value: Value) -> TaskAnswer {
    TaskAnswer::Success(value)
}

/// A clock that stands until it is set forward.
struct Standing(Mutex<Timestamp>);

impl Standing {
    fn forward(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

fn standing(executor: LocalWorkflows) -> (LocalWorkflows, Arc<Standing>) {
    let clock = Arc::new(Standing(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap())));
    let mut call = Call::new("cli");
    call.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    (executor.calling(call), clock)
}

#[tokio::test]
async fn the_executor_keeps_the_contract_of_answers() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": asking(&json!({"End": true}))}));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    let walk = async |name: &str| drop(executor.run_to_end(name, |_| {}).await.unwrap());
    let token = async |name: &str| executor.waiting_tasks(name).await.unwrap().remove(0).token;
    mlops_contract::answers(&executor, "test", mlops_contract::Memory::Answers, walk, token).await;
}

#[tokio::test]
async fn an_execution_rests_until_its_task_is_answered() {
    let home = TempDir::new().unwrap();
    let worker = echo("worker");
    let definition = machine(&json!({"A": asking(&json!({"TimeoutSeconds": 3600, "HeartbeatSeconds": 60,
        "Assign": {"by": "{% $states.result.by %}"}, "Next": "B"})), "B": {"Type": "Succeed", "Output": "{% $by %}"}}));
    let (executor, _) = standing(executor(home.path(), &[Arc::clone(&worker)], &definition));
    let resting = run(&executor, json!({})).await;
    assert_eq!((resting.status, resting.output), (ExecutionStatus::Running, None));
    assert!(!executor.is_walked("run").await.unwrap());
    let waiting = only_task(&executor).await;
    assert_eq!((waiting.state.as_str(), waiting.path.as_deref()), ("A", None));
    assert_eq!(waiting.timeout_at, Some(waiting.since + SignedDuration::from_secs(3600)));
    assert_eq!(waiting.heartbeat_at, Some(waiting.since + SignedDuration::from_secs(60)));
    assert_eq!(worker.asked(), [json!({"token": waiting.token})]);
    let again = executor.run_to_end("run", |event| panic!("{event:?} is not new")).await.unwrap();
    assert_eq!((again.status, worker.asked().len()), (ExecutionStatus::Running, 1), "it is not asked twice");
    let journal = serde_json::to_string(&executor.history("run").await.unwrap()).unwrap();
    assert!(!journal.contains(&waiting.token), "the history does not show the token");

    executor.answer(&waiting.token, success(json!({"by": "ana"}))).await.unwrap();
    assert!(executor.waiting_tasks("run").await.unwrap().is_empty());
    let ended = executor.run_to_end("run", |_| {}).await.unwrap();
    assert_eq!((ended.status, ended.output), (ExecutionStatus::Succeeded, Some(json!("ana"))));
    let expected =
        ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited"];
    assert_eq!(kinds(&executor).await[1..7], expected);
}

#[tokio::test]
async fn a_failed_answer_is_an_error_that_can_be_tried_again_with_a_new_token() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": asking(&json!({"Retry": [{"ErrorEquals": ["Unsure"], "MaxAttempts": 1}],
        "Catch": [{"ErrorEquals": ["Refused"], "Next": "B", "Output": "{% $states.errorOutput.Cause %}"}], "End": true})),
        "B": {"Type": "Succeed"}}));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    let failure = |error: &str| TaskAnswer::Failure { error: error.to_owned(), cause: "because".to_owned() };
    run(&executor, json!({})).await;
    let first = only_task(&executor).await.token;
    executor.answer(&first, failure("Unsure")).await.unwrap();
    executor.answer(&first, failure("Unsure")).await.unwrap();
    assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().status, ExecutionStatus::Running);
    let second = only_task(&executor).await.token;
    assert_ne!(first, second);
    assert_eq!(executor.answer(&first, success(json!(1))).await.unwrap_err().kind, ErrorKind::Conflict);
    executor.answer(&second, failure("Refused")).await.unwrap();
    assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().output, Some(json!("because")));
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_a_timeout() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": asking(&json!({"TimeoutSeconds": 60,
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "B"}], "End": true})), "B": {"Type": "Succeed", "Output": "late"}}));
    let (executor, clock) = standing(executor(home.path(), &[echo("worker")], &definition));
    run(&executor, json!({})).await;
    let token = only_task(&executor).await.token;
    clock.forward(59);
    assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().status, ExecutionStatus::Running);
    clock.forward(1);
    let late = executor.answer(&token, success(json!(1))).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict, "late before anybody walked on: {late}");
    let ended = executor.run_to_end("run", |_| {}).await.unwrap();
    assert_eq!(ended.output, Some(json!("late")));
    assert!(kinds(&executor).await.contains(&"TaskTimedOut".to_owned()));
    assert_eq!(executor.answer(&token, success(json!(1))).await.unwrap_err().kind, ErrorKind::Conflict);
}

#[tokio::test]
async fn signs_of_life_keep_a_task_going() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": asking(&json!({"HeartbeatSeconds": 10, "End": true}))}));
    let (executor, clock) = standing(executor(home.path(), &[echo("worker")], &definition));
    run(&executor, json!({})).await;
    let task = only_task(&executor).await;
    let before = kinds(&executor).await;
    for _ in 0..3 {
        clock.forward(9);
        executor.answer(&task.token, TaskAnswer::Heartbeat).await.unwrap();
        assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().status, ExecutionStatus::Running);
    }
    assert_eq!(kinds(&executor).await, before, "the history has no signs of life");
    let heartbeat_at = only_task(&executor).await.heartbeat_at.unwrap();
    assert_eq!(heartbeat_at, task.since + SignedDuration::from_secs(3 * 9 + 10));
    clock.forward(10);
    let late = executor.answer(&task.token, TaskAnswer::Heartbeat).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict);
    let ended = executor.run_to_end("run", |_| {}).await.unwrap();
    assert_eq!((ended.status, ended.error.as_deref()), (ExecutionStatus::Failed, Some("States.HeartbeatTimeout")));
}

#[tokio::test]
async fn an_agent_that_cannot_pass_the_token_on_fails_its_task() {
    let home = TempDir::new().unwrap();
    let worker = Scripted::new("worker", |_, _| Err(Error::unavailable("the outbox is full")));
    let definition = machine(&json!({"A": asking(&json!({"End": true}))}));
    let executor = executor(home.path(), &[Arc::clone(&worker)], &definition);
    assert_eq!(run(&executor, json!({})).await.error.as_deref(), Some("Unavailable"));
    let token = worker.asked()[0]["token"].as_str().unwrap().to_owned();
    assert_eq!(executor.answer(&token, success(json!(1))).await.unwrap_err().kind, ErrorKind::Conflict);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_comes_back_while_the_agent_works_ends_the_task() {
    let home = TempDir::new().unwrap();
    let worker = Scripted::new("worker", |_, _| Ok(json!("hang")));
    let definition = machine(&json!({"A": asking(&json!({"End": true}))}));
    let executor = executor(home.path(), &[Arc::clone(&worker)], &definition);
    start(&executor, json!({})).await;
    let walk = async { executor.run_to_end("run", |_| {}).await.unwrap() };
    let answer = async {
        while worker.asked().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let token = worker.asked()[0]["token"].as_str().unwrap().to_owned();
        executor.answer(&token, success(json!("early"))).await.unwrap();
    };
    let (ended, ()) = tokio::join!(walk, answer);
    assert_eq!(ended.output, Some(json!("early")));
    assert!(!kinds(&executor).await.contains(&"TaskSubmitted".to_owned()));
}

#[tokio::test]
async fn a_branch_waits_while_another_is_walked_and_the_answer_is_seen() {
    let home = TempDir::new().unwrap();
    let ask = flow("Ask", &json!({"Ask": asking(&json!({"End": true}))}));
    let pause = flow("Pause", &json!({"Pause": {"Type": "Wait", "Seconds": 2, "Output": "paused", "End": true}}));
    let definition = machine(&json!({"A": {"Type": "Parallel", "Branches": [ask, pause], "End": true}}));
    let executor = executor(home.path(), &[echo("worker")], &definition).waiting(1.0);
    start(&executor, json!({})).await;
    let walk = async { executor.run_to_end("run", |_| {}).await.unwrap() };
    let answer = async {
        let token = loop {
            if let Some(task) = executor.waiting_tasks("run").await.unwrap().pop() {
                assert_eq!(task.path.as_deref(), Some("A.0"));
                break task.token;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        executor.answer(&token, success(json!("yes"))).await.unwrap();
    };
    let (ended, ()) = tokio::join!(walk, answer);
    assert_eq!(ended.output, Some(json!(["yes", "paused"])), "one walk was enough");
}

#[tokio::test]
async fn many_items_wait_each_for_its_own_answer() {
    let home = TempDir::new().unwrap();
    let item = flow("Ask", &json!({"Ask": asking(&json!({"End": true}))}));
    let definition = machine(&json!({"A": {"Type": "Map", "ItemProcessor": item, "MaxConcurrency": 2, "End": true}}));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    run(&executor, json!([0, 1, 2])).await;
    let waiting = executor.waiting_tasks("run").await.unwrap();
    let paths: Vec<_> = waiting.iter().map(|task| task.path.clone().unwrap()).collect();
    assert_eq!(paths, ["A.0", "A.1"], "those that wait have the places");
    executor.answer(&waiting[1].token, success(json!("b"))).await.unwrap();
    assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().status, ExecutionStatus::Running);
    for task in executor.waiting_tasks("run").await.unwrap() {
        let answer = if task.path.as_deref() == Some("A.0") { "a" } else { "c" };
        executor.answer(&task.token, success(json!(answer))).await.unwrap();
    }
    assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().output, Some(json!(["a", "b", "c"])));
}

#[tokio::test]
async fn broken_off_around_its_question_a_task_keeps_its_token() {
    let definition = machine(&json!({"A": asking(&json!({"Output": "{% $states.result %}", "End": true}))}));
    for crash in 1..=5 {
        let home = TempDir::new().unwrap();
        let worker = echo("worker");
        let first = executor(home.path(), &[Arc::clone(&worker)], &definition);
        start(&first, json!({})).await;
        walk_until(&first, crash).await;
        drop(first);
        let second = executor(home.path(), &[Arc::clone(&worker)], &definition);
        second.run_to_end("run", |_| {}).await.unwrap();
        let token = only_task(&second).await.token;
        assert!(worker.asked().iter().all(|asked| asked["token"] == json!(token)), "event {crash}");
        assert!(worker.asked().len() <= 2);
        second.answer(&token, success(json!("yes"))).await.unwrap();
        assert_eq!(second.run_to_end("run", |_| {}).await.unwrap().output, Some(json!("yes")), "event {crash}");
    }
}

#[tokio::test]
async fn answers_that_cannot_be_taken_are_refused() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": asking(&json!({"End": true}))}));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    run(&executor, json!({})).await;
    for wrong in ["", "nobody's", "../../x", &"x".repeat(10_000), "日本"] {
        assert_eq!(executor.answer(wrong, success(json!(1))).await.unwrap_err().kind, ErrorKind::NotFound, "{wrong}");
    }
    let token = only_task(&executor).await.token;
    let error = executor.answer(&token, success(json!("x".repeat(300_000)))).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("output")));
    assert_eq!(executor.waiting_tasks("nowhere").await.unwrap_err().kind, ErrorKind::NotFound);
    // Of many different answers at once, one is taken.
    let answers = (0..8).map(|number| executor.answer(&token, success(json!(number))));
    let taken = futures::future::join_all(answers).await;
    assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 1);
    let output = executor.run_to_end("run", |_| {}).await.unwrap().output;
    assert_eq!(output, taken.iter().position(Result::is_ok).map(|number| json!(number)));
}
