//! Gauss–Legendre quadrature.

/// The points in (0, 1) and the weights that integrate polynomials of degree below `2 · count` from 0 to 1 exactly.
///
/// Newton's method on the Legendre polynomial, from the usual guess by the cosine.
pub(super) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let degree = count as f64;
    let point = |index: usize| {
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (degree + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut value, mut before) = (1.0, 0.0);
            for k in 0..count {
                let k = k as f64;
                (value, before) = (((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0), value);
            }
            slope = degree * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        (0.5 + x / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_exactly() {
        for count in [1, 2, 4, 6, 16, 32] {
            let points = gauss_legendre(count);
            for degree in 0..2 * count {
                let sum: f64 = points.iter().map(|(x, weight)| weight * x.powi(degree as i32)).sum();
                assert!((sum - 1.0 / (degree + 1) as f64).abs() < 1e-14, "{count} {degree} {sum}");
            }
        }
    }
}
