//! Eigenvalues and eigenvectors of a symmetric tridiagonal matrix by divide and conquer (Cuppen, 1981), with the
//! vectors of Gu and Eisenstat (1995), which stay orthogonal however near the eigenvalues lie.

use super::matrix::product;
use crate::parallel;
use crate::probe::{Cancelled, Probe};

/// Up to this size the implicit QL method is used.
const SMALL: usize = 32;
/// How many eigenvectors one thread takes at a time.
const TOGETHER: usize = 16;
const SWEEPS: usize = 60;
const STEPS: usize = 80;

/// The eigenvalues in ascending order, and the eigenvectors as the columns of an n × n matrix in row order.
///
/// `diagonal` has n values, `beside` n − 1.
pub(super) fn decompose(
    diagonal: &[f64],
    beside: &[f64],
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Vec<f64>), Cancelled> {
    probe.check()?;
    let n = diagonal.len();
    if n <= SMALL {
        return Ok(ql(diagonal.to_vec(), beside));
    }
    let half = n / 2;
    let joint = beside[half - 1];
    let strength = joint.abs();
    let (mut upper, mut lower) = (diagonal[..half].to_vec(), diagonal[half..].to_vec());
    upper[half - 1] -= strength;
    lower[0] -= strength;
    let (upper, lower) =
        parallel::join(|| decompose(&upper, &beside[..half - 1], probe), || decompose(&lower, &beside[half..], probe));
    let (upper, lower) = (upper?, lower?);
    Ok(merge(upper, lower, strength, joint.signum()))
}

/// The eigenvectors of both halves, side by side: `columns[i]` lies in the rows of the upper half, of the lower, or
/// both.
struct Columns {
    half: usize,
    n: usize,
    /// One column after the other.
    values: Vec<f64>,
    /// Whether each column has a part in the upper and in the lower half.
    parts: Vec<(bool, bool)>,
}

impl Columns {
    fn rotate(&mut self, a: usize, b: usize, cosine: f64, sine: f64) {
        let n = self.n;
        for row in 0..n {
            let (x, y) = (self.values[a * n + row], self.values[b * n + row]);
            self.values[a * n + row] = cosine * x + sine * y;
            self.values[b * n + row] = cosine * y - sine * x;
        }
        let both = (self.parts[a].0 || self.parts[b].0, self.parts[a].1 || self.parts[b].1);
        self.parts[a] = both;
        self.parts[b] = both;
    }
}

/// Joins two decompositions by the rank-one matrix that was taken out between them.
fn merge(
    (upper_values, upper): (Vec<f64>, Vec<f64>),
    (lower_values, lower): (Vec<f64>, Vec<f64>),
    strength: f64,
    sign: f64,
) -> (Vec<f64>, Vec<f64>) {
    let (half, rest) = (upper_values.len(), lower_values.len());
    let n = half + rest;
    let mut columns = Columns { half, n, values: vec![0.0; n * n], parts: vec![(true, false); n] };
    columns.parts[half..].fill((false, true));
    let mut values = [upper_values, lower_values].concat();
    let mut z = vec![0.0; n];
    for column in 0..half {
        (0..half).for_each(|row| columns.values[column * n + row] = upper[row * half + column]);
        z[column] = upper[(half - 1) * half + column];
    }
    for column in 0..rest {
        (0..rest).for_each(|row| columns.values[(half + column) * n + half + row] = lower[row * rest + column]);
        z[half + column] = sign * lower[column];
    }
    for z in &mut z {
        *z *= std::f64::consts::FRAC_1_SQRT_2;
    }
    let strength = 2.0 * strength;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let active = deflate(&mut values, &mut z, &mut columns, &order, strength);
    let mut pairs: Vec<(f64, usize, bool)> =
        (0..n).filter(|index| !active.contains(index)).map(|index| (values[index], index, false)).collect();
    let poles: Vec<f64> = active.iter().map(|&index| values[index]).collect();
    let weights: Vec<f64> = active.iter().map(|&index| z[index]).collect();
    let (roots, vectors) = rank_one(&poles, &weights, strength);
    pairs.extend(roots.into_iter().enumerate().map(|(index, root)| (root, index, true)));
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let joined = combine(&columns, &active, &vectors);
    let mut result = vec![0.0; n * n];
    let width = active.len();
    for row in 0..n {
        for (place, &(_, index, moved)) in pairs.iter().enumerate() {
            result[row * n + place] = if moved { joined[row * width + index] } else { columns.values[index * n + row] };
        }
    }
    (pairs.into_iter().map(|(value, _, _)| value).collect(), result)
}

/// Takes out the eigenvalues that the rank-one matrix does not move; the others, ascending.
fn deflate(values: &mut [f64], z: &mut [f64], columns: &mut Columns, order: &[usize], strength: f64) -> Vec<usize> {
    let largest = values.iter().chain(z.iter()).fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let tolerance = 8.0 * f64::EPSILON * largest;
    let mut active = Vec::new();
    let mut last: Option<usize> = None;
    for &index in order {
        if strength * z[index].abs() <= tolerance {
            continue;
        }
        if let Some(before) = last {
            let length = z[before].hypot(z[index]);
            let (cosine, sine) = (z[index] / length, z[before] / length);
            if ((values[index] - values[before]) * cosine * sine).abs() <= tolerance {
                // Turn the two so that the first has no part in z.
                z[index] = length;
                z[before] = 0.0;
                columns.rotate(index, before, cosine, sine);
                let (a, b) = (values[before], values[index]);
                values[before] = a * cosine * cosine + b * sine * sine;
                values[index] = a * sine * sine + b * cosine * cosine;
                last = Some(index);
                continue;
            }
            active.push(before);
        }
        last = Some(index);
    }
    active.extend(last);
    active
}

/// The eigenvalues of `diag(poles) + strength·z·zᵀ` and its eigenvectors as rows; the poles ascend and no z is 0.
fn rank_one(poles: &[f64], z: &[f64], strength: f64) -> (Vec<f64>, Vec<f64>) {
    let count = poles.len();
    if count == 0 {
        return (Vec::new(), Vec::new());
    }
    let roots = parallel::map(0..count, |index| root(poles, z, strength, index));
    // The vector of which the roots found are the exact ones.
    let exact = parallel::map_rows(count, |i| {
        let mut square = -roots[i].1[i] / strength;
        for j in 0..count {
            if j != i {
                square *= roots[j].1[i] / (poles[i] - poles[j]);
            }
        }
        square.abs().sqrt().copysign(z[i])
    });
    let mut vectors = vec![0.0; count * count];
    parallel::for_each(vectors.chunks_mut(TOGETHER * count).zip(roots.chunks(TOGETHER)), |(vectors, roots)| {
        for (vector, (_, distances)) in vectors.chunks_mut(count).zip(roots) {
            let mut length = 0.0;
            for ((value, z), distance) in vector.iter_mut().zip(&exact).zip(distances) {
                *value = z / distance;
                length += *value * *value;
            }
            let length = length.sqrt();
            for value in vector.iter_mut() {
                *value /= length;
            }
        }
    });
    (roots.into_iter().map(|(root, _)| root).collect(), vectors)
}

/// The root of `1 + strength·Σ z²/(pole − λ)` behind pole `index`, and every pole minus it.
///
/// The nearer pole is the origin, so that differences do not cancel. Each step fits a function with the two poles
/// around the root to both halves of the sum (Bunch, Nielsen and Sorensen, 1978), kept within a bracket.
fn root(poles: &[f64], z: &[f64], strength: f64, index: usize) -> (f64, Vec<f64>) {
    let count = poles.len();
    let last = index + 1 == count;
    let length: f64 = z.iter().map(|z| z * z).sum();
    let gap = if last { strength * length } else { poles[index + 1] - poles[index] };
    let at = |origin: f64, shift: f64| {
        // (lower sum, its slope, upper sum, its slope)
        let mut sums = [0.0; 4];
        for (i, (pole, z)) in poles.iter().zip(z).enumerate() {
            let distance = (pole - origin) - shift;
            let part = z / distance;
            let side = if i <= index { 0 } else { 2 };
            sums[side] += z * part;
            sums[side + 1] += part * part;
        }
        sums
    };
    let value = |sums: &[f64; 4]| 1.0 + strength * (sums[0] + sums[2]);
    let middle = value(&at(poles[index], 0.5 * gap));
    let upper = !last && middle < 0.0;
    let origin = if upper { poles[index + 1] } else { poles[index] };
    let (mut low, mut high) = match (upper, last) {
        (true, _) => (-0.5 * gap, 0.0),
        (false, true) if middle < 0.0 => (0.5 * gap, gap),
        _ => (0.0, 0.5 * gap),
    };
    let (near, far) = (poles[index] - origin, if last { 0.0 } else { poles[index + 1] - origin });
    let mut shift = f64::midpoint(low, high);
    for _ in 0..STEPS {
        let sums = at(origin, shift);
        let found = value(&sums);
        let size = 1.0 + strength * (sums[0].abs() + sums[2].abs());
        if found.abs() <= f64::EPSILON * size * 2.0 || high - low <= f64::EPSILON * low.abs().max(high.abs()) {
            break;
        }
        if found < 0.0 {
            low = shift;
        } else {
            high = shift;
        }
        let a = near - shift;
        // lower ≈ r + s/(a − η), with its value and slope at η = 0.
        let s = sums[1] * a * a;
        let r = sums[0] - sums[1] * a;
        let step = if last {
            a + strength * s / (1.0 + strength * r)
        } else {
            let b = far - shift;
            let t = sums[3] * b * b;
            let constant = 1.0 + strength * (r + sums[2] - sums[3] * b);
            // constant·(a − η)(b − η) + strength·(s·(b − η) + t·(a − η)) = 0
            let half = 0.5 * (constant * (a + b) + strength * (s + t));
            let product = constant * a * b + strength * (s * b + t * a);
            let root = (half * half - constant * product).max(0.0).sqrt();
            if half > 0.0 {
                product / (half + root)
            } else if constant == 0.0 {
                f64::NAN
            } else {
                (half - root) / constant
            }
        };
        let next = shift + step;
        shift = if next > low && next < high { next } else { f64::midpoint(low, high) };
        if shift == low || shift == high {
            break;
        }
    }
    (origin + shift, poles.iter().map(|pole| (pole - origin) - shift).collect())
}

/// The active columns times the eigenvectors of the rank-one problem: n rows, one column a root. Columns that lie in
/// one half take no part in the other.
fn combine(columns: &Columns, active: &[usize], vectors: &[f64]) -> Vec<f64> {
    let (n, width) = (columns.n, active.len());
    if width == 0 {
        return Vec::new();
    }
    let side = |upper: bool| {
        let inside = |column: usize| if upper { columns.parts[column].0 } else { columns.parts[column].1 };
        let kept: Vec<usize> = (0..width).filter(|&place| inside(active[place])).collect();
        let rows = if upper { 0..columns.half } else { columns.half..n };
        let mut left = Vec::with_capacity(rows.len() * kept.len());
        for row in rows {
            left.extend(kept.iter().map(|&place| columns.values[active[place] * n + row]));
        }
        let mut right = Vec::with_capacity(kept.len() * width);
        for &place in &kept {
            right.extend((0..width).map(|root| vectors[root * width + place]));
        }
        if kept.is_empty() { vec![0.0; left.capacity()] } else { product(&left, &right, kept.len(), width) }
    };
    let (upper, lower) = (side(true), side(false));
    let fill = |part: Vec<f64>, rows: usize| if part.is_empty() { vec![0.0; rows * width] } else { part };
    [fill(upper, columns.half), fill(lower, n - columns.half)].concat()
}

/// The implicit QL method with Wilkinson's shift; eigenvectors are accumulated as rows and turned at the end.
fn ql(mut diagonal: Vec<f64>, beside: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = diagonal.len();
    let mut beside = [beside, &[0.0]].concat();
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    for first in 0..n {
        for _ in 0..SWEEPS {
            let small = |i: usize| beside[i].abs() <= f64::EPSILON * (diagonal[i].abs() + diagonal[i + 1].abs());
            let end = (first..n - 1).find(|&i| small(i)).unwrap_or(n - 1);
            if end == first {
                break;
            }
            sweep(&mut diagonal, &mut beside, &mut vectors, first, end);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| diagonal[a].total_cmp(&diagonal[b]));
    let mut turned = vec![0.0; n * n];
    for (column, &index) in order.iter().enumerate() {
        (0..n).for_each(|row| turned[row * n + column] = vectors[index * n + row]);
    }
    (order.iter().map(|&index| diagonal[index]).collect(), turned)
}

/// One sweep of rotations over the block from `first` to `end`.
fn sweep(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [f64], first: usize, end: usize) {
    let n = diagonal.len();
    let mut g = (diagonal[first + 1] - diagonal[first]) / (2.0 * beside[first]);
    let r = g.hypot(1.0);
    g = diagonal[end] - diagonal[first] + beside[first] / (g + r.copysign(g));
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for i in (first..end).rev() {
        let f = sine * beside[i];
        let b = cosine * beside[i];
        let r = f.hypot(g);
        beside[i + 1] = r;
        if r == 0.0 {
            diagonal[i + 1] -= shift;
            beside[end] = 0.0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        let d = diagonal[i + 1] - shift;
        let t = (diagonal[i] - d) * sine + 2.0 * cosine * b;
        shift = sine * t;
        diagonal[i + 1] = d + shift;
        g = cosine * t - b;
        let (head, tail) = vectors.split_at_mut((i + 1) * n);
        for (x, y) in head[i * n..].iter_mut().zip(&mut tail[..n]) {
            let kept = *y;
            *y = sine * *x + cosine * kept;
            *x = cosine * *x - sine * kept;
        }
    }
    diagonal[first] -= shift;
    beside[first] = g;
    beside[end] = 0.0;
}
