//! Ten thousand deliveries of one event, over the files and state machines of one machine.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_issue_detector::{Commands, IssueDetector, Webhook};
use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mlops_core::ports::{Secrets, Workflows};
use mlops_core::settings::RequestSettings;
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, ToolCaller};
use mlops_github_integration::GithubIntegration;
use mlops_local::{Access, FileCodeHost, FileStore, LocalWorkflows};
use mlops_records::{Approvals, Deliveries, IssueRuns};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_xoshiro::Xoshiro256PlusPlus;
use secrecy::SecretString;
use serde_json::json;
use sha2::Sha256;

const SECRET: &str = "an octopus has three hearts";
const DELIVERIES: usize = 10_000;
const THREADS: usize = 8;
const TRAINING: &str = include_str!("../../../statemachine/training.asl.json");
const REQUEST: &str = include_str!("../../../examples/penguins-classification.md");

struct OneSecret;

#[async_trait]
impl Secrets for OneSecret {
    async fn secret(&self, _: &str) -> mlops_core::Result<SecretString> {
        Ok(SecretString::from(SECRET))
    }
}

fn webhook(home: &Path) -> (Webhook, LocalWorkflows) {
    let store = Arc::new(FileStore::new(home, home.to_owned(), Access::Anywhere));
    let root = ArtifactUri::from_path(&home.join("store"));
    let local = LocalWorkflows::new(home, []).recording().machine("training", TRAINING).unwrap();
    let workflows: Arc<dyn Workflows> = Arc::new(local.clone());
    let code_host = Arc::new(FileCodeHost::new(home));
    let github = GithubIntegration {
        workflows: Some(workflows.clone()),
        code_host: code_host.clone(),
        store: store.clone(),
        root: root.clone(),
        tables: None,
        secrets: Arc::new(OneSecret),
        requests: RequestSettings::default(),
    };
    let detector = IssueDetector::new(ToolCaller::embedded(github));
    let runs = IssueRuns::new(store.clone(), &root);
    let commands = Commands::new(detector.clone(), workflows, Approvals::new(store.clone(), &root), runs.clone());
    (Webhook::new(detector, commands, code_host, Deliveries::new(store, &root), runs), local)
}

fn headers(body: &[u8], id: &str) -> BTreeMap<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let mut signature = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").unwrap();
    }
    let headers = [("x-github-event", "issues"), ("x-github-delivery", id), ("x-hub-signature-256", &signature)];
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[test]
fn ten_thousand_deliveries_of_one_event_give_one_execution() {
    let home = tempfile::tempdir().unwrap();
    let (webhook, workflows) = webhook(home.path());
    let event = |action: &str| {
        json!({
            "action": action, "label": {"name": "mlops"}, "sender": {"login": "octocat", "type": "User"},
            "repository": {"full_name": "octo/models"},
            "issue": {
                "number": 5, "title": "Classify penguins", "body": REQUEST, "state": "open", "labels": [{"name": "mlops"}],
                "user": {"login": "octocat"}, "author_association": "OWNER",
            },
        })
        .to_string()
        .into_bytes()
    };
    // The event as it was opened and as it was labelled, each with one id again and again and with new ones.
    let bodies = [event("opened"), event("labeled")];
    let mut deliveries: Vec<(usize, String)> = (0..DELIVERIES)
        .map(|at| {
            let (body, is_new) = (at % 2, at % 4 < 2);
            (body, if is_new { format!("new-{at}") } else { format!("same-{body}") })
        })
        .collect();
    deliveries.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(42));
    let (accepted, repeated) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for share in deliveries.chunks(DELIVERIES / THREADS) {
            let (webhook, bodies, accepted, repeated) = (webhook.clone(), &bodies, &accepted, &repeated);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                for (body, id) in share {
                    let body = &bodies[*body];
                    let answer = runtime.block_on(webhook.answer(&headers(body, id), body, &Call::new("r")));
                    let count = match answer.status {
                        202 => accepted,
                        200 if answer.body["ignored"] == true => repeated,
                        _ => panic!("{answer:?}"),
                    };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(workflows.list("training", 10)).unwrap().len(), 1);
    assert_eq!((accepted.into_inner(), repeated.into_inner()), (bodies.len(), DELIVERIES - bodies.len()));
    let runs = std::fs::read_dir(home.path().join("store/issue_runs/octo.models/5")).unwrap().count();
    assert_eq!(runs, 1, "the issue remembers its one run");
}
