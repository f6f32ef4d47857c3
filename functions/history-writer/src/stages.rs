//! The stages of a run as a checklist, with the time that each took.

use jiff::Timestamp;
use mlops_core::Lang;
use mlops_history_management::{Stage, StageState};
use serde::{Deserialize, Serialize};

/// A stage that the run walked through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkedStage {
    /// The state's name.
    pub stage: String,
    /// When it was entered, RFC 3339.
    #[serde(default)]
    pub entered_at: Option<String>,
    /// When it was left, RFC 3339; by default when the next one was entered.
    #[serde(default)]
    pub ended_at: Option<String>,
}

/// What people call a state; a state that is not known here keeps its name.
const NAMES: [(&str, &str, &str); 14] = [
    ("Plan", "Check and plan", "確認と計画"),
    ("PrepareData", "Prepare the data", "データの準備"),
    ("Train", "Train", "学習"),
    ("Evaluate", "Evaluate", "評価"),
    ("LearnStructure", "Look for structure", "構造の学習"),
    ("MeasureStructure", "Measure what was found", "結果の測定"),
    ("Judge", "Judge", "判定"),
    ("Register", "Register", "登録"),
    ("WriteReport", "Write the report", "レポートの作成"),
    ("AskApproval", "Ask for approval", "承認の依頼"),
    ("Decide", "Act on the answer", "回答の反映"),
    ("WriteFinalReport", "Bring the report up to date", "レポートの更新"),
    ("SmokePrediction", "Smoke prediction", "スモーク予測"),
    ("RememberRun", "Remember the run", "履歴の記録"),
];

/// The checklist. A state that was entered more than once is one stage with all its time; the stage that failed is the
/// last.
pub(crate) fn checklist(
    walked: &[WalkedStage],
    ended_at: Option<&str>,
    failed: Option<&str>,
    lang: Lang,
) -> Vec<Stage> {
    let mut names: Vec<&str> = Vec::new();
    let mut list: Vec<Stage> = Vec::new();
    for (at, stage) in walked.iter().enumerate() {
        let next = walked.get(at + 1).and_then(|next| next.entered_at.as_deref());
        let end = stage.ended_at.as_deref().or(next).or(if at + 1 == walked.len() { ended_at } else { None });
        let seconds = between(stage.entered_at.as_deref(), end);
        if let Some(known) = names.iter().position(|name| *name == stage.stage) {
            list[known].seconds = sum(list[known].seconds, seconds);
        } else {
            names.push(&stage.stage);
            list.push(Stage { stage: called(&stage.stage, lang), state: StageState::Done, seconds, link: None });
        }
    }
    if let Some(failed) = failed {
        if let Some(known) = names.iter().position(|name| *name == failed) {
            list[known].state = StageState::Failed;
        } else {
            list.push(Stage { stage: called(failed, lang), state: StageState::Failed, seconds: None, link: None });
        }
    }
    list
}

/// What people call that state.
pub(crate) fn called(state: &str, lang: Lang) -> String {
    let known = NAMES.iter().find(|(name, ..)| *name == state);
    known.map_or(state, |(_, en, ja)| lang.pick(en, ja)).to_owned()
}

fn between(from: Option<&str>, to: Option<&str>) -> Option<f64> {
    let [from, to] = [from, to].map(|time| time?.parse::<Timestamp>().ok());
    let milliseconds = to?.as_millisecond().checked_sub(from?.as_millisecond())?;
    (milliseconds >= 0).then_some(milliseconds as f64 / 1000.0)
}

fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(stage: &str, second: u32, ended: Option<u32>) -> WalkedStage {
        let time = |second: u32| format!("2026-01-02T03:04:{second:02}.500Z");
        WalkedStage { stage: stage.to_owned(), entered_at: Some(time(second)), ended_at: ended.map(time) }
    }

    #[test]
    fn a_stage_lasts_until_the_next_one() {
        let stages = [
            walked("Train", 1, None),
            walked("WriteReport", 4, Some(5)),
            walked("Odd", 9, None),
            walked("WriteReport", 20, None),
        ];
        let list = checklist(&stages, Some("2026-01-02T03:04:30.500Z"), None, Lang::En);
        let shown: Vec<(&str, Option<f64>)> = list.iter().map(|one| (&one.stage[..], one.seconds)).collect();
        assert_eq!(shown, [("Train", Some(3.0)), ("Write the report", Some(11.0)), ("Odd", Some(11.0))]);
        assert!(list.iter().all(|one| one.state == StageState::Done));
    }

    #[test]
    fn the_stage_that_failed_says_so_and_odd_times_say_nothing() {
        let mut stages = vec![walked("PrepareData", 5, None), walked("Train", 1, None)];
        stages[1].entered_at = Some("yesterday".to_owned());
        let list = checklist(&stages, None, Some("Evaluate"), Lang::Ja);
        let shown: Vec<_> = list.iter().map(|one| (&one.stage[..], one.state, one.seconds)).collect();
        let (done, failed) = (StageState::Done, StageState::Failed);
        assert_eq!(shown, [("データの準備", done, None), ("学習", done, None), ("評価", failed, None)]);
        assert_eq!(checklist(&stages, None, Some("Train"), Lang::Ja)[1].state, failed);
        assert!(checklist(&[], None, None, Lang::En).is_empty());
    }
}
