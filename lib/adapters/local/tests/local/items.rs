//! Map states, inline and distributed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use mlops_core::ports::{Body, Condition, ExecutionStatus, ObjectStore as _, Workflows as _};
use mlops_core::values::ArtifactUri;
use mlops_core::{AgentHandler, Call, Error, Result};
use mlops_local::{Access, FileStore, LocalWorkflows};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::machines::{Scripted, echo, executor, flow, kinds_in, machine, run, start, task, walk_until};

/// A map over a task of the worker with more fields.
fn map(more: &Value) -> Value {
    let mut state = json!({"Type": "Map", "ItemProcessor": flow("Item", &json!({
        "Item": task(&json!({"Output": "{% $states.result.Payload %}", "End": true}))})), "End": true});
    for (name, value) in more.as_object().unwrap() {
        state[name] = value.clone();
    }
    state
}

fn distributed(more: &Value) -> Value {
    let mut state = map(more);
    state["ItemProcessor"]["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    state
}

#[tokio::test]
async fn items_know_their_number_and_value_and_come_out_in_order() {
    let home = TempDir::new().unwrap();
    let definition = machine(
        &json!({"A": {"Type": "Pass", "Assign": {"unit": "€"}, "Next": "Each"}, "Each": map(&json!({
        "Items": "{% $states.input.prices %}",
        "ItemSelector": {"n": "{% $states.context.Map.Item.Index %}", "v": "{% $states.context.Map.Item.Value & $unit %}",
            "of": "{% $count($states.input.prices) %}"}})) }),
    );
    let executor = executor(home.path(), &[echo("worker")], &definition);
    let ended = run(&executor, json!({"prices": [5, 7]})).await;
    assert_eq!(ended.output, Some(json!([{"n": 0, "v": "5€", "of": 2}, {"n": 1, "v": "7€", "of": 2}])));
    let expected = [
        "MapIterationStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "MapIterationSucceeded",
    ];
    assert_eq!(kinds_in(&executor, Some("Each.1")).await, expected);
    let root = kinds_in(&executor, None).await;
    assert_eq!(root[3..7], ["MapStateEntered", "MapStateStarted", "MapStateSucceeded", "MapStateExited"]);
    let history = executor.history("run").await.unwrap();
    assert_eq!(history.iter().find(|event| event.kind == "MapStateStarted").unwrap().details, json!({"length": 2}));
}

#[tokio::test]
async fn no_items_give_no_results_and_what_is_no_list_fails() {
    let of = async |input: Value| {
        let home = TempDir::new().unwrap();
        let executor = executor(home.path(), &[echo("worker")], &machine(&json!({"A": map(&json!({}))})));
        run(&executor, input).await
    };
    assert_eq!(of(json!([])).await.output, Some(json!([])));
    assert_eq!(of(json!([1])).await.output, Some(json!([1])));
    assert_eq!(of(json!({"a": 1})).await.error.as_deref(), Some("States.QueryEvaluationError"));
}

/// Counts how many work at the same time.
struct Crowd {
    inside: AtomicUsize,
    most: AtomicUsize,
    asked: AtomicUsize,
}

impl AgentHandler for Crowd {
    fn name(&self) -> &'static str {
        "worker"
    }

    fn invoke<'a>(&'a self, payload: Value, _: &'a Call) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(inside, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.inside.fetch_sub(1, Ordering::SeqCst);
            Ok(json!(payload.as_i64().unwrap_or_default() * 2))
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_items_forty_at_a_time() {
    for (concurrency, count) in [(40, 1000_i64), (1, 12), (0, 100)] {
        let home = TempDir::new().unwrap();
        let crowd = Arc::new(Crowd { inside: 0.into(), most: 0.into(), asked: 0.into() });
        let definition = machine(&json!({"A": map(&json!({"MaxConcurrency": concurrency}))}));
        let executor = LocalWorkflows::new(home.path(), [Arc::clone(&crowd) as Arc<dyn AgentHandler>]);
        let executor = executor.machine("test", &definition).unwrap();
        let ended = run(&executor, json!((0..count).collect::<Vec<_>>())).await;
        assert_eq!(ended.output, Some(json!((0..count).map(|item| item * 2).collect::<Vec<_>>())));
        assert_eq!(crowd.asked.load(Ordering::SeqCst) as i64, count);
        let most = crowd.most.load(Ordering::SeqCst);
        let limit = if concurrency == 0 { 40 } else { concurrency };
        assert!(most <= limit && (limit == 1 || most > limit / 2), "{most} at a time of {limit}");
    }
}

#[tokio::test]
async fn an_item_that_fails_fails_an_inline_map_which_can_be_tried_again() {
    let home = TempDir::new().unwrap();
    let worker =
        Scripted::new(
            "worker",
            |number, payload| {
                if number == 2 { Err(Error::unavailable("gone")) } else { Ok(payload.clone()) }
            },
        );
    let retry = json!([{"ErrorEquals": ["Unavailable"], "MaxAttempts": 1}]);
    let definition = machine(&json!({"A": map(&json!({"MaxConcurrency": 1, "Retry": retry}))}));
    let executor = executor(home.path(), &[Arc::clone(&worker)], &definition);
    assert_eq!(run(&executor, json!([1, 2, 3])).await.output, Some(json!([1, 2, 3])));
    assert_eq!(worker.asked(), [json!(1), json!(2), json!(1), json!(2), json!(3)]);
    let root = kinds_in(&executor, None).await;
    assert_eq!(root.iter().filter(|kind| *kind == "MapStateStarted").count(), 2);
    let failed = kinds_in(&executor, Some("A.1")).await;
    assert!(failed.contains(&"MapIterationFailed".to_owned()), "{failed:?}");
}

#[tokio::test]
async fn some_items_may_fail_and_one_more_is_too_many() {
    let odd = || {
        Scripted::new("worker", |_, payload| {
            if payload.as_i64().unwrap_or_default() % 2 == 1 {
                Err(Error::not_found("odd"))
            } else {
                Ok(payload.clone())
            }
        })
    };
    for (more, ends_well) in [
        (json!({"ToleratedFailureCount": 2}), true),
        (json!({"ToleratedFailureCount": 1}), false),
        (json!({"ToleratedFailurePercentage": 50}), true),
        (json!({"ToleratedFailurePercentage": "{% 49.9 %}"}), false),
        (json!({"ToleratedFailurePercentage": 100, "ToleratedFailureCount": 1}), false),
        (json!({}), false),
    ] {
        let home = TempDir::new().unwrap();
        let executor = executor(home.path(), &[odd()], &machine(&json!({"A": distributed(&more)})));
        let ended = run(&executor, json!([0, 1, 2, 3])).await;
        let root = kinds_in(&executor, None).await;
        if ends_well {
            assert_eq!(ended.output, Some(json!([0, 2])), "{more}");
            let expected = [
                "MapStateEntered",
                "MapStateStarted",
                "MapRunStarted",
                "MapRunSucceeded",
                "MapStateSucceeded",
                "MapStateExited",
            ];
            assert_eq!(root[1..7], expected);
        } else {
            assert_eq!(ended.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"), "{more}");
            assert_eq!(root[3..], ["MapRunStarted", "MapRunFailed", "MapStateFailed", "ExecutionFailed"]);
        }
    }
}

async fn put(home: &TempDir, uri: &str, text: &str) {
    let store = FileStore::new(home.path(), home.path(), Access::HomeOnly);
    let uri = ArtifactUri::new(uri).unwrap();
    store.put(&uri, Body::from(text.to_owned()), Condition::None).await.unwrap();
}

fn reading(resource: &str, arguments: &Value, config: Option<Value>) -> Value {
    let mut reader = json!({"Resource": format!("arn:aws:states:::s3:{resource}"), "Arguments": arguments});
    if let Some(config) = config {
        reader["ReaderConfig"] = config;
    }
    reader
}

#[tokio::test]
async fn items_are_read_from_tables_lists_and_lines() {
    let csv = "species,mass\nadelie,3750\n\"gentoo, large\",5000\n";
    let expected = json!([{"species": "adelie", "mass": "3750"}, {"species": "gentoo, large", "mass": "5000"}]);
    let json_text = r#"[{"a": 1}, {"a": 2}, {"a": 3}]"#;
    for (text, config, expected) in [
        (csv, json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}), expected),
        (
            "1;2",
            json!({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"], "CSVDelimiter": "SEMICOLON"}),
            json!([{"x": "1", "y": "2"}]),
        ),
        (json_text, json!({"InputType": "JSON", "MaxItems": 2}), json!([{"a": 1}, {"a": 2}])),
        ("{\"a\": 1}\n\n[2]\n", json!({"InputType": "JSONL"}), json!([{"a": 1}, [2]])),
    ] {
        let home = TempDir::new().unwrap();
        put(&home, "s3://my-data/in/table", text).await;
        let arguments = json!({"Bucket": "my-data", "Key": "{% $states.input.key %}"});
        let reader = reading("getObject", &arguments, Some(config));
        let definition = machine(&json!({"A": distributed(&json!({"ItemReader": reader}))}));
        let executor = executor(home.path(), &[echo("worker")], &definition);
        assert_eq!(run(&executor, json!({"key": "in/table"})).await.output, Some(expected));
    }
}

#[tokio::test]
async fn items_are_the_objects_of_a_listing() {
    let home = TempDir::new().unwrap();
    for number in 0..3 {
        put(&home, &format!("s3://my-data/in/{number}.csv"), &"x".repeat(number + 1)).await;
    }
    put(&home, "s3://my-data/other.csv", "x").await;
    let reader = reading("listObjectsV2", &json!({"Bucket": "my-data", "Prefix": "in/"}), None);
    let selector =
        json!({"key": "{% $states.context.Map.Item.Value.Key %}", "size": "{% $states.context.Map.Item.Value.Size %}"});
    let definition = machine(&json!({"A": distributed(&json!({"ItemReader": reader, "ItemSelector": selector}))}));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    let expected: Vec<Value> =
        (0..3).map(|number| json!({"key": format!("in/{number}.csv"), "size": number + 1})).collect();
    assert_eq!(run(&executor, json!({})).await.output, Some(json!(expected)));
}

#[tokio::test]
async fn what_cannot_be_read_can_be_caught() {
    for key in ["nothing", "broken", "../x"] {
        let reader =
            reading("getObject", &json!({"Bucket": "my-data", "Key": key}), Some(json!({"InputType": "JSON"})));
        let catch = json!([{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "B"}]);
        let home = TempDir::new().unwrap();
        let definition = machine(&json!({"A": distributed(&json!({"ItemReader": reader, "Catch": catch})),
            "B": {"Type": "Succeed", "Output": "caught"}}));
        put(&home, "s3://my-data/broken", "{").await;
        let executor = executor(home.path(), &[echo("worker")], &definition);
        assert_eq!(run(&executor, json!({})).await.output, Some(json!("caught")), "{key}");
    }
}

#[tokio::test]
async fn items_that_could_not_be_read_are_read_again_when_the_execution_is_redriven() {
    let home = TempDir::new().unwrap();
    let reader = reading("getObject", &json!({"Bucket": "my-data", "Key": "late"}), Some(json!({"InputType": "JSON"})));
    let definition = machine(&json!({"A": distributed(&json!({"ItemReader": reader}))}));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    assert_eq!(run(&executor, json!({})).await.error.as_deref(), Some("States.ItemReaderFailed"));
    put(&home, "s3://my-data/late", "[1, 2]").await;
    executor.redrive("run").await.unwrap();
    assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().output, Some(json!([1, 2])));
}

#[tokio::test]
async fn items_go_in_batches() {
    let home = TempDir::new().unwrap();
    let batch = json!({"MaxItemsPerBatch": 2, "BatchInput": {"unit": "{% $states.input.unit %}"}});
    let definition = machine(&json!({"A": distributed(&json!({"ItemBatcher": batch, "Items": "{% $states.input.n %}",
        "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"}}))}));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    let expected = json!([
        {"Items": [{"v": 1}, {"v": 2}], "BatchInput": {"unit": "kg"}}, {"Items": [{"v": 3}], "BatchInput": {"unit": "kg"}},
    ]);
    assert_eq!(run(&executor, json!({"n": [1, 2, 3], "unit": "kg"})).await.output, Some(expected));
}

#[tokio::test]
async fn broken_off_among_many_items_none_that_ended_is_done_again() {
    let home = TempDir::new().unwrap();
    let worker = echo("worker");
    let definition = machine(&json!({"A": distributed(&json!({"MaxConcurrency": 5}))}));
    let count = 40;
    let input = json!((0..count).collect::<Vec<_>>());
    start(&executor(home.path(), &[Arc::clone(&worker)], &definition), input.clone()).await;
    let mut walks = 0;
    while !walk_until(&executor(home.path(), &[Arc::clone(&worker)], &definition), 37).await {
        walks += 1;
        assert!(walks < 100);
    }
    assert!(walks > 3, "{walks}");
    let last = executor(home.path(), &[Arc::clone(&worker)], &definition);
    let ended = last.describe("run").await.unwrap();
    assert_eq!((ended.status, ended.output), (ExecutionStatus::Succeeded, Some(input)));
    let history = last.history("run").await.unwrap();
    let of = |kind: &str| -> Vec<&str> {
        history.iter().filter(|event| event.kind == kind).filter_map(|event| event.path.as_deref()).collect()
    };
    for kind in ["MapIterationStarted", "MapIterationSucceeded", "TaskSucceeded"] {
        let paths = of(kind);
        assert_eq!((paths.len(), paths.iter().collect::<BTreeSet<_>>().len()), (count, count), "{kind}");
    }
}
