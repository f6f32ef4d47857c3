//! The family of curves that says how near two points of a map are.

const STEPS: usize = 200;
const POINTS: usize = 300;

/// The `a` and `b` of `1/(1 + a·x^2b)` that come nearest, by least squares over 0 to three times `spread`, to 1 up to
/// `min_dist` and `exp(−(x − min_dist)/spread)` behind it.
pub(super) fn fit(min_dist: f64, spread: f64) -> (f64, f64) {
    let x = |i: usize| i as f64 * 3.0 * spread / (POINTS - 1) as f64;
    let wanted = |x: f64| if x < min_dist { 1.0 } else { (-(x - min_dist) / spread).exp() };
    // By the logarithms of both, which keeps them positive.
    let (mut a, mut b) = (0.0_f64, 0.0_f64);
    let curve = |a: f64, b: f64, x: f64| if x == 0.0 { 1.0 } else { 1.0 / (1.0 + a.exp() * x.powf(2.0 * b.exp())) };
    let loss = |a: f64, b: f64| (0..POINTS).map(|i| (curve(a, b, x(i)) - wanted(x(i))).powi(2)).sum::<f64>();
    let mut damping = 1e-3;
    let mut best = loss(a, b);
    // The method of Levenberg and Marquardt in two unknowns.
    for _ in 0..STEPS {
        let (mut aa, mut ab, mut bb, mut ar, mut br) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for x in (1..POINTS).map(x) {
            let y = curve(a, b, x);
            let by_a = -y * (1.0 - y);
            let by_b = by_a * 2.0 * b.exp() * x.ln();
            let residual = y - wanted(x);
            aa += by_a * by_a;
            ab += by_a * by_b;
            bb += by_b * by_b;
            ar += by_a * residual;
            br += by_b * residual;
        }
        let (p, q) = (aa * (1.0 + damping), bb * (1.0 + damping));
        let determinant = p * q - ab * ab;
        if determinant <= 0.0 {
            break;
        }
        let (next_a, next_b) = (a - (q * ar - ab * br) / determinant, b - (p * br - ab * ar) / determinant);
        let next = loss(next_a, next_b);
        if next < best {
            let done = (next_a - a).abs() + (next_b - b).abs() < 1e-12;
            (a, b, best) = (next_a, next_b, next);
            damping = (damping * 0.3).max(1e-12);
            if done {
                break;
            }
        } else {
            damping *= 4.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    (a.exp(), b.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curves_are_those_of_umap_learn() {
        // umap-learn 0.5.12, find_ab_params(spread, min_dist); curve_fit there stops at a relative change of 1.5e-8.
        for (min_dist, spread, expected) in CURVES {
            let (a, b) = fit(*min_dist, *spread);
            assert!((a - expected.0).abs() < 1e-5 * expected.0, "{a} {expected:?}");
            assert!((b - expected.1).abs() < 1e-5, "{b} {expected:?}");
        }
    }

    const CURVES: &[(f64, f64, (f64, f64))] = &[
        (0.1, 1.0, (1.576_943_460, 0.895_060_878)),
        (0.0, 1.0, (1.932_808_397, 0.790_494_973)),
        (0.5, 1.0, (0.583_030_020, 1.334_166_992)),
        (0.99, 1.0, (0.119_305_300, 1.916_390_417)),
        (0.25, 2.0, (0.416_273_497, 0.921_855_132)),
    ];
}
