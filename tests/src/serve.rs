//! `mlops serve`: a delivery of GitHub becomes a run that ends by itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fleet::Fleet;

const SECRET: &str = "what only the two of us know";
const ISSUE: &str = "```mlops\ntask: classification\ndataset_s3_uri: s3://data/penguins.csv\ntarget_column: species\n\
                     algorithm: decision_tree\nmodel_name: penguins\n```\n";

/// The server of one test; it is told to end, and must end well.
struct Server {
    fleet: Fleet,
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let fleet = Fleet::new();
        let bucket = fleet.path("home/s3/data");
        std::fs::create_dir_all(&bucket).unwrap();
        std::fs::copy(Fleet::repository().join("examples/penguins.csv"), bucket.join("penguins.csv")).unwrap();
        let mut command = fleet.command(&["serve", "--http", "127.0.0.1:0"]);
        command.env("MLOPS_BUCKETS", "data").env("MLOPS_SECRET_GITHUB_WEBHOOK_SECRET", SECRET);
        command.stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = lines.next().unwrap().unwrap();
        let address = said.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
        // What is said later must be read, or the server would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { fleet, child, address }
    }

    /// Status and body of the answer to a delivery.
    fn deliver(&self, event: &str, id: &str, body: &Value, secret: &str) -> (u16, Value) {
        let body = body.to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let hex = |signature: String, byte: &u8| signature + &format!("{byte:02x}");
        let signature = mac.finalize().into_bytes().iter().fold(String::new(), hex);
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST /webhook HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nX-GitHub-Event: {event}\r\n\
             X-GitHub-Delivery: {id}\r\nX-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let said = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(said).unwrap_or_else(|_| json!(said)))
    }

    /// Delivers the issue, and gives the run that it becomes.
    fn open(&self, number: u64, body: &str) -> String {
        let mut issue = opened(number);
        issue["issue"]["body"] = json!(body);
        let (status, said) = self.deliver("issues", &format!("issue-{number}"), &issue, SECRET);
        assert_eq!(status, 202, "{said:#}");
        said["run_id"].as_str().unwrap().to_owned()
    }

    /// Waits until the run stands so. In less time than that in which the server looks at everything again.
    fn until(&self, run: &str, status: &str) -> Value {
        let since = Instant::now();
        loop {
            let run = self.fleet.json(&["status", run, "--json"]);
            if run["status"] == status {
                return run;
            }
            assert!(since.elapsed() < Duration::from_secs(25), "it is not {status}: {run:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_for(&self, what: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let runs = self.fleet.json(&["runs", "--json"]);
            if is_there(&runs["runs"][0]) {
                return runs["runs"][0].clone();
            }
            assert!(since.elapsed() < Duration::from_mins(1), "{what}: {runs:#}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let told = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        let ended = self.child.wait();
        if !std::thread::panicking() {
            assert!(told.is_ok_and(|status| status.success()) && ended.is_ok_and(|status| status.success()));
        }
    }
}

fn opened(number: u64) -> Value {
    let user = json!({"login": "octocat", "id": 1, "type": "User"});
    json!({
        "action": "opened",
        "issue": {"id": 1, "number": number, "title": "[mlops] Penguins", "body": ISSUE, "state": "open", "user": user,
            "labels": [{"name": "mlops"}], "author_association": "OWNER"},
        "repository": {"full_name": "octo/models"},
        "sender": user,
    })
}

fn commented(number: u64, text: &str) -> Value {
    let mut body = opened(number);
    body["action"] = json!("created");
    let user = body["sender"].clone();
    body["comment"] = json!({"id": 7, "body": text, "user": user, "author_association": "OWNER"});
    body
}

#[test]
fn a_signed_delivery_becomes_a_run_once_and_commands_are_answered_in_its_issue() {
    let server = Server::start();
    let (status, said) = server.deliver("issues", "1", &opened(3), "another secret");
    assert_eq!(status, 401, "{said:#}");
    assert_eq!(server.fleet.json(&["runs", "--json"])["runs"], json!([]));
    let (status, said) = server.deliver("issues", "1", &opened(3), SECRET);
    assert_eq!(status, 202, "{said:#}");
    for id in ["1", "2"] {
        let (status, said) = server.deliver("issues", id, &opened(3), SECRET);
        assert!(status == 200 || status == 202, "{said:#}");
    }
    let run = server.wait_for("the run ends", |run| run["status"] == "SUCCEEDED");
    assert_eq!((&run["decision"], &run["model_name"]), (&json!("promote"), &json!("penguins")));
    assert_eq!(server.fleet.json(&["runs", "--json"])["runs"].as_array().unwrap().len(), 1);
    let comments = server.fleet.path("home/outbox/github/octo/models/3");
    let text = |marker: &str| std::fs::read_to_string(comments.join(format!("{marker}.md"))).unwrap();
    let whole = text(run["run_id"].as_str().unwrap());
    assert!(whole.contains("accuracy"), "the comment of the run tells its end: {whole}");
    let (status, said) = server.deliver("issue_comment", "3", &commented(3, "/mlops status"), SECRET);
    assert_eq!(status, 202, "{said:#}");
    assert!(text("command").contains(run["run_id"].as_str().unwrap()));
}

#[test]
fn a_path_of_the_machine_is_no_data_for_a_stranger() {
    let server = Server::start();
    let mut issue = opened(4);
    issue["issue"]["body"] = json!(ISSUE.replace("s3://data/penguins.csv", "/etc/passwd"));
    let (status, said) = server.deliver("issues", "1", &issue, SECRET);
    if status == 202 {
        let run = server.wait_for("the run fails", |run| run["status"] == "FAILED");
        assert_eq!(run["error"], "Forbidden", "{run:#}");
    } else {
        assert_eq!(said["refused"], true, "{said:#}");
    }
}

#[test]
fn a_run_that_waits_goes_on_to_its_end_when_a_comment_approves_it() {
    let server = Server::start();
    let text = std::fs::read_to_string(Fleet::repository().join("examples/penguins-classification.md")).unwrap();
    let text = text.replace("examples/penguins.csv", "s3://data/penguins.csv");
    let first = server.open(3, &text);
    assert_eq!(server.until(&first, "SUCCEEDED")["output"]["decision"], "promote");
    // The gain of the second model over the first may be chance.
    let second = server.open(5, &text.replace("n_estimators: 200", "n_estimators: 60"));
    let question = server.fleet.path(&format!("home/store/approvals/{second}.json"));
    let since = Instant::now();
    while !question.exists() {
        assert!(since.elapsed() < Duration::from_secs(25), "{:#}", server.fleet.json(&["status", &second, "--json"]));
        std::thread::sleep(Duration::from_millis(20));
    }
    let approval = |id: &str, association: &str| {
        let mut comment = commented(5, &format!("/mlops approve {id}"));
        comment["comment"]["author_association"] = json!(association);
        server.deliver("issue_comment", id, &comment, SECRET)
    };
    let (status, said) = approval("by-a-stranger", "NONE");
    assert_eq!((status, &said["ignored"]), (200, &json!(true)), "{said:#}");
    assert_eq!(server.until(&second, "RUNNING")["output"], Value::Null);
    let (status, said) = approval("by-the-owner", "OWNER");
    assert_eq!((status, &said["run_id"], &said["effect"]), (202, &json!(second), &json!("done")), "{said:#}");
    let run = server.until(&second, "SUCCEEDED");
    assert_eq!((&run["output"]["decision"], &run["output"]["approval"]["approved"]), (&json!("promote"), &json!(true)));
    let by = run["output"]["approval"]["by"].as_str().unwrap();
    assert!(by.contains("octocat"), "{by}");
    assert_eq!(run["output"]["approval"]["reason"], "by-the-owner");
    let (status, said) = approval("once-more", "OWNER");
    assert_eq!((status, &said["effect"]), (202, &json!("done")), "the same answer again changes nothing: {said:#}");
    assert!(said["message"].as_str().unwrap().contains("by-the-owner"), "the first reason stays: {said:#}");
    let champion =
        server.fleet.tool("list_model_versions", &json!({"model_name": "penguin-species", "alias": "champion"}));
    assert_eq!(champion["versions"][0]["version"], 2);
}

#[test]
fn what_failed_for_missing_data_ends_well_when_it_is_tried_again() {
    let server = Server::start();
    let missing =
        |model: &str| ISSUE.replace("penguins.csv", "later.csv").replace("name: penguins", &format!("name: {model}"));
    let [one, other] = [(6, "one"), (7, "other")].map(|(number, model)| server.open(number, &missing(model)));
    for run in [&one, &other] {
        let run = server.until(run, "FAILED");
        assert_eq!(run["error"], "NotFound", "{run:#}");
    }
    let bucket = server.fleet.path("home/s3/data");
    std::fs::copy(bucket.join("penguins.csv"), bucket.join("later.csv")).unwrap();
    let (status, said) = server.deliver("issue_comment", "retry", &commented(6, "/mlops retry"), SECRET);
    assert_eq!((status, &said["effect"]), (202, &json!("done")), "{said:#}");
    let again = server.until(said["run_id"].as_str().unwrap(), "SUCCEEDED");
    assert_eq!((&again["output"]["decision"], &again["model_name"]), (&json!("promote"), &json!("one")));
    let ended = server.fleet.json(&["retry", &other, "--json"]);
    assert_eq!((&ended["decision"], &ended["model_name"]), (&json!("promote"), &json!("other")), "{ended:#}");
    let runs = server.fleet.json(&["runs", "--json"]);
    let running = runs["runs"].as_array().unwrap().iter().filter(|run| run["status"] == "RUNNING");
    assert_eq!(running.count(), 0, "{runs:#}");
}
