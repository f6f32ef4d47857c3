//! Least squares of any shape and rank: the solution of the smallest norm.
//!
//! Rows are first reduced to a triangle by Householder reflections, block by block (Demmel and others, 2012), then the
//! singular values of the triangle come from one-sided Jacobi rotations (Hestenes, 1958; de Rijk, 1989), which work on
//! columns alone and find small singular values to high relative accuracy.

use super::vector::{add_scaled, dot, dot_inlined, largest, length, turn, vectorised};
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// One column after the other, each of `rows` values.
#[derive(Debug, Clone)]
struct Columns {
    rows: usize,
    values: Vec<f64>,
}

const SWEEPS: usize = 60;
const SMALLEST_BLOCK: usize = 1024;

/// The coefficients of the smallest norm that minimise `|X·coefficients − y|`.
///
/// `rows` holds the rows of X, `features` values each, with the value of y behind each row. Directions whose singular
/// value is at most `tolerance` times the largest one are left out, as LAPACK's `gelsd` does; a tolerance below the
/// rounding of the sums is raised to it.
pub(super) fn solve(rows: Vec<f64>, features: usize, tolerance: f64, probe: &dyn Probe) -> Result<Vec<f64>, Cancelled> {
    let width = features + 1;
    let count = rows.len() / width;
    let tolerance = tolerance.max(f64::EPSILON * count.max(features) as f64);
    if count >= features {
        let triangle = reduce(rows, width, probe)?;
        let height = triangle.len() / width;
        let row = |i: usize| triangle[i * width..(i + 1) * width].iter().copied();
        // The rows of the triangle become columns; the last row of the triangle holds only the residual.
        let kept = height.min(features);
        let system = Columns { rows: width, values: (0..kept).flat_map(row).collect() };
        return smallest_norm(system, tolerance, probe);
    }
    // Fewer rows than features: the solution is a combination of the rows, so work in the space that they span.
    let row = |i: usize| &rows[i * width..(i + 1) * width];
    let mut basis = Columns { rows: features, values: (0..count).flat_map(|i| row(i)[..features].to_vec()).collect() };
    let scales = basis.triangulate(probe)?;
    let mut system = Columns { rows: count + 1, values: Vec::with_capacity(count * (count + 1)) };
    for i in 0..count {
        system.values.extend((0..count).map(|j| if j <= i { basis.triangle(j, i, &scales) } else { 0.0 }));
        system.values.push(row(i)[features]);
    }
    let mut solution = smallest_norm(system, tolerance, probe)?;
    solution.resize(features, 0.0);
    basis.rotate_back(&mut solution);
    Ok(solution)
}

/// The upper triangle, row by row, of the QR decomposition of the rows.
fn reduce(rows: Vec<f64>, width: usize, probe: &dyn Probe) -> Result<Vec<f64>, Cancelled> {
    let block = (4 * width).max(SMALLEST_BLOCK);
    let count = rows.len() / width;
    if count <= block {
        return triangle_of(&rows, width, probe);
    }
    // The blocks do not depend on the number of threads, so neither does the result.
    let triangles = parallel::try_map(rows.chunks(block * width), |rows| triangle_of(rows, width, probe))?;
    drop(rows);
    reduce(triangles.concat(), width, probe)
}

fn triangle_of(rows: &[f64], width: usize, probe: &dyn Probe) -> Result<Vec<f64>, Cancelled> {
    let count = rows.len() / width;
    let mut columns = Columns { rows: count, values: vec![0.0; rows.len()] };
    turn(rows, width, &mut columns.values);
    let scales = columns.triangulate(probe)?;
    let row = |i: usize| (0..width).map(move |j| (i, j));
    let triangle = (0..count.min(width)).flat_map(row);
    Ok(triangle.map(|(i, j)| if j < i { 0.0 } else { columns.triangle(i, j, &scales) }).collect())
}

impl Columns {
    fn len(&self) -> usize {
        self.values.len() / self.rows.max(1)
    }

    /// Replaces the columns by their Householder vectors from the diagonal down, and the triangle above the diagonal.
    ///
    /// Returns the diagonal of the triangle. Each vector has the length √2 or 0, so that a reflection is
    /// `x − v·(v·x)`.
    fn triangulate(&mut self, probe: &dyn Probe) -> Result<Vec<f64>, Cancelled> {
        let (rows, count) = (self.rows, self.len());
        let mut diagonal = Vec::with_capacity(rows.min(count));
        for step in 0..rows.min(count) {
            probe.check()?;
            let (done, rest) = self.values.split_at_mut((step + 1) * rows);
            let vector = &mut done[step * rows + step..];
            let norm = length(vector);
            if norm == 0.0 {
                diagonal.push(0.0);
                continue;
            }
            let alpha = if vector[0] > 0.0 { -norm } else { norm };
            // Scaled first, so that neither tiny nor huge columns leave the range of numbers.
            for value in vector.iter_mut() {
                *value /= norm;
            }
            vector[0] -= alpha / norm;
            let scale = std::f64::consts::SQRT_2 / length(vector);
            for value in vector.iter_mut() {
                *value *= scale;
            }
            diagonal.push(alpha);
            vectorised(
                #[inline(always)]
                || {
                    for column in rest.chunks_exact_mut(rows) {
                        let column = &mut column[step..];
                        let product = dot_inlined(vector, column);
                        column.iter_mut().zip(&*vector).for_each(|(value, part)| *value -= product * part);
                    }
                },
            );
        }
        Ok(diagonal)
    }

    /// The element of the triangle at row `i` of column `j`, with `i` at most `j`.
    fn triangle(&self, i: usize, j: usize, diagonal: &[f64]) -> f64 {
        if i == j { diagonal[i] } else { self.values[j * self.rows + i] }
    }

    /// Multiplies by the orthogonal matrix whose Householder vectors [`Columns::triangulate`] left here.
    fn rotate_back(&self, x: &mut [f64]) {
        for step in (0..self.rows.min(self.len())).rev() {
            let vector = &self.values[step * self.rows + step..(step + 1) * self.rows];
            let part = &mut x[step..];
            let product = dot(vector, part);
            add_scaled(part, -product, vector);
        }
    }
}

/// The solution of the smallest norm of the equations `column[..n]·x = column[n]`, one a column, with n = rows − 1.
fn smallest_norm(mut system: Columns, tolerance: f64, probe: &dyn Probe) -> Result<Vec<f64>, Cancelled> {
    let unknowns = system.rows - 1;
    let count = system.len();
    // Both sides of an equation may be scaled; this keeps squares within the range of numbers.
    let scale = largest(&system.values);
    if scale > 0.0 {
        system.values.iter_mut().for_each(|value| *value /= scale);
    }
    let mut columns: Vec<&mut [f64]> = system.values.chunks_exact_mut(unknowns + 1).collect();
    let mut norms: Vec<f64> = columns.iter().map(|column| length(&column[..unknowns])).collect();
    for _ in 0..SWEEPS {
        probe.check()?;
        let mut rotated = false;
        for i in 0..count {
            // The largest remaining column comes first; this makes the rotations converge faster.
            let next = (i..count).max_by(|&a, &b| norms[a].total_cmp(&norms[b])).unwrap_or(i);
            columns.swap(i, next);
            norms.swap(i, next);
            // Columns in the rounding noise of the largest one are left out in the end and need no rotation.
            let floor = f64::EPSILON * norms[0];
            for j in i + 1..count {
                if norms[j] <= floor {
                    continue;
                }
                let (head, tail) = columns.split_at_mut(j);
                rotated |= rotate(head[i], tail[0], &mut norms, (i, j), unknowns);
            }
        }
        if !rotated {
            break;
        }
    }
    let norms: Vec<f64> = columns.iter().map(|column| length(&column[..unknowns])).collect();
    let most = norms.iter().copied().fold(0.0, f64::max);
    let mut solution = vec![0.0; unknowns];
    for (column, norm) in columns.iter().zip(norms) {
        if norm > tolerance * most {
            add_scaled(&mut solution, column[unknowns] / norm / norm, &column[..unknowns]);
        }
    }
    Ok(solution)
}

/// Makes two columns orthogonal; the element behind the unknowns turns with them. Whether a rotation was needed.
fn rotate(a: &mut [f64], b: &mut [f64], norms: &mut [f64], (i, j): (usize, usize), unknowns: usize) -> bool {
    let product = dot(&a[..unknowns], &b[..unknowns]);
    let (x, y) = (norms[i], norms[j]);
    if product.abs() <= 4.0 * f64::EPSILON * x * y {
        return false;
    }
    let zeta = (y - x) * (y + x) / (2.0 * product);
    let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = cosine * tangent;
    for (a, b) in a.iter_mut().zip(b.iter_mut()) {
        let (left, right) = (*a, *b);
        *a = cosine * left - sine * right;
        *b = sine * left + cosine * right;
    }
    norms[i] = length(&a[..unknowns]);
    norms[j] = length(&b[..unknowns]);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Silent;

    fn solution(rows: &[&[f64]], tolerance: f64) -> Vec<f64> {
        solve(rows.concat(), rows[0].len() - 1, tolerance, &Silent).unwrap()
    }

    fn close(given: &[f64], expected: &[f64]) {
        assert_eq!(given.len(), expected.len());
        let near = given.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near, "{given:?} is not {expected:?}");
    }

    #[test]
    fn a_square_system() {
        close(&solution(&[&[2.0, 1.0, 5.0], &[1.0, 3.0, 10.0]], 1e-12), &[1.0, 3.0]);
    }

    #[test]
    fn equal_columns_share_the_coefficient() {
        let rows: [&[f64]; 4] = [&[1.0, 1.0, 2.0], &[2.0, 2.0, 4.0], &[3.0, 3.0, 6.0], &[4.0, 4.0, 8.0]];
        close(&solution(&rows, 1e-12), &[1.0, 1.0]);
    }

    #[test]
    fn fewer_rows_than_unknowns() {
        close(&solution(&[&[1.0, 1.0, 0.0, 2.0], &[0.0, 0.0, 2.0, 8.0]], 1e-12), &[1.0, 1.0, 4.0]);
        close(&solution(&[&[1.0, 1.0, 0.0, 2.0], &[1.0, 1.0, 0.0, 2.0]], 1e-12), &[1.0, 1.0, 0.0]);
    }

    #[test]
    fn nothing_but_zeros_gives_zeros() {
        close(&solution(&[&[0.0, 0.0, 3.0], &[0.0, 0.0, 4.0]], 1e-12), &[0.0, 0.0]);
    }

    #[test]
    fn many_rows_go_through_blocks() {
        let row = |i: u32| {
            let (a, b) = (f64::from(i % 17), f64::from(i % 23));
            vec![a, b, a - b, 2.0 * a + b]
        };
        let rows: Vec<f64> = (0..10_000).flat_map(row).collect();
        let found = solve(rows, 3, 1e-10, &Silent).unwrap();
        // 2a + b is (2 − t)·a + (1 + t)·b + t·(a − b) for every t; the norm is smallest at t = 1/3.
        close(&found, &[5.0 / 3.0, 4.0 / 3.0, 1.0 / 3.0]);
    }

    #[test]
    fn huge_and_tiny_columns_stay_in_range() {
        close(&solution(&[&[1e-160, 3e-160], &[2e-160, 6e-160]], 1e-12), &[3.0]);
        close(&solution(&[&[1e160, 3e160], &[2e160, 6e160]], 1e-12), &[3.0]);
    }
}
