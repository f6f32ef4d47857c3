//! Quantiles of weighted values, as XGBoost takes them for the leaves of absolute and pinball losses.

/// The `alpha` quantile of values and their weights, which are sorted on the way; 0 without values.
///
/// Unweighted, between the two nearest order statistics at rank `alpha · (n + 1)` (type 6 of Hyndman and Fan, 1996);
/// weighted, the first value at which the cumulative weight reaches `alpha` times the total.
pub(super) fn quantile(values: &mut [(f32, f32)], alpha: f64, weighted: bool) -> f32 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some(last) = values.last().map(|(value, _)| *value) else { return 0.0 };
    if weighted {
        let wanted = alpha * values.iter().map(|(_, weight)| f64::from(*weight)).sum::<f64>();
        let reached = values.iter().scan(0.0, |sum, (value, weight)| {
            *sum += f64::from(*weight);
            Some((*sum, *value))
        });
        return reached.into_iter().find(|(sum, _)| *sum >= wanted).map_or(last, |(_, value)| value);
    }
    let rank = alpha * (values.len() as f64 + 1.0) - 1.0;
    if rank <= 0.0 {
        return values[0].0;
    }
    let below = rank as usize;
    match values.get(below + 1) {
        Some((above, _)) => {
            let (below, above) = (f64::from(values[below].0), f64::from(*above));
            (below + (rank - rank.floor()) * (above - below)) as f32
        }
        None => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_xgboost() {
        let plain =
            |values: &[f32], alpha| quantile(&mut values.iter().map(|v| (*v, 1.0)).collect::<Vec<_>>(), alpha, false);
        let five = [-0.528, -1.073, 0.865, -0.612, 1.624];
        assert_eq!(plain(&five, 0.5), -0.528);
        assert!((plain(&five, 0.3) - -0.7042).abs() < 1e-6);
        assert_eq!(plain(&five, 0.9), 1.624);
        assert_eq!(plain(&five, 0.01), -1.073);
        assert_eq!(plain(&[], 0.5), 0.0);
        let mut weighted = [(-1.073, 1.51), (-0.612, 1.13), (-0.528, 1.34), (0.865, 0.71), (1.624, 0.8)];
        assert_eq!(quantile(&mut weighted, 0.3, true), -0.612);
    }
}
