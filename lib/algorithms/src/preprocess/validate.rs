//! Checking a preprocessor that was read from a file, which anybody may have written.

use std::collections::HashSet;

use super::preprocessor::{Parameters, Preprocessor};
use super::{MissingValues, PreprocessError};
use crate::table::ColumnKind;

impl Preprocessor {
    /// Fails unless the columns have different names, every parameter is finite and fits its column's kind, every index
    /// points at a category, and every target encoding has the same number of features. Reading a stored preprocessor
    /// does this by itself.
    pub fn validate(&self) -> Result<(), PreprocessError> {
        let fault = |reason: String| Err(PreprocessError::Invalid { reason });
        if self.columns.is_empty() || self.fitted_rows == 0 {
            return fault("it was fitted on no column or no row".to_owned());
        }
        let fills = self.config.handle_missing != MissingValues::Drop;
        let mut names = HashSet::new();
        for column in &self.columns {
            if !names.insert(column.name.as_str()) {
                return fault(format!("two columns are called '{}'", column.name));
            }
            let (is_text, filled, wrong) = match &column.parameters {
                Parameters::Number(number) => (false, number.fill.is_some(), number.fault()),
                Parameters::Category(category) => (true, category.fill.is_some(), category.fault()),
            };
            let wrong = wrong
                .or_else(|| {
                    (is_text != (column.kind == ColumnKind::Text)).then_some("its kind contradicts its parameters")
                })
                .or_else(|| (filled != fills).then_some("its filling of missing values contradicts the settings"));
            if let Some(wrong) = wrong {
                return fault(format!("column '{}': {wrong}", column.name));
            }
        }
        Ok(())
    }
}
