//! The file of a measurement: little-endian doubles, namely rows, features, test rows and classes (0 where the target is a
//! number); then the features and the targets of the training rows, then those of the test rows.

use std::error::Error;

use mlops_algorithms::models::Task;
use mlops_algorithms::target::Target;
use ndarray::Array2;

/// What a model is fitted to.
pub(crate) struct Training {
    pub(crate) x: Array2<f64>,
    pub(crate) task: Task,
    pub(crate) target: Target,
}

/// The features and targets of the rows that a model is judged on.
type Tests = (Array2<f64>, Vec<f64>);

/// Reads a file whole.
pub(crate) fn read(path: &str) -> Result<(Training, Tests), Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let numbers: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect();
    let [rows, features, tests, classes] = [0, 1, 2, 3].map(|index| numbers[index] as usize);
    let (x, rest) = numbers[4..].split_at(rows * features);
    let (y, rest) = rest.split_at(rows);
    let (x_test, y_test) = rest.split_at(tests * features);
    let (task, target) = if classes > 0 {
        let labels = (0..classes).map(|class| class.to_string()).collect();
        (Task::Classification, Target::Classes { labels, codes: y.iter().map(|&code| code as u32).collect() })
    } else {
        (Task::Regression, Target::Numbers(y.to_vec()))
    };
    let training = Training { x: Array2::from_shape_vec((rows, features), x.to_vec())?, task, target };
    Ok((training, (Array2::from_shape_vec((tests, features), x_test.to_vec())?, y_test.to_vec())))
}
