//! Distances, and the nearest rows that were found so far.

use serde::{Deserialize, Serialize};

/// How the distance of two rows is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The root of the summed squares.
    Euclidean,
    /// The sum of the absolute differences.
    Manhattan,
}

/// A row and its distance, squared for the Euclidean one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbour {
    pub(super) distance: f64,
    pub(super) row: u32,
}

impl Metric {
    /// The part that one feature adds to the distance, or to its square.
    pub(super) fn part(self, apart: f64) -> f64 {
        match self {
            Self::Euclidean => apart * apart,
            Self::Manhattan => apart.abs(),
        }
    }

    /// The distance of two rows, squared for the Euclidean one; the order of the additions depends on the length alone.
    pub(super) fn between(self, a: &[f64], b: &[f64]) -> f64 {
        const LANES: usize = 4;
        let mut lanes = [0.0; LANES];
        let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| self.part(a - b)).sum();
        for (a, b) in a.zip(b) {
            for lane in 0..LANES {
                lanes[lane] += self.part(a[lane] - b[lane]);
            }
        }
        lanes.iter().sum::<f64>() + rest
    }

    /// The distance itself.
    pub(super) fn finish(self, distance: f64) -> f64 {
        match self {
            Self::Euclidean => distance.sqrt(),
            Self::Manhattan => distance,
        }
    }
}

/// The nearest rows so far, nearest first and of equally near ones the earlier first.
#[derive(Debug)]
pub(super) struct Nearest {
    most: usize,
    found: Vec<Neighbour>,
}

impl Nearest {
    pub(super) fn new(most: usize) -> Self {
        Self { most, found: Vec::with_capacity(most + 1) }
    }

    /// The distance above which nothing is wanted any more.
    pub(super) fn limit(&self) -> f64 {
        if self.found.len() < self.most { f64::INFINITY } else { self.found[self.most - 1].distance }
    }

    pub(super) fn offer(&mut self, offered: Neighbour) {
        let before = |other: &Neighbour| (other.distance, other.row) < (offered.distance, offered.row);
        if self.found.len() == self.most && self.found.last().is_some_and(before) {
            return;
        }
        let place = self.found.partition_point(before);
        self.found.insert(place, offered);
        self.found.truncate(self.most);
    }

    pub(super) fn into_found(self) -> Vec<Neighbour> {
        self.found
    }
}
