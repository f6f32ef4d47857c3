//! Tables to learn from, and how well they were learnt.

use mlops_algorithms::models::{Algorithm, FitError, Fitted, Hyperparameters, Model, Task, fit};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::seed::derive;
use mlops_algorithms::target::Target;
use ndarray::{Array2, ArrayView2};
use serde_json::Value;

/// Numbers between −1 and 1 without a pattern.
pub(crate) fn noise(count: usize, start: usize) -> Vec<f32> {
    (start..start + count).map(|index| (derive(1, index as u64) >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

pub(crate) fn target(task: Task, values: &[f64]) -> Target {
    match task {
        Task::Regression => Target::Numbers(values.to_vec()),
        Task::Classification => {
            let classes = values.iter().fold(0.0_f64, |most, value| most.max(*value)) as usize + 1;
            Target::Classes {
                labels: (0..classes).map(|class| class.to_string()).collect(),
                codes: values.iter().map(|value| *value as u32).collect(),
            }
        }
    }
}

pub(crate) fn fitted(x: ArrayView2<'_, f64>, y: &Target, given: &Value, seed: u64) -> Result<Fitted, FitError> {
    let task = if matches!(y, Target::Numbers(_)) { Task::Regression } else { Task::Classification };
    let parameters = Hyperparameters::parse(Algorithm::NeuralNetwork, task, given.as_object().unwrap()).unwrap();
    fit(Algorithm::NeuralNetwork, x, y, None, &parameters, seed, &Silent)
}

pub(crate) fn score(model: &Model, x: ArrayView2<'_, f64>, y: &[f64]) -> f64 {
    let predicted = match model.predict(x).unwrap() {
        Target::Classes { codes, .. } => {
            let right = codes.iter().zip(y).filter(|(code, class)| f64::from(**code) == **class);
            return right.count() as f64 / y.len() as f64;
        }
        Target::Numbers(values) => values,
    };
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let errors: f64 = predicted.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum();
    1.0 - errors / y.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
}

/// A table whose classes depend on products of features, or whose number does.
pub(crate) fn table(rows: usize, task: Task) -> (Array2<f64>, Target) {
    let noise = noise(rows * 5, 3);
    let x = Array2::from_shape_fn((rows, 5), |(row, column)| f64::from(noise[row * 5 + column]) * 10.0 + 100.0);
    let value = |row: ndarray::ArrayView1<'_, f64>| ((row[0] - 100.0) * (row[1] - 100.0) / 25.0 + row[2] / 10.0).sin();
    let values: Vec<f64> = x.rows().into_iter().map(value).collect();
    let classes = |value: &f64| f64::from(u8::from(*value > -0.3) + u8::from(*value > 0.4));
    match task {
        Task::Regression => (x, target(task, &values)),
        Task::Classification => (x, target(task, &values.iter().map(classes).collect::<Vec<_>>())),
    }
}
