//! What becomes of claim checks.

use std::sync::Mutex;

use mlops_core::ports::Body;
use mlops_local::{Access, FileStore};

use super::*;

/// The files of the store are read on the runtime's own threads.
fn block_on<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Answers what it is told to, and remembers what it saw.
struct Puppet {
    answer: Value,
    saw: Mutex<Option<Value>>,
}

impl AgentHandler for Puppet {
    fn name(&self) -> &'static str {
        "puppet"
    }

    fn invoke<'a>(&'a self, payload: Value, _: &'a Call) -> BoxFuture<'a, Result<Value>> {
        *self.saw.lock().unwrap() = Some(payload);
        Box::pin(async { Ok(self.answer.clone()) })
    }
}

struct Stage {
    _home: tempfile::TempDir,
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
    puppet: Arc<Puppet>,
    agent: ClaimChecked,
}

fn stage(answer: Value) -> Stage {
    let home = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(FileStore::new(home.path(), home.path(), Access::HomeOnly));
    let root = ArtifactUri::new("s3://fleet/store").unwrap();
    let puppet = Arc::new(Puppet { answer, saw: Mutex::default() });
    let inner: Arc<dyn AgentHandler> = Arc::clone(&puppet) as _;
    let agent = ClaimChecked::new(inner, Arc::clone(&store), root.clone());
    Stage { _home: home, store, root, puppet, agent }
}

impl Stage {
    fn invoke(&self, payload: Value) -> Result<Value> {
        block_on(self.agent.invoke(payload, &Call::new("r")))
    }

    fn saw(&self) -> Value {
        self.puppet.saw.lock().unwrap().clone().unwrap()
    }

    fn results(&self) -> usize {
        block_on(self.store.list(&self.root.join("results"), None)).unwrap().objects.len()
    }
}

fn result(outputs: &Value) -> Value {
    json!({"status": "succeeded", "agent": "puppet", "run_id": "run-1", "outputs": outputs, "next_hint": "go on"})
}

#[test]
fn a_small_result_and_an_ordinary_task_pass_unchanged() {
    let answer = result(&json!({"n": 1}));
    let stage = stage(answer.clone());
    let payload = json!({"run_id": "run-1", "inputs": {"a": [1, {"b": "c"}]}, "unknown": true});
    assert_eq!(stage.invoke(payload.clone()).unwrap(), answer);
    assert_eq!(stage.saw(), payload);
    assert_eq!(stage.results(), 0);
}

#[test]
fn the_largest_details_leave_a_large_result_and_come_back_for_the_next_agent() {
    let numbers = |count: usize| Value::Array((0..count).map(|number| json!(number)).collect());
    let outputs = json!({
        "decision": "promote", "model_uri": "s3://fleet/m", "version": 3, "metrics": {"accuracy": 0.9},
        "curve": numbers(30_000), "slices": {"by": numbers(5_000)}, "facts": numbers(200),
    });
    let stage = stage(result(&outputs));
    let sent = stage.invoke(json!({"run_id": "run-1", "inputs": {}})).unwrap();
    assert!(sent.to_string().len() <= LARGEST_RESULT);
    let claim = &sent["outputs"]["curve"][CLAIM];
    let uri = claim["uri"].as_str().unwrap();
    assert!(uri.starts_with("s3://fleet/store/results/run-1/puppet-"), "{uri}");
    assert_eq!(claim["bytes"], json!(outputs["curve"].to_string().len()));
    for kept in ["decision", "model_uri", "version", "metrics", "slices", "facts"] {
        assert_eq!(sent["outputs"][kept], outputs[kept], "{kept}");
    }
    assert_eq!(sent["status"], "succeeded");
    assert_eq!(stage.results(), 1);
    assert_eq!(stage.invoke(json!({"run_id": "run-1", "inputs": {}})).unwrap(), sent, "a repeat is the same");
    assert_eq!(stage.results(), 1);

    let inputs = json!({"step": "next", "details": sent["outputs"], "a/b~c.d": [sent["outputs"]["curve"]]});
    stage.invoke(json!({"run_id": "run-1", "inputs": inputs})).unwrap();
    assert_eq!(stage.saw()["inputs"]["details"], outputs);
    assert_eq!(stage.saw()["inputs"]["a/b~c.d"][0], outputs["curve"]);
}

#[test]
fn fields_that_a_state_machine_merged_beside_a_claim_check_win() {
    let stage = stage(result(&json!({})));
    let bytes = br#"{"rows":10,"time":1}"#.to_vec();
    let uri = stage.root.join("results/run-1/facts.json");
    let claim = json!({"uri": uri, "sha256": sha256_hex(&bytes), "bytes": bytes.len()});
    block_on(stage.store.put(&uri, Body::from(bytes), Condition::Absent)).unwrap();
    stage.invoke(json!({"inputs": {"data": {CLAIM: claim, "time": 2, "more": 3}}})).unwrap();
    assert_eq!(stage.saw()["inputs"]["data"], json!({"rows": 10, "time": 2, "more": 3}));
}

#[test]
fn a_claim_check_that_does_not_hold_is_refused_by_its_place() {
    let stage = stage(result(&json!({})));
    let uri = stage.root.join("results/run-1/facts.json");
    block_on(stage.store.put(&uri, Body::from(&b"[1]"[..]), Condition::Absent)).unwrap();
    let with = |claim: Value| stage.invoke(json!({"inputs": {"a": [{CLAIM: claim}]}})).unwrap_err();
    let error = with(json!({"uri": uri, "sha256": "00", "bytes": 3}));
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Conflict, Some("inputs.a.0")));
    let error = with(json!({"uri": uri.with_file_name("other.json"), "sha256": "00", "bytes": 3}));
    assert_eq!(error.kind, ErrorKind::NotFound);
    let error = with(json!({"uri": uri, "sha256": "00"}));
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("inputs.a.0")));
    let error = with(json!({"uri": uri, "sha256": "00", "bytes": LARGEST_CLAIMS + 1}));
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}

#[test]
fn a_result_that_is_large_where_choices_read_is_an_error() {
    let stage = stage(result(&json!({"metrics": {"text": "x".repeat(LARGEST_RESULT)}})));
    let error = stage.invoke(json!({"run_id": "run-1", "inputs": {}})).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
}
