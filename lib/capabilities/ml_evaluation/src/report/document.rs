//! The report as data: `report.json`.

use std::collections::BTreeMap;

use mlops_core::Lang;
use mlops_core::values::TaskType;
use serde::{Deserialize, Serialize};

use super::inputs::{DataFacts, Decided, Decision, Requested};
use super::learning_curve::{self, LearningSection};
use super::metric_words::{self, MetricWords, Reading};
use super::search::{self, SearchSection};
use super::sentence::{Sentence, Shown};
use super::{caveats, findings, identity, verdict, weaknesses};
use crate::evaluation::Evaluation;
use crate::guessing;
use crate::pictures::{self, Names};
use crate::plots::intervals::{self, Line};

/// Everything that a report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The number of this format: 1.
    pub format: u32,
    /// The language.
    pub lang: Lang,
    /// The kind of learning.
    pub task: TaskType,
    /// The title.
    pub title: String,
    /// The run.
    pub run_id: String,
    /// What was decided.
    pub verdict: Verdict,
    /// That the model is no better than guessing; null when it is, or when that cannot be told.
    pub warning: Option<Sentence>,
    /// What was asked for.
    pub asked: Vec<Fact>,
    /// What was found, in plain words.
    pub found: Vec<Sentence>,
    /// What guessing knows that no model does; empty where nothing is predicted.
    pub guessing: String,
    /// The metrics, the most telling first.
    pub metrics: Vec<MetricLine>,
    /// Where the model errs, in plain words.
    pub weak: Vec<Sentence>,
    /// Tables about errors: by class, by slice, single rows.
    pub tables: Vec<TableOfNumbers>,
    /// What matters most to the model, the most important first.
    pub importance: Vec<Fact>,
    /// How the hyperparameters were searched; null when they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchSection>,
    /// How the model learnt; null where its algorithm keeps no losses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_curve: Option<LearningSection>,
    /// What limits the conclusions.
    pub caveats: Vec<Sentence>,
    /// What the report is about, with hashes.
    pub identity: Vec<FactGroup>,
    /// The pictures by name. The page holds them itself, so the JSON leaves them out.
    #[serde(skip)]
    pub plots: Vec<Plot>,
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The decision; null when there was none to make.
    pub decision: Option<Decision>,
    /// The decision in a few words.
    pub headline: String,
    /// The decision in a sentence.
    pub explanation: String,
    /// Why, the weightiest first.
    pub reasons: Vec<String>,
    /// The gates.
    pub gates: Vec<GateLine>,
}

/// One rule of one gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateLine {
    /// What is looked at.
    pub what: String,
    /// What is required, as words before the number.
    pub rule: String,
    /// The number that is required.
    pub required: Shown,
    /// What was observed; null when it is not known.
    pub observed: Option<Shown>,
    /// Whether it passed.
    pub passed: bool,
    /// A remark: does not block, no champion, not certain.
    pub remark: String,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricLine {
    /// Its name in results.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// What it means.
    pub meaning: String,
    /// Whether more is better.
    pub more_is_better: bool,
    /// Its value; null when it is not defined.
    pub value: Option<Shown>,
    /// The lower end of its interval.
    pub lower: Option<Shown>,
    /// The upper end of its interval.
    pub upper: Option<Shown>,
    /// What guessing reaches.
    pub guessing: Option<Shown>,
    /// What the other model reaches on the same rows.
    pub champion: Option<Shown>,
    /// The change against the other model.
    pub change: Option<Shown>,
    /// Why there is no value; null when there is one.
    pub reason: Option<String>,
}

/// A named fact: words or a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// What is read.
    pub text: String,
    /// The number behind it; null for words.
    pub value: Option<f64>,
    /// Whether it is a hash or a place, for a font of equal widths.
    pub code: bool,
}

/// Facts that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactGroup {
    /// What they are about.
    pub title: String,
    /// The facts.
    pub facts: Vec<Fact>,
}

/// A table whose cells are words or numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableOfNumbers {
    /// What it shows, as `per_class`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The titles of the columns.
    pub columns: Vec<String>,
    /// The lines; a cell without a value is words.
    pub lines: Vec<Vec<super::Part>>,
}

/// A picture in the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plot {
    /// What it shows, as `confusion_matrix`.
    pub name: String,
    /// The picture.
    pub svg: String,
}

impl Fact {
    /// A fact in words.
    pub(super) fn words(label: &str, text: impl Into<String>) -> Self {
        Self { label: label.to_owned(), text: text.into(), value: None, code: false }
    }

    /// A hash or a place.
    pub(super) fn code(label: &str, text: impl Into<String>) -> Self {
        Self { code: true, ..Self::words(label, text) }
    }

    /// A number.
    pub(super) fn number(label: &str, number: Shown) -> Self {
        Self { value: Some(number.value), ..Self::words(label, number.text) }
    }
}

/// What a report is made of.
pub(crate) struct Material<'a> {
    /// The evaluation.
    pub evaluation: &'a Evaluation,
    /// A title of one's own.
    pub title: Option<&'a str>,
    /// What was asked for.
    pub requested: &'a Requested,
    /// What was decided.
    pub decided: Option<&'a Decided>,
    /// Facts of the data.
    pub data: &'a DataFacts,
    /// The run, when it is not the evaluation's.
    pub run_id: &'a str,
    /// The language.
    pub lang: Lang,
}

/// The report of that material.
pub(crate) fn build(material: &Material<'_>) -> Document {
    let (evaluation, lang) = (material.evaluation, material.lang);
    let metrics = metric_lines(evaluation, lang);
    let mut plots: Vec<Plot> = Vec::new();
    let lines = interval_lines(&metrics);
    // One line alone says no more than the sentence above it.
    if lines.len() > 1 {
        plots.push(Plot { name: "intervals".to_owned(), svg: intervals::draw(&lines, lang) });
    }
    let drawn = pictures::of(evaluation, Names::All, lang);
    plots.extend(drawn.into_iter().map(|picture| Plot { name: picture.name.to_owned(), svg: picture.svg }));
    let searched = material.data.search.as_ref();
    plots.extend(searched.and_then(|facts| search::plot(facts, lang)));
    let learnt = material.data.learning_curve.as_ref();
    plots.extend(learnt.and_then(|facts| learning_curve::plot(facts, lang)));
    Document {
        format: 1,
        lang,
        task: evaluation.task,
        title: material.title.map_or_else(|| title(material), str::to_owned),
        run_id: material.run_id.to_owned(),
        verdict: verdict::of(material),
        warning: guessing::of(evaluation, lang),
        asked: identity::asked(material),
        found: findings::of(evaluation, material.decided, lang),
        guessing: about_guessing(evaluation.task, lang).to_owned(),
        metrics,
        weak: weaknesses::sentences(evaluation, lang),
        tables: weaknesses::tables(evaluation, lang),
        importance: importance(evaluation),
        search: searched.map(|facts| search::section(facts, lang)),
        learning_curve: learnt.map(|facts| learning_curve::section(facts, lang)),
        caveats: caveats::of(material),
        identity: identity::groups(material),
        plots,
    }
}

fn about_guessing(task: TaskType, lang: Lang) -> &'static str {
    match task {
        TaskType::Classification => lang.pick(
            "Guessing always answers the most frequent class, with the share of each class as its probability. It knows the class shares of these very test rows, which no one knows of new rows.",
            "当て推量は常に最も多いクラスを答え、各クラスの割合を確率とします。このテスト行そのもののクラス割合を知っている点で、実際より有利です。",
        ),
        TaskType::Regression => lang.pick(
            "Guessing always answers the mean. It knows the mean of these very test rows, which no one knows of new rows.",
            "当て推量は常に平均値を答えます。このテスト行そのものの平均値を知っている点で、実際より有利です。",
        ),
        TaskType::Clustering | TaskType::DimensionalityReduction => "",
    }
}

fn title(material: &Material<'_>) -> String {
    let named = material.requested.named(material.lang);
    let model = &material.evaluation.model;
    let name = named.or_else(|| model.target_column.clone()).unwrap_or_else(|| model.algorithm.clone());
    match material.lang {
        Lang::En => format!("Evaluation of {name}"),
        Lang::Ja => format!("{name} の評価レポート"),
    }
}

/// The metrics of the evaluation, those with words first, then any others by name.
fn metric_lines(evaluation: &Evaluation, lang: Lang) -> Vec<MetricLine> {
    let known: &[MetricWords] = match evaluation.task {
        TaskType::Classification => metric_words::CLASSIFIER,
        TaskType::Regression => metric_words::REGRESSOR,
        TaskType::Clustering => metric_words::CLUSTERING,
        TaskType::DimensionalityReduction => metric_words::REDUCTION,
    };
    let line = |words: &MetricWords| {
        let value = *evaluation.metrics.get(words.name)?;
        let interval = evaluation.intervals.get(words.name);
        let of = |metrics: &BTreeMap<String, Option<f64>>| metrics.get(words.name).copied().flatten();
        let comparison = evaluation.comparison.as_ref();
        Some(MetricLine {
            name: words.name.to_owned(),
            label: words.label(lang).to_owned(),
            meaning: words.meaning(lang).to_owned(),
            more_is_better: words.more_is_better,
            value: value.map(|value| words.show(value)),
            lower: interval.map(|interval| words.show(interval.lower)),
            upper: interval.map(|interval| words.show(interval.upper)),
            guessing: evaluation.baseline.as_ref().and_then(|guess| of(&guess.metrics)).map(|value| words.show(value)),
            champion: comparison.and_then(|other| of(&other.baseline_metrics)).map(|value| words.show(value)),
            change: comparison.and_then(|other| other.deltas.get(words.name)).map(|&delta| words.show(delta).signed()),
            reason: if value.is_none() { evaluation.undefined.get(words.name).cloned() } else { None },
        })
    };
    known.iter().filter_map(line).collect()
}

/// The metrics between 0 and 1 of which more is better, for one common picture.
fn interval_lines(metrics: &[MetricLine]) -> Vec<Line> {
    let fits = |line: &&MetricLine| {
        let is_share = metric_words::find(&line.name).is_some_and(|words| words.reading == Reading::Share);
        is_share && line.more_is_better && line.value.as_ref().is_some_and(|value| (0.0..=1.0).contains(&value.value))
    };
    let line = |line: &MetricLine| {
        let number = |shown: &Option<Shown>| shown.as_ref().map(|shown| shown.value);
        Some(Line {
            label: line.label.clone(),
            value: number(&line.value)?,
            interval: number(&line.lower).zip(number(&line.upper)).map(|(lower, upper)| [lower, upper]),
            baseline: number(&line.guessing),
            champion: number(&line.champion),
        })
    };
    metrics.iter().filter(fits).filter_map(line).collect()
}

fn importance(evaluation: &Evaluation) -> Vec<Fact> {
    let mut features: Vec<(&String, f64)> =
        evaluation.model.feature_importance.iter().map(|(name, value)| (name, *value)).collect();
    features.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(b.0)));
    features.truncate(crate::plots::importance::MOST);
    features
        .into_iter()
        .map(|(name, value)| Fact::number(name, Shown { value, text: crate::plots::lettering::significant(value, 3) }))
        .collect()
}
