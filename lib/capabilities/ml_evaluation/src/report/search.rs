//! How the hyperparameters of the model were found.

use mlops_algorithms::search::{ConvergencePoint, SearchMetric};
use mlops_artifacts::drawing::convergence;
use mlops_core::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::{Fact, Plot};
use super::metric_words;
use super::sentence::{Argument, Sentence, Shown, say};
use crate::plots::lettering;

/// The most points of the plot.
const POINTS: usize = 1000;

/// How the hyperparameters of the model were searched, as the training agent says it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchFacts {
    /// The algorithm.
    pub algorithm: String,
    /// How trials were chosen: `grid`, `random` or `bayesian`.
    pub strategy: String,
    /// What counted.
    pub metric: String,
    /// Into how many folds the training rows were divided.
    pub folds: usize,
    /// How many trials were asked for.
    pub max_trials: usize,
    /// How many there were.
    pub trials: usize,
    /// How many of them were ended early.
    #[serde(default)]
    pub pruned: usize,
    /// How many of them failed.
    #[serde(default)]
    pub failed: usize,
    /// The number of the best trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_trial: Option<usize>,
    /// The metric of the best trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_value: Option<f64>,
    /// The parameters of the best trial.
    #[serde(default)]
    pub best_params: Map<String, Value>,
    /// Why the search has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Why there were fewer trials than were asked for, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where the trials lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study_uri: Option<String>,
    /// A plot of the values by trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convergence_plot_uri: Option<String>,
    /// The way to the best trial.
    #[serde(default)]
    pub convergence: Vec<ConvergencePoint>,
}

/// The section about the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchSection {
    /// What was done and found.
    pub sentences: Vec<Sentence>,
    /// The best parameters.
    pub parameters: Vec<Fact>,
    /// Where the trials lie.
    pub places: Vec<Fact>,
}

/// The section of those facts.
pub(super) fn section(facts: &SearchFacts, lang: Lang) -> SearchSection {
    let count = |count: usize| Argument::from(Shown::count(count));
    let algorithm = || Argument::from(facts.algorithm.as_str());
    let note = || Argument::from(facts.note.as_deref().unwrap_or("–"));
    let (Some(best), Some(value)) = (facts.best_trial, facts.best_value) else {
        let pattern = lang.pick(
            "The hyperparameters of {0} were not searched: {1}.",
            "{0} のハイパーパラメータは探索されませんでした: {1}。",
        );
        let sentences = vec![say(pattern, &[algorithm(), note()])];
        return SearchSection { sentences, parameters: Vec::new(), places: Vec::new() };
    };
    let pattern = lang.pick(
        "A {0} search tried {1} combinations of hyperparameters of {2}, each by the {3} on {4} folds of the training rows. \
         The best, trial {5}, reached {6}.",
        "{0} 探索で {2} のハイパーパラメータを {1} 通り試し、学習データの {4} 分割交差検証の{3}で比べました。最良は試行 {5} の \
         {6} です。",
    );
    let (name, shown) = metric(&facts.metric, value, lang);
    let strategy = Argument::from(facts.strategy.as_str());
    let trials = count(facts.trials);
    let arguments =
        [strategy, trials, algorithm(), Argument::Words(name), count(facts.folds), count(best), shown.into()];
    let mut sentences = vec![say(pattern, &arguments)];
    if facts.note.is_some() {
        let pattern = lang.pick("{0} trials were asked for: {1}.", "依頼された試行数は {0} 回です: {1}。");
        sentences.push(say(pattern, &[count(facts.max_trials), note()]));
    }
    if facts.pruned + facts.failed > 0 {
        let pattern = lang
            .pick("{0} trials were ended early and {1} failed.", "{0} 回は途中で打ち切られ、{1} 回は失敗しました。");
        sentences.push(say(pattern, &[count(facts.pruned), count(facts.failed)]));
    }
    let parameters = facts.best_params.iter().map(|(name, value)| parameter(name, value)).collect();
    let place = |label, uri: &Option<String>| uri.as_ref().map(|uri| Fact::code(label, uri.as_str()));
    let places = [
        place(lang.pick("Trials", "試行の記録"), &facts.study_uri),
        place(lang.pick("Plot", "図"), &facts.convergence_plot_uri),
    ];
    SearchSection { sentences, parameters, places: places.into_iter().flatten().collect() }
}

/// The picture of the way to the best trial; none for fewer than two trials.
pub(super) fn plot(facts: &SearchFacts, lang: Lang) -> Option<Plot> {
    let points = &facts.convergence[..facts.convergence.len().min(POINTS)];
    let (name, _) = metric(&facts.metric, 0.0, lang);
    let svg = || convergence::draw(points, &name, lang);
    (points.len() > 1).then(|| Plot { name: "convergence".to_owned(), svg: svg() })
}

/// What the metric is called, and a value of it.
fn metric(name: &str, value: f64, lang: Lang) -> (String, Shown) {
    let known = SearchMetric::named(name).map_or(name, |metric| metric.evaluation_name());
    (metric_words::label(known, lang), metric_words::show(known, value))
}

fn parameter(name: &str, value: &Value) -> Fact {
    match value.as_f64() {
        Some(number) if value.is_f64() => {
            Fact::number(name, Shown { value: number, text: lettering::significant(number, 4) })
        }
        number => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Fact { value: number, ..Fact::words(name, text) }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(changes: &Value) -> SearchFacts {
        let mut facts = json!({"algorithm": "random_forest", "strategy": "bayesian", "metric": "f1_macro", "folds": 5,
            "max_trials": 10, "trials": 7, "failed": 1, "best_trial": 4, "best_value": 0.934_512,
            "best_params": {"max_features": 0.33, "min_samples_leaf": 3, "criterion": "gini"}, "note": "its time was over",
            "convergence": [{"trial": 0, "value": 0.9, "best": 0.9}, {"trial": 4, "value": 0.93, "best": 0.93}]});
        facts.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(facts).unwrap()
    }

    #[test]
    fn what_was_tried_and_found_is_said() {
        for lang in [Lang::En, Lang::Ja] {
            let section = section(&facts(&json!({})), lang);
            let text = section.sentences.iter().map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join(" ");
            assert!(text.contains("bayesian") && text.contains("random_forest") && text.contains("0.935"), "{text}");
            assert!(text.contains("its time was over") && !text.contains('{'), "{text}");
            let shown = section.parameters.iter().map(|fact| fact.text.as_str()).collect::<Vec<_>>();
            assert_eq!(shown, ["0.3300", "3", "gini"]);
        }
        assert!(plot(&facts(&json!({})), Lang::En).is_some());
        assert!(plot(&facts(&json!({"convergence": []})), Lang::En).is_none());
    }

    #[test]
    fn a_search_that_was_not_made_says_why() {
        let section = section(&facts(&json!({"best_trial": null, "best_value": null, "note": "too slow"})), Lang::En);
        assert_eq!(section.sentences[0].text, "The hyperparameters of random_forest were not searched: too slow.");
        assert!(section.parameters.is_empty());
    }
}
