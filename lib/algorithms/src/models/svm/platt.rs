//! Probabilities from scores: Platt's sigmoid and the coupling of pairs of classes.

use super::Sigmoid;

const ITERATIONS: usize = 100;
const SMALLEST_STEP: f64 = 1e-10;
const ENOUGH: f64 = 1e-5;
/// Added to the second derivatives, so that the step is always defined.
const RIDGE: f64 = 1e-12;

/// `1 / (1 + exp(power))`, without overflow.
pub(super) fn probability(power: f64) -> f64 {
    if power >= 0.0 {
        let small = (-power).exp();
        small / (1.0 + small)
    } else {
        1.0 / (1.0 + power.exp())
    }
}

/// The sigmoid that fits scores of the first (`true`) and the second class best, by Newton's method with backtracking
/// (Lin, Lin and Weng, 2007).
pub(super) fn fit(scores: &[f64], first: &[bool]) -> Sigmoid {
    let count = first.iter().filter(|first| **first).count() as f64;
    let others = first.len() as f64 - count;
    let (high, low) = ((count + 1.0) / (count + 2.0), 1.0 / (others + 2.0));
    let wanted: Vec<f64> = first.iter().map(|&first| if first { high } else { low }).collect();
    let (mut slope, mut offset) = (0.0, ((others + 1.0) / (count + 1.0)).ln());
    let loss = |slope: f64, offset: f64| {
        let terms = scores.iter().zip(&wanted).map(|(score, wanted)| {
            let power = slope * score + offset;
            let rest = (-power.abs()).exp().ln_1p();
            if power >= 0.0 { wanted * power + rest } else { (wanted - 1.0) * power + rest }
        });
        terms.sum::<f64>()
    };
    let mut value = loss(slope, offset);
    for _ in 0..ITERATIONS {
        let (mut curves, mut gradient) = ([RIDGE, RIDGE, 0.0], [0.0, 0.0]);
        for (score, wanted) in scores.iter().zip(&wanted) {
            let estimate = probability(slope * score + offset);
            let curve = estimate * (1.0 - estimate);
            curves[0] += score * score * curve;
            curves[1] += curve;
            curves[2] += score * curve;
            gradient[0] += score * (wanted - estimate);
            gradient[1] += wanted - estimate;
        }
        if gradient[0].abs() < ENOUGH && gradient[1].abs() < ENOUGH {
            break;
        }
        let determinant = curves[0] * curves[1] - curves[2] * curves[2];
        let step_slope = -(curves[1] * gradient[0] - curves[2] * gradient[1]) / determinant;
        let step_offset = -(curves[0] * gradient[1] - curves[2] * gradient[0]) / determinant;
        let descent = gradient[0] * step_slope + gradient[1] * step_offset;
        let mut size = 1.0;
        loop {
            let (new_slope, new_offset) = (slope + size * step_slope, offset + size * step_offset);
            let new_value = loss(new_slope, new_offset);
            if new_value < value + 1e-4 * size * descent {
                (slope, offset, value) = (new_slope, new_offset, new_value);
                break;
            }
            size *= 0.5;
            if size < SMALLEST_STEP {
                return Sigmoid { slope, offset };
            }
        }
    }
    Sigmoid { slope, offset }
}

/// The probabilities of the classes that agree best with those of their pairs: `pairs[a · classes + b]` is that of a
/// against b (Wu, Lin and Weng, 2004, second method).
pub(super) fn couple(pairs: &[f64], classes: usize) -> Vec<f64> {
    if classes == 2 {
        return vec![pairs[1], pairs[2]];
    }
    let pair = |a: usize, b: usize| pairs[a * classes + b];
    let mut matrix = vec![0.0; classes * classes];
    for a in 0..classes {
        for b in (0..classes).filter(|&b| b != a) {
            matrix[a * classes + a] += pair(b, a) * pair(b, a);
            matrix[a * classes + b] = -pair(b, a) * pair(a, b);
        }
    }
    let mut shares = vec![1.0 / classes as f64; classes];
    let enough = 0.005 / classes as f64;
    for _ in 0..classes.max(100) {
        let product = |class: usize, shares: &[f64]| {
            shares.iter().enumerate().map(|(other, share)| matrix[class * classes + other] * share).sum::<f64>()
        };
        let mut products: Vec<f64> = (0..classes).map(|class| product(class, &shares)).collect();
        let mut whole: f64 = shares.iter().zip(&products).map(|(share, product)| share * product).sum();
        if products.iter().all(|product| (product - whole).abs() < enough) {
            break;
        }
        for class in 0..classes {
            let own = matrix[class * classes + class];
            let change = (whole - products[class]) / own;
            shares[class] += change;
            whole = (whole + change * (change * own + 2.0 * products[class])) / (1.0 + change).powi(2);
            for other in 0..classes {
                products[other] = (products[other] + change * matrix[class * classes + other]) / (1.0 + change);
                shares[other] /= 1.0 + change;
            }
        }
    }
    let total: f64 = shares.iter().sum();
    shares.iter().map(|share| share / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sigmoid_is_found_again() {
        let scores: Vec<f64> = (-500..500).map(|step| f64::from(step) / 100.0).collect();
        let mut rising = 0.0;
        // Deterministic rounding of the wanted shares.
        let first: Vec<bool> = scores
            .iter()
            .map(|score| {
                rising += probability(-1.5 * score + 0.5);
                let carry = rising >= 0.5;
                rising -= f64::from(u8::from(carry));
                carry
            })
            .collect();
        let Sigmoid { slope, offset } = fit(&scores, &first);
        assert!((slope + 1.5).abs() < 0.1 && (offset - 0.5).abs() < 0.1, "{slope} {offset}");
        assert!(probability(1e5) == 0.0 && probability(-1e5) == 1.0);
    }

    #[test]
    fn consistent_pairs_give_their_classes() {
        let shares = [0.5, 0.3, 0.2];
        let pairs: Vec<f64> = (0..9).map(|at| shares[at / 3] / (shares[at / 3] + shares[at % 3])).collect();
        let coupled = couple(&pairs, 3);
        assert!(coupled.iter().zip(shares).all(|(a, b)| (a - b).abs() < 0.005), "{coupled:?}");
    }
}
