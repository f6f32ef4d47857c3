//! Lloyd's iterations in single precision; where there are many centers with Hamerly's bounds, so that rows that cannot have
//! changed are not looked at.

use super::super::points::CHUNK;
use super::single::{Single, products, squared_distance};
use super::tiles::{self, TILE};
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::vectorised::vectorised;

/// The most parts whose sums are made apart; fixed, so that the sums do not depend on the number of threads.
const SLABS: usize = 16;

/// With more centers than this the distances between them are not worth their cost.
const MOST_COMPARED: usize = 1024;

/// With at most so many centers every row is compared with each of them: on 100,000 × 30 that took a fifth less time than
/// the bounds with 16 centers, and two thirds more with 24.
const MOST_DIRECT: usize = 16;

/// Where the iterations in single precision ended.
pub(super) struct Rough {
    /// The nearest center of each row.
    pub(super) labels: Vec<u32>,
    /// Clusters × features, scaled as [`Single`] is.
    pub(super) centers: Vec<f64>,
    /// How many iterations were done.
    pub(super) iterations: usize,
}

/// What one row knows: its center, at most how far that is, and at least how far every other is (Hamerly, 2010).
struct Bounds {
    labels: Vec<u32>,
    upper: Vec<f32>,
    lower: Vec<f32>,
}

/// The centers, and how far they moved in the last step.
struct Centers {
    single: Vec<f32>,
    doubled: Vec<f64>,
    norms: Vec<f32>,
    moved: Vec<f32>,
    /// The two centers' movements that lower the bounds: the largest, its center, and the second largest.
    largest: (f32, usize, f32),
    /// Half the distance to the nearest other center.
    apart: Vec<f32>,
    /// −2 times the centers.
    scaled: Vec<f32>,
}

/// What is known of the rows of each cluster, or how it changes; kept by differences.
struct Totals {
    /// Clusters × features.
    sums: Vec<f64>,
    weights: Vec<f64>,
    /// How many rows have a weight: a cluster that has lost all of them may keep a rounding error of its weight.
    counts: Vec<isize>,
    /// How many rows changed their cluster.
    changed: usize,
}

impl Totals {
    fn new(clusters: usize, features: usize) -> Self {
        Self {
            sums: vec![0.0; clusters * features],
            weights: vec![0.0; clusters],
            counts: vec![0; clusters],
            changed: 0,
        }
    }

    fn add(&mut self, change: &Self) {
        self.sums.iter_mut().zip(&change.sums).for_each(|(sum, change)| *sum += change);
        self.weights.iter_mut().zip(&change.weights).for_each(|(weight, change)| *weight += change);
        self.counts.iter_mut().zip(&change.counts).for_each(|(count, change)| *count += change);
        self.changed += change.changed;
    }

    /// Moves a row of that weight; no cluster is left where `from` is none.
    fn move_row(&mut self, row: &[f32], weight: f64, from: u32, to: u32) {
        let (features, counts) = (row.len(), isize::from(weight > 0.0));
        self.changed += 1;
        for (cluster, weight, count) in [(from as usize, -weight, -counts), (to as usize, weight, counts)] {
            if let Some(total) = self.weights.get_mut(cluster) {
                *total += weight;
                self.counts[cluster] += count;
                let sums = &mut self.sums[cluster * features..(cluster + 1) * features];
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += weight * f64::from(*value);
                }
            }
        }
    }
}

/// Iterates until no row changes its center, or the centers' squared movements sum to at most `tolerance` (in units of
/// the scaled rows).
pub(super) fn iterate(
    rows: &Single,
    weights: Option<&[f64]>,
    centers: Vec<f64>,
    max_iter: usize,
    tolerance: f64,
    probe: &dyn Probe,
) -> Result<Rough, Cancelled> {
    let (features, clusters) = (rows.features, centers.len() / rows.features);
    let mut centers = Centers::new(centers, features);
    let mut bounds = Bounds {
        labels: vec![u32::MAX; rows.rows],
        upper: vec![f32::INFINITY; rows.rows],
        lower: vec![0.0; rows.rows],
    };
    let mut totals = Totals::new(clusters, features);
    for iteration in 1..=max_iter {
        probe.check()?;
        totals.changed = 0;
        for change in assign(rows, weights, &centers, &mut bounds) {
            totals.add(&change);
        }
        let empty = relocate(rows, weights, &centers, &mut bounds, &mut totals);
        let shift = centers.step(&totals.sums, &totals.weights, features);
        if (totals.changed == 0 && !empty) || shift <= tolerance || iteration == max_iter {
            return Ok(Rough { labels: bounds.labels, centers: centers.doubled, iterations: iteration });
        }
    }
    Ok(Rough { labels: bounds.labels, centers: centers.doubled, iterations: 0 })
}

impl Centers {
    fn new(doubled: Vec<f64>, features: usize) -> Self {
        let clusters = doubled.len() / features;
        let mut centers = Self {
            single: Vec::new(),
            doubled,
            norms: Vec::new(),
            moved: vec![0.0; clusters],
            largest: (0.0, 0, 0.0),
            apart: Vec::new(),
            scaled: Vec::new(),
        };
        centers.derive(features);
        centers
    }

    /// What follows from the centers.
    fn derive(&mut self, features: usize) {
        self.single = self.doubled.iter().map(|value| *value as f32).collect();
        let rows = self.single.chunks_exact(features);
        self.norms = rows.clone().map(|row| row.iter().map(|value| value * value).sum()).collect();
        let clusters = self.norms.len();
        self.scaled = self.single.iter().map(|value| -2.0 * value).collect();
        self.apart = vec![0.0; clusters];
        if (MOST_DIRECT + 1..=MOST_COMPARED).contains(&clusters) {
            let nearest = |own: usize, row: &[f32]| {
                let others = rows.clone().enumerate().filter(|(other, _)| *other != own);
                others.map(|(_, other)| squared_distance(row, other)).fold(f32::INFINITY, f32::min)
            };
            let apart = rows.clone().enumerate().map(|(own, row)| nearest(own, row).sqrt() / 2.0);
            self.apart = apart.collect();
        }
    }

    /// Moves each center to the mean of its rows; gives the sum of the squared movements.
    fn step(&mut self, sums: &[f64], totals: &[f64], features: usize) -> f64 {
        let before = self.single.clone();
        let mut shift = 0.0;
        for (cluster, total) in totals.iter().enumerate().filter(|(_, total)| **total > 0.0) {
            let range = cluster * features..(cluster + 1) * features;
            for (center, sum) in self.doubled[range.clone()].iter_mut().zip(&sums[range]) {
                let value = sum / total;
                shift += (value - *center).powi(2);
                *center = value;
            }
        }
        self.derive(features);
        let pairs = before.chunks_exact(features).zip(self.single.chunks_exact(features));
        self.moved = pairs.map(|(before, after)| squared_distance(before, after).sqrt()).collect();
        self.largest = (0.0, 0, 0.0);
        for (cluster, &moved) in self.moved.iter().enumerate() {
            if moved > self.largest.0 {
                self.largest = (moved, cluster, self.largest.0);
            } else if moved > self.largest.2 {
                self.largest.2 = moved;
            }
        }
        shift
    }
}

/// Gives every row its nearest center; the changes are in the order of the slabs.
fn assign(rows: &Single, weights: Option<&[f64]>, centers: &Centers, bounds: &mut Bounds) -> Vec<Totals> {
    let slab = rows.rows.div_ceil(CHUNK).div_ceil(SLABS) * CHUNK;
    let labels = bounds.labels.chunks_mut(slab);
    let parts = labels.zip(bounds.upper.chunks_mut(slab)).zip(bounds.lower.chunks_mut(slab)).enumerate();
    parallel::map(parts, |(number, ((labels, upper), lower))| {
        let mut work = Work::new(rows, weights, centers);
        let chunks = labels.chunks_mut(CHUNK).zip(upper.chunks_mut(CHUNK)).zip(lower.chunks_mut(CHUNK));
        for (chunk, ((labels, upper), lower)) in chunks.enumerate() {
            work.chunk(number * slab + chunk * CHUNK, labels, upper, lower);
        }
        work.change
    })
}

/// One slab's work, with its buffers.
struct Work<'a> {
    rows: &'a Single,
    weights: Option<&'a [f64]>,
    centers: &'a Centers,
    change: Totals,
    open: Vec<usize>,
    gathered: Vec<f32>,
    products: Vec<f32>,
    best: Vec<f32>,
    second: Vec<f32>,
    nearest: Vec<u32>,
}

impl<'a> Work<'a> {
    fn new(rows: &'a Single, weights: Option<&'a [f64]>, centers: &'a Centers) -> Self {
        let clusters = centers.norms.len();
        Self {
            rows,
            weights,
            centers,
            change: Totals::new(clusters, rows.features),
            open: Vec::with_capacity(CHUNK),
            gathered: Vec::new(),
            products: vec![0.0; clusters * CHUNK],
            best: vec![0.0; CHUNK],
            second: vec![0.0; CHUNK],
            nearest: vec![0; CHUNK],
        }
    }

    fn chunk(&mut self, start: usize, labels: &mut [u32], upper: &mut [f32], lower: &mut [f32]) {
        if self.centers.norms.len() <= MOST_DIRECT {
            return self.direct(start, labels);
        }
        self.find_open(start, labels, upper, lower);
        let count = self.open.len();
        if count == 0 {
            return;
        }
        if count == labels.len() {
            let rows = self.rows.slice(start..start + count);
            self.nearest_two(rows);
        } else {
            let mut gathered = std::mem::take(&mut self.gathered);
            gathered.clear();
            for &row in &self.open {
                gathered.extend_from_slice(self.rows.row(start + row));
            }
            self.nearest_two(&gathered);
            self.gathered = gathered;
        }
        let open = std::mem::take(&mut self.open);
        for (position, &row) in open.iter().enumerate() {
            let norm = self.rows.norms[start + row];
            upper[row] = (self.best[position] + norm).max(0.0).sqrt();
            lower[row] = (self.second[position] + norm).max(0.0).sqrt();
            let nearest = self.nearest[position];
            if labels[row] != nearest {
                self.move_row(start + row, labels[row], nearest);
                labels[row] = nearest;
            }
        }
        self.open = open;
    }

    /// Compares every row with every center.
    fn direct(&mut self, start: usize, labels: &mut [u32]) {
        let (rows, centers) = (self.rows, self.centers);
        let nearest = &mut self.nearest[..labels.len()];
        vectorised(
            #[inline(always)]
            || {
                let tiles = rows.tiles.of(start..start + labels.len());
                for (labels, tile) in nearest.chunks_mut(TILE).zip(tiles) {
                    labels.copy_from_slice(&tiles::nearest(tile, &centers.scaled, &centers.norms)[..labels.len()]);
                }
            },
        );
        for (row, label) in labels.iter_mut().enumerate() {
            let nearest = self.nearest[row];
            if *label != nearest {
                self.move_row(start + row, *label, nearest);
                *label = nearest;
            }
        }
    }

    /// The rows of the chunk whose center may have changed.
    fn find_open(&mut self, start: usize, labels: &[u32], upper: &mut [f32], lower: &mut [f32]) {
        let (rows, centers, open) = (self.rows, self.centers, &mut self.open);
        open.clear();
        let (largest, fastest, next) = centers.largest;
        vectorised(
            #[inline(always)]
            || {
                for (row, ((label, upper), lower)) in labels.iter().zip(&mut *upper).zip(&mut *lower).enumerate() {
                    let label = *label as usize;
                    if label >= centers.norms.len() {
                        open.push(row);
                        continue;
                    }
                    *upper += centers.moved[label];
                    *lower -= if label == fastest { next } else { largest };
                    let bound = lower.max(centers.apart[label]);
                    if *upper >= bound {
                        let center = &centers.single[label * rows.features..(label + 1) * rows.features];
                        *upper = squared_distance(rows.row(start + row), center).sqrt();
                        if *upper >= bound {
                            open.push(row);
                        }
                    }
                }
            },
        );
    }

    /// The nearest center of each row, and the squared distances to it and to the next, both without the row's own
    /// squared length.
    fn nearest_two(&mut self, rows: &[f32]) {
        let width = rows.len() / self.rows.features;
        let products_of = &mut self.products[..width * self.centers.norms.len()];
        products(-2.0, &self.centers.single, rows, self.rows.features, products_of);
        let (best, second) = (&mut self.best[..width], &mut self.second[..width]);
        let nearest = &mut self.nearest[..width];
        best.fill(f32::INFINITY);
        second.fill(f32::INFINITY);
        nearest.fill(0);
        let norms = &self.centers.norms;
        vectorised(
            #[inline(always)]
            || {
                let lines = products_of.chunks_exact(width).zip(norms).zip(0_u32..);
                for ((line, &norm), cluster) in lines {
                    let rows = line.iter().zip(best.iter_mut()).zip(second.iter_mut()).zip(nearest.iter_mut());
                    for (((product, best), second), nearest) in rows {
                        let value = product + norm;
                        let closer = value < *best;
                        let farther = if closer { *best } else { value };
                        *second = if farther < *second { farther } else { *second };
                        *best = if closer { value } else { *best };
                        *nearest = if closer { cluster } else { *nearest };
                    }
                }
            },
        );
    }

    fn move_row(&mut self, row: usize, from: u32, to: u32) {
        let weight = self.weights.map_or(1.0, |weights| weights[row]);
        self.change.move_row(self.rows.row(row), weight, from, to);
    }
}

/// Gives each cluster without weight the row that is farthest from its center, as scikit-learn does; whether any row
/// was moved.
fn relocate(
    rows: &Single,
    weights: Option<&[f64]>,
    centers: &Centers,
    bounds: &mut Bounds,
    totals: &mut Totals,
) -> bool {
    let features = rows.features;
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let empty = (0..totals.counts.len()).filter(|&cluster| totals.counts[cluster] == 0).collect::<Vec<_>>();
    if empty.is_empty() {
        return false;
    }
    let center = |label: u32| &centers.single[label as usize * features..(label as usize + 1) * features];
    let labels = &bounds.labels;
    let distances = parallel::map_rows(rows.rows, |row| squared_distance(rows.row(row), center(labels[row])));
    let mut order = (0..rows.rows).filter(|&row| distances[row] > 0.0 && weight(row) > 0.0).collect::<Vec<_>>();
    order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));
    let mut moved = false;
    let mut farthest = order.into_iter();
    for cluster in empty {
        totals.weights[cluster] = 0.0;
        totals.sums[cluster * features..(cluster + 1) * features].fill(0.0);
        // A row that is alone in its cluster stays there: taking it would only move the hole.
        let Some(row) = farthest.find(|&row| totals.counts[bounds.labels[row] as usize] > 1) else { continue };
        totals.move_row(rows.row(row), weight(row), bounds.labels[row], cluster as u32);
        bounds.labels[row] = cluster as u32;
        (bounds.upper[row], bounds.lower[row]) = (f32::INFINITY, 0.0);
        moved = true;
    }
    moved
}
