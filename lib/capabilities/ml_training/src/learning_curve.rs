//! The learning curve of a training: the losses in few points, what they show, and a plot.

use mlops_algorithms::models::{CurvePoint, Diagnosed, Diagnosis, Fitted, Hyperparameters, diagnose, thinned};
use mlops_artifacts::drawing::learning_curve;
use mlops_core::ports::Condition;
use mlops_core::values::ArtifactUri;
use mlops_core::{Lang, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MlTraining;

/// The most points in a result.
const POINTS: usize = 100;

/// The losses of an algorithm that learns in iterations, and what they show.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LearningCurve {
    /// Which loss it is.
    pub loss: String,
    /// What the curve shows, over the iterations up to the one whose state is the model. A loss ends high when the mean of its
    /// last twentieth is more than 5 % above its least, and by more than a tenth of what it had fallen. `nan`: some loss is
    /// not finite; `diverging`: the training loss ends high; `overfitting`: the validation loss ends high while the training
    /// loss fell on; `plateau`: the last third of at least ten iterations took less than a thousandth of the fall off the
    /// least loss, and neither the tolerance nor early stopping ended the fit; `ok`: none of these.
    pub diagnosis: Diagnosis,
    /// The diagnosis in a sentence with its figures.
    pub explanation: String,
    /// The iteration with the least loss on the validation rows, or on the training rows where there are none.
    pub least_at: usize,
    /// The iteration whose state early stopping chose for the model; null where nothing stops early.
    pub kept_iteration: Option<usize>,
    /// At most 100 points: the first, the last, the least and others at even distances.
    pub points: Vec<LearningPoint>,
    /// The plot, as SVG; null after a dry run.
    pub plot_uri: Option<ArtifactUri>,
}

/// The loss after one iteration.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LearningPoint {
    /// The iteration, counted from 1.
    pub iteration: usize,
    /// The loss on the training rows; null when it is not finite.
    pub train: Option<f64>,
    /// The loss on the validation rows; null where there are none, or when it is not finite.
    pub validation: Option<f64>,
}

/// A learning curve with its plot, before that has a place.
pub(crate) struct DrawnCurve {
    pub(crate) curve: LearningCurve,
    picture: String,
}

impl DrawnCurve {
    /// The curve of a fit; `None` for an algorithm that keeps no losses.
    pub(crate) fn of(fitted: &Fitted, parameters: &Hyperparameters, lang: Lang) -> Option<Self> {
        let kept = fitted.kept_iteration(parameters);
        let found = diagnose(&fitted.curve, fitted.converged, kept)?;
        let loss = fitted.loss_name(parameters)?;
        let picture = learning_curve::draw(&fitted.curve, &loss, kept, lang);
        let curve = LearningCurve {
            explanation: explain(&found, fitted, kept),
            loss,
            diagnosis: found.diagnosis,
            least_at: found.least_at,
            kept_iteration: kept,
            points: thinned(&fitted.curve, POINTS).into_iter().map(LearningPoint::of).collect(),
            plot_uri: None,
        };
        Some(Self { curve, picture })
    }

    /// Writes the plot beside the model.
    pub(crate) async fn write(&mut self, room: &MlTraining, model: &ArtifactUri) -> Result<()> {
        let place = model.with_file_name("learning_curve.svg");
        let picture = self.picture.clone();
        let written = room.artifacts.write_bytes(&place, picture, Condition::None).await?;
        self.curve.plot_uri = Some(written.uri);
        Ok(())
    }
}

impl LearningPoint {
    fn of(point: CurvePoint) -> Self {
        let finite = |loss: f64| loss.is_finite().then_some(loss);
        Self { iteration: point.iteration, train: finite(point.train), validation: point.validation.and_then(finite) }
    }
}

fn explain(found: &Diagnosed, fitted: &Fitted, kept: Option<usize>) -> String {
    let Diagnosed { least_at, least, end, .. } = found;
    let iterations = fitted.curve.len();
    match (found.diagnosis, kept) {
        (Diagnosis::Nan, _) => "some loss is not a finite number; scale the features, or learn more slowly".to_owned(),
        (Diagnosis::Diverging, _) => "the training loss ends well above its least; learn more slowly".to_owned(),
        (Diagnosis::Overfitting, _) => format!(
            "the validation loss rose from {least:.4} at iteration {least_at} to {end:.4} while the training loss fell on; \
             stop early, or restrain the model"
        ),
        (Diagnosis::Plateau, _) => {
            format!("the last third of {iterations} iterations changed nothing to speak of; fewer would do")
        }
        (Diagnosis::Ok, Some(kept)) => format!("early stopping kept iteration {kept} of {iterations}"),
        (Diagnosis::Ok, None) => format!("the loss ends at {end:.4} after {iterations} iterations"),
    }
}
