//! Dense kernels on slices, written so that the compiler makes vector instructions of them.

const LANES: usize = 8;

/// The inner product. The order of the additions depends on the length alone.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// `y += factor · x`.
pub(super) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// The Euclidean length, without overflow on the way.
pub(super) fn length(x: &[f64]) -> f64 {
    let largest = largest(x);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    if (1e-100..1e100).contains(&largest) {
        return dot(x, x).sqrt();
    }
    largest * x.iter().map(|value| (value / largest).powi(2)).sum::<f64>().sqrt()
}

/// The largest absolute value; 0 for an empty slice.
pub(super) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_lengths() {
        let a = (0..19).map(f64::from).collect::<Vec<_>>();
        assert_eq!(dot(&a, &a), 2109.0);
        let mut y = a.clone();
        add_scaled(&mut y, -1.0, &a);
        assert_eq!(largest(&y), 0.0);
        assert_eq!(length(&y), 0.0);
        assert_eq!(length(&[3.0, -4.0]), 5.0);
        assert!((length(&[3e200, 4e200]) - 5e200).abs() < 1e186);
    }
}
