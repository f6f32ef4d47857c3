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
