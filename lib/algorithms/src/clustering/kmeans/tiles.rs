//! Rows in tiles, feature by feature, so that a value of a center meets many rows in a loop of vector instructions and no matrix
//! product has to pack them first.

#![expect(clippy::inline_always, reason = "only inlined code gets the caller's vector instructions")]

use std::ops::Range;

/// The rows of a tile: with some dozens of features it fits the first cache.
pub(super) const TILE: usize = 128;

/// One value of every row of a tile, or one distance.
pub(super) type Line = [f32; TILE];

/// The rows; the last tile is filled up with zeros.
pub(super) struct Tiles {
    features: usize,
    /// Tiles × features.
    lines: Vec<Line>,
}

impl Tiles {
    /// Tiles × features, in the order of the rows.
    pub(super) const fn new(lines: Vec<Line>, features: usize) -> Self {
        Self { features, lines }
    }

    /// The tiles of these rows, which begin with a tile.
    pub(super) fn of(&self, rows: Range<usize>) -> impl Iterator<Item = &[Line]> {
        let tiles = rows.start / TILE..rows.end.div_ceil(TILE);
        self.lines[tiles.start * self.features..tiles.end * self.features].chunks_exact(self.features)
    }
}

/// Copies rows into a tile, and gives their squared lengths.
#[inline(always)]
pub(super) fn fill(tile: &mut [Line], rows: &[f32]) -> Line {
    let features = tile.len();
    let mut norms = [0.0; TILE];
    for (feature, line) in tile.iter_mut().enumerate() {
        for (value, row) in line.iter_mut().zip(rows.chunks_exact(features)) {
            *value = row[feature];
        }
        for (norm, value) in norms.iter_mut().zip(&*line) {
            *norm += value * value;
        }
    }
    norms
}

/// The squared distance of each row of the tile to a center, without the row's own squared length.
///
/// `doubled` is −2 times the center, `norm` its squared length.
#[inline(always)]
pub(super) fn distances(tile: &[Line], doubled: &[f32], norm: f32) -> Line {
    let mut sums = [norm; TILE];
    // Four features at a time, since to load and store the sums costs as much as to add to them.
    let (tiles, rest) = tile.as_chunks::<4>();
    let (centers, last) = doubled.as_chunks::<4>();
    for ([a, b, c, d], center) in tiles.iter().zip(centers) {
        for lane in 0..TILE {
            sums[lane] =
                sums[lane] + center[0] * a[lane] + center[1] * b[lane] + center[2] * c[lane] + center[3] * d[lane];
        }
    }
    for (line, center) in rest.iter().zip(last) {
        for lane in 0..TILE {
            sums[lane] += center * line[lane];
        }
    }
    sums
}

/// The nearest center of each row of the tile, the first of equally near ones.
#[inline(always)]
pub(super) fn nearest(tile: &[Line], doubled: &[f32], norms: &[f32]) -> [u32; TILE] {
    let mut best = [f32::INFINITY; TILE];
    let mut nearest = [0; TILE];
    for ((doubled, norm), center) in doubled.chunks_exact(tile.len()).zip(norms).zip(0_u32..) {
        let distances = distances(tile, doubled, *norm);
        for lane in 0..TILE {
            let closer = distances[lane] < best[lane];
            nearest[lane] = if closer { center } else { nearest[lane] };
            best[lane] = if closer { distances[lane] } else { best[lane] };
        }
    }
    nearest
}
