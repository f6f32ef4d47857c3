//! The decision in words.

use mlops_core::Lang;

use super::document::{GateLine, Material, Verdict};
use super::inputs::{Decision, GateOutcome};
use super::metric_words;
use super::sentence::Shown;

/// What was decided, and why.
pub(super) fn of(material: &Material<'_>) -> Verdict {
    let lang = material.lang;
    let decision = material.decided.map(|decided| decided.decision);
    let (headline, explanation) = match decision {
        Some(Decision::Promote) => (
            lang.pick("Promoted", "採用"),
            lang.pick("The model becomes the champion.", "このモデルが現行モデルになります。"),
        ),
        Some(Decision::NeedsHuman) => (
            lang.pick("A person must decide", "人の判断が必要"),
            lang.pick(
                "The numbers alone do not settle it. The champion stays until somebody approves this model.",
                "数値だけでは決められません。承認されるまで現行モデルのままです。",
            ),
        ),
        Some(Decision::Reject) => (
            lang.pick("Rejected", "不採用"),
            lang.pick(
                "The model does not become the champion; what was in use stays as it is.",
                "このモデルは採用されません。現在のモデルはそのままです。",
            ),
        ),
        None => (
            lang.pick("Evaluated", "評価のみ"),
            lang.pick("The model was measured; nothing was decided.", "モデルを測定しました。判定は行っていません。"),
        ),
    };
    let decided = material.decided;
    Verdict {
        decision,
        headline: headline.to_owned(),
        explanation: explanation.to_owned(),
        reasons: decided.map(|decided| decided.reasons.clone()).unwrap_or_default(),
        gates: decided.map(|decided| decided.gates.iter().map(|gate| line(gate, lang)).collect()).unwrap_or_default(),
    }
}

fn line(gate: &GateOutcome, lang: Lang) -> GateLine {
    let mut name = metric_words::label(&gate.metric, lang);
    // English has the word before the number, Japanese after the name.
    if gate.rule.contains("change") {
        name.push_str(lang.pick("", "の変化"));
    }
    let is_relative = gate.rule.contains("relative");
    let show = |value: f64| match (is_relative, gate.rule.contains("change")) {
        (true, _) => Shown::percent(value).signed(),
        (false, true) => metric_words::show(&gate.metric, value).signed(),
        (false, false) => metric_words::show(&gate.metric, value),
    };
    let mut remarks = Vec::new();
    if gate.without_champion {
        remarks.push(lang.pick("no champion yet", "比較する現行モデルなし"));
    }
    if gate.uncertain {
        remarks.push(lang.pick("the interval reaches beyond it", "区間が基準をまたぐ"));
    }
    if !gate.blocking {
        remarks.push(lang.pick("does not block", "単独では不採用にしない"));
    }
    if gate.observed.is_none() && !gate.without_champion {
        remarks.push(lang.pick("not measured", "測定値なし"));
    }
    GateLine {
        what: gate.slice.as_ref().map_or_else(|| name.clone(), |slice| format!("{name} ({slice})")),
        rule: rule(&gate.rule, lang).to_owned(),
        required: show(gate.required),
        observed: gate.observed.map(show),
        passed: gate.passed,
        remark: remarks.join(lang.pick(", ", "、")),
    }
}

fn rule(rule: &str, lang: Lang) -> &'static str {
    match rule {
        "min" => lang.pick("at least", "以上"),
        "max" => lang.pick("at most", "以下"),
        "min_change" | "min_relative_change" => lang.pick("change at least", "以上"),
        "max_change" | "max_relative_change" => lang.pick("change at most", "以下"),
        _ => "",
    }
}
