//! The tree of Barnes and Hut (1986) over the points of a map: a quadtree in two dimensions, an octree in three.
//!
//! Points are sorted along a Morton curve, so that a cell is a range of them. A group of neighbouring points walks the
//! tree together: a cell is taken as one only when that is accurate enough for every point of the group's box.

/// The points that walk the tree together.
pub(super) const GROUP: usize = 16;
/// A cell with no more points is not divided.
const LEAF: usize = 8;
/// The bits of one coordinate on the curve.
const BITS: u32 = 16;

/// Something that repels: a point or a cell of several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Source<const D: usize> {
    /// The mean of its points.
    pub(super) at: [f32; D],
    /// The number of its points.
    pub(super) weight: f32,
}

/// A cell, the cells within it following it.
#[derive(Debug, Clone)]
struct Cell<const D: usize> {
    source: Source<D>,
    low: [f32; D],
    high: [f32; D],
    /// The square of the longest side of the box around its points.
    size: f32,
    /// The next cell that is not within it.
    next: u32,
    /// The points of it, where it is not divided; otherwise empty.
    points: (u32, u32),
}

/// The tree, and the points in the order of the curve.
#[derive(Debug, Default)]
pub(super) struct Tree<const D: usize> {
    codes: Vec<(u64, u32)>,
    points: Vec<[f32; D]>,
    cells: Vec<Cell<D>>,
}

impl<const D: usize> Tree<D> {
    /// Sorts the points and builds the tree anew; `order` keeps what was sorted before, which makes sorting quick.
    pub(super) fn build(&mut self, points: &[[f32; D]]) {
        let (low, high) = bounds(points);
        let cells = f32::from(u16::MAX);
        let widest = (0..D).fold(f32::MIN_POSITIVE, |widest, axis| widest.max(high[axis] - low[axis]));
        let scale = cells / widest;
        if self.codes.len() != points.len() {
            self.codes = (0..points.len() as u32).map(|index| (0, index)).collect();
        }
        for (code, index) in &mut self.codes {
            let point = &points[*index as usize];
            *code = (0..D).fold(0, |code, axis| code | spread::<D>(((point[axis] - low[axis]) * scale) as u16) << axis);
        }
        self.codes.sort_unstable();
        self.points.clear();
        self.points.extend(self.codes.iter().map(|(_, index)| points[*index as usize]));
        self.cells.clear();
        if !points.is_empty() {
            self.divide(0, points.len(), BITS);
        }
    }

    /// The points in the order of the curve.
    pub(super) fn points(&self) -> &[[f32; D]] {
        &self.points
    }

    /// The index of the point at a place of the curve.
    pub(super) fn index(&self, place: usize) -> usize {
        self.codes[place].1 as usize
    }

    /// Adds the cell of a range of points and the cells within it.
    fn divide(&mut self, start: usize, end: usize, level: u32) {
        let mut level = level;
        // A cell whose points all lie in one of its parts is that part.
        while level > 0
            && self.codes[start].0 >> ((level - 1) * D as u32) == self.codes[end - 1].0 >> ((level - 1) * D as u32)
        {
            level -= 1;
        }
        let at = self.cells.len();
        let whole = end - start <= LEAF || level == 0;
        let (low, high) =
            if whole { bounds(&self.points[start..end]) } else { ([f32::INFINITY; D], [f32::NEG_INFINITY; D]) };
        let points = if whole { (start as u32, end as u32) } else { (0, 0) };
        let source = Source { at: [0.0; D], weight: (end - start) as f32 };
        self.cells.push(Cell { source, low, high, size: 0.0, next: 0, points });
        let mut sum = [0.0_f32; D];
        if whole {
            for point in &self.points[start..end] {
                (0..D).for_each(|axis| sum[axis] += point[axis]);
            }
        } else {
            let shift = (level - 1) * D as u32;
            let mut first = start;
            while first < end {
                let part = self.codes[first].0 >> shift;
                let last = first + self.codes[first..end].partition_point(|(code, _)| code >> shift == part);
                let child = self.cells.len();
                self.divide(first, last, level - 1);
                let (within, cell) = self.cells.split_at_mut(child);
                let (whole, part) = (&mut within[at], &cell[0]);
                for (axis, sum) in sum.iter_mut().enumerate() {
                    *sum += part.source.at[axis] * part.source.weight;
                    whole.low[axis] = whole.low[axis].min(part.low[axis]);
                    whole.high[axis] = whole.high[axis].max(part.high[axis]);
                }
                first = last;
            }
        }
        let next = self.cells.len() as u32;
        let cell = &mut self.cells[at];
        cell.next = next;
        for (axis, sum) in sum.into_iter().enumerate() {
            cell.source.at[axis] = sum / cell.source.weight;
            let side = cell.high[axis] - cell.low[axis];
            cell.size = cell.size.max(side * side);
        }
    }

    /// What repels the points of a box, put into `sources`: cells whose size is at most the root of `angle` times their
    /// distance from the box, and the points of the others.
    pub(super) fn sources(&self, group: &[[f32; D]], angle: f32, sources: &mut Vec<Source<D>>) {
        sources.clear();
        let (low, high) = bounds(group);
        let mut at = 0;
        while let Some(cell) = self.cells.get(at) {
            let mut distance = 0.0;
            for axis in 0..D {
                let centre = cell.source.at[axis];
                let outside = (low[axis] - centre).max(centre - high[axis]).max(0.0);
                distance += outside * outside;
            }
            if cell.size <= angle * distance {
                sources.push(cell.source);
                at = cell.next as usize;
            } else {
                let (start, end) = cell.points;
                let points = &self.points[start as usize..end as usize];
                sources.extend(points.iter().map(|&at| Source { at, weight: 1.0 }));
                at += 1;
            }
        }
    }
}

/// The smallest and the largest coordinates.
fn bounds<const D: usize>(points: &[[f32; D]]) -> ([f32; D], [f32; D]) {
    let (mut low, mut high) = ([f32::INFINITY; D], [f32::NEG_INFINITY; D]);
    for point in points {
        for axis in 0..D {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    (low, high)
}

/// The bits of a coordinate, `D` apart.
fn spread<const D: usize>(coordinate: u16) -> u64 {
    let bits = u64::from(coordinate);
    if D == 2 {
        let bits = (bits | bits << 8) & 0x00FF_00FF;
        let bits = (bits | bits << 4) & 0x0F0F_0F0F;
        let bits = (bits | bits << 2) & 0x3333_3333;
        return (bits | bits << 1) & 0x5555_5555;
    }
    (0..BITS).fold(0, |code, bit| code | (bits >> bit & 1) << (bit * D as u32))
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::seed;

    #[test]
    fn every_point_is_counted_once() {
        let mut rng = seed::rng(3, 0);
        for count in [1, 8, 9, 100, 3000] {
            let points: Vec<[f32; 3]> = (0..count).map(|_| [rng.random(), rng.random::<f32>() * 9.0, 1.0]).collect();
            let mut tree = Tree::default();
            tree.build(&points);
            let mut sources = Vec::new();
            for angle in [0.0, 0.25, 1.0] {
                tree.sources(&points[..1], angle, &mut sources);
                assert_eq!(sources.iter().map(|source| source.weight).sum::<f32>(), count as f32);
                let centre = sources.iter().map(|source| source.at[1] * source.weight).sum::<f32>() / count as f32;
                let mean = points.iter().map(|point| point[1]).sum::<f32>() / count as f32;
                assert!((centre - mean).abs() < 1e-3);
            }
            tree.sources(&points[..1], 0.0, &mut sources);
            assert!(sources.len() == count, "an angle of 0 takes every point by itself");
        }
    }

    #[test]
    fn points_at_one_place_are_one_source() {
        let mut tree = Tree::default();
        tree.build(&[[1.0_f32, 2.0]; 1000]);
        let mut sources = Vec::new();
        tree.sources(&[[1.0, 2.0]], 0.25, &mut sources);
        assert_eq!(sources, [Source { at: [1.0, 2.0], weight: 1000.0 }]);
    }

    #[test]
    fn bits_are_spread() {
        assert_eq!(spread::<2>(0b1011), 0b100_0101);
        assert_eq!(spread::<2>(u16::MAX), 0x5555_5555);
        assert_eq!(spread::<3>(0b11), 0b1001);
    }
}
