//! How much a point is expected to improve on the best value, in logarithms, so that it is told apart where it is tiny.
//!
//! After Ament, Daulton, Eriksson, Balandat and Bakshy (2023), "Unexpected improvements to expected improvement".

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Below this many deviations the tail is expanded: the exact form has lost its digits.
const TAIL: f64 = -25.0;

/// The logarithm of the expected improvement on `best` (lower is better), and its slopes by mean and deviation.
pub(super) fn log_expected_improvement(mean: f64, deviation: f64, best: f64) -> (f64, f64, f64) {
    let z = (best - mean) / deviation;
    let log_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    // h(z) = φ(z) + z Φ(z); the shares are φ/h and Φ/h.
    let (log_h, density_share, mass_share) = if z > 0.0 {
        let (density, mass) = (log_density.exp(), normal_mass(z));
        let h = density + z * mass;
        (h.ln(), density / h, mass / h)
    } else if z > TAIL {
        // Mills' ratio Φ/φ keeps its digits in the tail.
        let mills = normal_mass(z) / log_density.exp();
        let rest = 1.0 + z * mills;
        (log_density + rest.ln(), 1.0 / rest, mills / rest)
    } else {
        (log_density - 2.0 * (-z).ln(), z * z, -z)
    };
    (deviation.ln() + log_h, -mass_share / deviation, density_share / deviation)
}

/// The standard normal distribution function.
fn normal_mass(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_plain_formula_where_that_has_digits() {
        for z in [-4.0_f64, -1.0, -0.1, 0.0, 0.3, 2.0, 8.0] {
            let (deviation, best) = (0.7, 1.0);
            let mean = best - z * deviation;
            let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
            let plain = deviation * (density + z * normal_mass(z));
            let (log, _, _) = log_expected_improvement(mean, deviation, best);
            assert!((log - plain.ln()).abs() < 1e-9, "{z}: {log} {}", plain.ln());
        }
    }

    #[test]
    fn it_is_smooth_and_falls_through_the_far_tail() {
        let at = |mean: f64| log_expected_improvement(mean, 1.0, 0.0);
        for mean in [-3.0, -0.01, 0.01, 1.0, 10.0, 24.99, 25.01, 100.0, 1e6] {
            let (value, slope, spread) = at(mean);
            assert!(value.is_finite() && slope < 0.0 && spread > 0.0, "{mean}: {value} {slope} {spread}");
            let step = 1e-4 * mean.abs().max(0.1);
            let expected = (at(mean + step).0 - at(mean - step).0) / (2.0 * step);
            assert!((slope - expected).abs() < 0.02 * expected.abs(), "{mean}: {slope} {expected}");
        }
        assert!((at(24.999).0 - at(25.001).0).abs() < 0.2);
    }
}
