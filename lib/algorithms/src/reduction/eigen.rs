//! Eigenvalues and eigenvectors of a dense symmetric matrix: Householder's reduction to a tridiagonal one, and Cuppen's
//! divide and conquer on that (Golub and Van Loan, 4th edition, 8.3 and 8.4).

use super::matrix::{Matrix, add_product, product};
use super::tridiagonal;
use super::vector::{dot, update, update_and_dot};
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// Reflections that are applied together.
const BLOCK: usize = 32;
/// Rows that one task updates.
const ROWS: usize = 32;
/// Below this size the rows are updated by one thread.
const SMALL: usize = 192;

/// The eigenvalues of a symmetric `n` × `n` matrix in descending order, and the eigenvectors of the first `wanted`, one
/// a row.
pub(super) fn symmetric(
    matrix: Vec<f64>,
    n: usize,
    wanted: impl FnOnce(&[f64]) -> usize,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Matrix), Cancelled> {
    let scale = matrix.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let mut matrix = matrix;
    for value in &mut matrix {
        *value /= scale;
    }
    let (diagonal, beside, reflections) = reduce(matrix, n, probe)?;
    let (ascending, vectors) = tridiagonal::decompose(&diagonal, &beside, probe)?;
    let values: Vec<f64> = ascending.iter().rev().map(|value| value * scale).collect();
    let count = wanted(&values).min(n);
    // Eigenvectors are the columns; the wanted ones are the last.
    let mut kept = Matrix::zeros(n, count);
    for (row, kept) in kept.values.chunks_exact_mut(count.max(1)).enumerate() {
        let row = &vectors[row * n..(row + 1) * n];
        kept.iter_mut().zip(row.iter().rev()).for_each(|(kept, value)| *kept = *value);
    }
    drop(vectors);
    rotate_back(&reflections, n, &mut kept, probe)?;
    Ok((values, kept.transposed()))
}

/// As [`symmetric`], with the eigenvectors one after the other.
pub(crate) fn eigenvectors(
    matrix: Vec<f64>,
    n: usize,
    wanted: impl FnOnce(&[f64]) -> usize,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Vec<f64>), Cancelled> {
    let (values, vectors) = symmetric(matrix, n, wanted, probe)?;
    Ok((values, vectors.values))
}

/// The diagonal of a tridiagonal matrix, the values beside it, and the Householder vectors that lead to it.
type Reduced = (Vec<f64>, Vec<f64>, Vec<f64>);

/// The diagonal, the values beside it, and the Householder vectors: row k reflects the rows from k + 1 on, and has the
/// length √2 or 0, so that the reflection is `x − v·(v·x)`.
fn reduce(mut matrix: Vec<f64>, n: usize, probe: &dyn Probe) -> Result<Reduced, Cancelled> {
    let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n.saturating_sub(1)]);
    let mut reflections = vec![0.0; n.saturating_sub(1) * n];
    // The update −v·wᵀ − w·vᵀ of the last step, done together with the product of the next.
    let (mut v, mut w) = (vec![0.0; n], vec![0.0; n]);
    let mut products = vec![0.0; n];
    for step in 0..n {
        probe.check()?;
        let row = &mut matrix[step * n..(step + 1) * n];
        update(&mut row[step..], (v[step], &w[step..]), (w[step], &v[step..]));
        diagonal[step] = row[step];
        if step + 1 == n {
            break;
        }
        let next = &mut reflections[step * n..(step + 1) * n];
        next[step + 1..].copy_from_slice(&row[step + 1..]);
        beside[step] = reflect(&mut next[step + 1..]);
        let first = step + 1;
        let rest = &mut matrix[first * n..];
        let task = |(offset, (row, product)): (usize, (&mut [f64], &mut f64))| {
            let at = first + offset;
            *product = update_and_dot(&mut row[first..], (v[at], &w[first..]), (w[at], &v[first..]), &next[first..]);
        };
        let products = &mut products[first..];
        if n - first < SMALL {
            rest.chunks_exact_mut(n).zip(products.iter_mut()).enumerate().for_each(task);
        } else {
            let parts = rest.chunks_mut(ROWS * n).zip(products.chunks_mut(ROWS)).enumerate();
            parallel::for_each(parts, |(part, (rows, products))| {
                let rows = rows.chunks_exact_mut(n).zip(products).enumerate();
                rows.for_each(|(offset, row)| task((part * ROWS + offset, row)));
            });
        }
        v.copy_from_slice(next);
        let half = 0.5 * dot(&v[first..], products);
        w[..first].fill(0.0);
        for ((w, product), v) in w[first..].iter_mut().zip(products.iter()).zip(&v[first..]) {
            *w = product - half * v;
        }
    }
    Ok((diagonal, beside, reflections))
}

/// Makes a vector its Householder vector; what is left of the vector in its first place.
fn reflect(vector: &mut [f64]) -> f64 {
    let largest = vector.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 || vector.len() == 1 {
        let left = vector.first().copied().unwrap_or(0.0);
        vector.fill(0.0);
        return left;
    }
    for value in vector.iter_mut() {
        *value /= largest;
    }
    let norm = dot(vector, vector).sqrt();
    let left = if vector[0] > 0.0 { -norm } else { norm };
    vector[0] -= left;
    let length = dot(vector, vector).sqrt();
    for value in vector.iter_mut() {
        *value *= std::f64::consts::SQRT_2 / length;
    }
    left * largest
}

/// Multiplies by the product of all reflections, a block of them at a time (Schreiber and Van Loan, 1989).
fn rotate_back(reflections: &[f64], n: usize, columns: &mut Matrix, probe: &dyn Probe) -> Result<(), Cancelled> {
    let count = reflections.len() / n.max(1);
    let width = columns.columns;
    let starts: Vec<usize> = (0..count).step_by(BLOCK).collect();
    for &start in starts.iter().rev() {
        probe.check()?;
        let block = BLOCK.min(count - start);
        let vectors = &reflections[start * n..(start + block) * n];
        // I − Vᵀ·T·V with a triangular T, one row of V a reflection.
        let mut factor = vec![0.0; block * block];
        for last in 0..block {
            let products: Vec<f64> = (0..last)
                .map(|other| dot(&vectors[other * n..(other + 1) * n], &vectors[last * n..(last + 1) * n]))
                .collect();
            for row in 0..last {
                let sum: f64 = (row..last).map(|between| factor[row * block + between] * products[between]).sum();
                factor[row * block + last] = -sum;
            }
            factor[last * block + last] = 1.0;
        }
        let mut inner = product(vectors, &columns.values, n, width);
        inner = product(&factor, &inner, block, width);
        for value in &mut inner {
            *value = -*value;
        }
        let turned = Matrix { rows: block, columns: n, values: vectors.to_vec() }.transposed();
        let rows = columns.values.chunks_mut((ROWS * width).max(1)).zip(turned.values.chunks(ROWS * block));
        parallel::for_each(rows, |(result, vectors)| add_product(vectors, &inner, block, width, result));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::probe::Silent;
    use crate::seed;

    fn check(matrix: &[f64], n: usize) {
        let (values, vectors) = symmetric(matrix.to_vec(), n, |_| n, &Silent).unwrap();
        let norm = matrix.iter().fold(f64::MIN_POSITIVE, |most: f64, value| most.max(value.abs())) * n as f64;
        let images = product(&vectors.values, matrix, n, n);
        for (index, value) in values.iter().enumerate() {
            let vector = vectors.row(index);
            for (image, own) in images[index * n..(index + 1) * n].iter().zip(vector) {
                assert!((image - value * own).abs() <= 1e-14 * norm, "{index}: {image} {}", value * own);
            }
            for other in 0..=index {
                let expected = if other == index { 1.0 } else { 0.0 };
                let found = dot(vector, vectors.row(other));
                assert!((found - expected).abs() < 1e-12, "{n}: {index} {other} {found}");
            }
        }
        assert!(values.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn eigenvectors_of_random_matrices() {
        for n in [1, 2, 3, 4, 10, 33, 64, 65, 130, 257] {
            let mut rng = seed::rng(9, n as u64);
            let mut matrix = vec![0.0; n * n];
            for row in 0..n {
                for column in 0..=row {
                    let value = rng.random::<f64>() - 0.5;
                    matrix[row * n + column] = value;
                    matrix[column * n + row] = value;
                }
            }
            check(&matrix, n);
        }
    }

    #[test]
    fn repeated_and_vanishing_eigenvalues() {
        for n in [5, 40, 100] {
            check(&vec![0.0; n * n], n);
            check(&vec![1.0; n * n], n);
            let mut identity = vec![0.0; n * n];
            (0..n).for_each(|i| identity[i * n + i] = 3.0);
            check(&identity, n);
            // Two copies of every value, far apart in size.
            (0..n).for_each(|i| identity[i * n + i] = 10.0_f64.powi(-((i / 2) as i32 % 20)));
            (1..n).for_each(|i| {
                identity[i * n + i - 1] = 1e-9;
                identity[(i - 1) * n + i] = 1e-9;
            });
            check(&identity, n);
            // Rank one beside a band.
            let wilkinson: Vec<f64> = (0..n * n)
                .map(|at| match (at / n).abs_diff(at % n) {
                    0 => (at as f64 / n as f64 - n as f64 / 2.0).abs().round(),
                    1 => 1.0,
                    _ => 0.0,
                })
                .collect();
            let symmetric: Vec<f64> =
                (0..n * n).map(|at| 0.5 * (wilkinson[at] + wilkinson[at % n * n + at / n])).collect();
            check(&symmetric, n);
        }
    }
}
