//! Exact nearest neighbours by squared Euclidean distance: matrix products find the candidates, direct sums decide.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::points::Points;
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// Rows whose distances one task computes at a time.
const QUERIES: usize = 64;
/// Rows that they are compared with at a time: the distances of a block fit the second cache.
const TILE: usize = 1024;

/// The nearest rows of each row, the nearest first, of equally near ones the one with the lower index.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Neighbours {
    /// How many each row has.
    pub(super) count: usize,
    /// Their indices, row after row.
    pub(super) indices: Vec<u32>,
    /// Their squared distances, row after row.
    pub(super) squared: Vec<f64>,
}

/// Rows in a form that is quick to compare: centred, scaled to at most 1, in four bytes a value.
struct Compact {
    values: Vec<f32>,
    /// The squared length of each row.
    lengths: Vec<f32>,
}

/// The `count` nearest other rows of every row; `count` is below the number of rows.
pub(super) fn among(points: &Points<'_>, count: usize, probe: &dyn Probe) -> Result<Neighbours, Cancelled> {
    search(points, points, count, true, probe)
}

/// The `count` rows of `points` that are nearest to each row of `queries`.
pub(super) fn between(
    queries: &Points<'_>,
    points: &Points<'_>,
    count: usize,
    probe: &dyn Probe,
) -> Result<Neighbours, Cancelled> {
    search(queries, points, count, false, probe)
}

/// The squared distance of two rows.
pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
    let square = |(a, b): (&f64, &f64)| (a - b) * (a - b);
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(square).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..4 {
            lanes[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

impl Compact {
    fn new(points: &Points<'_>, centre: &[f64], scale: f64) -> Self {
        let values = parallel::flat_map(points.values.chunks(TILE * points.features), |rows| {
            let mut values = Vec::with_capacity(rows.len());
            for row in rows.chunks_exact(points.features) {
                values.extend(row.iter().zip(centre).map(|(value, centre)| ((value - centre) * scale) as f32));
            }
            values
        });
        let lengths = values.chunks_exact(points.features).map(|row| row.iter().map(|value| value * value).sum());
        let lengths = lengths.collect();
        Self { values, lengths }
    }
}

fn search(
    queries: &Points<'_>,
    points: &Points<'_>,
    count: usize,
    same: bool,
    probe: &dyn Probe,
) -> Result<Neighbours, Cancelled> {
    let features = points.features;
    let centre = points.means();
    let spread = |rows: &Points<'_>| {
        let most = parallel::map(rows.values.chunks(TILE * features), |rows| {
            let row = |row: &[f64]| row.iter().zip(&centre).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
            rows.chunks_exact(features).map(row).fold(0.0, f64::max)
        });
        most.into_iter().fold(0.0, f64::max)
    };
    let largest = spread(queries).max(spread(points));
    let scale = if largest > 0.0 { 1.0 / largest } else { 1.0 };
    let compact = Compact::new(points, &centre, scale);
    let asked = if same { None } else { Some(Compact::new(queries, &centre, scale)) };
    let asked = asked.as_ref().unwrap_or(&compact);
    // A bound on the rounding of a squared distance in four bytes, times the two squared lengths; twice it, since both
    // the candidate and the limit are rounded.
    let rounding = 4.0 * (features as f32 + 8.0) * f32::EPSILON;
    let longest = compact.lengths.iter().copied().fold(0.0, f32::max);
    let parts = queries.rows.div_ceil(QUERIES);
    let found = parallel::try_map(0..parts, |part| {
        probe.check()?;
        let start = part * QUERIES;
        let end = (start + QUERIES).min(queries.rows);
        let mut candidates: Vec<Candidates> = (start..end)
            .map(|row| Candidates::new(count, rounding * (asked.lengths[row] + longest + f32::MIN_POSITIVE)))
            .collect();
        let mut products = vec![0.0_f32; (end - start) * TILE];
        for first in (0..points.rows).step_by(TILE) {
            let width = TILE.min(points.rows - first);
            let products = &mut products[..(end - start) * width];
            multiply(
                &asked.values[start * features..end * features],
                &compact.values[first * features..(first + width) * features],
                features,
                products,
            );
            let lengths = &compact.lengths[first..first + width];
            for (offset, row) in products.chunks_exact(width).enumerate() {
                let itself = if same { start + offset } else { usize::MAX };
                candidates[offset].offer(row, lengths, first, itself);
            }
        }
        let exact = candidates.into_iter().enumerate().map(|(offset, candidates)| {
            let row = queries.row(start + offset);
            let near = |(_, index): (f32, u32)| (squared_distance(row, points.row(index as usize)), index);
            let mut near: Vec<(f64, u32)> = candidates.finish().into_iter().map(near).collect();
            near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            near.truncate(count);
            near
        });
        Ok::<_, Cancelled>(exact.collect::<Vec<_>>())
    });
    let found = found?;
    let rows = found.iter().flatten();
    let indices = rows.clone().flat_map(|row| row.iter().map(|(_, index)| *index)).collect();
    let squared = rows.flat_map(|row| row.iter().map(|(squared, _)| *squared)).collect();
    Ok(Neighbours { count, indices, squared })
}

/// `products = a · bᵀ`, all in row order.
fn multiply(a: &[f32], b: &[f32], features: usize, products: &mut [f32]) {
    let (m, n) = (a.len() / features, b.len() / features);
    let views = (
        ArrayView2::from_shape((m, features), a),
        ArrayView2::from_shape((n, features), b),
        ArrayViewMut2::from_shape((m, n), products),
    );
    if let (Ok(a), Ok(b), Ok(mut products)) = views {
        general_mat_mul(1.0, &a, &b.t(), 0.0, &mut products);
    }
}

/// The rows that may be among the nearest of one row.
struct Candidates {
    count: usize,
    /// How far rounding may put a row beyond the limit.
    slack: f32,
    /// The `count`th smallest distance so far, with the slack.
    limit: f32,
    /// Distances without the length of the row itself, which all share.
    near: Vec<(f32, u32)>,
    /// The number of candidates at which the far ones are dropped.
    full: usize,
}

impl Candidates {
    fn new(count: usize, slack: f32) -> Self {
        let full = 2 * count + 32;
        Self { count, slack, limit: f32::INFINITY, near: Vec::with_capacity(full), full }
    }

    fn offer(&mut self, products: &[f32], lengths: &[f32], first: usize, itself: usize) {
        const LANES: usize = 16;
        let mut start = 0;
        for (products, lengths) in products.chunks(LANES).zip(lengths.chunks(LANES)) {
            let mut distances = [f32::INFINITY; LANES];
            for ((distance, product), length) in distances.iter_mut().zip(products).zip(lengths) {
                *distance = length - 2.0 * product;
            }
            let limit = self.limit;
            if distances.iter().fold(0, |near, distance| near + u32::from(*distance <= limit)) > 0 {
                for (lane, distance) in distances[..products.len()].iter().enumerate() {
                    let index = first + start + lane;
                    if *distance <= self.limit && index != itself {
                        self.near.push((*distance, index as u32));
                    }
                }
                if self.near.len() >= self.full {
                    self.shrink();
                }
            }
            start += LANES;
        }
    }

    fn shrink(&mut self) {
        if self.near.len() <= self.count || self.count == 0 {
            return;
        }
        let (_, nth, _) = self.near.select_nth_unstable_by(self.count - 1, |a, b| a.0.total_cmp(&b.0));
        let limit = nth.0 + self.slack;
        self.limit = limit;
        self.near.retain(|(distance, _)| *distance <= limit);
        // Many rows at the same distance all stay; the next look waits until there are twice as many.
        self.full = (2 * self.near.len() + 32).max(2 * self.count + 32);
    }

    fn finish(mut self) -> Vec<(f32, u32)> {
        self.shrink();
        self.near
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::RngExt;

    use super::*;
    use crate::probe::Silent;
    use crate::seed;

    fn direct(x: &Points<'_>, count: usize) -> Vec<u32> {
        let mut all = Vec::new();
        for row in 0..x.rows {
            let mut near: Vec<(f64, u32)> = (0..x.rows)
                .filter(|other| *other != row)
                .map(|other| (squared_distance(x.row(row), x.row(other)), other as u32))
                .collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            all.extend(near[..count].iter().map(|(_, index)| *index));
        }
        all
    }

    #[test]
    fn the_neighbours_are_those_of_all_distances() {
        for (rows, features, count, offset) in [(2, 1, 1, 0.0), (70, 3, 69, 0.0), (1500, 5, 7, 1e6), (300, 40, 20, 0.0)]
        {
            let mut rng = seed::rng(1, rows as u64);
            let x = Array2::from_shape_simple_fn((rows, features), || rng.random::<f64>() + offset);
            let points = Points::new(x.view()).unwrap();
            assert_eq!(among(&points, count, &Silent).unwrap().indices, direct(&points, count));
            assert_eq!(between(&points, &points, 1, &Silent).unwrap().indices, (0..rows as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn ties_go_to_the_lower_index() {
        let x = Array2::from_shape_fn((400, 2), |(row, _)| f64::from((row % 3) as u32));
        let points = Points::new(x.view()).unwrap();
        let found = among(&points, 5, &Silent).unwrap();
        assert_eq!(found.indices, direct(&points, 5));
        assert_eq!(found.indices[..5], [3, 6, 9, 12, 15]);
    }
}
