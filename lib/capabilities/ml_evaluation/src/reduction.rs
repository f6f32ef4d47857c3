//! The evaluation of a reduction, from what training found: a reduction is measured on the rows that it places.

use std::collections::BTreeMap;

use mlops_artifacts::ReductionRecord;
use mlops_core::values::TaskType;

use crate::Evaluation;
use crate::evaluation::{FORMAT, ModelFacts, TestFacts};
use crate::structure::ReductionDetail;

/// The document of an evaluation.
pub(crate) fn evaluation(record: ReductionRecord) -> Evaluation {
    Evaluation {
        format: FORMAT,
        run_id: record.run_id,
        task: TaskType::DimensionalityReduction,
        model: ModelFacts {
            uri: record.model_uri,
            sha256: record.model_sha256,
            algorithm: record.algorithm,
            target_column: None,
            classes: None,
            features: record.feature_names.len(),
            hyperparameters: record.hyperparameters,
            seed: record.seed,
            train_sha256: record.data_sha256.clone(),
            validation_sha256: None,
            preprocessor_sha256: record.preprocessor_sha256,
            library_version: record.library_version,
            training_metrics: BTreeMap::new(),
            feature_importance: record.feature_importance,
        },
        data: TestFacts {
            uri: record.data_uri,
            sha256: record.data_sha256,
            source_sha256: record.source_sha256,
            split_role: None,
            read: record.read,
            rows: record.rows,
            evaluated: record.fitted_rows,
            dropped_rows: record.rows - record.fitted_rows,
            unseen: record.unseen,
        },
        metrics: record.metrics,
        intervals: BTreeMap::new(),
        confidence: 0.95,
        undefined: record.undefined,
        notes: Vec::new(),
        beats_guessing: None,
        baseline: None,
        comparison: None,
        slices: Vec::new(),
        classification: None,
        regression: None,
        clustering: None,
        reduction: Some(ReductionDetail {
            num_components: record.num_components,
            explained_variance_ratio: record.explained_variance_ratio,
            n_neighbors: record.n_neighbors,
            measured_rows: record.measured_rows,
            has_transform: record.has_transform,
            points: record.points,
        }),
        predictions_uri: record.transformed_uri,
        plots: Vec::new(),
    }
}
