//! A table as structure is looked for in it: a matrix of finite numbers, without a target.

use std::collections::BTreeMap;

use mlops_artifacts::{LoadedTable, Manifest, ReadOptions, SplitRole};
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Error, Result};
use ndarray::Array2;

use crate::MlTraining;
use crate::estimate::check_table;
use crate::job::read_preprocessor;
use crate::training_table::HashedPreprocessor;

/// The argument that names the table.
pub(crate) const TABLE: &str = "train_data_s3_uri";

/// A table and what makes features of it.
pub(crate) struct Source {
    pub(crate) data: LoadedTable,
    pub(crate) preprocessor: Option<HashedPreprocessor>,
}

/// What is learnt from.
pub(crate) struct Rows {
    /// Kept rows × features.
    pub(crate) features: Array2<f64>,
    pub(crate) names: Vec<String>,
    /// The rows of the table that were kept, ascending.
    pub(crate) kept: Vec<usize>,
    /// By column, how many values were categories that the preprocessor had not seen.
    pub(crate) unseen: BTreeMap<String, usize>,
}

impl Source {
    /// Reads the table, and the preprocessor that was given or that the table's manifest names.
    pub(crate) async fn read(
        room: &MlTraining,
        call: &Call,
        table: &ArtifactUri,
        preprocessor: Option<&ArtifactUri>,
    ) -> Result<Self> {
        let data = room.artifacts.read_table(table, &ReadOptions::default(), call).await;
        let data = data.map_err(|error| error.at_or(TABLE))?;
        refuse_held_out(&data)?;
        let preprocessor = preprocessor_of(room, preprocessor, data.manifest.as_ref()).await?;
        Ok(Self { data, preprocessor })
    }

    /// The features: the table's own columns where its manifest says that the preprocessor was applied, what the
    /// preprocessor makes of it otherwise, and all columns where there is no preprocessor.
    pub(crate) fn rows(&self, call: &Call) -> Result<Rows> {
        check_table(&self.data, self.preprocessor.as_ref(), TABLE, call)?;
        let (data, place) = (&self.data, &self.data.source.uri);
        let noted = data.manifest.as_ref().and_then(|manifest| manifest.preprocessor_sha256.as_ref());
        let rows = match (&self.preprocessor, noted) {
            (Some(hashed), Some(noted)) if *noted == hashed.sha256 => plain(data, hashed.preprocessor.feature_names()),
            (Some(_), Some(_)) => {
                let message = format!("{place} was preprocessed with another preprocessor than the one of this model");
                Err(Error::invalid_input(message).at(TABLE).hint("leave `preprocessor_uri` out"))
            }
            (Some(hashed), None) => {
                let transformed = hashed
                    .preprocessor
                    .transform(&data.table)
                    .map_err(|error| Error::invalid_input(format!("{place}: {error}")).at(TABLE).caused_by(error))?;
                Ok(Rows {
                    features: transformed.features,
                    names: transformed.feature_names,
                    kept: transformed.kept_rows,
                    unseen: transformed.unseen,
                })
            }
            (None, _) => plain(data, data.table.names().map(str::to_owned).collect()),
        }?;
        if rows.kept.is_empty() {
            let all = data.table.num_rows();
            let message = format!("none of the {all} rows of {place} can be learnt from");
            return Err(Error::invalid_input(message).at(TABLE).hint("every row lacks a value; fill missing values"));
        }
        Ok(rows)
    }
}

/// The preprocessor that was given, else the one that the manifest names.
pub(crate) async fn preprocessor_of(
    room: &MlTraining,
    given: Option<&ArtifactUri>,
    manifest: Option<&Manifest>,
) -> Result<Option<HashedPreprocessor>> {
    let noted = |read: fn(&Manifest) -> Option<&String>| manifest.and_then(read);
    let place = match (given, noted(|manifest| manifest.preprocessor_uri.as_ref())) {
        (Some(uri), _) => uri.clone(),
        (None, Some(uri)) => ArtifactUri::new(uri.clone())?,
        (None, None) => return Ok(None),
    };
    let expected = noted(|manifest| manifest.preprocessor_sha256.as_ref());
    read_preprocessor(room, &place, expected).await.map(Some)
}

/// Refuses rows that were set aside.
pub(crate) fn refuse_held_out(data: &LoadedTable) -> Result<()> {
    let role = data.manifest.as_ref().and_then(|manifest| manifest.split_role);
    match role.filter(|role| matches!(role, SplitRole::Validation | SplitRole::Test)) {
        Some(role) => {
            let (place, role) = (&data.source.uri, role.as_str());
            let message = format!("{place} holds {role} rows, and a model must not learn from them");
            Err(Error::invalid_input(message).at(TABLE).hint("give the training part of the split"))
        }
        None => Ok(()),
    }
}

/// The columns of those names, all of them finite numbers.
fn plain(data: &LoadedTable, names: Vec<String>) -> Result<Rows> {
    let (table, place) = (&data.table, &data.source.uri);
    let refuse = |column: &str, what: &str| {
        let message = format!("the column `{column}` of {place} {what}, and only finite numbers are learnt from");
        Error::invalid_input(message)
            .at(TABLE)
            .hint("run preprocess_unsupervised on the table and train on what it gives")
    };
    let mut features = Array2::zeros((table.num_rows(), names.len()));
    for (name, mut to) in names.iter().zip(features.columns_mut()) {
        let column = table.column(name).ok_or_else(|| refuse(name, "is not there"))?;
        let numbers = column.values.numbers().map_err(|text| {
            let shown: String = text.chars().take(60).collect();
            refuse(name, &format!("holds text such as '{shown}'"))
        })?;
        if let Some(row) = numbers.iter().position(|value| !value.is_finite()) {
            let what = if numbers[row].is_nan() { "has no value" } else { "is infinite" };
            return Err(refuse(name, &format!("{what} in row {row} (counted from 0)")));
        }
        to.iter_mut().zip(numbers.iter()).for_each(|(to, from)| *to = *from);
    }
    if names.is_empty() {
        let message = format!("{place} has no column ({} rows)", table.num_rows());
        return Err(Error::invalid_input(message).at(TABLE).hint("give a table with columns of numbers"));
    }
    Ok(Rows { features, names, kept: (0..table.num_rows()).collect(), unseen: BTreeMap::new() })
}
