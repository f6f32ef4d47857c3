//! Measures by the clusters' means: how wide the clusters are, and how far apart.

use ndarray::ArrayView2;

use super::Grouped;
use crate::metrics::{Measure, Result};

/// The index of Davies and Bouldin (1979), as `sklearn.metrics.davies_bouldin_score`; noise is left out.
pub fn davies_bouldin(x: ArrayView2<'_, f64>, labels: &[i32]) -> Result<Measure> {
    Ok(davies_bouldin_of(&Grouped::new(x, labels)?))
}

/// The index of Calinski and Harabasz (1974), as `sklearn.metrics.calinski_harabasz_score`; noise is left out.
pub fn calinski_harabasz(x: ArrayView2<'_, f64>, labels: &[i32]) -> Result<Measure> {
    Ok(calinski_harabasz_of(&Grouped::new(x, labels)?))
}

/// One cluster that has rows.
struct Cluster {
    mean: Vec<f64>,
    size: f64,
    /// The mean distance of its rows to its mean.
    radius: f64,
    /// The sum of the squared distances of its rows to its mean.
    squares: f64,
}

pub(super) fn davies_bouldin_of(grouped: &Grouped) -> Measure {
    if let Some(reason) = grouped.undefined() {
        return Measure::undefined(reason);
    }
    let clusters = clusters(grouped);
    let worst = |(index, one): (usize, &Cluster)| {
        let others = clusters.iter().enumerate().filter(|(other, _)| *other != index);
        let ratio = |(_, other): (usize, &Cluster)| {
            let distance = squared(&one.mean, &other.mean).sqrt();
            // Means that coincide say nothing of their distance, as in scikit-learn.
            if distance > 0.0 { (one.radius + other.radius) / distance } else { 0.0 }
        };
        others.map(ratio).fold(0.0, f64::max)
    };
    Measure::of(clusters.iter().enumerate().map(worst).sum::<f64>() / clusters.len() as f64)
}

pub(super) fn calinski_harabasz_of(grouped: &Grouped) -> Measure {
    if let Some(reason) = grouped.undefined() {
        return Measure::undefined(reason);
    }
    let clusters = clusters(grouped);
    let rows = grouped.rows.len() as f64;
    let mut center = vec![0.0; grouped.features];
    for cluster in &clusters {
        center.iter_mut().zip(&cluster.mean).for_each(|(center, mean)| *center += cluster.size / rows * mean);
    }
    let between: f64 = clusters.iter().map(|cluster| cluster.size * squared(&cluster.mean, &center)).sum();
    let within: f64 = clusters.iter().map(|cluster| cluster.squares).sum();
    if within == 0.0 {
        return Measure::of(1.0);
    }
    let count = clusters.len() as f64;
    Measure::of(between * (rows - count) / (within * (count - 1.0)))
}

pub(super) fn inertia_of(grouped: &Grouped) -> Measure {
    if grouped.rows.is_empty() {
        return Measure::undefined("every row is noise; there is no cluster to measure");
    }
    Measure::of(clusters(grouped).iter().map(|cluster| cluster.squares).sum())
}

fn clusters(grouped: &Grouped) -> Vec<Cluster> {
    let cluster = |cluster: usize| {
        let members = grouped.cluster(cluster);
        let size = members.len() as f64;
        let mut mean = vec![0.0; grouped.features];
        for row in members.clone() {
            mean.iter_mut().zip(grouped.row(row)).for_each(|(mean, value)| *mean += value);
        }
        for value in &mut mean {
            *value /= size;
        }
        let squares = members.map(|row| squared(grouped.row(row), &mean)).collect::<Vec<_>>();
        let radius = squares.iter().map(|square| square.sqrt()).sum::<f64>() / size;
        Cluster { mean, size, radius, squares: squares.iter().sum() }
    };
    (0..grouped.sizes().len()).filter(|&one| !grouped.cluster(one).is_empty()).map(cluster).collect()
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
