//! `generate_roc_curve`: how well a classifier ranks, at every threshold.

use mlops_algorithms::metrics::Interval;
use mlops_algorithms::metrics::multiclass_roc::AucAveraging;
use mlops_algorithms::metrics::precision_recall::PrecisionRecallPoint;
use mlops_algorithms::metrics::roc::RocPoint;
use mlops_algorithms::metrics::threshold::{ThresholdChoice, ThresholdObjective};
use mlops_artifacts::{Kind, LoadedModel, LoadedTable, run_id};
use mlops_core::values::{ArtifactUri, SupervisedTask};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evaluate_classifier::{usual_confidence, usual_seed};
use crate::classification::{Answers, in_names};
use crate::classifier_run::{self, ClassifierRequest};
use crate::evaluation::ClassCurve;
use crate::pictures::{self, Names};
use crate::plots::lettering::decimal;
use crate::plots::roc_curve;
use crate::rounding::settled;
use crate::storing::{DrawnPlot, Folder};
use crate::{MlEvaluation, fault, resampling, scoring};

/// Show how well a classifier ranks on test data: the ROC curve with its area and interval, the precision-recall curve,
/// each class against the rest, the best threshold by Youden's J or by cost, as numbers, PNG and SVG.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateRocCurve {
    /// Where the model lies, as training gave it.
    pub model_s3_uri: ArtifactUri,
    /// Where the test data lies: raw columns, or columns that the model's own preprocessor made. The target is in it.
    pub test_data_s3_uri: ArtifactUri,
    /// The class whose curve is asked for; the second of two when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_class: Option<String>,
    /// What errors cost: the best threshold is the cheapest one. Without it Youden's J decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The confidence level of the interval, above 0 and below 1.
    #[serde(default = "usual_confidence")]
    pub confidence: f64,
    /// The seed of resampling.
    #[serde(default = "usual_seed")]
    pub seed: u64,
    /// The run whose folder the files go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Measures and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What errors cost, in any unit.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// The cost of taking a negative row as positive, 0 or more.
    #[schemars(range(min = 0.0))]
    pub false_positive: f64,
    /// The cost of taking a positive row as negative, 0 or more.
    #[schemars(range(min = 0.0))]
    pub false_negative: f64,
}

/// How well a classifier ranks.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct GeneratedRocCurve {
    /// The area under the ROC curve: of the positive class of two, else averaged as `auc_averaging` says; null when only
    /// one class is present.
    pub auc: Option<f64>,
    /// The interval of the area; null when there is none.
    pub interval: Option<Interval>,
    /// How the area is averaged over classes.
    pub auc_averaging: AucAveraging,
    /// Why there is no area; null when there is one.
    pub reason: Option<String>,
    /// What a reader must know about the numbers.
    pub notes: Vec<String>,
    /// The class that counts as positive; null when there are more than two and none was named.
    pub positive_class: Option<String>,
    /// The ROC curve of the positive class, thinned out to at most 200 points; empty without a positive class.
    pub points: Vec<RocPoint>,
    /// The precision-recall curve of the positive class, thinned out; empty without a positive class.
    pub precision_recall: Vec<PrecisionRecallPoint>,
    /// The best threshold of the positive class; null without one.
    pub best_threshold: Option<BestThreshold>,
    /// The areas of each class against the rest, at most the 50 smallest.
    pub per_class: Vec<ClassArea>,
    /// How many rows were evaluated.
    pub n: usize,
    /// All curves as JSON.
    pub curves_uri: String,
    /// The ROC curve as PNG.
    pub png_uri: String,
    /// The ROC curve as SVG.
    pub svg_uri: String,
    /// The precision-recall curve as PNG.
    pub precision_recall_png_uri: String,
    /// The precision-recall curve as SVG.
    pub precision_recall_svg_uri: String,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// What the best threshold is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdGoal {
    /// The largest Youden's J: true positive rate minus false positive rate.
    Youden,
    /// The smallest mean cost of a row.
    Cost,
}

/// The best threshold and what it does on the test data, on which it was chosen.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct BestThreshold {
    /// What it was chosen for.
    pub objective: ThresholdGoal,
    /// The class that counts as positive.
    pub positive_class: String,
    /// Rows with at least this probability are taken as positive; null when there is no threshold, and `reason` says why.
    pub threshold: Option<f64>,
    /// Youden's J or the mean cost of a row at the threshold.
    pub value: Option<f64>,
    /// The share of positive rows taken as positive.
    pub true_positive_rate: Option<f64>,
    /// The share of negative rows taken as positive.
    pub false_positive_rate: Option<f64>,
    /// The share of rows taken as positive that are; null when no row is.
    pub precision: Option<f64>,
    /// F1 of the positive class.
    pub f1_score: Option<f64>,
    /// Why there is no threshold; null when there is one.
    pub reason: Option<String>,
}

impl BestThreshold {
    fn of(choice: ThresholdChoice, labels: &[String]) -> Self {
        let objective = match choice.objective {
            ThresholdObjective::Cost { .. } => ThresholdGoal::Cost,
            _ => ThresholdGoal::Youden,
        };
        Self {
            objective,
            positive_class: labels.get(choice.positive_class as usize).cloned().unwrap_or_default(),
            threshold: choice.threshold,
            value: choice.value.map(settled),
            true_positive_rate: choice.true_positive_rate.map(settled),
            false_positive_rate: choice.false_positive_rate.map(settled),
            precision: choice.precision.map(settled),
            f1_score: choice.f1_score.map(settled),
            reason: choice.reason.map(|reason| in_names(&reason, labels)),
        }
    }
}

/// The areas of one class against the rest.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClassArea {
    /// The class.
    pub label: String,
    /// The area under the ROC curve; null when the class has no row or all of them.
    pub auc: Option<f64>,
    /// Average precision; null when the class has no row.
    pub average_precision: Option<f64>,
}

impl Tool for GenerateRocCurve {
    const NAME: &'static str = "generate_roc_curve";
    const TITLE: &'static str = "Draw a ROC curve";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlEvaluation;
    type Output = GeneratedRocCurve;

    async fn run(self, room: &MlEvaluation, call: &Call) -> Result<GeneratedRocCurve> {
        let artifacts = &room.artifacts;
        let task = SupervisedTask::Classification;
        let model = scoring::read_model(artifacts, &self.model_s3_uri, task, "model_s3_uri").await?;
        let data = scoring::read_test_data(artifacts, &self.test_data_s3_uri, call).await?;
        let hashes = [model.sha256.as_str(), data.source.sha256.as_str()];
        let run_id = run_id(self.run_id.as_deref(), call, &self, &hashes)?;
        let dry_run = self.dry_run;
        let (mut result, curves, plots) = call.compute(move |call| self.measure(&model, &data, call)).await?;
        call.check()?;
        let folder = Folder { artifacts, kind: Kind::Evaluations, run_id: &run_id, dry_run };
        result.curves_uri = folder.json("roc_curve.json", &curves).await?;
        let mut files = folder.plots(plots).await?.into_iter();
        if let (Some(roc), Some(recall)) = (files.next(), files.next()) {
            (result.png_uri, result.svg_uri) = (roc.png_uri, roc.svg_uri);
            (result.precision_recall_png_uri, result.precision_recall_svg_uri) = (recall.png_uri, recall.svg_uri);
        }
        result.dry_run = dry_run;
        Ok(result)
    }
}

impl GenerateRocCurve {
    fn measure(
        &self,
        model: &LoadedModel,
        data: &LoadedTable,
        call: &Call,
    ) -> Result<(GeneratedRocCurve, Vec<ClassCurve>, Vec<DrawnPlot>)> {
        let (scored, _) = scoring::classify(model, data)?;
        let request = ClassifierRequest {
            confidence: self.confidence,
            seed: self.seed,
            positive_class: self.positive_class.clone(),
            ..ClassifierRequest::plain()
        };
        let how = classifier_run::measuring(&request, &scored.labels)?;
        let answers = Answers::new(scored.truth, scored.probabilities, &how)?;
        call.check()?;
        let mut measured = answers.measure(&how, true)?;
        let own = how.positive.map(|positive| answers.curves(&scored.labels, Some(positive), call)).transpose()?;
        let own = own.and_then(|mut curves| curves.pop());
        let curves = match &own {
            Some(curve) if scored.labels.len() == 2 => vec![curve.clone()],
            _ => answers.curves(&scored.labels, None, call)?,
        };
        let objective = self.cost.map_or(ThresholdObjective::Youden, |cost| ThresholdObjective::Cost {
            false_positive_cost: cost.false_positive,
            false_negative_cost: cost.false_negative,
        });
        let best = match how.positive {
            Some(positive) => Some(
                answers
                    .ranked(positive)?
                    .best_threshold(objective)
                    .map_err(|error| fault::of_metric(error).at("cost"))?,
            ),
            None if self.cost.is_some() => {
                return Err(Error::invalid_input("a cost needs a positive class").at("positive_class"));
            }
            None => None,
        };
        call.check()?;
        let marked = best.as_ref().and_then(|best| Some([best.false_positive_rate?, best.true_positive_rate?]));
        let prevalence = if let [only] = &curves[..] { Some(only.prevalence) } else { None };
        let marked = marked.filter(|_| curves.len() == 1);
        let plots = vec![
            DrawnPlot::new("roc_curve", |names: Names| {
                roc_curve::draw_roc(&pictures::curves(&curves, names).0, marked, Lang::En)
            })?,
            DrawnPlot::new("precision_recall_curve", |names: Names| {
                roc_curve::draw_precision_recall(&pictures::curves(&curves, names).1, prevalence, Lang::En)
            })?,
        ];
        let (points, precision_recall) = own.map(|curve| (curve.roc, curve.precision_recall)).unwrap_or_default();
        let area = |curve: &ClassCurve| ClassArea {
            label: curve.label.clone(),
            auc: curve.auc_roc,
            average_precision: curve.average_precision,
        };
        let result = GeneratedRocCurve {
            auc: measured.auc_roc.map(settled),
            interval: measured.intervals.remove("auc_roc"),
            auc_averaging: measured.auc_averaging,
            reason: measured.undefined.remove("auc_roc").map(|reason| in_names(&reason, &scored.labels)),
            notes: resampling::note(scored.labels.len()).into_iter().collect(),
            positive_class: how.positive.and_then(|code| scored.labels.get(code as usize)).cloned(),
            points,
            precision_recall,
            best_threshold: best.map(|choice| BestThreshold::of(choice, &scored.labels)),
            per_class: curves.iter().map(area).collect(),
            n: answers.truth.len(),
            curves_uri: String::new(),
            png_uri: String::new(),
            svg_uri: String::new(),
            precision_recall_png_uri: String::new(),
            precision_recall_svg_uri: String::new(),
            dry_run: false,
        };
        Ok((result, curves, plots))
    }
}

impl Report for GeneratedRocCurve {
    fn summary(&self, lang: Lang) -> String {
        let n = self.n;
        match (lang, self.auc.map(|area| decimal(area, 3))) {
            (Lang::En, Some(area)) => format!("the area under the ROC curve is {area} on {n} rows"),
            (Lang::Ja, Some(area)) => format!("{n} 行で ROC 曲線下面積は {area}"),
            (Lang::En, None) => format!("there is no ROC curve: {}", self.reason.as_deref().unwrap_or("not defined")),
            (Lang::Ja, None) => format!("ROC 曲線はありません: {}", self.reason.as_deref().unwrap_or("未定義")),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run {
            return Vec::new();
        }
        vec![
            ArtifactLink::new(self.png_uri.as_str(), "ROC curve"),
            ArtifactLink::new(self.precision_recall_png_uri.as_str(), "precision-recall curve"),
            ArtifactLink::new(self.curves_uri.as_str(), "roc_curve.json"),
        ]
    }
}
