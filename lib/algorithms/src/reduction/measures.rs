//! How well coordinates keep what the features say about the rows.

use ndarray::ArrayView2;

use super::neighbours::{self, squared_distance};
use super::points::Points;
use super::{ReductionError, ReductionModel};
use crate::parallel::{self, Scratch};
use crate::probe::Probe;

/// How well neighbourhoods are kept; every figure is at most 1, and 1 is the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbourhoods {
    /// Whether the neighbours on the map are neighbours among the features (Venna and Kaski, 2001); scikit-learn's
    /// `trustworthiness`.
    pub trustworthiness: f64,
    /// Whether the neighbours among the features are neighbours on the map.
    pub continuity: f64,
    /// The share of each row's neighbours among the features that are its neighbours on the map, over all rows.
    pub preservation: f64,
}

/// Compares the `count` nearest neighbours of every row among the features `x` (rows × features) with those on the map
/// `coordinates` (rows × components), by Euclidean distance; of equally near rows the first is the nearer one.
///
/// `count` must be below half the number of rows, as otherwise the figures have no scale. The time grows with the
/// square of the number of rows.
pub fn neighbourhoods(
    x: ArrayView2<'_, f64>,
    coordinates: ArrayView2<'_, f64>,
    count: usize,
    probe: &dyn Probe,
) -> Result<Neighbourhoods, ReductionError> {
    let (features, map) = (Points::new(x)?, Points::new(coordinates)?);
    if features.rows != map.rows {
        return Err(ReductionError::Rows { rows: features.rows, given: map.rows });
    }
    let rows = features.rows;
    if count == 0 || 2 * count >= rows {
        let below = format!("half of that, {}", rows as f64 / 2.0);
        return Err(ReductionError::Neighbours { given: count, rows, below });
    }
    let near_features = neighbours::among(&features, count, probe)?;
    let near_map = neighbours::among(&map, count, probe)?;
    let trustworthiness = penalty(&features, &near_map.indices, count, probe)?;
    let continuity = penalty(&map, &near_features.indices, count, probe)?;
    let shared = parallel::map_rows(rows, |row| {
        let own = row * count..(row + 1) * count;
        let (a, b) = (&near_features.indices[own.clone()], &near_map.indices[own]);
        a.iter().filter(|index| b.contains(index)).count()
    });
    let shared: usize = shared.into_iter().sum();
    let scale = 2.0 / (rows as f64 * count as f64 * (2.0 * rows as f64 - 3.0 * count as f64 - 1.0));
    Ok(Neighbourhoods {
        trustworthiness: 1.0 - scale * trustworthiness,
        continuity: 1.0 - scale * continuity,
        preservation: shared as f64 / (rows * count) as f64,
    })
}

/// The sum, over the given neighbours of every row, of how far their rank among all rows by the distance in `points`
/// lies beyond `count`.
fn penalty(points: &Points<'_>, neighbours: &[u32], count: usize, probe: &dyn Probe) -> Result<f64, ReductionError> {
    let scratch = Scratch::new(Vec::new);
    let beyond = |row: usize, neighbours: &[u32], distances: &mut Vec<f64>| {
        let own = points.row(row);
        distances.clear();
        distances.extend((0..points.rows).map(|other| squared_distance(own, points.row(other))));
        distances[row] = f64::INFINITY;
        let beyond = neighbours.iter().map(|&other| {
            let (other, distance) = (other as usize, distances[other as usize]);
            let nearer = distances.iter().filter(|value| **value < distance).count();
            let tied = distances[..other].iter().filter(|value| **value == distance).count();
            (nearer + tied + 1).saturating_sub(count)
        });
        beyond.sum::<usize>()
    };
    let sums = parallel::try_map(neighbours.chunks(count).enumerate(), |(row, neighbours)| {
        if row % 64 == 0 {
            probe.check()?;
        }
        Ok::<_, ReductionError>(scratch.with(|distances| beyond(row, neighbours, distances)))
    })?;
    Ok(sums.into_iter().sum::<usize>() as f64)
}

/// The mean squared difference between the features and what the model makes of their coordinates; only principal
/// components lead back.
pub fn reconstruction_error(
    model: &ReductionModel,
    x: ArrayView2<'_, f64>,
    probe: &dyn Probe,
) -> Result<f64, ReductionError> {
    let coordinates = model.transform(x.reborrow(), probe)?;
    let back = model.inverse_transform(coordinates.view())?;
    let squares: f64 = back.iter().zip(x.iter()).map(|(a, b)| (a - b) * (a - b)).sum();
    Ok(squares / x.len() as f64)
}
