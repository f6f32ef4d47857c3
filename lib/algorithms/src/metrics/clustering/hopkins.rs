//! The statistic of Hopkins and Skellam (1954): whether rows lie in clumps at all, before anyone looks for clusters.

use ndarray::ArrayView2;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::ClusterMetricError;
use crate::metrics::{Measure, MetricError};
use crate::parallel;
use crate::probe::Probe;
use crate::seed;

/// The most rows that are drawn.
const MOST_DRAWN: usize = 200;

/// The share of the distances from points drawn evenly over the rows' box to their nearest row in all such distances and
/// those from drawn rows to their nearest other row, each raised to the number of features that vary (Wright, 2022): near
/// 0.5 for rows spread at random, near 1 for rows in clumps, near 0 for rows on a grid.
///
/// `x` is rows × features, finite. A tenth of the rows is drawn by `seed`, at least 1 and at most 200. Not defined for one
/// row and for rows that are all the same.
pub fn hopkins(x: ArrayView2<'_, f64>, seed: u64, probe: &dyn Probe) -> Result<Measure, ClusterMetricError> {
    let rows = x.nrows();
    for (row, values) in x.rows().into_iter().enumerate() {
        if let Some(value) = values.iter().find(|value| !value.is_finite() || value.abs() >= 1e140) {
            return Err(MetricError::NotFinite { field: "x", row, value: value.to_string() }.into());
        }
    }
    if rows < 2 {
        return Ok(Measure::undefined("one row has no neighbour; it needs two"));
    }
    let ends = x.columns().into_iter().map(|column| {
        column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
    });
    let ends = ends.collect::<Vec<_>>();
    let varying = (0..ends.len()).filter(|&feature| ends[feature].1 > ends[feature].0).collect::<Vec<_>>();
    if varying.is_empty() {
        return Ok(Measure::undefined("all rows are the same"));
    }
    let points = x.rows().into_iter().flat_map(|row| varying.iter().map(move |&feature| row[feature]));
    let points = points.collect::<Vec<_>>();
    let width = varying.len();
    let drawn = (rows / 10).clamp(1, MOST_DRAWN);
    let mut random = seed::rng(seed, 0);
    let mut own = (0..rows).collect::<Vec<_>>();
    let own = own.partial_shuffle(&mut random, drawn).0.to_vec();
    let places = (0..drawn * width).map(|at| {
        let (low, high) = ends[varying[at % width]];
        low + random.random::<f64>() * (high - low)
    });
    let places = places.collect::<Vec<_>>();
    let nearest = |from: &[f64], but: Option<usize>| {
        let others = points.chunks_exact(width).enumerate().filter(|(row, _)| Some(*row) != but);
        let distance = |row: &[f64]| row.iter().zip(from).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        others.map(|(_, row)| distance(row)).fold(f64::INFINITY, f64::min).sqrt()
    };
    let distances = parallel::try_map(0..drawn, |at| {
        probe.check()?;
        let place = nearest(&places[at * width..(at + 1) * width], None);
        let row = own[at];
        Ok::<_, ClusterMetricError>((place, nearest(&points[row * width..(row + 1) * width], Some(row))))
    })?;
    // Divided by the largest, no power leaves the range of numbers.
    let largest = distances.iter().fold(0.0_f64, |largest, pair| largest.max(pair.0).max(pair.1));
    let power = |distance: f64| (distance / largest).powf(width as f64);
    let (place, row) = distances.iter().fold((0.0, 0.0), |sums, pair| (sums.0 + power(pair.0), sums.1 + power(pair.1)));
    Ok(Measure::of(place / (place + row)))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::probe::Silent;

    fn value(x: &Array2<f64>) -> f64 {
        hopkins(x.view(), 7, &Silent).unwrap().value.unwrap()
    }

    #[test]
    fn clumps_are_told_from_chance_and_from_a_grid() {
        let mut random = seed::rng(1, 0);
        let chance = Array2::from_shape_fn((600, 2), |_| random.random::<f64>());
        let clumps = Array2::from_shape_fn((600, 2), |(row, _)| f64::from((row % 3) as u32) + chance[[row, 0]] / 50.0);
        let grid =
            Array2::from_shape_fn((625, 2), |(row, column)| if column == 0 { row % 25 } else { row / 25 } as f64);
        assert!((value(&chance) - 0.5).abs() < 0.15, "{}", value(&chance));
        assert!(value(&clumps) > 0.95, "{}", value(&clumps));
        assert!(value(&grid) < 0.25, "{}", value(&grid));
        assert_eq!(value(&chance), value(&chance));
    }

    #[test]
    fn what_has_no_neighbours_has_no_value() {
        let same = Array2::from_elem((9, 3), 4.0);
        assert!(hopkins(same.view(), 0, &Silent).unwrap().reason.unwrap().contains("all rows are the same"));
        let one = Array2::from_elem((1, 3), 4.0);
        assert_eq!(hopkins(one.view(), 0, &Silent).unwrap().value, None);
        let wrong = Array2::from_elem((3, 1), f64::NAN);
        assert!(hopkins(wrong.view(), 0, &Silent).is_err());
    }
}
