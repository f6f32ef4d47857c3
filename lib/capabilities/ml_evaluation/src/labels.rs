//! The clusters of rows as training gave them: a table of `row` and `cluster`.

use std::collections::HashMap;

use mlops_algorithms::table::{Table, Values};
use mlops_artifacts::{Artifacts, LoadedTable, ReadOptions};
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Error, Result};

/// The argument that names the table.
const FIELD: &str = "labels_s3_uri";

/// The cluster of each row.
pub(crate) struct Labels {
    of: HashMap<usize, i32>,
}

impl Labels {
    /// Reads the labels of that data. `InvalidInput` when the table has no such columns, when a value is no row or no
    /// cluster, when a row occurs twice, and when the labels are those of another table.
    pub(crate) async fn read(
        artifacts: &Artifacts,
        uri: &ArtifactUri,
        data: &LoadedTable,
        call: &Call,
    ) -> Result<Self> {
        let read = artifacts.read_table(uri, &ReadOptions::default(), call).await;
        let table = read.map_err(|error| error.at_or(FIELD))?;
        let source = table.manifest.as_ref().map(|manifest| manifest.source_sha256.as_str());
        if source.is_some_and(|source| source != data.source.sha256) {
            let place = &data.source.uri;
            return Err(Error::invalid_input(format!("{uri} holds the clusters of another table than {place}"))
                .at(FIELD)
                .hint("give the labels_s3_uri of the training on this table"));
        }
        Self::of_table(&table.table, data.table.num_rows()).map_err(|reason| {
            Error::invalid_input(format!("{uri} does not hold the cluster of each row: {reason}"))
                .at(FIELD)
                .hint("give the labels_s3_uri of a result of train_unsupervised_clustering")
        })
    }

    fn of_table(table: &Table, rows: usize) -> Result<Self, String> {
        let column = |name: &str| match table.column(name).map(|column| &column.values) {
            Some(Values::Number { values, .. }) => Ok(values),
            Some(Values::Text { .. }) => Err(format!("`{name}` holds text")),
            None => Err(format!("there is no column `{name}`")),
        };
        let (places, clusters) = (column("row")?, column("cluster")?);
        let mut of = HashMap::with_capacity(places.len());
        for (place, cluster) in places.iter().zip(clusters) {
            let row = whole(*place).and_then(|row| usize::try_from(row).ok()).filter(|row| *row < rows);
            let row = row.ok_or_else(|| format!("the row {place} is not one of the {rows} rows of the data"))?;
            let label = whole(*cluster).and_then(|label| i32::try_from(label).ok());
            let label = label.filter(|label| *label >= -1 && i64::from(*label) < rows as i64);
            let label = label.ok_or_else(|| format!("{cluster} is no cluster: -1 for noise, or from 0 up"))?;
            if of.insert(row, label).is_some() {
                return Err(format!("the row {row} occurs more than once"));
            }
        }
        Ok(Self { of })
    }

    /// The clusters of those rows of data with `all` rows; `None` where a row has none.
    pub(crate) fn of(&self, rows: &[usize], all: usize) -> Result<Vec<Option<i32>>> {
        // A label is an index of as many clusters as there are rows at most.
        let most = rows.len().min(all) as i64;
        let labels = rows.iter().map(|row| self.of.get(row).copied()).collect::<Vec<_>>();
        let known = labels.iter().flatten().count() as i64;
        match labels.iter().flatten().find(|label| i64::from(**label) >= known.min(most)) {
            Some(label) => {
                let message = format!("the cluster {label} is beyond the number of rows that have one, {known}");
                Err(Error::invalid_input(message).at(FIELD).hint("number the clusters from 0 up"))
            }
            None => Ok(labels),
        }
    }
}

/// The value as a whole number.
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use mlops_algorithms::table::{Column, NumberKind};

    use super::*;

    fn table(rows: &[f64], clusters: &[f64]) -> Table {
        let column = |name: &str, values: &[f64]| Column {
            name: name.to_owned(),
            values: Values::Number { values: values.to_vec(), kind: NumberKind::Integer },
        };
        Table { columns: vec![column("row", rows), column("cluster", clusters)] }
    }

    #[test]
    fn rows_are_found_wherever_they_stand_and_what_is_odd_is_named() {
        let labels = Labels::of_table(&table(&[2.0, 0.0], &[1.0, -1.0]), 3).unwrap();
        assert_eq!(labels.of(&[0, 1, 2], 3).unwrap(), [Some(-1), None, Some(1)]);
        for (rows, clusters, expected) in [
            ([0.0, 3.0], [0.0, 0.0], "the row 3 is not one of the 3 rows"),
            ([0.0, 0.5], [0.0, 0.0], "the row 0.5"),
            ([0.0, 0.0], [0.0, 0.0], "occurs more than once"),
            ([0.0, 1.0], [0.0, -2.0], "-2 is no cluster"),
            ([0.0, 1.0], [0.0, f64::NAN], "NaN is no cluster"),
        ] {
            let error = Labels::of_table(&table(&rows, &clusters), 3).err().unwrap();
            assert!(error.contains(expected), "{expected}: {error}");
        }
        let none = Table { columns: table(&[0.0], &[0.0]).columns.into_iter().take(1).collect() };
        assert!(Labels::of_table(&none, 3).err().unwrap().contains("no column `cluster`"));
        assert!(Labels::of_table(&table(&[0.0, 1.0], &[0.0, 2.0]), 3).unwrap().of(&[0, 1], 3).is_err());
    }
}
