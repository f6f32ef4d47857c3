//! `generate_confusion_matrix`: which classes are taken for which.

use mlops_algorithms::metrics::confusion::{ConfusionMatrix, Normalisation};
use mlops_artifacts::{Kind, run_id};
use mlops_core::values::{ArtifactUri, SupervisedTask};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::classification::{self, Answers};
use crate::classifier_run::{self, ClassifierRequest};
use crate::evaluation::{ClassResult, ConfusedClasses};
use crate::pictures::{self, Names};
use crate::plots::condensed::{self, condensed};
use crate::plots::confusion_matrix::{self, ConfusionPlot};
use crate::storing::{DrawnPlot, Folder};
use crate::{MlEvaluation, scoring};

/// The most classes whose matrix goes into a result; the file has all.
const CLASSES: usize = 60;
/// The most classes whose scores go into a result, and the most that are named in it.
const SHOWN: usize = 100;
const LABELS: usize = 500;

/// Show which classes a classifier takes for which on test data: the confusion matrix as numbers, PNG and SVG, the scores
/// of each class, and the classes that are confused most.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateConfusionMatrix {
    /// Where the model lies, as training gave it.
    pub model_s3_uri: ArtifactUri,
    /// Where the test data lies: raw columns, or columns that the model's own preprocessor made. The target is in it.
    pub test_data_s3_uri: ArtifactUri,
    /// What the cells are divided by; counts when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalisation>,
    /// The run whose folder the files go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Measures and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Which classes are taken for which.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct GeneratedConfusionMatrix {
    /// True classes are lines, predicted classes are columns; counts, or shares when asked. Null for more than 60
    /// classes, when only the file has it.
    pub matrix: Option<Vec<Vec<f64>>>,
    /// The classes in the order of lines and columns, at most the first 500; the file has all.
    pub labels: Vec<String>,
    /// What the cells are divided by; null for counts.
    pub normalize: Option<Normalisation>,
    /// How many rows were evaluated.
    pub n: u64,
    /// How many rows were left out.
    pub dropped_rows: usize,
    /// How many classes there are.
    pub classes: usize,
    /// What a reader must know about the picture.
    pub notes: Vec<String>,
    /// The scores of each class, at most 100.
    pub per_class: Vec<ClassResult>,
    /// The classes that were most often taken for each other.
    pub top_confusions: Vec<ConfusedClasses>,
    /// The matrix and its labels as JSON.
    pub matrix_uri: String,
    /// The picture as PNG.
    pub png_uri: String,
    /// The picture as SVG.
    pub svg_uri: String,
    /// Whether nothing was written.
    pub dry_run: bool,
}

#[derive(Serialize)]
struct MatrixFile<'a> {
    labels: &'a [String],
    normalize: Option<Normalisation>,
    matrix: &'a [Vec<f64>],
}

impl Tool for GenerateConfusionMatrix {
    const NAME: &'static str = "generate_confusion_matrix";
    const TITLE: &'static str = "Draw a confusion matrix";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlEvaluation;
    type Output = GeneratedConfusionMatrix;

    async fn run(self, room: &MlEvaluation, call: &Call) -> Result<GeneratedConfusionMatrix> {
        let artifacts = &room.artifacts;
        let task = SupervisedTask::Classification;
        let model = scoring::read_model(artifacts, &self.model_s3_uri, task, "model_s3_uri").await?;
        let data = scoring::read_test_data(artifacts, &self.test_data_s3_uri, call).await?;
        let hashes = [model.sha256.as_str(), data.source.sha256.as_str()];
        let run_id = run_id(self.run_id.as_deref(), call, &self, &hashes)?;
        let normalize = self.normalize;
        let (mut result, matrix, plot) = call
            .compute(move |call| {
                let (scored, left) = scoring::classify(&model, &data)?;
                let how = classifier_run::measuring(&ClassifierRequest::plain(), &scored.labels)?;
                let answers = Answers::new(scored.truth, scored.probabilities, &how)?;
                let counts = answers.matrix()?;
                let measured = answers.measure(&how, false)?;
                let as_number = |line: &Vec<u64>| line.iter().map(|&count| count as f64).collect();
                let matrix: Vec<Vec<f64>> = match normalize {
                    Some(by) => counts.normalised(by),
                    None => counts.counts.iter().map(as_number).collect(),
                };
                call.check()?;
                let drawn = condensed(&scored.labels, &counts.counts, "others");
                let drawn_shares = ConfusionMatrix { counts: drawn.1.clone(), weighted: None }
                    .normalised(normalize.unwrap_or(Normalisation::True));
                let plot = DrawnPlot::new("confusion_matrix", |names: Names| {
                    let (labels, counts) = &drawn;
                    let labels = pictures::labels(labels, names);
                    let share_of = share_of(normalize.unwrap_or(Normalisation::True));
                    let plot = ConfusionPlot { labels: &labels, counts, shares: &drawn_shares, share_of };
                    confusion_matrix::draw(&plot, Lang::En)
                })?;
                let result = GeneratedConfusionMatrix {
                    matrix: (scored.labels.len() <= CLASSES).then(|| matrix.clone()),
                    per_class: classification::class_results(&measured, &scored.labels)
                        .into_iter()
                        .take(SHOWN)
                        .collect(),
                    top_confusions: classification::top_confusions(&counts, &scored.labels),
                    normalize,
                    n: counts.n(),
                    dropped_rows: left.dropped_rows,
                    classes: scored.labels.len(),
                    notes: note(scored.labels.len()).into_iter().collect(),
                    labels: scored.labels,
                    matrix_uri: String::new(),
                    png_uri: String::new(),
                    svg_uri: String::new(),
                    dry_run: false,
                };
                Ok((result, matrix, plot))
            })
            .await?;
        call.check()?;
        let folder = Folder { artifacts, kind: Kind::Evaluations, run_id: &run_id, dry_run: self.dry_run };
        let file = MatrixFile { labels: &result.labels, normalize, matrix: &matrix };
        // A line for each cell would make a large matrix many times larger.
        result.matrix_uri = if matrix.len() > CLASSES {
            let failed = |error| Error::internal("the matrix could not be written").caused_by(error);
            folder.bytes("confusion_matrix.json", serde_json::to_vec(&file).map_err(failed)?).await?
        } else {
            folder.json("confusion_matrix.json", &file).await?
        };
        if let Some(plot) = folder.plots(vec![plot]).await?.pop() {
            (result.png_uri, result.svg_uri) = (plot.png_uri, plot.svg_uri);
        }
        result.labels.truncate(LABELS);
        result.dry_run = self.dry_run;
        Ok(result)
    }
}

fn note(classes: usize) -> Option<String> {
    (classes > condensed::MOST).then(|| {
        let most = condensed::MOST;
        format!(
            "the picture shows the {most} most confused of {classes} classes and all others as one; the file has all"
        )
    })
}

fn share_of(by: Normalisation) -> &'static str {
    match by {
        Normalisation::True => "Share of the true class",
        Normalisation::Pred => "Share of the predicted class",
        Normalisation::All => "Share of all rows",
    }
}

impl Report for GeneratedConfusionMatrix {
    fn summary(&self, lang: Lang) -> String {
        let (classes, n) = (self.classes, self.n);
        match (lang, self.top_confusions.first()) {
            (Lang::En, Some(worst)) => format!(
                "{classes} classes on {n} rows; most often `{}` is taken for `{}` ({} rows)",
                worst.actual, worst.predicted, worst.count
            ),
            (Lang::En, None) => format!("{classes} classes on {n} rows, none taken for another"),
            (Lang::Ja, Some(worst)) => format!(
                "{n} 行・{classes} クラス。最も多い誤りは「{}」を「{}」とした {} 行",
                worst.actual, worst.predicted, worst.count
            ),
            (Lang::Ja, None) => format!("{n} 行・{classes} クラス。取り違えはありません"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run {
            return Vec::new();
        }
        vec![
            ArtifactLink::new(self.png_uri.as_str(), "confusion matrix"),
            ArtifactLink::new(self.svg_uri.as_str(), "confusion matrix"),
            ArtifactLink::new(self.matrix_uri.as_str(), "confusion_matrix.json"),
        ]
    }
}
