//! The names of a request whose value is true or false.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use mlops_algorithms::models::{Accepts, Algorithm, Task, hyperparameter_table};
use mlops_algorithms::preprocess::PreprocessConfig;
use mlops_core::schema;
use mlops_core::values::{EvaluationConfig, Gate};

static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    // Whether SHAP values are asked for is read although nothing comes of it yet.
    let mut names = BTreeSet::from(["shap".to_owned()]);
    for schema in
        [schema::of_input::<PreprocessConfig>(), schema::of_input::<Gate>(), schema::of_input::<EvaluationConfig>()]
    {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let is_truth = |text: &str| text.contains("\"boolean\"");
        names.extend(properties.filter(|(_, of)| is_truth(&of.to_string())).map(|(name, _)| name.clone()));
    }
    for task in Task::ALL {
        let specs = Algorithm::for_task(task).iter().flat_map(|algorithm| hyperparameter_table(*algorithm, task));
        names.extend(specs.filter(|spec| spec.accepts.contains(&Accepts::Boolean)).map(|spec| spec.name.to_owned()));
    }
    names
});

/// Whether the value at that path, which may begin inside of a section, is true or false in a request that is right.
pub(super) fn is_expected(path: &str) -> bool {
    NAMES.contains(path.rsplit('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_true_or_false_is_expected_to_be() {
        for path in
            ["preprocessing_config.normalize", "normalize", "gates.accuracy.blocking", "hyperparameters.bootstrap"]
        {
            assert!(is_expected(path), "{path}");
        }
        for path in ["target_column", "evaluation.positive_class", "evaluation.slices[0]", "split.key", ""] {
            assert!(!is_expected(path), "{path}");
        }
    }
}
