//! The text of a comment: title, checklist of stages, text and links.

use std::fmt::Write as _;

use mlops_core::Lang;
use mlops_core::ports::Comment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use mlops_core::markdown::{duration, escape, link, shorten};

/// The most characters of a name, a label or a title that are shown.
const LONGEST_NAME: usize = 200;
/// The longest place that is shown, in characters.
const LONGEST_PLACE: usize = 1_000;
/// How much of a text that is too long is shown, in characters.
const EXCERPT: usize = 1_500;

/// A stage of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name, as people read it.
    #[schemars(length(min = 1))]
    pub stage: String,
    /// How it stands.
    pub state: StageState,
    /// How long it took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub seconds: Option<f64>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// How a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// It has not begun.
    Pending,
    /// It is being worked on.
    Running,
    /// It waits for a person.
    Waiting,
    /// It ended well.
    Done,
    /// It failed.
    Failed,
    /// It was left out.
    Skipped,
}

/// Something to read elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is.
    #[schemars(length(min = 1))]
    pub label: String,
    /// Where it lies: a web address becomes a link, another place is shown as it is.
    #[schemars(length(min = 1))]
    pub uri: String,
}

/// What a comment is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) title: Option<&'a str>,
    pub(crate) stages: &'a [Stage],
    pub(crate) text: Option<&'a str>,
    pub(crate) links: &'a [Link],
    pub(crate) lang: Lang,
}

impl Parts<'_> {
    /// Everything.
    pub(crate) fn whole(&self) -> String {
        let text = self.text.map(str::to_owned);
        joined([self.title(), self.checklist(), text, self.links()])
    }

    /// What fits beside the place of the whole text; the less important parts are left out until it fits.
    pub(crate) fn collapsed(&self, length: usize, place: &str, fits: impl Fn(&str) -> bool) -> String {
        let excerpt = self.text.map(|text| quoted(&shorten(text, EXCERPT)));
        let notice = match self.lang {
            Lang::En => format!("_The whole text has {length} characters and is too long for a comment._"),
            Lang::Ja => format!("_全文は {length} 文字あり、コメントに収まりません。_"),
        };
        let whole = format!("{notice}\n\n{}", link(self.lang.pick("The whole text", "全文"), place));
        let candidates = [
            joined([self.title(), self.checklist(), excerpt.clone(), Some(whole.clone()), self.links()]),
            joined([self.title(), self.checklist(), None, Some(whole.clone()), None]),
            joined([self.title(), excerpt, Some(whole.clone()), None]),
        ];
        candidates.into_iter().find(|text| fits(text)).unwrap_or(whole)
    }

    fn title(&self) -> Option<String> {
        self.title.map(|title| format!("### {}", escape(&shorten(title, LONGEST_NAME))))
    }

    fn checklist(&self) -> Option<String> {
        let mut list = String::new();
        for stage in self.stages {
            let name = escape(&shorten(&stage.stage, LONGEST_NAME));
            let (mark, name, remark) = stage.state.shown(&name, self.lang);
            // Writing to a string does not fail.
            let _ = write!(list, "- [{mark}] {name}");
            let time = stage.seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
            let time = time.map(|seconds| duration(seconds, self.lang));
            let remarks: Vec<String> = remark.map(str::to_owned).into_iter().chain(time).collect();
            if !remarks.is_empty() {
                let _ = write!(list, " – {}", remarks.join(", "));
            }
            if let Some(place) = &stage.link {
                let _ = write!(list, " · {}", link(self.lang.pick("more", "詳細"), &shorten(place, LONGEST_PLACE)));
            }
            list.push('\n');
        }
        Some(list).filter(|list| !list.is_empty())
    }

    fn links(&self) -> Option<String> {
        let line = |one: &Link| {
            let label = shorten(&one.label, LONGEST_NAME);
            format!("- {}\n", link(&label, &shorten(&one.uri, LONGEST_PLACE)))
        };
        Some(self.links.iter().map(line).collect::<String>()).filter(|list| !list.is_empty())
    }
}

impl StageState {
    /// The check mark, the name as it is written and a remark.
    fn shown(self, name: &str, lang: Lang) -> (char, String, Option<&'static str>) {
        let pick = |en, ja| Some(lang.pick(en, ja));
        match self {
            Self::Pending => (' ', name.to_owned(), None),
            Self::Running => (' ', format!("⏳ **{name}**"), pick("running", "実行中")),
            Self::Waiting => (' ', format!("✋ **{name}**"), pick("waits for a person", "承認待ち")),
            Self::Done => ('x', name.to_owned(), None),
            Self::Failed => (' ', format!("❌ **{name}**"), pick("failed", "失敗")),
            Self::Skipped => (' ', format!("~~{name}~~"), pick("left out", "省略")),
        }
    }
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| part.trim_end().to_owned()).collect();
    parts.join("\n\n")
}

/// The beginning of a text as a quotation, so that nothing that was cut within it reaches out of it.
fn quoted(text: &str) -> String {
    let lines = text.lines().map(|line| format!("> {}", escape(line)).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a comment of that marker can have this text.
pub(crate) fn fits(marker: &str, body: &str) -> bool {
    let comment = Comment { marker: marker.to_owned(), body: body.to_owned() };
    comment.to_text().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, state: StageState, seconds: Option<f64>) -> Stage {
        Stage { stage: name.to_owned(), state, seconds, link: None }
    }

    #[test]
    fn a_checklist_says_how_each_stage_stands() {
        let mut trained = stage("Train <it>", StageState::Done, Some(1.239));
        trained.link = Some("https://example.org/run".to_owned());
        let stages = [
            trained,
            stage("Ask", StageState::Waiting, None),
            stage("Register", StageState::Failed, Some(90.2)),
            stage("Report", StageState::Skipped, Some(f64::NAN)),
            stage("Tell", StageState::Pending, None),
        ];
        let parts = Parts { title: Some("A *run*"), stages: &stages, text: None, links: &[], lang: Lang::En };
        let expected = "### A \\*run\\*\n\n- [x] Train &lt;it&gt; – 1.24 s · [more](https://example.org/run)\n\
            - [ ] ✋ **Ask** – waits for a person\n- [ ] ❌ **Register** – failed, 90 s\n\
            - [ ] ~~Report~~ – left out\n- [ ] Tell";
        assert_eq!(parts.whole(), expected);
        let japanese = Parts { lang: Lang::Ja, ..parts }.whole();
        assert!(japanese.contains("1.24 秒 · [詳細]") && japanese.contains("承認待ち"), "{japanese}");
    }

    #[test]
    fn what_is_too_long_leaves_out_the_less_important_first() {
        let stages: Vec<Stage> = (0..100).map(|_| stage(&"_".repeat(200), StageState::Running, None)).collect();
        let text = "<!-- open\n".repeat(10_000);
        let parts = Parts { title: Some("Title"), stages: &stages, text: Some(&text), links: &[], lang: Lang::En };
        let whole = parts.whole();
        assert!(!fits("m", &whole));
        let short = parts.collapsed(whole.len(), "s3://bucket/whole.md", |text| fits("m", text));
        assert!(
            short.contains("`s3://bucket/whole.md`") && short.contains("Title") && short.contains("[ ]"),
            "{short}"
        );
        assert!(!short.contains("<!--"), "a comment that was cut hides nothing");
        let tiny = parts.collapsed(9, "s3://bucket/whole.md", |text| text.len() < 200);
        assert!(tiny.starts_with("_The whole text has 9 characters") && !tiny.contains("Title"), "{tiny}");
    }
}
