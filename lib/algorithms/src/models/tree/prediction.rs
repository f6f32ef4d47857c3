//! Prediction by one or many trees, and the check of trees from outside.

use ndarray::{ArrayView2, Axis, Slice};

use super::columns::single;
use super::nodes::Nodes;
use super::packed::{Packed, Rows};
use crate::models::InvalidModel;
use crate::parallel;

/// The rows of one unit of parallel work: their features and one tree stay in the fast memory together.
const BLOCK: usize = 4096;
/// How many trees are laid out at a time; this bounds the memory.
const TREES: usize = 64;
/// With fewer rows than this, laying out the trees takes longer than it saves, and threads take longer to start.
const FEW: usize = 256;

/// The mean of the leaves that each row reaches, one row of [`Nodes::width`] numbers after the other.
pub(crate) fn mean_of_leaves(trees: &[Nodes], x: ArrayView2<'_, f64>) -> Vec<f64> {
    let width = trees.first().map_or(1, Nodes::width);
    let features = x.ncols();
    let mut sums = vec![0.0; x.nrows() * width];
    if x.nrows() < FEW {
        let rows = single_rows(x, 0, x.nrows());
        for tree in trees {
            add_leaves(tree, &rows, features, &mut sums);
        }
    } else {
        for group in trees.chunks(TREES) {
            let packed = parallel::map(group, |tree| Packed::new(tree, features));
            parallel::for_each(sums.chunks_mut(BLOCK * width).enumerate(), |(block, sums)| {
                add_block(group, &packed, x, (block * BLOCK, sums.len() / width), sums);
            });
        }
    }
    let count = trees.len() as f64;
    for sum in &mut sums {
        *sum /= count;
    }
    sums
}

/// Adds the leaves that `count` rows from `first` on reach.
fn add_block(
    trees: &[Nodes],
    packed: &[Option<Packed>],
    x: ArrayView2<'_, f64>,
    (first, count): (usize, usize),
    sums: &mut [f64],
) {
    let rows = Rows::new(x, first, count);
    for (nodes, packed) in trees.iter().zip(packed) {
        let Some(packed) = packed else {
            add_leaves(nodes, &single_rows(x, first, count), x.ncols(), sums);
            continue;
        };
        let width = nodes.width();
        packed.walk(&rows, |row, leaf| {
            let sums = &mut sums[row * width..(row + 1) * width];
            sums.iter_mut().zip(nodes.values(leaf)).for_each(|(sum, value)| *sum += value);
        });
    }
}

/// Rows in single precision, one after the other.
pub(crate) fn single_rows(x: ArrayView2<'_, f64>, first: usize, count: usize) -> Vec<f32> {
    x.slice_axis(Axis(0), Slice::from(first..first + count)).iter().map(|&value| single(value)).collect()
}

/// Adds the leaf that each row reaches; `rows` and `sums` hold one row after the other.
fn add_leaves(tree: &Nodes, rows: &[f32], features: usize, sums: &mut [f64]) {
    for (row, sums) in rows.chunks_exact(features).zip(sums.chunks_exact_mut(tree.width())) {
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

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn few_rows_and_many_rows_reach_the_same_leaves() {
        let mut nodes = Nodes::new(1);
        nodes.push_split(0, 0.3, 4.0);
        nodes.push_leaf(1.0, |leaves| leaves.push(1.0));
        nodes.join(0);
        nodes.push_split(1, 0.6, 3.0);
        nodes.push_leaf(1.0, |leaves| leaves.push(2.0));
        nodes.join(2);
        nodes.push_leaf(2.0, |leaves| leaves.push(4.0));
        nodes.validate(2, 1).unwrap();
        let x = Array2::from_shape_fn((1003, 2), |(row, column)| ((row * 37 + column * 11) % 100) as f64 / 100.0);
        let trees = [nodes.clone(), nodes];
        let together = mean_of_leaves(&trees, x.view());
        let apart: Vec<f64> = x.outer_iter().flat_map(|row| mean_of_leaves(&trees, row.insert_axis(Axis(0)))).collect();
        assert_eq!(together, apart);
        let left = |value: f64, threshold: f64| f64::from(value as f32) <= threshold;
        let expected = |row: &[f64]| match (left(row[0], 0.3), left(row[1], 0.6)) {
            (true, _) => 1.0,
            (false, true) => 2.0,
            (false, false) => 4.0,
        };
        let expected: Vec<f64> = x.outer_iter().map(|row| expected(row.as_slice().unwrap())).collect();
        assert_eq!(together, expected);
    }
}
