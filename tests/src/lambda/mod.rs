//! A function as a process, behind a Runtime API: what its invoker, its log and its end look like.

mod runtime_api;

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use runtime_api::{Answer, RuntimeApi};

const MINUTE: Duration = Duration::from_mins(1);

/// The function under test, stopped when the test ends.
struct Function {
    api: RuntimeApi,
    child: Child,
    _home: tempfile::TempDir,
}

impl Function {
    fn start() -> Self {
        Self::with(&[("MLOPS_STORE", "s3://fleet/store")])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let api = RuntimeApi::start();
        let child = command()
            .env("MLOPS_HOME", home.path())
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "probe")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { api, child, _home: home }
    }

    fn invoke(&self, request_id: &str, event: &Value) -> Answer {
        self.api.send(request_id, MINUTE, event.to_string());
        self.api.answer(request_id)
    }

    fn tell_to_end(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// How the process ended, and its log.
    fn ended(mut self) -> (ExitStatus, Vec<Value>) {
        let mut log = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut log).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
        (self.child.wait().unwrap(), lines.collect())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_function-under-test"));
    for variable in
        ["MLOPS_HOME", "MLOPS_STORE", "MLOPS_BUCKETS", "MLOPS_LANG", "MLOPS_SECRETS_FILE", "AWS_LAMBDA_RUNTIME_API"]
    {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

fn task(inputs: &Value) -> Value {
    json!({"run_id": "run-1", "config": {"task": "classification", "dataset_s3_uri": "s3://fleet/t.csv",
        "target_column": "y", "algorithm": "auto", "model_name": "m", "seed": 1, "lang": "en", "later": 1},
        "inputs": inputs, "later": {"than": "this release"}})
}

fn error(answer: &Answer) -> (&str, &str) {
    assert!(answer.failed, "{answer:?}");
    (answer.body["errorType"].as_str().unwrap(), answer.body["errorMessage"].as_str().unwrap())
}

#[test]
fn an_invocation_is_answered_and_logged_by_its_request_id_without_secrets() {
    let function = Function::start();
    let token = format!("ghp_{}", "a1".repeat(18));
    let answer =
        function.invoke("request-1", &task(&json!({"step": "echo", "value": [1, {"note": token}], "later": 2})));
    assert!(!answer.failed, "fields that the function does not know are kept out of its way");
    assert_eq!(answer.body["outputs"]["value"][0], 1);
    assert_eq!((&answer.body["run_id"], &answer.body["status"]), (&json!("run-1"), &json!("succeeded")));
    let failed = function.invoke("request-2", &task(&json!({"step": "fail", "kind": "Conflict"})));
    assert_eq!(error(&failed), ("Conflict", "inputs.kind: it went wrong; ask for something else"));
    function.tell_to_end();
    let (status, log) = function.ended();
    assert!(status.success());
    assert!(!format!("{log:?}{answer:?}").contains(&token));
    let of = |id: &str| log.iter().filter(|line| line["request_id"] == id).collect::<Vec<_>>();
    let messages = |id: &str| of(id).iter().map(|line| line["message"].clone()).collect::<Vec<_>>();
    assert_eq!(messages("request-1"), ["start", "end"]);
    assert_eq!(messages("request-2"), ["start", "error"]);
    let line = of("request-2")[1];
    assert_eq!(
        (&line["level"], &line["run_id"], &line["error"]["kind"]),
        (&json!("ERROR"), &json!("run-1"), &json!("Conflict"))
    );
    assert!(line["duration_ms"].is_u64() && line["function"] == "probe");
    assert_eq!(log.last().unwrap()["message"], "shutdown");
}

#[test]
fn work_stops_before_the_deadline_whether_it_looks_at_it_or_not() {
    let function = Function::start();
    // The first invocation waits for the process to start.
    function.invoke("warm", &task(&json!({"step": "echo", "value": 1})));
    let time = Duration::from_secs(2);
    for (id, inputs) in
        [("polls", json!({"step": "compute"})), ("sleeps", json!({"step": "sleep", "milliseconds": 9000}))]
    {
        let begun = Instant::now();
        function.api.send(id, time, task(&inputs).to_string());
        let answer = function.api.answer(id);
        assert_eq!(error(&answer).0, "TimedOut", "{answer:?}");
        assert!(begun.elapsed() < time, "{id} was answered after {:?}", begun.elapsed());
    }
    let after = function.invoke("after", &task(&json!({"step": "echo", "value": 2})));
    assert_eq!(after.body["outputs"]["value"], 2, "the function goes on");
}

#[test]
fn a_panic_is_an_internal_error_that_names_the_request() {
    let function = Function::start();
    let answer = function.invoke("request-7", &task(&json!({"step": "panic"})));
    let (kind, message) = error(&answer);
    assert_eq!(kind, "Internal");
    assert!(message.contains("out of cheese") && message.contains("request-7"), "{message}");
    let after = function.invoke("request-8", &task(&json!({"step": "echo", "value": 2})));
    assert_eq!(after.body["outputs"]["value"], 2, "the function goes on");
    function.tell_to_end();
    let (_, log) = function.ended();
    let panic = log.iter().find(|line| line["message"] == "panic").unwrap();
    assert!(panic["place"].as_str().unwrap().contains("function.rs"));
}

#[test]
fn a_large_result_is_a_claim_check_that_the_next_task_redeems() {
    let function = Function::start();
    let large = function.invoke("large", &task(&json!({"step": "count", "numbers": 40_000})));
    let outputs = &large.body["outputs"];
    assert!(large.body.to_string().len() < 100 * 1024);
    assert_eq!(outputs["decision"], "promote");
    let uri = outputs["numbers"]["claim_check"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("s3://fleet/store/results/run-1/probe-"), "{uri}");
    let few = json!({"step": "echo", "value": 0, "unread": outputs["numbers"]});
    assert_eq!(function.invoke("unread", &task(&few)).body["outputs"]["value"], 0);
    let echoed = function.invoke("echo", &task(&json!({"step": "echo", "value": outputs["numbers"]})));
    let again = &echoed.body["outputs"]["value"]["claim_check"];
    assert_eq!(again["bytes"], outputs["numbers"]["claim_check"]["bytes"], "the agent saw the numbers themselves");
    let elsewhere = json!({"claim_check": {"uri": "file:///etc/passwd", "sha256": "00", "bytes": 2}});
    let refused = function.invoke("refused", &task(&json!({"step": "echo", "value": elsewhere})));
    assert_eq!(error(&refused).0, "Forbidden");
}

#[test]
fn a_process_that_is_told_to_end_stops_its_work_and_says_so() {
    let function = Function::start();
    function.invoke("warm", &task(&json!({"step": "echo", "value": 1})));
    function.api.send("cut-off", MINUTE, task(&json!({"step": "compute"})).to_string());
    function.api.wait_taken(2);
    // It is taken; a moment later it computes.
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    function.tell_to_end();
    let answer = function.api.answer("cut-off");
    assert_eq!(error(&answer).0, "TimedOut");
    let (status, log) = function.ended();
    assert!(status.success() && begun.elapsed() < Duration::from_secs(2), "{status} after {:?}", begun.elapsed());
    let end = log.iter().find(|line| line["request_id"] == "cut-off" && line["message"] == "error").unwrap();
    assert_eq!(end["error"]["kind"], "TimedOut");
}

#[test]
fn requests_of_every_shape_are_answered_and_their_errors_too() {
    let function = Function::start();
    let v2 = |path: &str, body: &str, encoded: bool| {
        json!({"version": "2.0", "rawPath": path, "rawQueryString": "a=1", "headers": {"X-Hub-Signature-256": "s"},
            "requestContext": {"stage": "$default", "http": {"method": "POST"}}, "body": body, "isBase64Encoded": encoded})
    };
    let plain = function.invoke("r-1", &v2("/hook", "hé", false)).body;
    let body = |answer: &Value| serde_json::from_str::<Value>(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!((&plain["statusCode"], &plain["isBase64Encoded"]), (&json!(202), &json!(false)));
    assert_eq!(body(&plain)["body"], json!("hé".as_bytes()));
    assert_eq!((&body(&plain)["signature"], &body(&plain)["request_id"]), (&json!("s"), &json!("r-1")));
    assert_eq!(body(&function.invoke("r-2", &v2("/hook", "aMOp", true)).body)["body"], json!("hé".as_bytes()));
    let v1 = json!({"httpMethod": "POST", "path": "/hook", "multiValueHeaders": {"X-Hub-Signature-256": ["s", "t"]},
        "requestContext": {"stage": "prod"}, "body": "x"});
    assert_eq!(body(&function.invoke("r-3", &v1).body)["signature"], "s, t");
    let wrong = function.invoke("r-4", &v2("/hook", "%%", true)).body;
    assert_eq!((&wrong["statusCode"], &body(&wrong)["kind"]), (&json!(400), &json!("InvalidInput")));
    let missing = function.invoke("r-5", &v2("/fail", "", false)).body;
    assert_eq!((&missing["statusCode"], &body(&missing)["hint"]), (&json!(404), &json!("look elsewhere")));
    let broken = function.invoke("r-6", &v2("/panic", "", false)).body;
    assert_eq!((&broken["statusCode"], &body(&broken)["request_id"]), (&json!(500), &json!("r-6")));
    let task = function.invoke("r-7", &task(&json!({"step": "echo", "value": 1}))).body;
    assert_eq!(task["outputs"]["value"], 1, "the same function answers tasks");
}

#[test]
fn what_is_no_task_is_refused_by_its_place() {
    let function = Function::start();
    for (id, event, place) in [
        ("list", "[]".to_owned(), ""),
        ("inputs", task(&json!({"step": "dance"})).to_string(), "inputs"),
        ("deep", format!("{}{}", "[".repeat(5000), "]".repeat(5000)), "the event"),
        ("text", "\"run\"".to_owned(), ""),
    ] {
        function.api.send(id, MINUTE, event);
        let answer = function.api.answer(id);
        let (kind, message) = error(&answer);
        assert_eq!(kind, "InvalidInput", "{message}");
        assert!(message.contains(place), "{message}");
    }
}

#[test]
fn a_function_that_cannot_be_put_together_says_why_to_every_invoker() {
    let function = Function::with(&[("MLOPS_STORE", "ftp://fleet")]);
    for id in ["r-1", "r-2"] {
        let answer = function.invoke(id, &task(&json!({"step": "echo", "value": 1})));
        let (kind, message) = error(&answer);
        assert_eq!(kind, "InvalidInput");
        assert!(message.contains("ftp") && message.contains("MLOPS_STORE"), "{message}");
    }
    let alone = command().output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
    let line: Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert!(line["error"]["hint"].as_str().unwrap().contains("make watch"), "{line}");
}
