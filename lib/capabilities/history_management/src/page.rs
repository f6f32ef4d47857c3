//! The page of a run, in the order of a model card.

use std::fmt::Write as _;

use mlops_core::Lang;
use mlops_records::{RunRecord, RunStatus};
use serde_json::{Map, Value};

/// The runs as one Markdown page. Every list is in a stable order, so that a page changes only where a run did.
pub(crate) fn markdown(runs: &[RunRecord], lang: Lang) -> String {
    let mut page = String::new();
    for run in runs {
        if !page.is_empty() {
            page.push_str("\n---\n\n");
        }
        one(&mut page, run, lang);
    }
    page
}

fn one(page: &mut String, run: &RunRecord, lang: Lang) {
    let config = &run.config;
    let status = match (run.status, &run.decision) {
        (RunStatus::Failed, _) => lang.pick("failed", "失敗"),
        (RunStatus::Succeeded, Some(decision)) => decision.decision.as_str(),
        (RunStatus::Succeeded, None) => lang.pick("succeeded", "成功"),
    };
    heading(page, 1, &format!("{} – {status}", config.model_name));
    row(page, lang.pick("Run", "実行"), &code(&run.run_id));
    if let Some(issue) = &run.issue {
        row(page, "Issue", &issue.to_string());
    }
    if let Some(started) = &run.started_at {
        row(page, lang.pick("Started", "開始"), started);
    }
    data(page, run, lang);
    parameters(page, run, lang);
    metrics(page, run, lang);
    decision(page, run, lang);
    lineage(page, run, lang);
}

fn data(page: &mut String, run: &RunRecord, lang: Lang) {
    heading(page, 2, lang.pick("Data", "データ"));
    row(page, lang.pick("Source", "元データ"), &code(run.config.dataset_s3_uri.as_str()));
    if let Some(target) = &run.config.target_column {
        row(page, lang.pick("Target", "目的変数"), &code(target));
    } else {
        row(page, lang.pick("Task", "課題"), &code(run.config.task.as_str()));
    }
    for (part, rows) in &run.rows {
        row(page, &format!("{} ({part})", lang.pick("Rows", "行数")), &rows.to_string());
    }
}

fn parameters(page: &mut String, run: &RunRecord, lang: Lang) {
    heading(page, 2, lang.pick("Parameters", "パラメータ"));
    let chosen = run.model.as_ref().map_or(&run.config.algorithm, |model| &model.algorithm);
    row(page, lang.pick("Algorithm", "アルゴリズム"), &code(chosen));
    row(page, lang.pick("Seed", "シード"), &run.config.seed.to_string());
    for section in [&run.config.hyperparameters, &run.config.split, &run.config.preprocessing_config] {
        sorted(page, section);
    }
}

fn sorted(page: &mut String, section: &Map<String, Value>) {
    let mut names: Vec<&String> = section.keys().collect();
    names.sort();
    for name in names {
        row(page, &code(name), &code(&section[name].to_string()));
    }
}

fn metrics(page: &mut String, run: &RunRecord, lang: Lang) {
    if run.metrics.is_empty() {
        return;
    }
    heading(
        page,
        2,
        match run.config.task.supervised() {
            Some(_) => lang.pick("Metrics on the test rows", "テスト行での指標"),
            None => lang.pick("Metrics", "指標"),
        },
    );
    page.push_str(lang.pick("| metric | value |\n|---|---|\n", "| 指標 | 値 |\n|---|---|\n"));
    for (name, value) in &run.metrics {
        line(page, &format!("| {name} | {value:.6} |"));
    }
}

fn decision(page: &mut String, run: &RunRecord, lang: Lang) {
    if let Some(error) = &run.error {
        heading(page, 2, lang.pick("What went wrong", "失敗の内容"));
        row(page, lang.pick("Step", "ステップ"), &code(&error.stage));
        row(page, lang.pick("Error", "エラー"), &code(&error.error));
        line(page, &format!("\n> {}", error.cause.replace('\n', "\n> ")));
    }
    let Some(decision) = &run.decision else { return };
    heading(page, 2, lang.pick("Comparison and decision", "比較と判定"));
    row(page, lang.pick("Decision", "判定"), &format!("**{}**", decision.decision));
    let champion = decision.champion_version.map_or_else(
        || lang.pick("none", "なし").to_owned(),
        |version| format!("{} {version}", lang.pick("version", "バージョン")),
    );
    row(page, lang.pick("Champion", "チャンピオン"), &champion);
    for reason in &decision.reasons {
        line(page, &format!("- {reason}"));
    }
    approval(page, run, lang);
}

fn approval(page: &mut String, run: &RunRecord, lang: Lang) {
    if let Some(answer) = &run.approval {
        let word = if answer.approved { lang.pick("approved", "承認") } else { lang.pick("rejected", "却下") };
        row(page, lang.pick("Answer", "回答"), &format!("**{word}**"));
        row(page, lang.pick("Answered by", "回答者"), &code(&answer.by));
        if let Some(at) = &answer.at {
            row(page, lang.pick("Answered at", "回答日時"), at);
        }
        if let Some(reason) = &answer.reason {
            row(page, lang.pick("Reason", "理由"), reason);
        }
    }
    let Some(smoke) = &run.smoke else { return };
    let word = if smoke.healthy { lang.pick("passed", "合格") } else { lang.pick("failed", "不合格") };
    row(page, lang.pick("Smoke prediction", "スモーク予測"), &format!("**{word}**"));
    if let Some(reason) = &smoke.reason {
        row(page, lang.pick("What was seen", "確認内容"), reason);
    }
    if let Some(from) = smoke.rolled_back_from {
        let to = smoke.rolled_back_to.map_or_else(|| lang.pick("none", "なし").to_owned(), |to| to.to_string());
        row(page, lang.pick("Rolled back", "ロールバック"), &format!("{from} → {to}"));
    }
}

fn lineage(page: &mut String, run: &RunRecord, lang: Lang) {
    heading(page, 2, lang.pick("Cost and lineage", "コストと系譜"));
    if let Some(model) = &run.model {
        if let Some(seconds) = model.training_time_seconds {
            row(page, lang.pick("Training time", "学習時間"), &format!("{seconds:.3} s"));
        }
        if let Some(version) = model.version {
            row(page, lang.pick("Registered as version", "登録バージョン"), &version.to_string());
        }
        row(page, lang.pick("Model", "モデル"), &code(&model.model_s3_uri));
        row(page, lang.pick("SHA-256 of the model", "モデルの SHA-256"), &code(&model.model_sha256));
    }
    if let Some(hash) = &run.data_sha256 {
        row(page, lang.pick("SHA-256 of the data", "データの SHA-256"), &code(hash));
    }
    if let Some(report) = &run.report_uri {
        row(page, lang.pick("Report", "レポート"), &code(report));
    }
}

fn heading(page: &mut String, level: usize, text: &str) {
    if !page.is_empty() && !page.ends_with("\n\n") {
        page.push('\n');
    }
    line(page, &format!("{} {}\n", "#".repeat(level), plain(text)));
}

fn row(page: &mut String, name: &str, value: &str) {
    line(page, &format!("- {name}: {}", plain(value)));
}

fn line(page: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "{text}");
}

fn plain(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" ")
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}
