//! The MCP server over stdio, as bytes on its pipes.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use mlops_host::mcp::McpServer;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::workspace::platform;

struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: u64,
    notifications: Vec<Value>,
}

impl Client {
    fn start(fleet: &Fleet) -> Self {
        let mut child = fleet
            .command(&["mcp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut client = Self { child, input, output, next: 0, notifications: Vec::new() };
        let about =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let started = client.request("initialize", &about);
        assert_eq!(started["result"]["protocolVersion"], "2025-11-25", "{started:#}");
        assert!(started["result"]["instructions"].as_str().unwrap().contains("load_dataset"));
        client.notify("notifications/initialized", &json!({}));
        client
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input.as_mut().expect("open"), "{message}").expect("written");
    }

    fn notify(&mut self, method: &str, parameters: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": parameters}));
    }

    fn begin(&mut self, method: &str, parameters: &Value) -> u64 {
        self.next += 1;
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
        id
    }

    fn answer(&mut self, id: u64) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("read") > 0, "the server ended");
            let message: Value = serde_json::from_str(&line).expect("one JSON message a line");
            if message["id"] == id {
                return message;
            }
            self.notifications.push(message);
        }
    }

    fn request(&mut self, method: &str, parameters: &Value) -> Value {
        let id = self.begin(method, parameters);
        self.answer(id)
    }

    fn call(&mut self, name: &str, arguments: &Value) -> Value {
        self.request("tools/call", &json!({"name": name, "arguments": arguments}))["result"].clone()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Closing the pipe is how a client says goodbye.
        self.input = None;
        let _ = self.child.wait();
    }
}

#[test]
fn a_snapshot_for_each_tool_holds_what_clients_see() {
    let fleet = Fleet::new();
    let mut client = Client::start(&fleet);
    let listed = client.request("tools/list", &json!({}))["result"]["tools"].clone();
    let tools = listed.as_array().unwrap();
    assert_eq!(tools.len(), platform().0.toolbox.tools().len() + McpServer::tools_about_the_server());
    for tool in tools {
        insta::assert_json_snapshot!(tool["name"].as_str().unwrap(), tool);
        let hints = &tool["annotations"];
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(hints[hint].is_boolean(), "{}: {hint}", tool["name"]);
        }
    }
}

#[test]
fn a_call_gives_structured_content_links_and_progress_and_its_artifacts_can_be_read() {
    let fleet = Fleet::new();
    let mut client = Client::start(&fleet);
    let data = json!({"dataset_s3_uri": "examples/penguins.csv", "target_column": "species"});
    let split = client.call("split_dataset", &data);
    assert_ne!(split["isError"], true, "{split:#}");
    let links: Vec<&Value> =
        split["content"].as_array().unwrap().iter().filter(|block| block["type"] == "resource_link").collect();
    assert!(links.len() >= 3, "{split:#}");
    let uri = split["structuredContent"]["train_uri"].clone();
    let read = client.request("resources/read", &json!({"uri": uri}));
    assert!(read["result"]["contents"][0].is_object(), "{read:#}");
    let listed = client.request("resources/list", &json!({}));
    let resources = listed["result"]["resources"].as_array().unwrap();
    assert!(resources.iter().any(|resource| resource["uri"] == uri), "{listed:#}");
    let prepared = client.call(
        "preprocess_supervised",
        &json!({"dataset_s3_uri": uri, "target_column": "species", "task_type": "classification"}),
    );
    let train = json!({"name": "train_supervised_classifier", "_meta": {"progressToken": "p"}, "arguments": {
        "algorithm": "random_forest", "training_job_name": "job",
        "train_data_s3_uri": prepared["structuredContent"]["processed_s3_uri"]}});
    let trained = client.request("tools/call", &train);
    assert!(trained["result"]["structuredContent"]["model_sha256"].is_string(), "{trained:#}");
    let progress: Vec<f64> = client
        .notifications
        .iter()
        .filter(|message| message["method"] == "notifications/progress")
        .filter_map(|message| message["params"]["progress"].as_f64())
        .collect();
    assert!(!progress.is_empty() && progress.is_sorted(), "{progress:?}");
}

#[test]
fn only_artifacts_of_the_store_are_resources() {
    let fleet = Fleet::new();
    let outside = fleet.file("outside.txt", "not yours");
    let mut client = Client::start(&fleet);
    for uri in [
        format!("file://{outside}"),
        "file:///etc/hostname".to_owned(),
        format!("file://{}/home/store/../../outside.txt", fleet.folder.path().display()),
    ] {
        let read = client.request("resources/read", &json!({"uri": uri}));
        assert!(read["error"].is_object(), "{uri}: {read:#}");
    }
}

#[test]
fn wrong_arguments_are_told_to_the_model_and_an_unknown_tool_to_the_client() {
    let fleet = Fleet::new();
    let mut client = Client::start(&fleet);
    let refused = client.call("load_dataset", &json!({"uri": "examples/penguins.csv", "limt": 3}));
    assert_eq!(refused["isError"], true);
    let error: Value = serde_json::from_str(refused["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!((error["kind"].as_str(), error["field"].as_str()), (Some("InvalidInput"), Some("limt")));
    let unknown = client.request("tools/call", &json!({"name": "load_datset", "arguments": {}}));
    assert!(unknown["error"]["message"].as_str().unwrap().contains("load_dataset"), "{unknown:#}");
}

#[test]
fn a_cancelled_call_leaves_nothing_behind_and_the_server_goes_on() {
    let fleet = Fleet::new();
    let mut rows = String::from("a,b,c,y\n");
    for row in 0..20_000_u64 {
        let mix = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let _ = writeln!(rows, "{},{},{},{}", mix % 997, mix % 89, row % 31, mix % 2);
    }
    let table = fleet.file("table.csv", rows);
    let mut client = Client::start(&fleet);
    let arguments = json!({"algorithm": "random_forest", "train_data_s3_uri": table, "target_column": "y",
        "training_job_name": "long", "hyperparameters": {"n_estimators": 5000}});
    let id = client.begin("tools/call", &json!({"name": "train_supervised_classifier", "arguments": arguments}));
    std::thread::sleep(std::time::Duration::from_millis(500));
    client.notify("notifications/cancelled", &json!({"requestId": id, "reason": "enough"}));
    let still = client.call("load_dataset", &json!({"uri": "examples/penguins.csv"}));
    assert_eq!(still["structuredContent"]["num_rows"], 344);
    assert!(fleet.stored().iter().all(|file| !file.contains("models/")), "{:?}", fleet.stored());
}

#[test]
fn a_client_that_leaves_at_once_is_no_failure() {
    let fleet = Fleet::new();
    let output = fleet.output(&["mcp", "--stdio"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_line_that_is_no_message_is_answered_and_the_server_goes_on() {
    let fleet = Fleet::new();
    let mut client = Client::start(&fleet);
    for line in ["nonsense", "[1]", "{\"jsonrpc\": \"2.0\", \"id\": \"a\", \"method\": \"tools/call\", \"params\": 7}"]
    {
        writeln!(client.input.as_mut().expect("open"), "{line}").expect("written");
    }
    let found = client.call("search_tools", &json!({"query": "confusion matrix"}));
    assert_eq!(found["structuredContent"]["tools"][0]["name"], "generate_confusion_matrix", "{found:#}");
    let refusals: Vec<(Value, Value)> = client
        .notifications
        .iter()
        .filter(|message| message["error"].is_object())
        .map(|message| (message["id"].clone(), message["error"]["code"].clone()))
        .collect();
    let expected = [(Value::Null, json!(-32700)), (Value::Null, json!(-32600)), (json!("a"), json!(-32600))];
    assert_eq!(refusals, expected);
}

#[test]
fn prompts_name_their_arguments_and_the_setup_is_told() {
    let fleet = Fleet::new();
    let mut client = Client::start(&fleet);
    let listed = client.request("prompts/list", &json!({}));
    for prompt in listed["result"]["prompts"].as_array().unwrap() {
        assert!(prompt["title"].is_string() && prompt["arguments"][0]["required"] == true, "{prompt:#}");
    }
    let prompt = json!({"name": "train_model", "arguments": {"data": "examples/penguins.csv", "target": "species"}});
    let got = client.request("prompts/get", &prompt);
    let text = got["result"]["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(text.contains("examples/penguins.csv") && text.contains("`species`"), "{text}");
    let columns = client.request(
        "completion/complete",
        &json!({"ref": {"type": "ref/prompt", "name": "train_model"}, "argument": {"name": "target", "value": "bill"},
            "context": {"arguments": {"data": "examples/penguins.csv"}}}),
    );
    assert!(columns["result"]["completion"]["values"].as_array().unwrap().len() >= 2, "{columns:#}");
    let setup = client.call("diagnose_setup", &json!({}));
    assert_eq!(setup["structuredContent"]["tools"], platform().0.toolbox.tools().len(), "{setup:#}");
}
