//! `mlops run`: from an issue to a judged, registered model.

use std::path::Path;

use agent_issue_detector::{Accepted, IssueRequest, RequestOutcome};
use mlops_core::ports::{Execution, ExecutionStatus, Workflows as _};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Call, Error, ErrorKind, Lang, Result};
use serde_json::{Value, json};

use crate::output::{say, tell};
use crate::progress::{Progress, elapsed};
use crate::{Platform, output};

/// Runs what the issue asks for; the same issue on the same data is the same run.
pub(crate) async fn run(platform: &Platform, issue: &Path, again: bool, json: bool) -> Result<()> {
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
    let progress = Progress::default();
    progress.know(&platform.workflows.history(&run_id).await?);
    let ended = platform.workflows.run_to_end(&run_id, |event| progress.take(event)).await?;
    let (ExecutionStatus::Succeeded, Some(result)) = (ended.status, &ended.output) else {
        return Err(failure(&ended));
    };
    if json {
        output::json(result);
    } else {
        summary(result, &ended);
    }
    Ok(())
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

fn failure(ended: &Execution) -> Error {
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
    let lang = ended.input["lang"].as_str().and_then(Lang::from_code).unwrap_or_default();
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
    say!("{}", lang.pick("metrics on the test rows:", "テスト行での指標:"));
    for (name, value) in result["metrics"].as_object().into_iter().flatten() {
        let shown = value.as_f64().map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        say!("  {name:<18} {shown}");
    }
    for (label, key) in [("model", "model_s3_uri"), ("report", "report_uri"), ("history", "history_uri")] {
        say!("{label:<8} {}", output::shown_path(text(key)));
    }
}
