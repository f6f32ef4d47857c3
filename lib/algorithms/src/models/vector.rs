//! Dense kernels on slices, written so that the compiler makes vector instructions of them.

pub(super) use crate::vectorised::vectorised;

const LANES: usize = 8;

/// From this length on vectors are worth a look at what instructions the processor has.
const LONG: usize = 64;

/// The inner product. The order of the additions depends on the length alone.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    if a.len() < LONG {
        return dot_in_lanes::<LANES>(a, b);
    }
    vectorised(
        #[inline(always)]
        || dot_in_lanes::<LANES>(a, b),
    )
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

/// The inner product for loops inside [`vectorised`].
#[expect(clippy::inline_always, reason = "only inlined code gets the caller's instructions")]
#[inline(always)]
pub(super) fn dot_inlined(a: &[f64], b: &[f64]) -> f64 {
    dot_in_lanes::<16>(a, b)
}

#[expect(clippy::inline_always, reason = "only inlined code gets the caller's instructions")]
#[inline(always)]
fn dot_in_lanes<const WIDE: usize>(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; WIDE];
    let (a, b) = (a.chunks_exact(WIDE), b.chunks_exact(WIDE));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..WIDE {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// Writes rows of `width` values as columns, one after the other, each as long as there are rows; what lies behind them is
/// left alone.
pub(super) fn turn(rows: &[f64], width: usize, columns: &mut [f64]) {
    /// Rows that are written side by side: a line of the cache.
    const TOGETHER: usize = 8;
    let count = rows.len() / width.max(1);
    for (top, rows) in (0..).step_by(TOGETHER).zip(rows.chunks(TOGETHER * width)) {
        let together = rows.len() / width;
        for (place, column) in columns.chunks_exact_mut(count).take(width).enumerate() {
            let values = rows[place..].iter().step_by(width);
            column[top..top + together].iter_mut().zip(values).for_each(|(to, value)| *to = *value);
        }
    }
}

/// `eˣ` to a unit or two in the last place, without branches, for loops inside [`vectorised`].
///
/// x is cut off at −708 and 709, so the result is never 0 or infinite: `x = n·log 2 + r` with the logarithm in two parts
/// (Cody and Waite, 1980), then the Taylor series of `eʳ` on |r| ≤ log 2 / 2.
#[inline(always)]
pub(super) fn exponential(x: f64) -> f64 {
    /// Adding it rounds to an integer, which then stands in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LOG_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOG_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = if x > -708.0 { x } else { -708.0 };
    let x = if x < 709.0 { x } else { 709.0 };
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (x - whole * LOG_2_HIGH) - whole * LOG_2_LOW;
    let mut series = 1.0 / 6_227_020_800.0;
    for factor in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = series * rest + factor;
    }
    series * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52))
}

/// `log(1 + x)` for x from 0 to 1, without branches, for loops inside [`vectorised`]: twice the series of the inverse
/// hyperbolic tangent at `x / (2 + x)`.
#[expect(clippy::inline_always, reason = "only inlined code gets the caller's instructions")]
#[inline(always)]
pub(super) fn log_one_plus(x: f64) -> f64 {
    let ratio = x / (2.0 + x);
    let square = ratio * ratio;
    let mut series = 0.0;
    for odd in [33.0, 31.0, 29.0, 27.0, 25.0, 23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * square + 1.0 / odd;
    }
    2.0 * ratio * series
}

/// The largest of the values, −∞ when there is none, for loops inside [`vectorised`].
#[expect(clippy::inline_always, reason = "only inlined code gets the caller's instructions")]
#[inline(always)]
pub(super) fn maximum_inlined(values: &[f64]) -> f64 {
    let mut lanes = [f64::NEG_INFINITY; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder().iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = if chunk[lane] > lanes[lane] { chunk[lane] } else { lanes[lane] };
        }
    }
    lanes.iter().copied().fold(rest, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_and_logarithms_are_exact_to_the_last_digits() {
        for step in -7000..7000 {
            let x = f64::from(step) * 0.1;
            let exact = x.exp();
            assert!((exponential(x) - exact).abs() <= 4.0 * f64::EPSILON * exact, "{x}");
        }
        for step in 0..=1000 {
            let x = f64::from(step) / 1000.0;
            assert!((log_one_plus(x) - x.ln_1p()).abs() <= 4.0 * f64::EPSILON * x.ln_1p(), "{x}");
        }
        assert!(exponential(-1e9) > 0.0 && exponential(-1e9) < 1e-300 && exponential(1e9).is_finite());
    }

    #[test]
    fn rows_become_columns() {
        for (count, width) in [(1, 1), (8, 3), (21, 5), (3, 40)] {
            let rows: Vec<f64> = (0..count * width).map(|value| value as f64).collect();
            let mut columns = vec![-1.0; (width + 1) * count];
            turn(&rows, width, &mut columns);
            for (at, &value) in columns[..width * count].iter().enumerate() {
                assert_eq!(value, rows[at % count * width + at / count]);
            }
            assert!(columns[width * count..].iter().all(|value| *value == -1.0));
        }
    }

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
