//! The gradient of the divergence: neighbours attract, everything repels (van der Maaten, 2014).

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use crate::parallel;
use crate::vectorised::vectorised;

use super::affinities::Affinities;
use super::tree::{GROUP, Source, Tree};

/// Groups that one task takes, so that tasks are neither too many nor too few.
const GROUPS: usize = 6;
const LANES: usize = 8;

/// The two forces on each point and the sum of the map's similarities.
#[derive(Debug, Default)]
pub(super) struct Forces<const D: usize> {
    /// In the order of the points: what neighbours pull, and what all push before division by `total`.
    pub(super) attraction: Vec<[f32; D]>,
    pub(super) repulsion: Vec<[f32; D]>,
    /// The sum of 1/(1+d²) over all ordered pairs.
    pub(super) total: f64,
    tree: Tree<D>,
}

/// What a task finds out about its points.
struct Part<const D: usize> {
    attraction: Vec<[f32; D]>,
    repulsion: Vec<[f32; D]>,
    total: f64,
}

impl<const D: usize> Forces<D> {
    /// The forces at the points of a map; `angle` is how coarse the tree may be, 0 for exact sums.
    pub(super) fn compute(&mut self, points: &[[f32; D]], affinities: &Affinities, angle: f32) {
        self.tree.build(points);
        let tree = &self.tree;
        let parts = parallel::map(tree.points().chunks(GROUPS * GROUP).enumerate(), |(part, chunk)| {
            vectorised(
                #[inline(always)]
                || Part::compute(tree, part * GROUPS * GROUP, chunk, points, affinities, angle * angle),
            )
        });
        self.attraction.resize(points.len(), [0.0; D]);
        self.repulsion.resize(points.len(), [0.0; D]);
        self.total = 0.0;
        let mut place = 0;
        for part in parts {
            self.total += part.total;
            for (attraction, repulsion) in part.attraction.into_iter().zip(part.repulsion) {
                let index = self.tree.index(place);
                self.attraction[index] = attraction;
                self.repulsion[index] = repulsion;
                place += 1;
            }
        }
        // Every point has met itself once.
        self.total = (self.total - points.len() as f64).max(f64::EPSILON);
    }

    /// The Kullback–Leibler divergence of the map from the affinities, with the forces of the same points computed.
    pub(super) fn divergence(&self, points: &[[f32; D]], affinities: &Affinities) -> f64 {
        let rows = parallel::map_rows(points.len(), |row| {
            let entries = affinities.starts[row]..affinities.starts[row + 1];
            let columns = affinities.columns[entries.clone()].iter().zip(&affinities.values[entries]);
            let loss = columns.map(|(&column, &value)| {
                let other = &points[column as usize];
                let squared: f32 = (0..D).map(|axis| (points[row][axis] - other[axis]).powi(2)).sum();
                f64::from(value) * f64::from(squared).ln_1p()
            });
            loss.sum::<f64>()
        });
        affinities.negative_entropy + rows.iter().sum::<f64>() + self.total.ln()
    }
}

impl<const D: usize> Part<D> {
    #[inline(always)]
    fn compute(
        tree: &Tree<D>,
        start: usize,
        chunk: &[[f32; D]],
        points: &[[f32; D]],
        affinities: &Affinities,
        angle: f32,
    ) -> Self {
        let mut part = Self { attraction: Vec::with_capacity(chunk.len()), repulsion: Vec::new(), total: 0.0 };
        part.repulsion.reserve(chunk.len());
        let mut sources = Vec::new();
        for group in chunk.chunks(GROUP) {
            tree.sources(group, angle, &mut sources);
            repel(group, &sources, &mut part);
        }
        for offset in 0..chunk.len() {
            part.attraction.push(attract(tree.index(start + offset), points, affinities));
        }
        part
    }
}

#[inline(always)]
fn repel<const D: usize>(group: &[[f32; D]], sources: &[Source<D>], part: &mut Part<D>) {
    let mut at = [[0.0_f32; GROUP]; D];
    for (lane, point) in group.iter().enumerate() {
        (0..D).for_each(|axis| at[axis][lane] = point[axis]);
    }
    let mut force = [[0.0_f32; GROUP]; D];
    let mut total = [0.0_f32; GROUP];
    for source in sources {
        let mut away = [[0.0_f32; GROUP]; D];
        let mut squared = [1.0_f32; GROUP];
        for axis in 0..D {
            for lane in 0..GROUP {
                away[axis][lane] = at[axis][lane] - source.at[axis];
                squared[lane] += away[axis][lane] * away[axis][lane];
            }
        }
        let mut push = [0.0_f32; GROUP];
        for lane in 0..GROUP {
            let similarity = 1.0 / squared[lane];
            let weighted = similarity * source.weight;
            total[lane] += weighted;
            push[lane] = weighted * similarity;
        }
        for axis in 0..D {
            for lane in 0..GROUP {
                force[axis][lane] += push[lane] * away[axis][lane];
            }
        }
    }
    for lane in 0..group.len() {
        let mut push = [0.0; D];
        (0..D).for_each(|axis| push[axis] = force[axis][lane]);
        part.repulsion.push(push);
        part.total += f64::from(total[lane]);
    }
}

#[inline(always)]
fn attract<const D: usize>(row: usize, points: &[[f32; D]], affinities: &Affinities) -> [f32; D] {
    let own = points[row];
    let entries = affinities.starts[row]..affinities.starts[row + 1];
    let (columns, values) = (&affinities.columns[entries.clone()], &affinities.values[entries]);
    let mut force = [[0.0_f32; LANES]; D];
    for (columns, values) in columns.chunks(LANES).zip(values.chunks(LANES)) {
        let mut away = [[0.0_f32; LANES]; D];
        let mut pull = [0.0_f32; LANES];
        for (lane, (&column, &value)) in columns.iter().zip(values).enumerate() {
            pull[lane] = value;
            let other = points[column as usize];
            (0..D).for_each(|axis| away[axis][lane] = own[axis] - other[axis]);
        }
        let mut squared = [1.0_f32; LANES];
        for axis in &away {
            (0..LANES).for_each(|lane| squared[lane] += axis[lane] * axis[lane]);
        }
        (0..LANES).for_each(|lane| pull[lane] /= squared[lane]);
        for (force, away) in force.iter_mut().zip(&away) {
            (0..LANES).for_each(|lane| force[lane] += pull[lane] * away[lane]);
        }
    }
    force.map(|lanes| lanes.iter().sum())
}
