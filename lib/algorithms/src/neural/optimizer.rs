//! How a gradient changes the parameters: Adam, and gradient descent with momentum.

/// The rule by which parameters follow their gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Adam (Kingma and Ba, 2015).
    Adam {
        /// The decay of the mean gradient, from 0 to below 1.
        beta_1: f32,
        /// The decay of the mean squared gradient, from 0 to below 1.
        beta_2: f32,
        /// Added to the root of the mean squared gradient.
        epsilon: f32,
    },
    /// Gradient descent with momentum.
    Descent {
        /// The share of the last step that is kept, from 0 to 1.
        momentum: f32,
        /// Whether the gradient counts as taken after the momentum (Nesterov, 1983).
        nesterov: bool,
    },
}

/// A rule and what it remembers of each parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer {
    rule: Rule,
    steps: i32,
    /// The mean gradient, or the last step.
    first: Vec<f32>,
    /// The mean squared gradient; empty for [`Rule::Descent`].
    second: Vec<f32>,
}

impl Optimizer {
    /// A fresh optimiser of `parameters` parameters.
    pub fn new(rule: Rule, parameters: usize) -> Self {
        let second = if matches!(rule, Rule::Adam { .. }) { vec![0.0; parameters] } else { Vec::new() };
        Self { rule, steps: 0, first: vec![0.0; parameters], second }
    }

    /// Moves the parameters one step against the gradient, at the learning rate `rate`.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f32) {
        self.steps = self.steps.saturating_add(1);
        match self.rule {
            Rule::Adam { beta_1, beta_2, epsilon } => {
                let steps = self.steps;
                let correction = |beta: f32| 1.0 - f64::from(beta).powi(steps);
                let rate = (f64::from(rate) * correction(beta_2).sqrt() / correction(beta_1)) as f32;
                let moments = self.first.iter_mut().zip(&mut self.second);
                for ((parameter, gradient), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
                    let mean = beta_1 * *first + (1.0 - beta_1) * gradient;
                    // Where the gradient has become 0, the mean would stay among the slow subnormal numbers for ever.
                    *first = if mean.abs() < 1e-30 { 0.0 } else { mean };
                    *second = beta_2 * *second + (1.0 - beta_2) * gradient * gradient;
                    *parameter -= rate * *first / (second.sqrt() + epsilon);
                }
            }
            Rule::Descent { momentum, nesterov } => {
                for ((parameter, gradient), last) in parameters.iter_mut().zip(gradient).zip(&mut self.first) {
                    let step = momentum * *last - rate * gradient;
                    *last = if step.abs() < 1e-30 { 0.0 } else { step };
                    *parameter += if nesterov { momentum * *last - rate * gradient } else { *last };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_walks_to_the_minimum() {
        let rules = [
            Rule::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 },
            Rule::Descent { momentum: 0.0, nesterov: false },
            Rule::Descent { momentum: 0.9, nesterov: false },
            Rule::Descent { momentum: 0.9, nesterov: true },
        ];
        for rule in rules {
            let (mut at, mut optimizer) = ([4.0_f32, -3.0], Optimizer::new(rule, 2));
            for _ in 0..3000 {
                let gradient = [at[0] - 1.0, 3.0 * (at[1] - 2.0)];
                optimizer.step(&mut at, &gradient, 0.02);
            }
            assert!((at[0] - 1.0).abs() < 1e-3 && (at[1] - 2.0).abs() < 1e-3, "{rule:?} {at:?}");
        }
    }

    #[test]
    fn the_first_step_of_adam_is_the_learning_rate() {
        let mut optimizer = Optimizer::new(Rule::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }, 2);
        let mut at = [0.0, 0.0];
        optimizer.step(&mut at, &[1e-3, -50.0], 0.01);
        // In single precision 1 - beta_2 has three digits.
        assert!((at[0] + 0.01).abs() < 1e-5 && (at[1] - 0.01).abs() < 1e-5, "{at:?}");
    }
}
