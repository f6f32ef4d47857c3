//! The distribution functions that intervals and tests need.

use std::f64::consts::{PI, SQRT_2};

// The erfc of statrs is good to 1e-10 only.
use libm::erfc;
use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc_inv;
use statrs::function::gamma::ln_gamma;

/// From this many degrees of freedom on, Wallace's approximation of Student's t is better than the beta function.
const MANY: f64 = 1e5;

/// The value that a standard normal variable stays below with this probability.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * probability)
}

/// The probability that a standard normal variable is at least this far from 0.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

/// The probability that a chi-squared variable with one degree of freedom exceeds `statistic`.
pub(super) fn chi_squared_upper(statistic: f64) -> f64 {
    erfc((statistic.max(0.0) / 2.0).sqrt())
}

/// The probability that Student's t with these degrees of freedom is at least this far from 0.
///
/// From 100,000 degrees of freedom on, by Wallace's (1959) normal deviate, whose error falls with their square.
pub(super) fn t_two_sided(t: f64, freedom: f64) -> f64 {
    let squared = t * t;
    if freedom >= MANY {
        let deviate = (freedom * (squared / freedom).ln_1p()).sqrt();
        return normal_two_sided(deviate * (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0));
    }
    beta_reg(freedom / 2.0, 0.5, (freedom / (freedom + squared)).clamp(0.0, 1.0))
}

/// The value that Student's t with these degrees of freedom stays below with this probability.
pub(super) fn t_quantile(probability: f64, freedom: f64) -> f64 {
    let tail = 2.0 * probability.min(1.0 - probability);
    let (mut t, log_scale) = match StudentsT::new(0.0, 1.0, freedom) {
        Ok(distribution) if freedom < MANY => (
            distribution.inverse_cdf(probability).abs(),
            ln_gamma(f64::midpoint(freedom, 1.0)) - ln_gamma(freedom / 2.0) - 0.5 * (freedom * PI).ln(),
        ),
        _ => (normal_quantile(probability).abs(), -0.5 * (2.0 * PI).ln()),
    };
    // These are good to about 1e-8 and 1e-5; Newton's method on the tail gives the rest.
    for _ in 0..4 {
        let density = (log_scale - f64::midpoint(freedom, 1.0) * (t * t / freedom).ln_1p()).exp();
        let step = (t_two_sided(t, freedom) - tail) / (2.0 * density);
        if step.is_finite() {
            t += step;
        }
    }
    if probability < 0.5 { -t } else { t }
}

/// Twice the probability of at most `successes` in `trials` fair coin tosses, at most 1.
pub(super) fn fair_coin_two_sided(successes: u64, trials: u64) -> f64 {
    let mut term = 0.5_f64.powi(trials as i32);
    let mut sum = 0.0;
    for k in 0..=successes.min(trials) {
        sum += term;
        term *= (trials - k) as f64 / (k + 1) as f64;
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_invert_their_distributions() {
        for freedom in [1.0, 2.0, 5.0, 30.0, 1e3, 1e6, 1e12] {
            for probability in [0.005, 0.1, 0.9, 0.975, 0.9995] {
                let t = t_quantile(probability, freedom);
                let tail = 2.0 * f64::min(probability, 1.0 - probability);
                assert!((t_two_sided(t, freedom) - tail).abs() < 1e-12, "{freedom} {probability}");
                assert_eq!(t < 0.0, probability < 0.5);
            }
        }
        assert!((normal_two_sided(normal_quantile(0.975)) - 0.05).abs() < 1e-12);
        assert!((normal_quantile(0.5)).abs() < 1e-15);
    }

    #[test]
    fn a_coin_that_never_lands_on_one_side_is_unlikely_to_be_fair() {
        assert_eq!(fair_coin_two_sided(0, 10), 2.0 / 1024.0);
        assert_eq!(fair_coin_two_sided(5, 10), 1.0);
        assert_eq!(fair_coin_two_sided(0, 0), 1.0);
    }
}
