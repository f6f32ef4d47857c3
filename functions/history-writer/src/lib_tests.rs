//! What is remembered of a run that ended well and of one that failed.

use std::path::Path;
use std::sync::Arc;

use mlops_core::AgentHandler;
use mlops_core::ports::Repositories as _;
use mlops_core::values::ArtifactUri;
use mlops_local::{Access, FileCodeHost, FileRepositories, FileStore};
use mlops_records::RunRecords;
use serde_json::{Value, json};

use super::*;

fn settings(repository: Option<&str>) -> GithubSettings {
    GithubSettings {
        api: "https://api.github.example".to_owned(),
        app: None,
        history_repository: repository.map(str::to_owned),
        history_branch: "mlops-history".to_owned(),
    }
}

/// An agent whose hosts of issues and of repositories lie in those homes.
fn agent_with(
    folder: &tempfile::TempDir,
    [issues, repositories]: [&Path; 2],
    repository: Option<&str>,
) -> (HistoryWriter, RunRecords) {
    let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
    let runs = RunRecords::new(store, &ArtifactUri::from_path(&folder.path().join("store")));
    let code_host = Arc::new(FileCodeHost::new(issues));
    let repositories = Arc::new(FileRepositories::new(repositories));
    let tools = ToolCaller::embedded(HistoryManagement { runs: runs.clone(), code_host, repositories });
    (HistoryWriter::new(tools, &settings(repository)), runs)
}

fn agent(folder: &tempfile::TempDir) -> (HistoryWriter, RunRecords) {
    agent_with(folder, [folder.path(), folder.path()], None)
}

/// The comment on the issue, which the run's plan was before.
fn comment(folder: &tempfile::TempDir) -> String {
    std::fs::read_to_string(folder.path().join("outbox/github/owner/name/7/r1.md")).unwrap()
}

fn payload(inputs: &Value) -> Value {
    json!({"run_id": "r1", "issue": {"repo": "owner/name", "number": 7}, "inputs": inputs, "attempt": 2, "config": {
        "task": "regression", "dataset_s3_uri": "a.csv", "target_column": "y", "algorithm": "auto",
        "model_name": "m", "seed": 1, "lang": "en"}})
}

#[tokio::test]
async fn a_run_is_remembered_once_with_its_issue_and_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, runs) = agent(&folder);
    let inputs = json!({"status": "succeeded", "metrics": {"rmse": 1.5, "mape": null}, "rows": {"train": 3}});
    let first = agent.invoke(payload(&inputs), &Call::new("q")).await.unwrap();
    let again = agent.invoke(payload(&inputs), &Call::new("q")).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(first["artifacts"].as_array().unwrap().len(), 2);
    let record = runs.latest("r1").await.unwrap();
    assert_eq!(record.issue.unwrap().number, 7);
    assert_eq!(record.metrics, BTreeMap::from([("rmse".to_owned(), 1.5)]));
}

#[tokio::test]
async fn a_failure_is_remembered_with_its_step() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, runs) = agent(&folder);
    let error = json!({"stage": "Train", "error": "InvalidInput", "cause": "one class only"});
    agent.invoke(payload(&json!({"status": "failed", "error": error})), &Call::new("q")).await.unwrap();
    assert_eq!(runs.latest("r1").await.unwrap().error.unwrap().stage, "Train");
}

fn ended() -> Value {
    json!({"status": "succeeded", "started_at": "2026-01-02T03:04:05Z",
        "metrics": {"accuracy": 0.95, "auc_roc": null},
        "decision": {"decision": "needs_human", "reasons": ["the difference to the *champion* may be chance"]},
        "model": {"model_s3_uri": "s3://b/m.tar.gz", "model_sha256": "ab", "algorithm": "random_forest", "version": 3},
        "report_uri": "https://example.org/report.html", "plan": ["**Data**: read `a.csv`.", "**Train**."],
        "approval": {"approved": true, "by": "github:an_approver", "reason": "good *enough*", "at": "2026-01-02T04:00:00Z"},
        "smoke": {"healthy": true, "reason": "20 golden rows agree", "verification": {"golden_rows": 20}, "rolled_back": null},
        "stages": [{"stage": "PrepareData", "entered_at": "2026-01-02T03:04:05.000Z"},
            {"stage": "Train", "entered_at": "2026-01-02T03:04:06.250Z", "ended_at": "2026-01-02T03:04:08.250Z"}],
        "ended_at": "2026-01-02T03:05:00Z"})
}

#[tokio::test]
async fn the_issue_hears_how_its_run_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, runs) = agent(&folder);
    let result = agent.invoke(payload(&ended()), &Call::new("q")).await.unwrap();
    assert!(result["outputs"]["comment_url"].as_str().unwrap().ends_with("/outbox/github/owner/name/7/r1.md"));
    assert_eq!(result["outputs"]["comment_error"], json!(null));
    let record = runs.latest("r1").await.unwrap();
    assert_eq!(record.approval.unwrap().by, "github:an_approver");
    assert!(record.smoke.unwrap().healthy);
    let history = result["outputs"]["markdown_uri"].as_str().unwrap();
    let commit = result["outputs"]["commit_url"].as_str().unwrap();
    let expected = format!(
        "<!-- mlops:r1 -->\n\n### m version 3: approved\n\n- [x] Prepare the data – 1.25 s\n- [x] Train – 2.00 s\n\n\
         ✅ **Approved** by `github:an_approver` (2026-01-02T04:00:00Z): good \\*enough\\*\n\n\
         ✅ Smoke prediction: **passed** – 20 golden rows agree\n\n\
         Decision: **needs\\_human**\n\n- the difference to the \\*champion\\* may be chance\n\n\
         | metric on the test rows | value |\n|---|--:|\n| accuracy | 0.9500 |\n\n\
         <details><summary>The plan</summary>\n\n1. **Data**: read `a.csv`.\n2. **Train**.\n\n</details>\n\nRun `r1`\n\n\
         - [Report](https://example.org/report.html)\n- History: `{history}`\n\
         - Commit of the history: `{commit}`\n"
    );
    assert_eq!(comment(&folder), expected);
    let again = agent.invoke(payload(&ended()), &Call::new("q")).await.unwrap();
    assert_eq!(again, result);
}

#[tokio::test]
async fn the_reports_own_short_form_is_used_and_a_version_that_was_taken_back_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, _) = agent(&folder);
    let mut inputs = ended();
    inputs["report_comment"] = json!("### ✅ Promoted — Evaluation of m version 3\n");
    inputs["approval"] = json!(null);
    inputs["smoke"] = json!({"healthy": false, "reason": "2 labels flipped", "rolled_back": {"from": 3, "to": 2}});
    let mut task = payload(&inputs);
    task["lang"] = json!("ja");
    agent.invoke(task.clone(), &Call::new("q")).await.unwrap();
    let text = comment(&folder);
    for part in [
        "m バージョン 3: スモーク予測が不合格でした",
        "### ✅ Promoted",
        "バージョン 2 に戻しました",
        "- [x] 学習 – 2.00 秒",
        "実行計画",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("テスト行での指標") && !text.contains("report.html"), "{text}");
    task["inputs"]["smoke"]["rolled_back"] = json!({"from": 1, "to": null});
    agent.invoke(task, &Call::new("q")).await.unwrap();
    assert!(comment(&folder).contains("使用中のバージョンはありません"));
}

#[tokio::test]
async fn a_failure_is_said_in_the_issue_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, _) = agent(&folder);
    let error = json!({"stage": "Train", "error": "InvalidInput",
        "cause": "{\"errorMessage\":\"one <class>\\nonly\",\"errorType\":\"InvalidInput\"}"});
    let inputs = json!({"status": "failed", "error": error, "stages": [{"stage": "PrepareData"}]});
    agent.invoke(payload(&inputs), &Call::new("q")).await.unwrap();
    let text = comment(&folder);
    let said = "### m: the run failed\n\n- [x] Prepare the data\n- [ ] ❌ **Train** – failed\n\n\
        **Train** failed with `InvalidInput`:\n\n> one &lt;class&gt; only\n\n";
    assert!(text.contains(said) && text.contains("`/mlops retry`"), "{text}");
}

#[tokio::test]
async fn an_issue_that_cannot_be_reached_is_reported_and_the_run_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, runs) = agent_with(&folder, [Path::new("/dev/null/home"), folder.path()], None);
    let result = agent.invoke(payload(&ended()), &Call::new("q")).await.unwrap();
    assert_eq!(result["outputs"]["comment_url"], json!(null));
    assert!(result["outputs"]["comment_error"].as_str().unwrap().contains("r1.md"), "{result}");
    assert!(runs.latest("r1").await.is_ok());
    let mut alone = payload(&ended());
    alone.as_object_mut().unwrap().remove("issue");
    let result = agent.invoke(alone, &Call::new("q")).await.unwrap();
    assert_eq!((&result["outputs"]["comment_url"], &result["outputs"]["comment_error"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn the_pages_are_committed_once_where_the_settings_or_the_issue_say() {
    for (repository, repo) in [(None, "owner/name"), (Some("owner/all.history"), "owner/all.history")] {
        let folder = tempfile::tempdir().unwrap();
        let (agent, _) = agent_with(&folder, [folder.path(), folder.path()], repository);
        let result = agent.invoke(payload(&ended()), &Call::new("q")).await.unwrap();
        assert_eq!(result["outputs"]["commit_error"], json!(null));
        let commit = result["outputs"]["commit"].as_str().unwrap();
        let repositories = FileRepositories::new(folder.path());
        let head = repositories.branch(repo, Some("mlops-history")).await.unwrap().unwrap();
        assert_eq!((&head.commit[..], &json!(head.url)), (commit, &result["outputs"]["commit_url"]));
        for name in ["history.md", "history.json"] {
            let committed = repositories.file(repo, commit, &format!("history/m/r1/{name}")).await.unwrap().unwrap();
            let written = std::fs::read(folder.path().join("store/history/r1").join(name)).unwrap();
            assert_eq!(committed, written);
        }
        assert_eq!(agent.invoke(payload(&ended()), &Call::new("q")).await.unwrap(), result, "a replay commits nothing");
        assert_eq!(repositories.branch(repo, Some("mlops-history")).await.unwrap().unwrap().commit, commit);
    }
}

#[tokio::test]
async fn a_repository_that_cannot_be_reached_is_reported_and_the_issue_still_hears() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, runs) = agent_with(&folder, [folder.path(), Path::new("/dev/null/home")], None);
    let result = agent.invoke(payload(&ended()), &Call::new("q")).await.unwrap();
    let outputs = &result["outputs"];
    assert!(outputs["commit_error"].as_str().is_some_and(|error| error.contains(": ")), "{result}");
    assert_eq!((&outputs["commit"], &outputs["comment_error"]), (&json!(null), &json!(null)));
    assert!(result["next_hint"].as_str().unwrap().contains("repository"));
    assert!(runs.latest("r1").await.is_ok() && !comment(&folder).contains("Commit of the history"));
    let mut alone = payload(&ended());
    alone.as_object_mut().unwrap().remove("issue");
    let result = agent.invoke(alone, &Call::new("q")).await.unwrap();
    assert_eq!(result["outputs"]["commit_error"], json!(null), "without an issue there is nowhere to commit to");
}
