//! How the model learnt: its losses by iteration, and what they show.

use mlops_algorithms::models::{CurvePoint, Diagnosis};
use mlops_artifacts::drawing::learning_curve;
use mlops_core::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Fact, Plot};
use super::sentence::{Sentence, Shown, say};

/// The most points of the plot.
const POINTS: usize = 1000;

/// The learning curve of the model, as the training tools give it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearningFacts {
    /// Which loss it is.
    pub loss: String,
    /// What the curve shows.
    pub diagnosis: Diagnosis,
    /// The diagnosis in the trainer's words; the report has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The iteration with the least loss on the validation rows, or on the training rows where there are none.
    pub least_at: usize,
    /// The iteration whose state early stopping chose for the model; null where nothing stops early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_iteration: Option<usize>,
    /// The losses, thinned.
    #[serde(default)]
    pub points: Vec<LearningFact>,
    /// The trainer's plot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plot_uri: Option<String>,
}

/// The loss after one iteration.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearningFact {
    /// The iteration, counted from 1.
    pub iteration: usize,
    /// The loss on the training rows; null when it is not finite.
    #[serde(default)]
    pub train: Option<f64>,
    /// The loss on the validation rows; null where there are none, or when it is not finite.
    #[serde(default)]
    pub validation: Option<f64>,
}

impl LearningFact {
    fn point(&self) -> CurvePoint {
        let Self { iteration, train, validation } = *self;
        CurvePoint { iteration, train: train.unwrap_or(f64::NAN), validation }
    }
}

/// The section about the learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningSection {
    /// What the curve shows, for programs.
    pub diagnosis: Diagnosis,
    /// What it shows, and what may be done.
    pub sentences: Vec<Sentence>,
    /// Where the trainer's plot lies.
    pub places: Vec<Fact>,
}

/// The section of those facts.
pub(super) fn section(facts: &LearningFacts, lang: Lang) -> LearningSection {
    let pattern = match facts.diagnosis {
        Diagnosis::Ok => lang.pick(
            "Over {0} iterations the {1} was least after iteration {2}. Nothing in its course speaks against the model.",
            "{0} 回の反復のうち、{1} は {2} 回目で最小でした。経過に問題は見られません。",
        ),
        Diagnosis::Overfitting => lang.pick(
            "Overfitting: of {0} iterations, after iteration {2} the {1} on the validation rows rose while that on the training rows \
             fell on. Stop early, or restrain the model.",
            "過学習: {0} 回の反復のうち {2} 回目以降、検証データの {1} は上がり、学習データでは下がり続けました。早期終了か、モデルの制約を強めてください。",
        ),
        Diagnosis::Plateau => lang.pick(
            "The last third of {0} iterations took nothing to speak of off the {1}, which was least after iteration {2}: fewer would do.",
            "{0} 回の反復の最後の三分の一で {1} はほとんど下がりませんでした（最小は {2} 回目）。反復を減らせます。",
        ),
        Diagnosis::Diverging => lang.pick(
            "Diverging: after {0} iterations the {1} on the training rows ends well above its least, after iteration {2}. Learn more slowly.",
            "発散: {0} 回の反復の後、学習データの {1} は最小値（{2} 回目）を大きく上回っています。学習率を下げてください。",
        ),
        Diagnosis::Nan => lang.pick(
            "Within {0} iterations some {1} is not a finite number. Scale the features, or learn more slowly.",
            "{0} 回の反復のうちに {1} が有限の数でなくなりました。特徴量の尺度を揃えるか、学習率を下げてください。",
        ),
    };
    let iterations = facts.points.last().map_or(facts.least_at, |point| point.iteration);
    let arguments = [Shown::count(iterations).into(), facts.loss.as_str().into(), Shown::count(facts.least_at).into()];
    let arguments = if facts.diagnosis == Diagnosis::Nan { &arguments[..2] } else { &arguments[..] };
    let places = facts.plot_uri.iter().map(|uri| Fact::code(lang.pick("Plot", "図"), uri.as_str()));
    LearningSection { diagnosis: facts.diagnosis, sentences: vec![say(pattern, arguments)], places: places.collect() }
}

/// The picture of the losses; none for fewer than two points.
pub(super) fn plot(facts: &LearningFacts, lang: Lang) -> Option<Plot> {
    let points = &facts.points[..facts.points.len().min(POINTS)];
    let curve = points.iter().map(LearningFact::point).collect::<Vec<_>>();
    let svg = || learning_curve::draw(&curve, &facts.loss, facts.kept_iteration, lang);
    (points.len() > 1).then(|| Plot { name: "learning_curve".to_owned(), svg: svg() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn facts(diagnosis: &str) -> LearningFacts {
        let point =
            |iteration: usize| json!({"iteration": iteration, "train": 1.0 / iteration as f64, "validation": null});
        let points = (1..=40).map(point).collect::<Value>();
        let facts = json!({"loss": "log loss", "diagnosis": diagnosis, "explanation": "as it was", "least_at": 17,
            "points": points, "plot_uri": null});
        serde_json::from_value(facts).unwrap()
    }

    #[test]
    fn each_diagnosis_is_said_in_both_languages() {
        for lang in [Lang::En, Lang::Ja] {
            for diagnosis in ["ok", "overfitting", "plateau", "diverging", "nan"] {
                let text = &section(&facts(diagnosis), lang).sentences[0].text;
                assert!(text.contains("40") && text.contains("log loss") && !text.contains('{'), "{text}");
                assert_eq!(text.contains("17"), diagnosis != "nan", "{text}");
            }
        }
    }

    #[test]
    fn a_single_point_is_no_picture() {
        let mut facts = facts("ok");
        assert!(plot(&facts, Lang::En).is_some());
        facts.points.truncate(1);
        assert!(plot(&facts, Lang::En).is_none());
    }
}
