//! Gradients against differences.

use mlops_algorithms::neural::{Activation, Loss, Mode, Network, Normalization, Workspace};
use mlops_algorithms::seed::rng;

use super::tables::noise;

const ACTIVATIONS: [Activation; 5] =
    [Activation::Identity, Activation::Logistic, Activation::Tanh, Activation::Relu, Activation::Gelu];

/// The loss summed over the rows, in double precision as far as the network allows.
fn loss_of(network: &Network, x: &[f32], rows: usize, targets: &[f32], loss: Loss, training: bool) -> f64 {
    let (mut workspace, mut random) = (Workspace::new(), rng(5, 0));
    let mode = if training { Mode::Train { dropout: 0.3, rng: &mut random } } else { Mode::Predict };
    network.forward(x, rows, mode, &mut workspace);
    loss.gradient(workspace.output_gradient(), network.num_outputs(), targets, None, 1.0)
}

/// Central differences of a loss in single precision are good to about a hundredth of the largest derivative, so that is
/// what is asked; a wrong formula is off by the size of the derivative itself.
#[test]
fn gradients_agree_with_differences() {
    let normalizations = [Normalization::None, Normalization::Batch, Normalization::Layer];
    let losses = [Loss::CrossEntropy, Loss::Squared, Loss::Quantile(0.8)];
    for (case, activation) in ACTIVATIONS.into_iter().enumerate() {
        for normalization in normalizations {
            for training in [false, true] {
                let loss = losses[case % losses.len()];
                let rows = 9;
                let sizes = vec![4, 6, 5, 3];
                let mut network = Network::random(sizes, activation, normalization, &mut rng(3, 1)).unwrap();
                let x = noise(rows * 4, 17);
                let targets: Vec<f32> = match loss {
                    Loss::CrossEntropy => (0..rows).map(|row| (row % 3) as f32).collect(),
                    _ => noise(rows * 3, 400),
                };
                let (mut workspace, mut random) = (Workspace::new(), rng(5, 0));
                let mode = if training { Mode::Train { dropout: 0.3, rng: &mut random } } else { Mode::Predict };
                network.forward(&x, rows, mode, &mut workspace);
                loss.gradient(workspace.output_gradient(), 3, &targets, None, 1.0);
                network.backward(&x, rows, true, &mut workspace);
                let (gradient, to_inputs) = (workspace.gradient().to_vec(), workspace.input_gradient().to_vec());
                let largest = gradient.iter().chain(&to_inputs).fold(0.0_f32, |most, part| most.max(part.abs()));
                let name = format!("{activation:?} {normalization:?} {loss:?} training {training}");
                let step = 2e-3_f32;
                // A step across the corner of relu or of the absolute error is no derivative; few are.
                let mut wrong = 0;
                for (index, part) in gradient.iter().enumerate() {
                    let before = network.parameters()[index];
                    let mut at = |value: f32| {
                        network.parameters_mut()[index] = value;
                        loss_of(&network, &x, rows, &targets, loss, training)
                    };
                    let slope = (at(before + step) - at(before - step)) / (2.0 * f64::from(step));
                    at(before);
                    wrong += usize::from((slope - f64::from(*part)).abs() > f64::from(0.01 * largest));
                }
                let mut x = x;
                for (index, part) in to_inputs.iter().enumerate() {
                    let before = x[index];
                    let mut at = |value: f32| {
                        x[index] = value;
                        loss_of(&network, &x, rows, &targets, loss, training)
                    };
                    let slope = (at(before + step) - at(before - step)) / (2.0 * f64::from(step));
                    at(before);
                    wrong += usize::from((slope - f64::from(*part)).abs() > f64::from(0.01 * largest));
                }
                let corners = activation == Activation::Relu || loss != Loss::CrossEntropy;
                assert!(wrong <= if corners { 6 } else { 0 }, "{name}: {wrong} of {}", gradient.len());
            }
        }
    }
}
