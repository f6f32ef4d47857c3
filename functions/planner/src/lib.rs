//! The planner: the first task of a run. The request is checked against its data, and what will be done is said in the
//! issue before anything is spent.

/// A text with its arguments captured, in the language that people read.
macro_rules! say {
    ($lang:expr, $en:literal, $ja:literal) => {
        match $lang {
            Lang::En => format!($en),
            Lang::Ja => format!($ja),
        }
    };
}

mod steps;
mod structure;

use mlops_core::markdown::{code, duration, escape};
use mlops_core::{Agent, Call, Error, Lang, Result, Task, TaskResult, ToolCaller};
use mlops_github_integration::tools::ValidateTrainingParams;
use mlops_github_integration::{Estimate, GithubIntegration, Notice, refused};
use mlops_history_management::HistoryManagement;
use mlops_history_management::tools::PostIssueComment;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far an estimate of time may be off in either direction.
const UNCERTAINTY: f64 = 3.0;

/// The agent that makes the plan of a run.
#[derive(Clone)]
pub struct Planner {
    requests: ToolCaller<GithubIntegration>,
    comments: ToolCaller<HistoryManagement>,
}

/// What the planner needs from the states before: nothing, since it is the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {}

/// What will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// A rough estimate of time and cost; null when the data could not be looked at.
    pub estimate: Option<Estimate>,
    /// What will be done, one step a line, Markdown, in the run's language.
    pub plan: Vec<String>,
    /// Where people read the plan; null when no issue asked for the run, or when it could not be posted.
    pub comment_url: Option<String>,
    /// What a reader should know, in the run's language.
    pub warnings: Vec<String>,
}

impl Planner {
    /// A planner that checks requests there, and comments there. The tools that check must be able to look at tables.
    pub const fn new(requests: ToolCaller<GithubIntegration>, comments: ToolCaller<HistoryManagement>) -> Self {
        Self { requests, comments }
    }
}

impl Agent for Planner {
    const NAME: &'static str = "planner";
    type Inputs = Inputs;
    type Outputs = Planned;

    /// Checks the request and its data once more, and posts what will be done. A request that is wrong by now is
    /// `InvalidInput`, or `NotFound` when its data is missing; the message lists every error.
    ///
    /// An issue that cannot be reached does not keep the run from going on: a warning says so.
    async fn handle(&self, task: Task<Inputs>, call: &Call) -> Result<TaskResult<Planned>> {
        let lang = task.lang;
        let source = match &task.issue {
            Some(issue) => issue.to_string(),
            None => lang.pick("request", "依頼").to_owned(),
        };
        let config = match serde_json::to_value(&task.config) {
            Ok(Value::Object(config)) => config,
            other => return Err(Error::internal(format!("a request is no JSON object: {other:?}"))),
        };
        let validate = ValidateTrainingParams { config, lines: None, check_data: true };
        let validated = self.requests.call(validate, call).await?;
        if !validated.valid {
            return Err(refused(&source, &validated.errors, lang));
        }
        let plan = steps::of(&task.config, validated.data.as_ref(), lang);
        let mut planned = Planned {
            estimate: validated.estimate,
            plan,
            comment_url: None,
            warnings: validated.warnings.iter().map(|notice: &Notice| notice.message.clone()).collect(),
        };
        if let Some(issue) = task.issue {
            let name = &task.config.model_name;
            let comment = PostIssueComment {
                run_id: Some(task.run_id.clone()),
                title: Some(match lang {
                    Lang::En => format!("The plan for {name}"),
                    Lang::Ja => format!("{name} の実行計画"),
                }),
                text: Some(text(&planned, &task.run_id, lang)),
                lang: Some(lang),
                ..PostIssueComment::on(issue)
            };
            match self.comments.call(comment, call).await {
                Ok(posted) => planned.comment_url = posted.url,
                Err(error) => planned.warnings.push(match lang {
                    Lang::En => format!("the plan could not be posted in the issue: {error}"),
                    Lang::Ja => format!("計画を Issue に投稿できませんでした: {error}"),
                }),
            }
        }
        call.check()?;
        let hint = "prepare the data";
        Ok(TaskResult::succeeded::<Self>(task.run_id, planned, hint))
    }
}

/// The text of the comment.
fn text(planned: &Planned, run_id: &str, lang: Lang) -> String {
    let mut lines: Vec<String> =
        planned.plan.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
    lines.push(format!("\n{}\n", estimated(planned.estimate.as_ref(), lang)));
    if !planned.warnings.is_empty() {
        lines.push(format!("**{}**\n", lang.pick("Mind this", "注意点")));
        lines.extend(planned.warnings.iter().map(|warning| format!("- {}", escape(warning))));
        lines.push(String::new());
    }
    let run = code(run_id);
    lines.push(match lang {
        Lang::En => format!(
            "This is the run {run}, and it has begun. `/mlops cancel` stops it, `/mlops status` says how it stands. \
             This comment becomes its result."
        ),
        Lang::Ja => format!(
            "実行 {run} を開始しました。`/mlops cancel` で中止、`/mlops status` で状況を確認できます。終了すると、このコメントが\
             結果に置き換わります。"
        ),
    });
    lines.join("\n")
}

/// Time and cost in a sentence.
fn estimated(estimate: Option<&Estimate>, lang: Lang) -> String {
    let Some(estimate) = estimate else {
        let unknown = lang.pick(
            "Time and cost cannot be estimated before the data is read.",
            "データを読み込むまで、時間と費用は見積もれません。",
        );
        return unknown.to_owned();
    };
    let time = |factor: f64| duration(estimate.seconds * factor, lang);
    let (about, least, most) = (time(1.0), time(1.0 / UNCERTAINTY), time(UNCERTAINTY));
    let (low, high) = (estimate.usd_low, estimate.usd_high);
    match lang {
        Lang::En => format!(
            "Estimated time: **about {about}** ({least} to {most} is likely). Estimated cost: **US$ {low} to {high}** at \
             the public price of AWS Lambda; a run on one's own machine costs nothing."
        ),
        Lang::Ja => format!(
            "予想時間: **約 {about}**（{least} ～ {most}）。予想費用: **{low} ～ {high} 米ドル**（AWS Lambda の公開価格で計算。\
             手元のマシンでの実行に費用はかかりません）。"
        ),
    }
}

#[cfg(test)]
#[path = "../../../lib/capabilities/github_integration/src/outside.rs"]
mod outside;
#[cfg(test)]
mod tests;
