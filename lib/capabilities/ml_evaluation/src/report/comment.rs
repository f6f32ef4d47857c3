//! The short form that fits a comment on an issue.

use std::fmt::Write as _;

use mlops_core::Lang;
use mlops_core::markdown::{code, escape};

use super::document::{Document, GateLine, MetricLine};
use super::inputs::Decision;
use super::sentence::{Sentence, Shown};

/// The most characters of a comment.
pub const LONGEST_COMMENT: usize = 10_000;
/// The most metrics in a comment.
const METRICS: usize = 6;
/// The most lines of any list in a comment.
const LINES: usize = 8;

/// The report as a comment: verdict, reasons, the first metrics, gates and caveats, and where the whole report lies.
pub(crate) fn comment(document: &Document, report_uri: &str) -> String {
    let lang = document.lang;
    let end = format!("\n{}: {}\n", lang.pick("Full report", "レポート全文"), code(&shorten(report_uri, 500)));
    let mut text = String::new();
    for section in sections(document) {
        // What does not fit is in the report; the sections come by weight.
        if text.chars().count() + section.chars().count() + end.chars().count() <= LONGEST_COMMENT {
            text.push_str(&section);
        }
    }
    text.push_str(&end);
    text
}

fn sections(document: &Document) -> Vec<String> {
    let lang = document.lang;
    let mark = match document.verdict.decision {
        Some(Decision::Promote) => "✅ ",
        Some(Decision::NeedsHuman) => "✋ ",
        Some(Decision::Reject) => "❌ ",
        None => "",
    };
    let headline = escape(&document.verdict.headline);
    let title = escape(&shorten(&document.title, 200));
    let mut sections = vec![format!("### {mark}{headline} — {title}\n\n{}\n", escape(&document.verdict.explanation))];
    if let Some(warning) = &document.warning {
        sections.push(format!("\n**{}**\n", escape(&shorten(&warning.text, 600))));
    }
    if !document.verdict.reasons.is_empty() {
        sections.push(list(document.verdict.reasons.iter().map(String::as_str)));
    }
    sections.push(statements(&document.found));
    sections.push(metrics(&document.metrics, lang));
    if !document.verdict.gates.is_empty() {
        sections.push(gates(&document.verdict.gates, lang));
    }
    if !document.weak.is_empty() {
        let title = super::words::of(lang, document.task).get("weak").copied().unwrap_or_default();
        sections.push(format!("\n**{title}**\n{}", statements(&document.weak)));
    }
    if !document.caveats.is_empty() {
        sections.push(format!("\n**{}**\n{}", lang.pick("Mind this", "注意点"), statements(&document.caveats)));
    }
    sections
}

fn list<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines = lines.take(LINES).map(|line| format!("- {}\n", escape(&shorten(line, 400))));
    format!("\n{}", lines.collect::<String>())
}

fn statements(sentences: &[Sentence]) -> String {
    list(sentences.iter().map(|sentence| sentence.text.as_str()))
}

fn metrics(lines: &[MetricLine], lang: Lang) -> String {
    let shown: Vec<&MetricLine> = lines.iter().take(METRICS).collect();
    let compared = shown.iter().any(|line| line.champion.is_some());
    let guessed = shown.iter().any(|line| line.guessing.is_some());
    let mut text = format!(
        "\n| {} | {} | {} |",
        lang.pick("Metric", "指標"),
        lang.pick("Value", "値"),
        lang.pick("Interval", "信頼区間"),
    );
    if guessed {
        let _ = write!(text, " {} |", lang.pick("Guessing", "当て推量"));
    }
    if compared {
        let _ = write!(text, " {} |", lang.pick("Champion", "現行モデル"));
    }
    let more = usize::from(guessed) + usize::from(compared);
    let _ = write!(text, "\n|---|--:|:-:|{}\n", "--:|".repeat(more));
    for line in shown {
        let number = |number: &Option<Shown>| number.as_ref().map_or("–", |number| number.text.as_str()).to_owned();
        let interval = match (&line.lower, &line.upper) {
            (Some(lower), Some(upper)) => format!("{} – {}", lower.text, upper.text),
            _ => "–".to_owned(),
        };
        let _ = write!(text, "| {} | **{}** | {interval} |", escape(&line.label), number(&line.value));
        if guessed {
            let _ = write!(text, " {} |", number(&line.guessing));
        }
        if compared {
            let _ = write!(text, " {} |", number(&line.champion));
        }
        text.push('\n');
    }
    text
}

fn gates(gates: &[GateLine], lang: Lang) -> String {
    let mut text = format!("\n**{}**\n", lang.pick("Gates", "ゲート"));
    for gate in gates.iter().take(2 * LINES) {
        let observed = gate.observed.as_ref().map_or("–", |observed| observed.text.as_str());
        let mark = if gate.passed { "✅" } else { "❌" };
        let remark = if gate.remark.is_empty() { String::new() } else { format!(" ({})", escape(&gate.remark)) };
        let (what, required) = (escape(&shorten(&gate.what, 120)), &gate.required.text);
        let _ = match lang {
            Lang::En => writeln!(text, "- {mark} {what}: {observed}; required: {} {required}{remark}", gate.rule),
            Lang::Ja => writeln!(text, "- {mark} {what}: {observed}（基準 {required} {}）{remark}", gate.rule),
        };
    }
    text
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most).collect();
    cut.push('…');
    cut
}
