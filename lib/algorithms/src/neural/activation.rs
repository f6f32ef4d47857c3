//! What a hidden unit makes of its input, and the derivative.

use serde::{Deserialize, Serialize};

/// The function of a hidden unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The input itself.
    Identity,
    /// 1 / (1 + exp(−x)).
    Logistic,
    /// The hyperbolic tangent.
    Tanh,
    /// max(0, x).
    Relu,
    /// x times the normal distribution function, by its approximation with tanh (Hendrycks and Gimpel, 2016).
    Gelu,
}

/// √(2/π) and the cubic's factor in the approximation of [`Activation::Gelu`].
const GELU: (f32, f32) = (0.797_884_6, 0.044_715);

impl Activation {
    /// √(2/π) and the cubic's factor in the approximation of [`Activation::Gelu`].
    pub(crate) const GELU: (f32, f32) = GELU;

    /// Whether the derivative needs the input; the others' derivatives follow from the output.
    pub(super) const fn needs_input(self) -> bool {
        matches!(self, Self::Gelu)
    }

    /// Applies the function to every value.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            // A NaN stays one, so that a diverging loss is seen.
            Self::Relu => each(values, |x| if x < 0.0 { 0.0 } else { x }),
            Self::Logistic => each(values, logistic),
            Self::Tanh => each(values, tanh),
            Self::Gelu => each(values, |x| 0.5 * x * (1.0 + tanh(gelu_argument(x)))),
        }
    }

    /// Multiplies `delta` by the derivative at every value. `inputs` may be empty unless [`Activation::needs_input`].
    pub(super) fn multiply_derivative(self, inputs: &[f32], outputs: &[f32], delta: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => both(delta, outputs, |d, y| if y > 0.0 { d } else { 0.0 }),
            Self::Logistic => both(delta, outputs, |d, y| d * y * (1.0 - y)),
            Self::Tanh => both(delta, outputs, |d, y| d * (1.0 - y * y)),
            Self::Gelu => both(delta, inputs, |d, x| {
                let curve = tanh(gelu_argument(x));
                let slope = GELU.0 * (1.0 + 3.0 * GELU.1 * x * x);
                d * (0.5 * (1.0 + curve) + 0.5 * x * (1.0 - curve * curve) * slope)
            }),
        }
    }
}

fn each(values: &mut [f32], function: impl Fn(f32) -> f32) {
    for value in values {
        *value = function(*value);
    }
}

fn both(left: &mut [f32], right: &[f32], function: impl Fn(f32, f32) -> f32) {
    for (left, right) in left.iter_mut().zip(right) {
        *left = function(*left, *right);
    }
}

fn gelu_argument(x: f32) -> f32 {
    GELU.0 * (x + GELU.1 * x * x * x)
}

/// 1 / (1 + exp(−x)).
#[inline]
pub fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exponential(-x))
}

/// The hyperbolic tangent, to about 1e-7: a polynomial near 0, else by the exponential. Free of branches, so that the
/// compiler can work on several values at once.
#[inline]
fn tanh(x: f32) -> f32 {
    let square = x * x;
    // The coefficients of Cephes' tanhf (Moshier, 1989).
    let mut series = -5.704_988_7e-3;
    series = series * square + 2.063_908_8e-2;
    series = series * square - 5.373_971_6e-2;
    series = series * square + 1.333_144_2e-1;
    series = series * square - 0.333_332_8;
    let near = series * square * x + x;
    let far = 1.0 - 2.0 / (exponential(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { near } else { far.copysign(x) }
}

/// The exponential to two units in the last place; it saturates at exp(−87) and exp(88). Free of branches, so that the
/// compiler can work on several values at once, and the same on every platform.
#[inline]
pub fn exponential(x: f32) -> f32 {
    // Adding this rounds to a whole number and leaves that number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, the first with few bits, so that the product is exact.
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    // The coefficients of Cephes' expf (Moshier, 1989).
    let mut series = 1.987_569_1e-4;
    series = series * rest + 1.398_199_9e-3;
    series = series * rest + 8.333_452e-3;
    series = series * rest + 4.166_579_6e-2;
    series = series * rest + 0.166_666_65;
    series = series * rest + 0.5;
    let fraction = series * rest * rest + rest + 1.0;
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    fraction * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 5] =
        [Activation::Identity, Activation::Logistic, Activation::Tanh, Activation::Relu, Activation::Gelu];

    fn exact(activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::Identity => x,
            Activation::Logistic => 1.0 / (1.0 + (-x).exp()),
            Activation::Tanh => x.tanh(),
            Activation::Relu => x.max(0.0),
            Activation::Gelu => 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x.powi(3))).tanh()),
        }
    }

    #[test]
    fn values_agree_with_double_precision() {
        for activation in ALL {
            for step in -4000..=4000 {
                let x = step as f32 / 200.0;
                let mut value = [x];
                activation.apply(&mut value);
                let apart = (f64::from(value[0]) - exact(activation, f64::from(x))).abs();
                assert!(apart <= 3e-7 * f64::from(x.abs()).max(1.0), "{activation:?} at {x}: {apart:e}");
            }
        }
    }

    #[test]
    fn the_exponential_is_good_to_two_units() {
        for step in -8600..=8700 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            assert!((f64::from(exponential(x)) / expected - 1.0).abs() < 2.5e-7, "{x}");
        }
        assert!(exponential(1e9).is_finite() && exponential(-1e9) > 0.0 && exponential(f32::NAN).is_nan());
    }

    #[test]
    fn derivatives_agree_with_differences() {
        for activation in ALL {
            for step in -50..=50 {
                let x = step as f32 / 10.0 + 0.013;
                let (mut outputs, mut delta) = ([x], [1.0]);
                activation.apply(&mut outputs);
                activation.multiply_derivative(&[x], &outputs, &mut delta);
                let at = |shift: f64| exact(activation, f64::from(x) + shift);
                let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((f64::from(delta[0]) - expected).abs() < 2e-6, "{activation:?} at {x}");
            }
        }
    }

    #[test]
    fn not_a_number_stays_one() {
        for activation in ALL {
            let mut value = [f32::NAN];
            activation.apply(&mut value);
            assert!(value[0].is_nan(), "{activation:?}");
        }
    }
}
