//! How strongly each row is tied to its neighbours: the fuzzy sets of `McInnes`, Healy and Melville (2018), section
//! 3.1.

use super::super::neighbours::Neighbours;
use crate::parallel;

const STEPS: usize = 64;
const TOLERANCE: f64 = 1e-5;
/// The smallest width of a kernel, as a share of the mean distance.
const SMALLEST: f64 = 1e-3;

/// Ties of each row: the other row and the strength, above 0 and at most 1, ascending by row.
pub(super) type Ties = Vec<Vec<(u32, f32)>>;

/// The strength with which each row is tied to its neighbours, without regard to how they are tied to it; row after
/// row.
///
/// With `connected` the nearest neighbour that lies apart is tied with 1.
pub(super) fn strengths(neighbours: &Neighbours, connected: bool) -> Vec<f64> {
    let count = neighbours.count;
    let mut distances: Vec<f64> = neighbours.squared.iter().map(|squared| squared.sqrt()).collect();
    // The row itself counts as a neighbour at distance 0, as in umap-learn.
    let self_and_others = if connected { count + 1 } else { count };
    let overall = distances.iter().sum::<f64>() / (distances.len() / count * self_and_others) as f64;
    let entropy = (self_and_others as f64).log2();
    parallel::for_each(distances.chunks_mut(count), |distances| {
        let apart = distances.iter().copied().find(|distance| connected && *distance > 0.0);
        let nearest = apart.unwrap_or(0.0);
        let own = distances.iter().sum::<f64>() / self_and_others as f64;
        let others = &distances[usize::from(!connected)..];
        let least = SMALLEST * if nearest > 0.0 { own } else { overall };
        let width = width(others, nearest, entropy).max(least);
        for distance in distances {
            let beyond = *distance - nearest;
            *distance = if beyond > 0.0 && width > 0.0 { (-beyond / width).exp() } else { 1.0 };
        }
    });
    distances
}

/// The width at which the strengths sum to `entropy`, by bisection.
fn width(distances: &[f64], nearest: f64, entropy: f64) -> f64 {
    let (mut low, mut high, mut middle) = (0.0, f64::INFINITY, 1.0);
    // A first guess of the right size saves steps and does not change where they lead.
    let largest = distances.last().map_or(0.0, |last| last - nearest);
    if largest > 0.0 {
        middle = largest;
    }
    for _ in 0..STEPS {
        let strength = |distance: &f64| {
            let beyond = distance - nearest;
            if beyond > 0.0 { (-beyond / middle).exp() } else { 1.0 }
        };
        let sum: f64 = distances.iter().map(strength).sum();
        if (sum - entropy).abs() < TOLERANCE {
            break;
        }
        if sum > entropy {
            high = middle;
            middle = f64::midpoint(low, high);
        } else {
            low = middle;
            middle = if high.is_finite() { f64::midpoint(low, high) } else { middle * 2.0 };
        }
    }
    middle
}

/// Ties that hold both ways: `p + q − p·q`, the fuzzy union, mixed with the intersection `p·q` by `mix`.
pub(super) fn symmetric(neighbours: &Neighbours, strengths: &[f64], mix: f64) -> Ties {
    let count = neighbours.count;
    let rows = strengths.len() / count;
    let mut ties: Vec<Vec<(u32, f64, f64)>> = (0..rows)
        .map(|row| {
            let own = row * count..(row + 1) * count;
            let pairs = neighbours.indices[own.clone()].iter().zip(&strengths[own]);
            pairs.map(|(&index, &strength)| (index, strength, 0.0)).collect()
        })
        .collect();
    for (place, (&index, &strength)) in neighbours.indices.iter().zip(strengths).enumerate() {
        ties[index as usize].push(((place / count) as u32, 0.0, strength));
    }
    parallel::map(ties, |mut row| {
        row.sort_unstable_by_key(|tie| tie.0);
        row.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 += later.1;
                earlier.2 += later.2;
            }
            same
        });
        let tie = |(index, p, q): (u32, f64, f64)| (index, (mix * (p + q - p * q) + (1.0 - mix) * p * q) as f32);
        row.into_iter().map(tie).filter(|(_, strength)| *strength > 0.0).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_sum_to_the_logarithm_of_the_neighbours() {
        let squared: Vec<f64> = (1..=14).map(|i| f64::from(i * i)).collect();
        let neighbours = Neighbours { count: 14, indices: (1..=14).collect(), squared };
        let strengths = strengths(&neighbours, true);
        assert!((strengths.iter().sum::<f64>() - 15.0_f64.log2()).abs() < 1e-4);
        assert_eq!(strengths[0], 1.0);
    }

    #[test]
    fn ties_are_symmetric() {
        let neighbours = Neighbours { count: 1, indices: vec![1, 0, 1], squared: vec![1.0; 3] };
        let ties = symmetric(&neighbours, &[0.5, 0.25, 0.125], 1.0);
        assert_eq!(ties, [vec![(1, 0.625)], vec![(0, 0.625), (2, 0.125)], vec![(1, 0.125)]]);
    }

    #[test]
    fn equal_rows_are_tied_with_one() {
        let neighbours = Neighbours { count: 3, indices: vec![1, 2, 3], squared: vec![0.0; 3] };
        assert_eq!(strengths(&neighbours, true), [1.0; 3]);
    }
}
