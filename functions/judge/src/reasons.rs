//! Reasons in words that a person understands.

use mlops_core::Lang;

use crate::gates::{GateResult, Rule};
use crate::{Champion, Comparison};

/// Why a gate was passed or not.
pub(crate) fn of_gate(gate: &GateResult, lang: Lang) -> String {
    let name = match &gate.slice {
        Some(slice) => format!("{} ({slice})", gate.metric),
        None => gate.metric.clone(),
    };
    let required = number(gate.required);
    if gate.without_champion {
        return match lang {
            Lang::En => format!("{name}: there is no champion to compare with, so this gate does not apply yet"),
            Lang::Ja => format!("{name}: 比較するチャンピオンがないため、このゲートはまだ適用されません"),
        };
    }
    let Some(observed) = gate.observed.map(number) else {
        return match lang {
            Lang::En => format!("{name} is not known, and a gate asks for it: that fails the gate"),
            Lang::Ja => format!("{name} の値がないため、ゲートを通過できません"),
        };
    };
    let rule = match (lang, gate.rule) {
        (Lang::En, Rule::Min | Rule::MinChange | Rule::MinRelativeChange) => "at least",
        (Lang::En, Rule::Max | Rule::MaxChange | Rule::MaxRelativeChange) => "at most",
        (Lang::Ja, Rule::Min | Rule::MinChange | Rule::MinRelativeChange) => "以上",
        (Lang::Ja, Rule::Max | Rule::MaxChange | Rule::MaxRelativeChange) => "以下",
    };
    let what = match (lang, gate.rule) {
        (_, Rule::Min | Rule::Max) => "",
        (Lang::En, Rule::MinChange | Rule::MaxChange) => "the change in ",
        (Lang::En, Rule::MinRelativeChange | Rule::MaxRelativeChange) => "the relative change in ",
        (Lang::Ja, Rule::MinChange | Rule::MaxChange) => "の変化",
        (Lang::Ja, Rule::MinRelativeChange | Rule::MaxRelativeChange) => "の相対変化",
    };
    let mut text = match (lang, gate.passed) {
        (Lang::En, true) => format!("{what}{name} is {observed} and the gate asks for {rule} {required}: passed"),
        (Lang::En, false) => format!("{what}{name} is {observed} and the gate asks for {rule} {required}: failed"),
        (Lang::Ja, true) => format!("{name}{what}は {observed} で、ゲートの条件 ({required} {rule}) を満たしています"),
        (Lang::Ja, false) => {
            format!("{name}{what}は {observed} で、ゲートの条件 ({required} {rule}) を満たしていません")
        }
    };
    if gate.uncertain {
        text.push_str(
            lang.pick(
                ", though its 95 % interval reaches beyond the gate",
                " (ただし 95 % 区間はゲートをまたいでいます)",
            ),
        );
    }
    text
}

/// How the candidate stands against the champion.
pub(crate) fn of_champion(champion: &Champion, lang: Lang) -> String {
    let version = champion.version;
    let Some(comparison) = &champion.comparison else {
        let why = champion.reason.clone().unwrap_or_default();
        return match lang {
            Lang::En => format!("the champion (version {version}) could not be compared on the same rows: {why}"),
            Lang::Ja => format!("チャンピオン (バージョン {version}) と同じ行で比較できませんでした: {why}"),
        };
    };
    let Comparison { metric, gain, test, p_value, significant, .. } = comparison;
    let size = number(gain.abs());
    let test = p_value.map_or_else(|| test.clone(), |p| format!("{test}, p = {}", number(p)));
    match (lang, significant, *gain >= 0.0) {
        (Lang::En, true, true) => {
            format!("{metric} is better than the champion's (version {version}) by {size} ({test})")
        }
        (Lang::En, true, false) => {
            format!("{metric} is worse than the champion's (version {version}) by {size} ({test})")
        }
        (Lang::En, false, _) => format!(
            "the difference to the champion (version {version}) in {metric}, {}, may be chance ({test})",
            number(*gain)
        ),
        (Lang::Ja, true, true) => {
            format!("{metric} はチャンピオン (バージョン {version}) より {size} 良くなりました ({test})")
        }
        (Lang::Ja, true, false) => {
            format!("{metric} はチャンピオン (バージョン {version}) より {size} 悪くなりました ({test})")
        }
        (Lang::Ja, false, _) => format!(
            "チャンピオン (バージョン {version}) との {metric} の差 {} は偶然の範囲です ({test})",
            number(*gain)
        ),
    }
}

/// There is nothing to compare with.
pub(crate) fn no_champion(lang: Lang) -> String {
    lang.pick("there is no other model in use to compare with", "比較する使用中のモデルはありません").to_owned()
}

/// The model has learnt nothing that helps.
pub(crate) fn no_better_than_guessing(lang: Lang) -> String {
    let en = "mind that the model is no better than a guess that looks at no feature";
    lang.pick(en, "注意: このモデルは、特徴量を見ない推測より良くありません").to_owned()
}

/// The issue asked for nothing.
pub(crate) fn no_gates(lang: Lang) -> String {
    lang.pick("the issue sets no gates", "Issue にゲートの指定はありません").to_owned()
}

fn number(value: f64) -> String {
    let rounded = format!("{value:.4}");
    // A small p-value is not zero.
    if rounded.trim_start_matches('-').parse::<f64>() == Ok(0.0) && value != 0.0 {
        return format!("{value:.1e}");
    }
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    trimmed.to_owned()
}
