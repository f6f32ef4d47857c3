//! Quantiles by linear interpolation between order statistics, as `NumPy`'s default method.

/// The quantile of values in ascending order; `probability` between 0 and 1. `None` for no values.
pub(super) fn of_sorted(sorted: &[f64], probability: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = probability.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let fraction = position - below as f64;
    Some((sorted[above] - sorted[below]).mul_add(fraction, sorted[below]))
}

/// The values in ascending order.
pub(super) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        let values = sorted([4.0, 1.0, 3.0, 2.0].into_iter());
        assert_eq!(of_sorted(&values, 0.0), Some(1.0));
        assert_eq!(of_sorted(&values, 0.5), Some(2.5));
        assert_eq!(of_sorted(&values, 1.0), Some(4.0));
        assert_eq!(of_sorted(&[], 0.5), None);
    }
}
