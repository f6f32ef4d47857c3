//! The clusters of rows against groups that are known.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::clustering::agreement;
use mlops_artifacts::LoadedTable;
use mlops_core::{Error, Result};

use crate::clustering_run::{note, present};
use crate::evaluation::Metrics;
use crate::fault;
use crate::structure::KnownGroups;

/// The most groups that the clusters are held against by name.
const GROUPS: usize = 30;

/// Holds the clusters against the groups of a column; rows without a group are left out.
pub(crate) fn of(
    data: &LoadedTable,
    name: &str,
    (kept_rows, clusters): (&[usize], &[i32]),
    metrics: &mut Metrics,
    undefined: &mut BTreeMap<String, String>,
) -> Result<KnownGroups> {
    let at = "truth_column";
    let Some(column) = data.table.column(name) else {
        let error = Error::invalid_input(format!("{} has no column `{name}`", data.source.uri)).at(at);
        return Err(match data.table.nearest_name(name) {
            Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
            None => error,
        });
    };
    let groups = kept_rows.iter().map(|&row| column.values.label(row)).collect::<Vec<_>>();
    let mut rows_of = BTreeMap::<&str, u64>::new();
    for group in groups.iter().flatten() {
        *rows_of.entry(group).or_default() += 1;
    }
    if rows_of.is_empty() {
        return Err(Error::invalid_input(format!("every value of `{name}` is missing")).at(at));
    }
    let codes = rows_of.keys().enumerate().map(|(code, group)| (*group, code as u32)).collect::<BTreeMap<_, _>>();
    let pairs = groups.iter().zip(clusters).filter_map(|(group, &label)| Some((group.as_deref()?, label)));
    let pairs = pairs.collect::<Vec<_>>();
    let truth = pairs.iter().map(|(group, _)| codes[group]).collect::<Vec<_>>();
    let labels = pairs.iter().map(|(_, label)| *label).collect::<Vec<_>>();
    let found = agreement(&truth, &labels).map_err(fault::of_metric)?;
    note("ari", &found.adjusted_rand_index, metrics, undefined);
    note("nmi", &found.normalized_mutual_information, metrics, undefined);
    let present = present(clusters);
    let mut frequent = rows_of.iter().map(|(group, rows)| (*group, *rows)).collect::<Vec<_>>();
    frequent.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    frequent.truncate(GROUPS);
    let counts = frequent.iter().map(|(group, _)| {
        let mut line = vec![0; present.len() + 1];
        for (_, label) in pairs.iter().filter(|(own, _)| own == group) {
            let place = if *label < 0 { Some(present.len()) } else { present.iter().position(|one| one == label) };
            if let Some(count) = place.and_then(|place| line.get_mut(place)) {
                *count += 1;
            }
        }
        line
    });
    Ok(KnownGroups {
        column: name.to_owned(),
        counts: counts.collect(),
        groups: frequent.iter().map(|(group, _)| (*group).to_owned()).collect(),
        missing: (groups.len() - pairs.len()) as u64,
    })
}
