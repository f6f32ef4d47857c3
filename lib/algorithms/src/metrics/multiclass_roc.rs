//! The area under the ROC curve for any number of classes, with the name of its averaging.

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::roc::RankedScores;
use super::{Measure, Result, input};

/// How the areas of several classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AucAveraging {
    /// The positive class of two.
    Binary,
    /// The plain mean of each class against all others.
    OneVsRestMacro,
    /// The mean of each class against all others, weighted by the number of its rows.
    OneVsRestWeighted,
    /// The plain mean over all pairs of classes (Hand and Till, 2001).
    OneVsOneMacro,
}

/// The area under the ROC curve over several classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AveragedAuc {
    /// How the classes were brought together.
    pub averaging: AucAveraging,
    /// The area; null when only one class is present.
    pub value: Option<f64>,
    /// Why there is no value; null when there is one.
    pub reason: Option<String>,
    /// Each class against all others.
    pub per_class: Vec<ClassAuc>,
    /// Classes without a row in this data, which have no part in the average.
    pub left_out: Vec<u32>,
}

/// The area under the ROC curve, and average precision, of one class against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassAuc {
    /// The class code.
    pub class: u32,
    /// The number of its rows.
    pub support: u64,
    /// The area under the ROC curve; null when the class has no row or all of them.
    pub auc: Option<f64>,
    /// Average precision; null when the class has no row.
    pub average_precision: Option<f64>,
    /// Why there is no area; null when there is one.
    pub reason: Option<String>,
}

/// The area under the ROC curve from probabilities, rows × classes.
///
/// Two classes: the binary area of `positive` (1 if not given), whatever `averaging` says. More: the area of
/// `positive` for [`AucAveraging::Binary`], else as
/// `sklearn.metrics.roc_auc_score(multi_class="ovr" | "ovo")`, except that classes without a row are left out of the
/// mean and named, where scikit-learn has no number. Weights count for one-vs-rest only.
pub fn averaged_auc(
    truth: &[u32],
    probabilities: ArrayView2<'_, f64>,
    positive: Option<u32>,
    averaging: AucAveraging,
    weights: Option<&[f64]>,
) -> Result<AveragedAuc> {
    input::probabilities(truth, probabilities)?;
    input::weights(weights, truth.len())?;
    let classes = 0..probabilities.ncols() as u32;
    let rank = |class| RankedScores::from_column(truth, class, probabilities, weights);
    let ranked: Vec<RankedScores> = classes.map(rank).collect::<Result<_>>()?;
    let per_class: Vec<ClassAuc> = ranked.iter().map(class_auc).collect();
    let left_out = per_class.iter().filter(|class| class.support == 0).map(|class| class.class).collect();
    let binary = averaging == AucAveraging::Binary || ranked.len() <= 2;
    let (averaging, value) = if binary {
        let positive = match positive {
            Some(positive) => positive,
            None if ranked.len() <= 2 => ranked.len() as u32 - 1,
            None => return Err(input::parameter("positive_class", "missing", "a class code for the binary average")),
        };
        input::class("positive_class", positive, ranked.len())?;
        (AucAveraging::Binary, ranked[positive as usize].auc())
    } else if averaging == AucAveraging::OneVsOneMacro {
        if weights.is_some() {
            return Err(input::parameter("weights", "given", "absent for the one-vs-one average"));
        }
        (averaging, one_vs_one(truth, probabilities)?)
    } else {
        let weight = |ranked: &RankedScores| match averaging {
            AucAveraging::OneVsRestWeighted => ranked.weight_of_positives(),
            _ => 1.0,
        };
        let areas = ranked.iter().filter_map(|ranked| Some((ranked.auc().value?, weight(ranked))));
        (averaging, weighted_mean(areas))
    };
    Ok(AveragedAuc { averaging, value: value.value, reason: value.reason, per_class, left_out })
}

/// The plain mean of the average precisions of the classes that have rows; for two classes that of `positive` (1 if
/// not given). Probabilities are rows × classes.
pub fn averaged_precision(
    truth: &[u32],
    probabilities: ArrayView2<'_, f64>,
    positive: Option<u32>,
    weights: Option<&[f64]>,
) -> Result<Measure> {
    let n_classes = probabilities.ncols() as u32;
    let all = averaged_auc(truth, probabilities, positive, AucAveraging::OneVsRestMacro, weights)?.per_class;
    if n_classes <= 2 {
        let positive = positive.unwrap_or(1.min(n_classes - 1));
        let value = all.get(positive as usize).and_then(|class| class.average_precision);
        return Ok(value.map_or_else(|| Measure::undefined(format!("no row is of class {positive}")), Measure::of));
    }
    Ok(weighted_mean(all.iter().filter_map(|class| Some((class.average_precision?, 1.0)))))
}

impl RankedScores {
    /// Ranks by one column of probabilities that were checked.
    fn from_column(
        truth: &[u32],
        class: u32,
        probabilities: ArrayView2<'_, f64>,
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        Self::new(truth, class, &probabilities.column(class as usize).to_vec(), weights)
    }
}

fn class_auc(ranked: &RankedScores) -> ClassAuc {
    let auc = ranked.auc();
    ClassAuc {
        class: ranked.positive_class(),
        support: ranked.positives(),
        auc: auc.value,
        average_precision: ranked.average_precision().value,
        reason: auc.reason,
    }
}

/// The mean over pairs of classes of both directions' areas among the rows of the pair.
fn one_vs_one(truth: &[u32], probabilities: ArrayView2<'_, f64>) -> Result<Measure> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); probabilities.ncols()];
    for (row, &class) in truth.iter().enumerate() {
        rows[class as usize].push(row);
    }
    let present: Vec<usize> = (0..rows.len()).filter(|&class| !rows[class].is_empty()).collect();
    let mut areas = Vec::new();
    for (at, &a) in present.iter().enumerate() {
        for &b in &present[at + 1..] {
            let pair: Vec<usize> = rows[a].iter().chain(&rows[b]).copied().collect();
            let truth: Vec<u32> = pair.iter().map(|&row| truth[row]).collect();
            for class in [a, b] {
                let scores: Vec<f64> = pair.iter().map(|&row| probabilities[[row, class]]).collect();
                areas.extend(RankedScores::new(&truth, class as u32, &scores, None)?.auc().value);
            }
        }
    }
    Ok(weighted_mean(areas.into_iter().map(|area| (area, 1.0))))
}

fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> Measure {
    let (sum, total) = values.fold((0.0, 0.0), |(sum, total), (value, weight)| (sum + weight * value, total + weight));
    if total > 0.0 {
        Measure::of(sum / total)
    } else {
        Measure::undefined("only one class is present, so there is nothing to rank it against")
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn one_class_has_no_area_but_a_reason() {
        let three = array![[0.5, 0.3, 0.2], [0.2, 0.1, 0.7]];
        for averaging in [AucAveraging::OneVsRestMacro, AucAveraging::OneVsRestWeighted, AucAveraging::OneVsOneMacro] {
            let auc = averaged_auc(&[2, 2], three.view(), None, averaging, None).unwrap();
            assert_eq!((auc.value, auc.averaging), (None, averaging));
            assert!(auc.reason.unwrap().contains("one class"));
            assert_eq!(auc.left_out, [0, 1]);
        }
        let two = array![[0.5, 0.5], [0.2, 0.8]];
        let auc = averaged_auc(&[0, 0], two.view(), None, AucAveraging::OneVsRestMacro, None).unwrap();
        assert_eq!((auc.value, auc.averaging), (None, AucAveraging::Binary));
        assert_eq!(averaged_precision(&[0, 0], two.view(), None, None).unwrap().value, None);
        assert_eq!(averaged_precision(&[0, 0], two.view(), Some(0), None).unwrap().value, Some(1.0));
    }

    #[test]
    fn a_single_column_is_handled() {
        let one = array![[1.0], [1.0]];
        let auc = averaged_auc(&[0, 0], one.view(), None, AucAveraging::OneVsRestMacro, None).unwrap();
        assert_eq!(auc.value, None);
    }

    #[test]
    fn parameters_that_do_not_fit_are_refused() {
        let three = array![[0.5, 0.3, 0.2], [0.2, 0.1, 0.7]];
        let weights = Some(&[1.0, 2.0][..]);
        assert!(averaged_auc(&[0, 1], three.view(), None, AucAveraging::OneVsOneMacro, weights).is_err());
        assert!(averaged_auc(&[0, 1], three.view(), Some(3), AucAveraging::Binary, None).is_err());
        assert!(averaged_auc(&[0, 1], three.view(), None, AucAveraging::Binary, None).is_err());
        let binary = averaged_auc(&[0, 1], three.view(), Some(0), AucAveraging::Binary, None).unwrap();
        assert_eq!(binary.value, Some(1.0));
        assert!(averaged_auc(&[0, 3], three.view(), None, AucAveraging::OneVsRestMacro, None).is_err());
    }
}
