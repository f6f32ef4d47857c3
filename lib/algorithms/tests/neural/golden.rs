//! The first steps and the quality against scikit-learn's.

use mlops_algorithms::models::{Algorithm, Hyperparameters, Parameters, Task};
use mlops_algorithms::neural::{Activation, Data, Loss, Network, Normalization, Training, train};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::seed::rng;
use ndarray::{ArrayView2, Axis};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::tables::{fitted, score, target};

#[derive(Deserialize)]
struct Steps {
    name: String,
    sizes: Vec<usize>,
    x: Vec<f32>,
    y: Vec<f32>,
    weight: Option<Vec<f32>>,
    parameters: Vec<f32>,
    given: Map<String, Value>,
    losses: Vec<f64>,
    end: Vec<f64>,
}

pub(crate) fn training(given: &Map<String, Value>, task: Task, loss: Loss) -> (Training, Activation) {
    let hyperparameters = Hyperparameters::parse(Algorithm::NeuralNetwork, task, given).unwrap();
    let Parameters::NeuralNetwork(parameters) = hyperparameters.parameters() else { unreachable!() };
    let training = Training {
        loss,
        rule: parameters.rule,
        learning_rate: parameters.learning_rate_init,
        schedule: parameters.schedule,
        batch_size: given.get("batch_size").and_then(Value::as_u64).unwrap_or(200) as usize,
        epochs: parameters.max_iter,
        shuffle: parameters.shuffle,
        penalty: parameters.alpha,
        weight_decay: 0.0,
        dropout: 0.0,
        clip: None,
        tolerance: 0.0,
        patience: 10_000,
        early_stopping: false,
    };
    (training, parameters.activation)
}

/// From the same parameters, without shuffling, each loss of twenty epochs is scikit-learn's; it computes in double
/// precision and ours in single, whence 1e-4.
#[test]
fn steps_as_scikit_learn() {
    let cases: Vec<Steps> = serde_json::from_str(include_str!("../golden/neural_steps.json")).unwrap();
    assert!(cases.len() > 9);
    for case in cases {
        let name = &case.name;
        let outputs = *case.sizes.last().unwrap();
        let classes = case.y.iter().all(|value| value.fract() == 0.0);
        let (task, loss) = match (classes, outputs) {
            (true, 1) => (Task::Classification, Loss::BinaryCrossEntropy),
            (true, _) => (Task::Classification, Loss::CrossEntropy),
            (false, _) => (Task::Regression, Loss::Squared),
        };
        let (training, activation) = training(&case.given, task, loss);
        let random = &mut rng(0, 0);
        let mut network = Network::random(case.sizes.clone(), activation, Normalization::None, random).unwrap();
        network.parameters_mut().copy_from_slice(&case.parameters);
        let data = Data { x: &case.x, targets: &case.y, weights: case.weight.as_deref() };
        let trained = train(&mut network, data, None, &training, 0, &Silent).unwrap();
        assert_eq!(trained.history.len(), case.losses.len(), "{name}");
        let apart = trained.history.iter().zip(&case.losses).map(|(ours, theirs)| (ours.train / theirs - 1.0).abs());
        let apart = apart.fold(0.0, f64::max);
        assert!(apart < 1e-4, "{name}: {apart:e}");
        let scores = network.predict(&case.x);
        let end: Vec<f64> = scores
            .chunks(outputs)
            .flat_map(|row| match loss {
                Loss::BinaryCrossEntropy => vec![1.0 / (1.0 + f64::from(-row[0]).exp())],
                Loss::CrossEntropy => {
                    let sum: f64 = row.iter().map(|score| f64::from(*score).exp()).sum();
                    row.iter().map(|score| f64::from(*score).exp() / sum).collect()
                }
                _ => vec![f64::from(row[0])],
            })
            .collect();
        let apart_at_end = end.iter().zip(&case.end).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart_at_end < 2e-4, "{name}: {apart_at_end:e}");
        println!("{name}: losses {apart:.1e}, end {apart_at_end:.1e}");
    }
}

#[derive(Deserialize)]
struct Spread {
    mean: f64,
    spread: f64,
}

#[derive(Deserialize)]
struct Quality {
    name: String,
    task: Task,
    given: Map<String, Value>,
    columns: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    train: usize,
    score: Spread,
}

/// The mean score over six seeds is not below scikit-learn's mean over twenty less its spread over seeds.
#[test]
fn quality_as_scikit_learn() {
    let files = [include_str!("../golden/neural_digits.json"), include_str!("../golden/neural_quality.json")];
    for case in files.into_iter().flat_map(|file| serde_json::from_str::<Vec<Quality>>(file).unwrap()) {
        let x = ArrayView2::from_shape((case.y.len(), case.columns), &case.x).unwrap();
        let (learnt, held) = x.split_at(Axis(0), case.train);
        let y = target(case.task, &case.y[..case.train]);
        let given = Value::Object(case.given);
        let scores =
            (0..6).map(|seed| score(&fitted(learnt, &y, &given, seed).unwrap().model, held, &case.y[case.train..]));
        let mean = scores.sum::<f64>() / 6.0;
        println!("{}: {mean:.4}, scikit-learn {:.4} ± {:.4}", case.name, case.score.mean, case.score.spread);
        assert!(mean > case.score.mean - case.score.spread, "{}: {mean}", case.name);
    }
}
