//! `mlops run`: from an issue to a judged, registered model.

use std::path::Path;
use std::process::ExitCode;

use agent_issue_detector::{Accepted, Actor, IssueRequest, RequestOutcome};
use mlops_core::ports::{Execution, ExecutionStatus, Workflows as _};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Call, Error, ErrorKind, Lang, Result};
use serde_json::{Value, json};

use crate::output::{say, tell};
use crate::progress::{Progress, elapsed};
use crate::{Platform, output};

/// The exit code of a run that waits for an approval.
const WAITS: u8 = 3;

/// Runs what the issue asks for; the same issue on the same data is the same run.
pub(crate) async fn run(platform: &Platform, issue: &Path, again: bool, json: bool) -> Result<ExitCode> {
    let body = output::read_text(issue)?;
    let call = platform.call("cli");
    let source_name = issue.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let request = IssueRequest {
        title: title_of(&body, &source_name),
        data_version: data_version(platform, &body, again).await,
        body,
        issue: None,
        source_name,
        default_lang: platform.settings.lang,
    };
    let accepted = start(platform, request, &call).await?;
    let run_id = accepted.run_id;
    tell!("{run_id}");
    for warning in &accepted.warnings {
        tell!("  ! {warning}");
    }
    follow(platform, &run_id, json).await
}

/// Walks the run to its end, or to where it waits for a person, and tells what came of it.
pub(crate) async fn follow(platform: &Platform, run_id: &str, json: bool) -> Result<ExitCode> {
    let progress = Progress::default();
    progress.know(&platform.workflows.history(run_id).await?);
    let ended = platform.workflows.run_to_end(run_id, |event| progress.take(event)).await?;
    if ended.status == ExecutionStatus::Running {
        return waiting(platform, &ended, json).await;
    }
    let (ExecutionStatus::Succeeded, Some(result)) = (ended.status, &ended.output) else {
        return Err(failure(&ended));
    };
    if json {
        output::json(result);
    } else {
        summary(result, &ended);
    }
    Ok(ExitCode::SUCCESS)
}

/// A run that can go no further without a person.
async fn waiting(platform: &Platform, run: &Execution, json: bool) -> Result<ExitCode> {
    let tasks = platform.workflows.waiting_tasks(&run.name).await?;
    let Some(task) = tasks.first() else {
        return Err(Error::internal(format!("the run {} stands still and waits for nothing", run.name)));
    };
    let approval = platform.approvals.find(&run.name).await?;
    let report = approval.as_ref().and_then(|approval| approval.report_uri.as_deref());
    let version = approval.as_ref().and_then(|approval| approval.version);
    if json {
        output::json(&json!({
            "run_id": run.name, "status": run.status, "waits_for": "approval", "state": task.state, "until": task.timeout_at,
            "model_name": run.input["config"]["model_name"], "version": version, "report_uri": report,
        }));
        return Ok(ExitCode::from(WAITS));
    }
    let lang = output::lang_of(run);
    say!();
    say!("{}", lang.pick("a person decides whether the model is used:", "モデルを使用するかどうかは、人が判断します:"));
    if let Some(report) = report {
        say!("  {:<8} {}", "report", output::shown_path(report));
    }
    say!("  mlops approve {} --reason '…'", run.name);
    say!("  mlops reject  {} --reason '…'", run.name);
    if let Some(until) = task.timeout_at {
        say!(
            "{} {until:.0}",
            lang.pick("without an answer it is rejected at", "回答がなければ、次の時刻に却下されます:")
        );
    }
    Ok(ExitCode::from(WAITS))
}

/// Who acts on the command line: the user's name, and what makes the command this one when it is repeated.
pub(crate) fn actor(key: &str) -> Actor {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
    Actor { name: format!("cli:{}", user.as_deref().unwrap_or("unknown")), key: key.to_owned() }
}

/// Starts the run, or finds the one that goes on. A run that failed has ended: the next attempt is a run of its own.
async fn start(platform: &Platform, request: IssueRequest, call: &Call) -> Result<Box<Accepted>> {
    for attempt in 1_u32.. {
        let mut request = request.clone();
        if attempt > 1 {
            let version = request.data_version.unwrap_or_default();
            request.data_version = Some(format!("{version} attempt {attempt}"));
        }
        let RequestOutcome::Accepted(accepted) = platform.issue_detector.request(request, call).await?;
        let known = platform.workflows.describe(&accepted.run_id).await?;
        if matches!(known.status, ExecutionStatus::Running | ExecutionStatus::Succeeded) {
            return Ok(accepted);
        }
    }
    Err(Error::internal("there are no more attempts"))
}

/// What the run is made of besides its text: the bytes of its data, so that changed data is another run. Data that
/// cannot be read has no version here; the request itself is refused for it.
async fn data_version(platform: &Platform, body: &str, again: bool) -> Option<String> {
    let parse = platform.toolbox.find("parse_issue_config").ok()?;
    let parsed = parse.call(platform.call("cli"), json!({"body": body})).await.ok()?;
    let uri = ArtifactUri::new(parsed.value["config"]["dataset_s3_uri"].as_str()?).ok()?;
    let bytes = platform.artifacts.read_bytes(&uri, u64::MAX).await.ok()?;
    let hash = sha256_hex(&bytes);
    Some(if again { format!("{hash} again {}", jiff::Timestamp::now()) } else { hash })
}

/// The first heading of the text, or the name of its file.
fn title_of(body: &str, source_name: &str) -> String {
    let heading = body.lines().find_map(|line| line.strip_prefix("# "));
    heading.map_or_else(|| source_name.to_owned(), |heading| heading.trim().to_owned())
}

pub(crate) fn failure(ended: &Execution) -> Error {
    let name = ended.error.as_deref().unwrap_or("Internal");
    let kind = match (ErrorKind::from_name(name), ended.status) {
        (Some(kind), _) => kind,
        (None, ExecutionStatus::TimedOut) => ErrorKind::TimedOut,
        (None, _) if name.contains("Timeout") => ErrorKind::TimedOut,
        (None, _) => ErrorKind::Internal,
    };
    let cause = readable_cause(ended.cause.as_deref().unwrap_or("the run failed"));
    Error { kind, ..cause }
}

/// The error inside a Lambda error payload; any other text is the message itself.
pub(crate) fn readable_cause(cause: &str) -> Error {
    let Ok(Value::Object(payload)) = serde_json::from_str::<Value>(cause) else { return Error::internal(cause) };
    let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut error = Error::internal(text("errorMessage").unwrap_or_else(|| cause.to_owned()));
    error.field = text("field");
    error.hint = text("hint");
    error
}

fn summary(result: &Value, ended: &Execution) {
    let lang = output::lang_of(ended);
    let text = |name: &str| result[name].as_str().unwrap_or_default();
    let took = ended.ended.map_or(0.0, |end| elapsed(ended.started, end));
    let decision = text("decision");
    let version = result["version"].as_u64();
    let model = text("model_name");
    say!();
    let took = output::seconds(took);
    let headline = match (lang, version) {
        (Lang::En, Some(version)) => format!("{model} version {version}: {decision} (run took {took})"),
        (Lang::En, None) => format!("{model}: {decision}, nothing was registered (run took {took})"),
        (Lang::Ja, Some(version)) => format!("{model} バージョン {version}: {decision} (実行時間 {took})"),
        (Lang::Ja, None) => format!("{model}: {decision} (登録なし、実行時間 {took})"),
    };
    say!("{headline}");
    for reason in result["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        say!("  - {reason}");
    }
    let has_target = ended.input["config"]["target_column"].is_string();
    let head = if has_target {
        lang.pick("metrics on the test rows:", "テスト行での指標:")
    } else {
        lang.pick("metrics:", "指標:")
    };
    say!("{head}");
    for (name, value) in result["metrics"].as_object().into_iter().flatten() {
        let shown = value.as_f64().map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        say!("  {name:<18} {shown}");
    }
    for (label, key) in [("model", "model_s3_uri"), ("report", "report_uri"), ("history", "history_uri")] {
        say!("{label:<8} {}", output::shown_path(text(key)));
    }
}
