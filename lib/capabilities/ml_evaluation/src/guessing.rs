//! Whether a model is better than guessing, and the sentence that says when it is not.

use mlops_core::Lang;

use crate::Evaluation;
use crate::evaluation::{Guess, Metrics};
use crate::report::{Sentence, Shown};

/// Whether the main metric is better than that of guessing: accuracy above the share of the most frequent class, or R²
/// above 0. `None` where that cannot be told: R² is not defined, or every test row is of one class.
pub(crate) fn is_beaten(metrics: &Metrics, guess: &Guess) -> Option<bool> {
    let value = |metrics: &Metrics, name: &str| metrics.get(name).copied().flatten();
    match value(metrics, "accuracy") {
        Some(accuracy) => {
            let share = value(&guess.metrics, "accuracy").filter(|&share| share < 1.0)?;
            Some(accuracy > share)
        }
        None => value(metrics, "r2").map(|r2| r2 > 0.0),
    }
}

/// The sentence for a model that is no better than guessing; `None` for one that is, or when it cannot be told.
pub(crate) fn warning(metrics: &Metrics, guess: &Guess, lang: Lang) -> Option<Sentence> {
    if is_beaten(metrics, guess) != Some(false) {
        return None;
    }
    let value = |metrics: &Metrics, name: &str| metrics.get(name).copied().flatten();
    if let (Some(accuracy), Some(share)) = (value(metrics, "accuracy"), value(&guess.metrics, "accuracy")) {
        let pattern = lang.pick(
            "The model is no better than guessing: its accuracy is {0}, and always answering “{1}”, the most frequent class of these rows, reaches {2}.",
            "このモデルは当て推量を上回りません。正解率は {0} ですが、この行で最も多いクラス「{1}」と常に答えるだけで {2} に達します。",
        );
        let class = guess.predicts.as_str().unwrap_or_default();
        let arguments = [Shown::percent(accuracy).into(), class.into(), Shown::percent(share).into()];
        return Some(crate::report::say(pattern, &arguments));
    }
    let r2 = value(metrics, "r2")?;
    let pattern = lang.pick(
        "The model is no better than guessing: its R² is {0}, and always answering the mean of these rows has an R² of 0.",
        "このモデルは当て推量を上回りません。R² は {0} で、この行の平均値を常に答えた場合の R² は 0 です。",
    );
    Some(crate::report::say(pattern, &[Shown::share(r2).into()]))
}

/// The sentence for an evaluation.
pub(crate) fn of(evaluation: &Evaluation, lang: Lang) -> Option<Sentence> {
    warning(&evaluation.metrics, evaluation.baseline.as_ref()?, lang)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(name: &str, value: f64) -> Metrics {
        [(name.to_owned(), Some(value))].into()
    }

    fn guess(name: &str, value: f64) -> Guess {
        Guess { strategy: String::new(), predicts: "no".into(), metrics: metrics(name, value) }
    }

    #[test]
    fn accuracy_must_be_above_the_majority_and_r2_above_zero() {
        let majority = guess("accuracy", 0.7);
        assert_eq!(is_beaten(&metrics("accuracy", 0.71), &majority), Some(true));
        assert_eq!(is_beaten(&metrics("accuracy", 0.7), &majority), Some(false));
        assert_eq!(is_beaten(&metrics("accuracy", 1.0), &guess("accuracy", 1.0)), None);
        assert_eq!(is_beaten(&metrics("r2", 0.0), &guess("r2", 0.0)), Some(false));
        assert_eq!(is_beaten(&metrics("rmse", 0.0), &guess("rmse", 0.0)), None);
        let said = warning(&metrics("accuracy", 0.6), &majority, Lang::En).unwrap().text;
        assert!(said.contains("no better than guessing") && said.contains("70.0 %") && said.contains("“no”"));
        assert!(warning(&metrics("r2", -0.5), &guess("r2", 0.0), Lang::Ja).unwrap().text.contains("−0.500"));
        assert!(warning(&metrics("r2", 0.5), &guess("r2", 0.0), Lang::Ja).is_none());
    }
}
