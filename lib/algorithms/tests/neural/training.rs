//! Training can be stopped.

use mlops_algorithms::models::Task;
use mlops_algorithms::neural::{
    Activation, Data, Loss, Network, Normalization, Rule, Schedule, TrainError, Training, train,
};
use mlops_algorithms::probe::Probe;
use mlops_algorithms::seed::rng;
use serde_json::Map;

use super::golden::training;
use super::tables::noise;

struct StopAfter(std::sync::atomic::AtomicUsize);

impl Probe for StopAfter {
    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 0
    }

    fn progress(&self, _done: f64, _total: f64, message: &str) {
        assert!(message.starts_with("epoch "), "{message}");
    }
}

#[test]
fn training_can_be_stopped() {
    let random = &mut rng(0, 0);
    let mut network = Network::random(vec![2, 3, 1], Activation::Tanh, Normalization::None, random).unwrap();
    let (x, y) = (noise(40, 0), noise(20, 50));
    let data = Data { x: &x, targets: &y, weights: None };
    let rule = Rule::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
    let (base, _) = training(&Map::new(), Task::Regression, Loss::Squared);
    let training = Training { rule, schedule: Schedule::Constant, batch_size: 5, ..base };
    let stopped = train(&mut network, data, None, &training, 0, &StopAfter(9.into())).unwrap_err();
    assert!(matches!(stopped, TrainError::Cancelled(_)));
}
