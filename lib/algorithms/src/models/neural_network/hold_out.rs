//! The rows that early stopping watches when there are no validation data.

use rand_xoshiro::rand_core::Rng;

use crate::models::fit::FitError;
use crate::seed::rng;

/// The stream of random numbers; the network's own are others.
const STREAM: u64 = 0x5EED;

/// Splits `rows` into those to learn from and a share of `fraction` to watch, both ascending.
///
/// With `classes` (one a row), each class gives its share, and keeps at least one row to learn from.
pub(super) fn split(
    rows: &[u32],
    classes: Option<&[u32]>,
    fraction: f64,
    seed: u64,
) -> Result<(Vec<u32>, Vec<u32>), FitError> {
    let mut random = rng(seed, STREAM);
    let mut order: Vec<(u32, u64, u32)> =
        rows.iter().map(|&row| (classes.map_or(0, |classes| classes[row as usize]), random.next_u64(), row)).collect();
    order.sort_unstable();
    let (mut learnt, mut watched) = (Vec::new(), Vec::new());
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        // The exact share of the classes so far, so that small classes do not all round the same way.
        let before = learnt.len() + watched.len();
        let due = ((before + group.len()) as f64 * fraction).round() as usize;
        let take = due.saturating_sub(watched.len()).min(group.len() - 1);
        watched.extend(group[..take].iter().map(|(_, _, row)| *row));
        learnt.extend(group[take..].iter().map(|(_, _, row)| *row));
    }
    if watched.len() < 2 || learnt.len() < 2 {
        return Err(FitError::HoldOut { rows: rows.len(), held_out: watched.len() });
    }
    learnt.sort_unstable();
    watched.sort_unstable();
    Ok((learnt, watched))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_gives_its_share() {
        let classes: Vec<u32> = (0..200).map(|row| u32::from(row % 4 == 0)).collect();
        let rows: Vec<u32> = (0..200).collect();
        let (learnt, watched) = split(&rows, Some(&classes), 0.1, 3).unwrap();
        assert_eq!((learnt.len(), watched.len()), (180, 20));
        assert_eq!(watched.iter().filter(|row| classes[**row as usize] == 1).count(), 5);
        let mut both = [learnt, watched.clone()].concat();
        both.sort_unstable();
        assert_eq!(both, rows);
        assert_ne!(split(&rows, Some(&classes), 0.1, 4).unwrap().1, watched);
    }

    #[test]
    fn too_few_rows_are_refused() {
        let error = split(&[0, 1, 2, 3, 4], None, 0.1, 0).unwrap_err();
        assert!(error.to_string().contains("hold out 1 of the 5 rows"), "{error}");
        assert!(split(&[0, 1, 2], Some(&[0, 1, 2]), 0.5, 0).is_err());
    }
}
