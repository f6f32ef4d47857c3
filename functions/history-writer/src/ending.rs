//! What is said in the issue when its run has ended.

use mlops_core::Lang;
use mlops_core::markdown::{code, escape, shorten};
use mlops_core::values::IssueRef;
use mlops_history_management::Link;
use mlops_history_management::tools::PostIssueComment;
use mlops_records::{RunRecord, RunStatus};
use serde_json::Value;

use crate::{Remembered, stages};

/// The most reasons that are listed.
const REASONS: usize = 8;
/// The longest reason or cause, in characters.
const LONGEST: usize = 2_000;

/// Where the history of the run can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The page.
    pub(crate) page: &'a str,
    /// The commit that has it.
    pub(crate) commit: Option<&'a str>,
}

/// The comment that takes the place of the run's plan.
pub(crate) fn comment(issue: &IssueRef, run: &RunRecord, inputs: &Remembered, places: Places<'_>) -> PostIssueComment {
    let lang = run.lang;
    let failed = run.error.as_ref().map(|error| error.stage.as_str());
    let walked = inputs.stages.as_deref().unwrap_or_default();
    let mut links = Vec::new();
    // The report's short form ends with the place of the report.
    let report = if inputs.report_comment.is_some() { None } else { run.report_uri.as_deref() };
    for (label, uri) in [
        (lang.pick("Report", "レポート"), report),
        (lang.pick("History", "履歴"), Some(places.page)),
        (lang.pick("Commit of the history", "履歴のコミット"), places.commit),
    ] {
        if let Some(uri) = uri.filter(|uri| !uri.is_empty()) {
            links.push(Link { label: label.to_owned(), uri: uri.to_owned() });
        }
    }
    PostIssueComment {
        run_id: Some(run.run_id.clone()),
        title: Some(title(run)),
        stages: stages::checklist(walked, inputs.ended_at.as_deref(), failed, lang),
        text: Some(text(run, inputs)),
        links,
        lang: Some(lang),
        ..PostIssueComment::on(issue.clone())
    }
}

fn title(run: &RunRecord) -> String {
    let (name, lang) = (&run.config.model_name, run.lang);
    let taken_back = run.smoke.as_ref().is_some_and(|smoke| !smoke.healthy);
    let version = run.model.as_ref().and_then(|model| model.version);
    let version = version.map(|version| match lang {
        Lang::En => format!(" version {version}"),
        Lang::Ja => format!(" バージョン {version}"),
    });
    let decision = run.decision.as_ref().map(|decision| decision.decision.as_str());
    let how = match (run.status, &run.approval, decision) {
        (RunStatus::Failed, ..) => lang.pick("the run failed", "実行が失敗しました"),
        _ if taken_back => lang.pick("the smoke prediction failed", "スモーク予測が不合格でした"),
        (_, Some(answer), _) if answer.approved => lang.pick("approved", "承認されました"),
        (_, Some(_), _) => lang.pick("rejected by a person", "却下されました"),
        (_, None, Some("promote")) => lang.pick("promoted", "採用されました"),
        (_, None, Some("reject")) => lang.pick("rejected", "不採用となりました"),
        (_, None, Some("needs_human")) => lang.pick("not decided", "判定を保留しました"),
        _ => lang.pick("the run ended", "実行が終了しました"),
    };
    format!("{name}{}: {how}", version.unwrap_or_default())
}

fn text(run: &RunRecord, inputs: &Remembered) -> String {
    let sections = [
        failure(run),
        answer(run),
        smoke(run),
        inputs.report_comment.clone().or_else(|| result(run)),
        plan(inputs.plan.as_deref().unwrap_or_default(), run.lang),
        Some(match run.lang {
            Lang::En => format!("Run {}", code(&run.run_id)),
            Lang::Ja => format!("実行 {}", code(&run.run_id)),
        }),
    ];
    sections.into_iter().flatten().map(|section| section.trim().to_owned()).collect::<Vec<_>>().join("\n\n")
}

fn failure(run: &RunRecord) -> Option<String> {
    let error = run.error.as_ref()?;
    let stage = escape(&stages::called(&error.stage, run.lang));
    let (kind, cause) = (code(&error.error), escape(&shorten(&readable(&error.cause), LONGEST)));
    let next = run.lang.pick(
        "Nothing was registered. Correct the issue or the data; `/mlops retry` runs it again.",
        "何も登録されていません。Issue またはデータを修正してください。`/mlops retry` でもう一度実行できます。",
    );
    Some(match run.lang {
        Lang::En => format!("**{stage}** failed with {kind}:\n\n> {cause}\n\n{next}"),
        Lang::Ja => format!("**{stage}** が {kind} で失敗しました。\n\n> {cause}\n\n{next}"),
    })
}

/// The message inside a Lambda error payload; any other text as it is.
fn readable(cause: &str) -> String {
    let parsed = serde_json::from_str::<Value>(cause).ok();
    parsed.as_ref().and_then(|value| value["errorMessage"].as_str()).unwrap_or(cause).to_owned()
}

fn answer(run: &RunRecord) -> Option<String> {
    let answer = run.approval.as_ref()?;
    let by = code(&answer.by);
    let at = answer.at.as_deref().map(|at| format!(" ({})", escape(at))).unwrap_or_default();
    let reason = answer.reason.as_deref().map(|reason| format!(": {}", escape(&shorten(reason, LONGEST))));
    let reason = reason.unwrap_or_default();
    Some(match (run.lang, answer.approved) {
        (Lang::En, true) => format!("✅ **Approved** by {by}{at}{reason}"),
        (Lang::En, false) => format!("❌ **Rejected** by {by}{at}{reason}"),
        (Lang::Ja, true) => format!("✅ {by} が**承認**しました{at}{reason}"),
        (Lang::Ja, false) => format!("❌ {by} が**却下**しました{at}{reason}"),
    })
}

fn smoke(run: &RunRecord) -> Option<String> {
    let smoke = run.smoke.as_ref()?;
    let lang = run.lang;
    let name = lang.pick("Smoke prediction", "スモーク予測");
    let word = if smoke.healthy { lang.pick("passed", "合格") } else { lang.pick("failed", "不合格") };
    let mark = if smoke.healthy { "✅" } else { "❌" };
    let reason = smoke.reason.as_deref().map(|reason| format!(" – {}", escape(&shorten(reason, LONGEST))));
    let change = match (lang, smoke.rolled_back_from, smoke.rolled_back_to) {
        (_, None, _) => String::new(),
        (Lang::En, Some(from), Some(to)) => format!("\n\nVersion {from} was taken back; version {to} is in use."),
        (Lang::Ja, Some(from), Some(to)) => {
            format!("\n\nバージョン {from} の使用を止め、バージョン {to} に戻しました。")
        }
        (Lang::En, Some(from), None) => format!("\n\nVersion {from} was taken back; **no version is in use now**."),
        (Lang::Ja, Some(from), None) => {
            format!("\n\nバージョン {from} の使用を止めました。**使用中のバージョンはありません。**")
        }
    };
    Some(format!("{mark} {name}: **{word}**{}{change}", reason.unwrap_or_default()))
}

/// Decision and metrics, for a run whose report gave no short form.
fn result(run: &RunRecord) -> Option<String> {
    let decision = run.decision.as_ref()?;
    let lang = run.lang;
    let mut lines = vec![format!("{}: **{}**\n", lang.pick("Decision", "判定"), escape(&decision.decision))];
    let reasons = decision.reasons.iter().take(REASONS);
    lines.extend(reasons.map(|reason| format!("- {}", escape(&shorten(reason, LONGEST)))));
    if !run.metrics.is_empty() {
        let head = match run.config.task.supervised() {
            Some(_) => lang.pick("| metric on the test rows | value |", "| テスト行での指標 | 値 |"),
            None => lang.pick("| metric | value |", "| 指標 | 値 |"),
        };
        lines.push(format!("\n{head}\n|---|--:|"));
        lines.extend(run.metrics.iter().map(|(name, value)| format!("| {} | {value:.4} |", escape(name))));
    }
    Some(lines.join("\n"))
}

fn plan(steps: &[String], lang: Lang) -> Option<String> {
    if steps.is_empty() {
        return None;
    }
    let steps = steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect::<Vec<_>>().join("\n");
    let title = lang.pick("The plan", "実行計画");
    Some(format!("<details><summary>{title}</summary>\n\n{steps}\n\n</details>"))
}
