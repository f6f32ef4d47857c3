//! What people read in answer to a request or a command, in their language.

use std::fmt::Write as _;

use mlops_core::Lang;
use mlops_core::markdown::{self, escape, shorten};
use mlops_core::ports::{Execution, ExecutionStatus};
use mlops_core::values::IssueRef;
use mlops_records::Answered;

/// The longest text of somebody else that is repeated, in characters.
const LONGEST_QUOTE: usize = 300;
/// The longest line of an error list, in characters.
const LONGEST_LINE: usize = 1_000;

/// The answer to a command.
#[derive(Debug)]
pub(crate) enum Reply<'a> {
    NoRun { issue: &'a IssueRef },
    NothingWaits { run_id: &'a str },
    Ended { run_id: &'a str, status: ExecutionStatus },
    AnsweredOtherwise { run_id: &'a str, given: &'a Answered },
    TooLate { run_id: &'a str },
    Answered { run_id: &'a str, model_name: &'a str, version: Option<u64>, given: &'a Answered },
    StillRunning { run_id: &'a str },
    GoesOn { run_id: &'a str },
    RunAgain { run_id: &'a str, before: &'a str },
    RollsBack { run_id: &'a str, model_name: &'a str, version: Option<u64> },
    Cancelled { run_id: &'a str },
    Stopping { run_id: &'a str },
    Begins { run_id: &'a str },
    ThereAlready { run_id: &'a str },
    Stands(Standing<'a>),
}

/// How a run stands.
#[derive(Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) execution: &'a Execution,
    /// The state that it is in.
    pub(crate) state: Option<&'a str>,
    /// What was decided.
    pub(crate) decision: Option<&'a str>,
    /// Whether it waits for a person.
    pub(crate) waits: bool,
}

impl Reply<'_> {
    /// The answer in that language, Markdown.
    pub(crate) fn text(&self, lang: Lang) -> String {
        match self {
            Self::Answered { run_id, model_name, version, given } => {
                answered(run_id, model_name, *version, given, lang)
            }
            Self::RollsBack { run_id, model_name, version } => {
                let to = match (version, lang) {
                    (Some(version), Lang::En) => format!("version {version}"),
                    (None, Lang::En) => "the version before the present one".to_owned(),
                    (Some(version), Lang::Ja) => format!("バージョン {version}"),
                    (None, Lang::Ja) => "ひとつ前のバージョン".to_owned(),
                };
                match lang {
                    Lang::En => format!("The model {model_name} is rolled back to {to}. This is the run `{run_id}`."),
                    Lang::Ja => format!("モデル {model_name} を{to}に戻します。実行 ID は `{run_id}` です。"),
                }
            }
            Self::Stands(standing) => standing.text(lang),
            _ => self.line(lang),
        }
    }

    fn line(&self, lang: Lang) -> String {
        let (en, ja) = match self {
            Self::NoRun { issue } => {
                (format!("No run was started from {issue}."), format!("{issue} から開始された実行はありません。"))
            }
            Self::NothingWaits { run_id } => (
                format!("The run `{run_id}` does not wait for an approval."),
                format!("実行 `{run_id}` は承認を待っていません。"),
            ),
            Self::Ended { run_id, status } => (
                format!("The run `{run_id}` has ended: {}.", status_name(*status, Lang::En)),
                format!("実行 `{run_id}` はすでに終了しています（{}）。", status_name(*status, Lang::Ja)),
            ),
            Self::AnsweredOtherwise { run_id, given } => {
                let (by, at) = (code(&given.by), given.at);
                let (en, ja) = if given.approved { ("approved", "承認") } else { ("rejected", "却下") };
                (
                    format!("The run `{run_id}` was {en} by {by} at {at:.0}. That holds; train again to decide anew."),
                    format!(
                        "実行 `{run_id}` は {by} が {at:.0} に{ja}しました。決定は変わりません。もう一度決めるには再学習してください。"
                    ),
                )
            }
            Self::TooLate { run_id } => (
                format!("The run `{run_id}` no longer waits for an approval: its time was over."),
                format!("実行 `{run_id}` の承認待ちはすでに終わっています（期限切れ）。"),
            ),
            Self::StillRunning { run_id } => (
                format!("The run `{run_id}` is still going on. `/mlops cancel` stops it."),
                format!("実行 `{run_id}` はまだ続いています。`/mlops cancel` で中止できます。"),
            ),
            Self::GoesOn { run_id } => (
                format!("The run `{run_id}` goes on from the step that failed."),
                format!("実行 `{run_id}` を失敗したステップから再開します。"),
            ),
            Self::RunAgain { run_id, before } => (
                format!("The request of `{before}` is run again as `{run_id}`."),
                format!("`{before}` の依頼を `{run_id}` としてもう一度実行します。"),
            ),
            Self::Cancelled { run_id } => {
                (format!("The run `{run_id}` was cancelled."), format!("実行 `{run_id}` を中止しました。"))
            }
            Self::Stopping { run_id } => {
                (format!("The run `{run_id}` is being stopped."), format!("実行 `{run_id}` を停止しています。"))
            }
            Self::Begins { run_id } => (
                format!("The request was read. The run `{run_id}` begins."),
                format!("依頼を読み取りました。実行 `{run_id}` を開始します。"),
            ),
            Self::ThereAlready { run_id } => (
                format!(
                    "This very request is the run `{run_id}` already. `/mlops status` says how it stands, `/mlops retry` runs it again."
                ),
                format!(
                    "同じ依頼の実行 `{run_id}` がすでにあります。`/mlops status` で状況の確認、`/mlops retry` で再実行ができます。"
                ),
            ),
            Self::Answered { .. } | Self::RollsBack { .. } | Self::Stands(_) => Default::default(),
        };
        match lang {
            Lang::En => en,
            Lang::Ja => ja,
        }
    }
}

fn answered(run_id: &str, model_name: &str, version: Option<u64>, given: &Answered, lang: Lang) -> String {
    let model = match (version, lang) {
        (Some(version), Lang::En) => format!("{model_name} version {version}"),
        (Some(version), Lang::Ja) => format!("{model_name} バージョン {version}"),
        (None, _) => model_name.to_owned(),
    };
    let by = code(&given.by);
    let mut text = match (lang, given.approved) {
        (Lang::En, true) => format!("{model} was approved by {by}. The run `{run_id}` goes on."),
        (Lang::En, false) => format!("{model} was rejected by {by}. The run `{run_id}` goes on to its report."),
        (Lang::Ja, true) => format!("{model} は {by} により承認されました。実行 `{run_id}` を続けます。"),
        (Lang::Ja, false) => {
            format!("{model} は {by} により却下されました。実行 `{run_id}` はレポートを作成して終了します。")
        }
    };
    if let Some(reason) = &given.reason {
        // Writing to a string does not fail.
        let _ = write!(text, "\n\n{}: {}", lang.pick("Reason", "理由"), code(reason));
    }
    text
}

impl Standing<'_> {
    fn text(&self, lang: Lang) -> String {
        let Execution { name, status, started, ended, error, cause, .. } = self.execution;
        let mut rows = vec![
            (lang.pick("run", "実行"), code(name)),
            (lang.pick("status", "状態"), status_name(*status, lang).to_owned()),
            (lang.pick("started", "開始"), format!("{started:.0}")),
        ];
        if let Some(ended) = ended {
            rows.push((lang.pick("ended", "終了"), format!("{ended:.0}")));
        }
        if let Some(state) = self.state.filter(|_| ended.is_none()) {
            rows.push((lang.pick("step", "ステップ"), code(state)));
        }
        if let Some(decision) = self.decision {
            rows.push((lang.pick("decision", "判定"), code(decision)));
        }
        if let Some(error) = error {
            rows.push((lang.pick("error", "エラー"), code(error)));
        }
        if let Some(cause) = cause {
            rows.push((lang.pick("cause", "原因"), code(&readable(cause))));
        }
        let mut text = String::new();
        for (name, value) in rows {
            // Writing to a string does not fail.
            let _ = writeln!(text, "- {name}: {value}");
        }
        if self.waits {
            text.push_str(lang.pick(
                "\nIt waits for a person: `/mlops approve` or `/mlops reject`.\n",
                "\n承認を待っています: `/mlops approve` または `/mlops reject` で回答してください。\n",
            ));
        }
        text
    }
}

/// The message of a cause: a task that failed gives a document of which it is one part.
fn readable(cause: &str) -> String {
    let document = serde_json::from_str::<serde_json::Value>(cause).ok();
    let message = document.as_ref().and_then(|document| document["errorMessage"].as_str());
    message.unwrap_or(cause).replace('\n', " ")
}

/// The reason of a rollback for which none was given.
pub(crate) fn asked_by(name: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("asked for by {name}"),
        Lang::Ja => format!("{name} の依頼"),
    }
}

/// The comment on a request that holds errors.
pub(crate) fn refusal<'a>(lines: impl Iterator<Item = &'a str>, lang: Lang) -> String {
    let mut text = lang
        .pick(
            "The request cannot be run yet. Please correct:\n\n",
            "この依頼はまだ実行できません。次の点を修正してください:\n\n",
        )
        .to_owned();
    for line in lines {
        text.push_str("- ");
        text.push_str(&plain(line));
        text.push('\n');
    }
    text.push_str(lang.pick(
        "\nEdit the issue, and it is read again. Nothing was started.\n",
        "\nIssue を編集すると、もう一度読み取ります。まだ何も開始していません。\n",
    ));
    text
}

/// The comment on a command that could not be done.
pub(crate) fn failure(message: &str, lang: Lang) -> String {
    let message = plain(message);
    match lang {
        Lang::En => format!("That could not be done: {message}"),
        Lang::Ja => format!("実行できませんでした: {message}"),
    }
}

/// The comment on a command that was not understood.
pub(crate) fn usage(word: &str, lang: Lang) -> String {
    let typed = code(format!("/mlops {word}").trim());
    let table = lang.pick(
        "- `/mlops train`: run what the issue asks for\n\
         - `/mlops status`: how the last run stands\n\
         - `/mlops approve [reason]`, `/mlops reject [reason]`: answer a run that waits\n\
         - `/mlops retry`: let a failed run go on, or run it again\n\
         - `/mlops rollback [version]`: an earlier version in the place of the present one\n\
         - `/mlops cancel [reason]`: end the last run\n",
        "- `/mlops train`: Issue の依頼を実行する\n\
         - `/mlops status`: 最後の実行の状況を見る\n\
         - `/mlops approve [理由]`、`/mlops reject [理由]`: 承認待ちの実行に回答する\n\
         - `/mlops retry`: 失敗した実行を再開する、またはもう一度実行する\n\
         - `/mlops rollback [バージョン]`: 以前のバージョンに戻す\n\
         - `/mlops cancel [理由]`: 最後の実行を中止する\n",
    );
    match lang {
        Lang::En => format!("{typed} is not understood. There are:\n\n{table}"),
        Lang::Ja => format!("{typed} は解釈できません。使えるコマンド:\n\n{table}"),
    }
}

fn status_name(status: ExecutionStatus, lang: Lang) -> &'static str {
    match status {
        ExecutionStatus::Running => lang.pick("running", "実行中"),
        ExecutionStatus::Succeeded => lang.pick("succeeded", "成功"),
        ExecutionStatus::Failed => lang.pick("failed", "失敗"),
        ExecutionStatus::TimedOut => lang.pick("out of time", "時間切れ"),
        ExecutionStatus::Aborted => lang.pick("cancelled", "中止"),
    }
}

/// The text of somebody else as code on one line: it makes no link, calls nobody and ends nothing.
fn code(text: &str) -> String {
    markdown::code(&shorten(text, LONGEST_QUOTE))
}

/// One line of an error list. Names in backticks stay code; nothing else in it does anything.
fn plain(line: &str) -> String {
    let line = shorten(line, LONGEST_LINE);
    let parts = line.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { markdown::code(part) } else { escape(part) }).collect()
}

#[cfg(test)]
#[path = "replies_tests.rs"]
mod tests;
