//! Prediction by one or many trees, and the check of trees from outside.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::columns::single;
use super::nodes::Nodes;
use crate::models::InvalidModel;

/// The rows of one unit of parallel work: their features stay in the fast memory while tree after tree goes by.
const BLOCK: usize = 1024;

/// The mean of the leaves that each row reaches, one row of [`Nodes::width`] numbers after the other.
pub(crate) fn mean_of_leaves(trees: &[Nodes], x: ArrayView2<'_, f64>) -> Vec<f64> {
    let width = trees.first().map_or(1, Nodes::width);
    let mut sums = vec![0.0; x.nrows() * width];
    sums.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, sums)| {
        let first = block * BLOCK;
        let rows = single_rows(x, first, sums.len() / width);
        for tree in trees {
            add_leaves(tree, &rows, sums);
        }
        let count = trees.len() as f64;
        for sum in sums {
            *sum /= count;
        }
    });
    sums
}

/// Rows in single precision, one after the other.
pub(crate) fn single_rows(x: ArrayView2<'_, f64>, first: usize, count: usize) -> Vec<f32> {
    (first..first + count).flat_map(|row| x.row(row).into_iter().map(|&value| single(value))).collect()
}

/// Adds the leaf that each row reaches; `rows` and `sums` hold one row after the other.
fn add_leaves(tree: &Nodes, rows: &[f32], sums: &mut [f64]) {
    let width = tree.width();
    let features = rows.len() / (sums.len() / width).max(1);
    for (row, sums) in rows.chunks_exact(features.max(1)).zip(sums.chunks_exact_mut(width)) {
        sums.iter_mut().zip(tree.reach(row)).for_each(|(sum, value)| *sum += value);
    }
}

/// Checks trees against the number of features and the classes (none for regression).
pub(crate) fn validate(trees: &[Nodes], num_features: usize, labels: &[String]) -> Result<(), InvalidModel> {
    if trees.is_empty() || num_features == 0 {
        return Err(InvalidModel::new("a model without trees or without features"));
    }
    if labels.len() == 1 {
        return Err(InvalidModel::new("a classifier with one class"));
    }
    for tree in trees {
        tree.validate(num_features, labels.len().max(1))?;
        if !labels.is_empty() && !tree.holds_probabilities() {
            return Err(InvalidModel::new("the leaves of a classifier are not probabilities"));
        }
    }
    Ok(())
}
