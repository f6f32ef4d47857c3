//! Which part each row goes to, by strategy.

use std::collections::HashMap;

use rand::seq::SliceRandom;

use super::StratumKind;
use crate::models::Task;
use crate::seed;
use crate::table::{NumberKind, Values};
use crate::target::Target;

/// The rows of training, validation and test.
pub(super) type Parts = [Vec<usize>; 3];

/// The names of the parts, for warnings.
const NAMES: [&str; 3] = ["train", "validation", "test"];

pub(super) fn random(rows: usize, shares: &[f64; 3], seed: u64) -> Parts {
    let mut order = (0..rows).collect::<Vec<_>>();
    order.shuffle(&mut seed::rng(seed, 0));
    let mut parts = cut(&order, sizes(rows, shares));
    sort(&mut parts);
    parts
}

/// The parts, what the strata were, and how many there were.
pub(super) fn stratified(
    target: &Values,
    task: Option<Task>,
    shares: &[f64; 3],
    seed: u64,
    warnings: &mut Vec<String>,
) -> (Parts, StratumKind, usize) {
    let (kind, codes) = match target {
        Values::Number { values, .. } if !holds_classes(target, task) => {
            (StratumKind::QuantileBins, quantile_bins(values))
        }
        _ => (StratumKind::Classes, codes(target)),
    };
    let count = codes.iter().flatten().max().map_or(0, |&last| last as usize + 1);
    let mut strata = vec![Vec::new(); count + 1];
    for (row, code) in codes.iter().enumerate() {
        strata[code.map_or(count, |code| code as usize)].push(row);
    }
    if let [.., missing] = strata.as_slice()
        && !missing.is_empty()
    {
        warnings.push(format!("{} rows without a target were split as a class of their own", missing.len()));
    }
    let mut parts = Parts::default();
    let mut carry = [0.0; 3];
    let mut rng = seed::rng(seed, 0);
    let mut lacking = Vec::new();
    for stratum in strata.iter_mut().filter(|rows| !rows.is_empty()) {
        stratum.shuffle(&mut rng);
        let sizes = stratum_sizes(stratum.len(), shares, &mut carry);
        if (0..3).any(|part| shares[part] > 0.0 && sizes[part] == 0) {
            lacking.push(target.label(stratum[0]).unwrap_or_else(|| "missing".to_owned()));
        }
        for (part, rows) in parts.iter_mut().zip(cut(stratum, sizes)) {
            part.extend(rows);
        }
    }
    if kind == StratumKind::Classes && !lacking.is_empty() {
        let names = lacking.iter().take(10).map(|label| format!("'{label}'")).collect::<Vec<_>>().join(", ");
        let more = if lacking.len() > 10 { ", …" } else { "" };
        warnings.push(format!("{} classes have too few rows to be in every part: {names}{more}", lacking.len()));
    }
    fill_empty(&mut parts, shares, warnings);
    sort(&mut parts);
    (parts, kind, count)
}

/// Whether the strata are the classes of the target. Without a task whole numbers are classes unless most of them occur
/// once, as those of a measure do.
fn holds_classes(target: &Values, task: Option<Task>) -> bool {
    match task {
        Some(task) => task == Task::Classification,
        None if Target::looks_like_classes(target) => true,
        None => {
            let distinct = codes(target).into_iter().flatten().max().map_or(0, |last| last as usize + 1);
            matches!(target, Values::Number { kind: NumberKind::Integer, .. }) && 2 * distinct <= target.len()
        }
    }
}

/// The parts, or the number of groups when that is too few.
pub(super) fn group(key: &Values, shares: &[f64; 3], seed: u64, warnings: &mut Vec<String>) -> Result<Parts, usize> {
    let codes = codes(key);
    let count = codes.iter().flatten().max().map_or(0, |&last| last as usize + 1);
    let mut groups = vec![Vec::new(); count];
    let mut alone = Vec::new();
    for (row, code) in codes.iter().enumerate() {
        match code {
            Some(code) => groups[*code as usize].push(row),
            None => alone.push(vec![row]),
        }
    }
    if !alone.is_empty() {
        warnings.push(format!("{} rows without a key were each taken as a group of one row", alone.len()));
    }
    groups.append(&mut alone);
    let needed = shares.iter().filter(|share| **share > 0.0).count();
    if groups.len() < needed {
        return Err(groups.len());
    }
    groups.shuffle(&mut seed::rng(seed, 0));
    groups.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let total = codes.len() as f64;
    let mut parts = Parts::default();
    for index in 0..groups.len() {
        let empty = |part: &usize| parts[*part].is_empty() && shares[*part] > 0.0;
        // The last groups go to the parts that have none yet.
        let must_fill = (0..3).filter(empty).count() >= groups.len() - index;
        let lack = |part: usize| shares[part] * total - parts[part].len() as f64;
        let candidates = (0..3).filter(|&part| shares[part] > 0.0).filter(|part| !must_fill || empty(part));
        let part = candidates.fold(None, |best, part| match best {
            Some(best) if lack(best) >= lack(part) => Some(best),
            _ => Some(part),
        });
        let rows = std::mem::take(&mut groups[index]);
        parts[part.unwrap_or_default()].extend(rows);
    }
    for part in 0..3 {
        let share = parts[part].len() as f64 / total;
        if (share - shares[part]).abs() > 0.05 {
            warnings.push(format!(
                "{} has {:.1} % of the rows instead of {:.1} %, because groups are kept whole",
                NAMES[part],
                share * 100.0,
                shares[part] * 100.0
            ));
        }
    }
    sort(&mut parts);
    Ok(parts)
}

/// The parts, or the number of missing values when there are any.
pub(super) fn time(key: &Values, shares: &[f64; 3], warnings: &mut Vec<String>) -> Result<Parts, usize> {
    let ranks = ranks(key, warnings).ok_or_else(|| key.missing())?;
    let mut order = (0..ranks.len()).collect::<Vec<_>>();
    order.sort_by_key(|&row| ranks[row]);
    let same = |cut: usize| cut > 0 && cut < order.len() && ranks[order[cut - 1]] == ranks[order[cut]];
    let wanted = sizes(order.len(), shares);
    let whole = [wanted[0], wanted[0] + wanted[1]].map(|cut| {
        let before = (0..=cut).rev().find(|&cut| !same(cut)).unwrap_or(0);
        let after = (cut..=order.len()).find(|&cut| !same(cut)).unwrap_or(order.len());
        if cut - before <= after - cut { before } else { after }
    });
    let moved = [whole[0], whole[1].saturating_sub(whole[0]), order.len() - whole[1].max(whole[0])];
    let filled = (0..3).all(|part| (moved[part] == 0) == (wanted[part] == 0));
    let sizes = if filled { moved } else { wanted };
    if !filled {
        warnings.push("rows of the same time lie in two parts, because too few different times are there".to_owned());
    }
    Ok(cut(&order, sizes))
}

/// The place of each row's time in the order of all times, equal for equal times; `None` when one is missing.
fn ranks(key: &Values, warnings: &mut Vec<String>) -> Option<Vec<usize>> {
    if (0..key.len()).any(|row| key.is_missing(row)) {
        return None;
    }
    if let Ok(numbers) = key.numbers() {
        let mut distinct = numbers.iter().map(|value| value + 0.0).collect::<Vec<_>>();
        distinct.sort_unstable_by(f64::total_cmp);
        let rank = |value: &f64| distinct.partition_point(|other| other.total_cmp(&(value + 0.0)).is_lt());
        return Some(numbers.iter().map(rank).collect());
    }
    let Values::Text { codes, categories } = key else { return None };
    warnings.push("the time column is text and was put in alphabetical order, which is right for ISO 8601".to_owned());
    let mut distinct = categories.iter().map(String::as_str).collect::<Vec<_>>();
    distinct.sort_unstable();
    let rank = |category: &String| distinct.partition_point(|other| *other < category.as_str());
    let ranks = categories.iter().map(rank).collect::<Vec<_>>();
    Some(codes.iter().map(|&code| ranks[code as usize]).collect())
}

/// The index of each row's value among the distinct ones in order of first appearance; `None` where missing.
pub(super) fn codes(values: &Values) -> Vec<Option<u32>> {
    match values {
        Values::Number { values, .. } => {
            let mut seen = HashMap::new();
            let mut code = |value: &f64| {
                let next = seen.len() as u32;
                (!value.is_nan()).then(|| *seen.entry((value + 0.0).to_bits()).or_insert(next))
            };
            values.iter().map(&mut code).collect()
        }
        Values::Text { codes, categories } => {
            let mut seen = HashMap::new();
            let mut code = |code: &u32| {
                let next = seen.len() as u32;
                categories.get(*code as usize).map(|text| *seen.entry(text.as_str()).or_insert(next))
            };
            codes.iter().map(&mut code).collect()
        }
    }
}

/// The bin of each value when the values, in order, are cut into up to ten bins of at least ten rows; equal values
/// share a bin.
fn quantile_bins(values: &[f64]) -> Vec<Option<u32>> {
    let mut order = (0..values.len()).filter(|&row| !values[row].is_nan()).collect::<Vec<_>>();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let count = (order.len() / 10).clamp(1, 10);
    let mut bins = vec![None; values.len()];
    let (mut bin, mut last, mut used) = (0, usize::MAX, 0);
    for (rank, &row) in order.iter().enumerate() {
        let wanted = rank * count / order.len();
        if rank == 0 || (wanted != last && values[row] != values[order[rank - 1]]) {
            (bin, last) = (used, wanted);
            used += 1;
        }
        bins[row] = Some(bin);
    }
    bins
}

/// The sizes of the parts by largest remainder, at least 1 where the share is above 0. `rows` is at least the number of
/// such parts.
fn sizes(rows: usize, shares: &[f64; 3]) -> [usize; 3] {
    let mut sizes = largest_remainder(rows, shares, [0.0; 3]);
    for part in 0..3 {
        if shares[part] > 0.0 && sizes[part] == 0 {
            sizes[largest(sizes)] -= 1;
            sizes[part] = 1;
        }
    }
    sizes
}

/// The sizes of the parts within one stratum. `carry` is what each part got too little in the strata before.
fn stratum_sizes(rows: usize, shares: &[f64; 3], carry: &mut [f64; 3]) -> [usize; 3] {
    let mut sizes = largest_remainder(rows, shares, *carry);
    if sizes[0] == 0 {
        // A model can only learn the classes that it is shown.
        sizes[largest(sizes)] -= 1;
        sizes[0] = 1;
    }
    for part in 0..3 {
        carry[part] += rows as f64 * shares[part] - sizes[part] as f64;
    }
    sizes
}

fn largest_remainder(rows: usize, shares: &[f64; 3], carry: [f64; 3]) -> [usize; 3] {
    let quota = shares.map(|share| rows as f64 * share);
    // 0.7 × 10 may come out just below 7.
    let mut sizes = quota.map(|quota| (quota + 1e-9).floor() as usize);
    let claim = [0, 1, 2].map(|part: usize| quota[part] - sizes[part] as f64 + carry[part]);
    let mut order = [0, 1, 2];
    order.sort_by(|&a: &usize, &b: &usize| claim[b].total_cmp(&claim[a]));
    let left = rows.saturating_sub(sizes.iter().sum());
    for &part in order.iter().filter(|&&part| shares[part] > 0.0).cycle().take(left) {
        sizes[part] += 1;
    }
    sizes
}

fn largest(sizes: [usize; 3]) -> usize {
    (1..3).fold(0, |best, part| if sizes[part] > sizes[best] { part } else { best })
}

fn fill_empty(parts: &mut Parts, shares: &[f64; 3], warnings: &mut Vec<String>) {
    for part in 0..3 {
        if shares[part] > 0.0 && parts[part].is_empty() {
            let from = largest([parts[0].len(), parts[1].len(), parts[2].len()]);
            let row = parts[from].pop();
            parts[part].extend(row);
            warnings.push(format!("{} was empty and was given one row of {}", NAMES[part], NAMES[from]));
        }
    }
}

fn cut(order: &[usize], sizes: [usize; 3]) -> Parts {
    let (train, rest) = order.split_at(sizes[0].min(order.len()));
    let (validation, test) = rest.split_at(sizes[1].min(rest.len()));
    [train.to_vec(), validation.to_vec(), test.to_vec()]
}

fn sort(parts: &mut Parts) {
    for part in parts {
        part.sort_unstable();
    }
}
