//! A confusion matrix of many classes, cut to what a picture can show.

/// The most classes that a picture shows by name.
pub const MOST: usize = 50;

/// The labels and counts of at most [`MOST`] classes, those with the most errors first in line to stay, then those with
/// the most rows; all others become one class at the end. Few classes stay as they are; the order is kept.
pub fn condensed(labels: &[String], counts: &[Vec<u64>], others: &str) -> (Vec<String>, Vec<Vec<u64>>) {
    if labels.len() <= MOST || counts.len() != labels.len() {
        return (labels.to_vec(), counts.to_vec());
    }
    let classes = labels.len();
    let mut totals = vec![(0_u64, 0_u64); classes];
    for (truth, line) in counts.iter().enumerate() {
        for (predicted, &count) in line.iter().enumerate().take(classes) {
            totals[truth].1 += count;
            if truth != predicted {
                totals[truth].0 += count;
                totals[predicted].0 += count;
            }
        }
    }
    let mut order: Vec<usize> = (0..classes).collect();
    order.sort_by(|&a, &b| totals[b].cmp(&totals[a]).then(a.cmp(&b)));
    order.truncate(MOST);
    order.sort_unstable();
    let mut place = vec![MOST; classes];
    for (at, &class) in order.iter().enumerate() {
        place[class] = at;
    }
    let mut cut = vec![vec![0; MOST + 1]; MOST + 1];
    for (truth, line) in counts.iter().enumerate() {
        for (predicted, &count) in line.iter().enumerate().take(classes) {
            cut[place[truth]][place[predicted]] += count;
        }
    }
    let mut shown: Vec<String> = order.iter().map(|&class| labels[class].clone()).collect();
    shown.push(format!("{others} ({})", classes - MOST));
    (shown, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_confused_stay_and_no_row_is_lost() {
        let labels: Vec<String> = (0..200).map(|at| format!("c{at}")).collect();
        let mut counts = vec![vec![0_u64; 200]; 200];
        for (at, line) in counts.iter_mut().enumerate() {
            line[at] = 1 + at as u64 % 3;
        }
        counts[7][190] = 9;
        let (shown, cut) = condensed(&labels, &counts, "others");
        assert_eq!((shown.len(), cut.len(), shown[MOST].as_str()), (51, 51, "others (150)"));
        assert!(shown.contains(&"c7".to_owned()) && shown.contains(&"c190".to_owned()));
        let sum = |counts: &[Vec<u64>]| counts.iter().flatten().sum::<u64>();
        assert_eq!(sum(&cut), sum(&counts));
        assert_eq!(condensed(&labels[..3], &counts[..3], "others").0, labels[..3]);
    }
}
