//! The values of a column as another kind, when all of them can be.

use mlops_algorithms::table::{ColumnKind, NumberKind, Values};

use super::timestamp;
use super::value::{Cell, LARGEST_EXACT};

/// The first value that is not of the kind that was asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Misfit {
    /// The row, counted from 0.
    pub(super) row: usize,
    /// The value as a file shows it.
    pub(super) value: String,
}

/// The values as `kind`. Missing values stay missing.
pub(super) fn convert(values: Values, kind: ColumnKind) -> Result<Values, Misfit> {
    if values.kind() == kind {
        return Ok(values);
    }
    let wanted = match kind {
        ColumnKind::Text => return Ok(to_text(&values)),
        ColumnKind::Integer => NumberKind::Integer,
        ColumnKind::Float => NumberKind::Float,
        ColumnKind::Boolean => NumberKind::Boolean,
        ColumnKind::Timestamp => NumberKind::Timestamp,
    };
    let (numbers, found) = match values {
        Values::Number { values, kind } => (values, Some(kind)),
        Values::Text { codes, categories } => {
            let parsed = categories.iter().map(|text| number_of(text, wanted)).collect::<Vec<_>>();
            let number = |(row, &code): (usize, &u32)| match parsed.get(code as usize) {
                None => Ok(f64::NAN),
                Some(Some(number)) => Ok(*number),
                Some(None) => Err(Misfit { row, value: categories[code as usize].clone() }),
            };
            (codes.iter().enumerate().map(number).collect::<Result<Vec<_>, _>>()?, None)
        }
    };
    let fits = |number: f64| match wanted {
        NumberKind::Integer => number.is_nan() || (number.fract() == 0.0 && number.abs() <= LARGEST_EXACT as f64),
        NumberKind::Boolean => number.is_nan() || number == 0.0 || number == 1.0,
        NumberKind::Float => true,
        // A bare number is no point in time unless somebody says that it is one.
        NumberKind::Timestamp => found != Some(NumberKind::Boolean) || number.is_nan(),
    };
    match numbers.iter().position(|&number| !fits(number)) {
        Some(row) => Err(Misfit { row, value: found.unwrap_or(NumberKind::Float).show(numbers[row]) }),
        None => Ok(Values::Number { values: numbers, kind: wanted }),
    }
}

fn to_text(values: &Values) -> Values {
    let show = |row| match values {
        Values::Number { values, kind: NumberKind::Timestamp } => timestamp::show(values[row]),
        _ => None,
    };
    let shown = (0..values.len()).map(|row| show(row).or_else(|| values.label(row))).collect::<Vec<_>>();
    Values::from_text(shown.iter().map(Option::as_deref))
}

/// The number that a text stands for; `NaN` for a marker of a missing value.
fn number_of(text: &str, wanted: NumberKind) -> Option<f64> {
    match (Cell::of_field(text), wanted) {
        (Cell::Missing, _) => Some(f64::NAN),
        // A whole number that would lose digits is no integer here; who asks for floats gets the nearest one.
        (Cell::Large(_), NumberKind::Integer) => None,
        (Cell::Integer(value) | Cell::Large(value) | Cell::Float(value), _)
        | (Cell::Timestamp(value), NumberKind::Timestamp) => Some(value),
        (Cell::Boolean(value), NumberKind::Boolean | NumberKind::Integer) => Some(f64::from(u8::from(value))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[f64], kind: NumberKind) -> Values {
        Values::Number { values: values.to_vec(), kind }
    }

    #[test]
    fn numbers_become_other_numbers_when_they_fit() {
        let whole = numbers(&[1.0, 0.0], NumberKind::Float);
        assert_eq!(convert(whole.clone(), ColumnKind::Integer), Ok(numbers(&[1.0, 0.0], NumberKind::Integer)));
        assert_eq!(convert(whole.clone(), ColumnKind::Boolean), Ok(numbers(&[1.0, 0.0], NumberKind::Boolean)));
        assert_eq!(convert(whole, ColumnKind::Timestamp), Ok(numbers(&[1.0, 0.0], NumberKind::Timestamp)));
        let misfit = convert(numbers(&[1.0, 2.5], NumberKind::Float), ColumnKind::Integer).unwrap_err();
        assert_eq!(misfit, Misfit { row: 1, value: "2.5".to_owned() });
        let misfit = convert(numbers(&[f64::INFINITY], NumberKind::Float), ColumnKind::Integer).unwrap_err();
        assert_eq!(misfit.value, "inf");
        assert!(convert(numbers(&[1.0], NumberKind::Boolean), ColumnKind::Timestamp).is_err());
    }

    #[test]
    fn text_becomes_numbers_when_all_of_it_reads_as_such() {
        let text = Values::from_text([Some("1"), Some("true"), None]);
        assert_eq!(convert(text.clone(), ColumnKind::Boolean).unwrap().missing(), 1);
        assert_eq!(convert(text, ColumnKind::Float).unwrap_err(), Misfit { row: 1, value: "true".to_owned() });
        let dates = Values::from_text([Some("1970-01-01"), Some("nan")]);
        assert_eq!(convert(dates.clone(), ColumnKind::Timestamp).unwrap().label(0).unwrap(), "0");
        assert!(convert(dates, ColumnKind::Integer).is_err());
    }

    #[test]
    fn digits_are_never_lost_in_silence() {
        let text = Values::from_text([Some("1"), Some("9007199254740993")]);
        let misfit = convert(text.clone(), ColumnKind::Integer).unwrap_err();
        assert_eq!(misfit, Misfit { row: 1, value: "9007199254740993".to_owned() });
        assert_eq!(convert(text, ColumnKind::Float).unwrap().label(1).unwrap(), "9007199254740992");
        assert!(convert(numbers(&[1e17], NumberKind::Float), ColumnKind::Integer).is_err());
    }

    #[test]
    fn numbers_become_text_as_files_show_them() {
        let text = convert(numbers(&[3.0, f64::NAN], NumberKind::Integer), ColumnKind::Text).unwrap();
        assert_eq!((text.label(0).unwrap(), text.missing()), ("3".to_owned(), 1));
    }
}
