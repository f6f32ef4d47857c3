//! Curves with fewer points that look the same.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The positions of at most `points` (at least 2) points of a curve that keep its shape, in ascending order.
///
/// Both ends and the corners of the upper convex hull are kept as far as they fit; then the point that is farthest from
/// the simplified curve is added, again and again (Ramer, Douglas and Peucker's criterion). A curve that already
/// fits is left as it is. `x` and `y` are read up to the shorter length.
pub fn decimate(x: &[f64], y: &[f64], points: usize) -> Vec<usize> {
    let length = x.len().min(y.len());
    let limit = points.max(2);
    if length <= limit {
        return (0..length).collect();
    }
    let hull = upper_hull(&x[..length], &y[..length]);
    let mut kept = vec![0, length - 1];
    if hull.len() + 2 <= limit {
        kept.extend(hull);
    }
    kept.sort_unstable();
    kept.dedup();
    let mut open: BinaryHeap<Span> = kept.windows(2).filter_map(|ends| Span::between(x, y, ends[0], ends[1])).collect();
    while kept.len() < limit {
        let Some(span) = open.pop() else { break };
        kept.push(span.farthest);
        open.extend(Span::between(x, y, span.start, span.farthest));
        open.extend(Span::between(x, y, span.farthest, span.end));
    }
    kept.sort_unstable();
    kept
}

/// A stretch of the curve between two kept points, and its point that is farthest from the line between them.
#[derive(PartialEq)]
struct Span {
    distance: f64,
    start: usize,
    farthest: usize,
    end: usize,
}

impl Span {
    /// `None` when all points between lie on the line.
    fn between(x: &[f64], y: &[f64], start: usize, end: usize) -> Option<Self> {
        let (dx, dy) = (x[end] - x[start], y[end] - y[start]);
        let length = dx.hypot(dy);
        let mut best = Self { distance: 0.0, start, farthest: start, end };
        for at in start + 1..end {
            let (px, py) = (x[at] - x[start], y[at] - y[start]);
            let distance = if length == 0.0 { px.hypot(py) } else { (dx * py - dy * px).abs() / length };
            if distance > best.distance {
                (best.distance, best.farthest) = (distance, at);
            }
        }
        (best.distance > 1e-12).then_some(best)
    }
}

impl Eq for Span {}

impl Ord for Span {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(other.start.cmp(&self.start))
    }
}

impl PartialOrd for Span {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The corners of the upper convex hull, by Andrew's monotone chain.
fn upper_hull(x: &[f64], y: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(y[a].total_cmp(&y[b])));
    let mut hull: Vec<usize> = Vec::new();
    for at in order {
        while let [.., a, b] = hull[..] {
            let turn = (x[b] - x[a]) * (y[at] - y[a]) - (y[b] - y[a]) * (x[at] - x[a]);
            if turn < 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push(at);
    }
    hull
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The height of a piecewise linear curve.
    fn height(kept: &[usize], x: &[f64], y: &[f64], at: f64) -> f64 {
        let right = kept.iter().position(|&point| x[point] >= at).unwrap().max(1);
        let (a, b) = (kept[right - 1], kept[right]);
        if x[b] == x[a] { y[b] } else { y[a] + (y[b] - y[a]) * (at - x[a]) / (x[b] - x[a]) }
    }

    #[test]
    fn a_long_smooth_curve_looks_the_same_with_few_points() {
        let x: Vec<f64> = (0..=10_000).map(|i| f64::from(i) / 10_000.0).collect();
        let y: Vec<f64> = x.iter().map(|x| x.powf(0.2)).collect();
        let kept = decimate(&x, &y, 200);
        assert!(kept.len() <= 200);
        for i in 0..x.len() {
            assert!((height(&kept, &x, &y, x[i]) - y[i]).abs() < 2e-3, "{i}");
        }
    }

    #[test]
    fn short_and_straight_curves() {
        assert_eq!(decimate(&[0.0, 1.0], &[0.0, 1.0], 100), [0, 1]);
        assert!(decimate(&[], &[], 5).is_empty());
        let line: Vec<f64> = (0..50).map(f64::from).collect();
        assert_eq!(decimate(&line, &line, 10), [0, 49]);
        assert_eq!(decimate(&line, &line, 0), [0, 49]);
    }

    proptest! {
        #[test]
        fn the_hull_is_kept_when_it_fits(steps in prop::collection::vec((0_u8..3, 0_u8..3), 40..120)) {
            let sums = |value: fn(&(u8, u8)) -> u8| -> Vec<f64> {
                steps.iter().scan(0.0, |sum, step| { *sum += f64::from(value(step)); Some(*sum) }).collect()
            };
            let (x, y) = (sums(|step| step.0), sums(|step| step.1));
            let kept = decimate(&x, &y, 39);
            prop_assert!(kept.len() <= 39);
            prop_assert_eq!((kept[0], kept[kept.len() - 1]), (0, steps.len() - 1));
            let hull = upper_hull(&x, &y);
            if hull.len() + 2 <= 39 {
                prop_assert!(hull.iter().all(|corner| kept.contains(corner)));
            }
        }
    }
}
