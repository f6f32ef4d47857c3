//! The values of Arrow's arrays as numbers and as text.
//!
//! Arrow's own `cast` knows every pair of types, which is three megabytes of a function; a table needs two of them.

use arrow::array::{Array, ArrayRef, AsArray, MutableArrayData, RunArray, make_array};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, RunEndIndexType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow::error::ArrowError;

use super::value::LARGEST_EXACT;

/// The largest power of ten that is exact as a number.
const EXACT_POWERS: i8 = 22;

/// The values of an array of primitives, by a function of each.
macro_rules! each {
    ($array:expr, $kind:ty, $of:expr) => {
        $array.as_primitive::<$kind>().iter().map(|value| value.map($of)).collect()
    };
}

/// Whole numbers, fractions and decimals as numbers, NaN for what is missing; `None` for another type.
pub(super) fn numbers(array: &dyn Array) -> Option<Vec<f64>> {
    macro_rules! numbers {
        ($kind:ty, $of:expr) => {
            array.as_primitive::<$kind>().iter().map(|value| value.map_or(f64::NAN, $of)).collect()
        };
    }
    Some(match array.data_type() {
        DataType::Int8 => numbers!(Int8Type, f64::from),
        DataType::Int16 => numbers!(Int16Type, f64::from),
        DataType::Int32 => numbers!(Int32Type, f64::from),
        DataType::Int64 => numbers!(Int64Type, |value| value as f64),
        DataType::UInt8 => numbers!(UInt8Type, f64::from),
        DataType::UInt16 => numbers!(UInt16Type, f64::from),
        DataType::UInt32 => numbers!(UInt32Type, f64::from),
        DataType::UInt64 => numbers!(UInt64Type, |value| value as f64),
        DataType::Float16 => numbers!(Float16Type, f64::from),
        DataType::Float32 => numbers!(Float32Type, f64::from),
        DataType::Float64 => numbers!(Float64Type, |value| value),
        DataType::Decimal32(_, scale) => numbers!(Decimal32Type, |value| decimal(i128::from(value), *scale)),
        DataType::Decimal64(_, scale) => numbers!(Decimal64Type, |value| decimal(i128::from(value), *scale)),
        DataType::Decimal128(_, scale) => numbers!(Decimal128Type, |value| decimal(value, *scale)),
        DataType::Decimal256(_, scale) => numbers!(Decimal256Type, |value| match value.to_i128() {
            Some(value) => decimal(value, *scale),
            None => shifted(&value.to_string(), *scale),
        }),
        _ => return None,
    })
}

/// The number that is nearest to `value` divided by ten to the power of `scale`.
fn decimal(value: i128, scale: i8) -> f64 {
    if value.unsigned_abs() <= u128::from(LARGEST_EXACT) && (0..=EXACT_POWERS).contains(&scale) {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    shifted(&value.to_string(), scale)
}

fn shifted(digits: &str, scale: i8) -> f64 {
    format!("{digits}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)
}

/// Whole numbers, and decimals without fraction, with all their digits; `None` for another type.
pub(super) fn digits(array: &dyn Array) -> Option<Vec<Option<String>>> {
    Some(match array.data_type() {
        DataType::Decimal32(_, 0) => each!(array, Decimal32Type, |value| value.to_string()),
        DataType::Decimal64(_, 0) => each!(array, Decimal64Type, |value| value.to_string()),
        DataType::Decimal128(_, 0) => each!(array, Decimal128Type, |value| value.to_string()),
        DataType::Decimal256(_, 0) => each!(array, Decimal256Type, |value| value.to_string()),
        DataType::Int8 => each!(array, Int8Type, |value| value.to_string()),
        DataType::Int16 => each!(array, Int16Type, |value| value.to_string()),
        DataType::Int32 => each!(array, Int32Type, |value| value.to_string()),
        DataType::Int64 => each!(array, Int64Type, |value| value.to_string()),
        DataType::UInt8 => each!(array, UInt8Type, |value| value.to_string()),
        DataType::UInt16 => each!(array, UInt16Type, |value| value.to_string()),
        DataType::UInt32 => each!(array, UInt32Type, |value| value.to_string()),
        DataType::UInt64 => each!(array, UInt64Type, |value| value.to_string()),
        _ => return None,
    })
}

/// Whether one of the whole numbers, or of the decimals without fraction, is beyond 2^53.
pub(super) fn has_large(array: &dyn Array) -> bool {
    fn any<T: DecimalType>(array: &dyn Array, is_large: fn(T::Native) -> bool) -> bool {
        array.as_primitive::<T>().iter().flatten().any(is_large)
    }
    match array.data_type() {
        DataType::Int64 => {
            array.as_primitive::<Int64Type>().iter().flatten().any(|value| value.unsigned_abs() > LARGEST_EXACT)
        }
        DataType::UInt64 => array.as_primitive::<UInt64Type>().iter().flatten().any(|value| value > LARGEST_EXACT),
        DataType::Decimal64(..) => any::<Decimal64Type>(array, |value| value.unsigned_abs() > LARGEST_EXACT),
        DataType::Decimal128(..) => {
            any::<Decimal128Type>(array, |value| value.unsigned_abs() > u128::from(LARGEST_EXACT))
        }
        DataType::Decimal256(..) => any::<Decimal256Type>(array, |value| {
            value.to_i128().is_none_or(|value| value.unsigned_abs() > u128::from(LARGEST_EXACT))
        }),
        _ => false,
    }
}

/// Times, durations, dates and points in time as counts of a unit; `None` for another type.
pub(super) fn ticks(array: &dyn Array) -> Option<(Vec<Option<i64>>, TimeUnit)> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    const DAY: i64 = 86_400;
    macro_rules! units {
        ($unit:expr, $second:ty, $milli:ty, $micro:ty, $nano:ty) => {
            match $unit {
                Second => each!(array, $second, i64::from),
                Millisecond => each!(array, $milli, i64::from),
                Microsecond => each!(array, $micro, i64::from),
                Nanosecond => each!(array, $nano, i64::from),
            }
        };
    }
    Some(match array.data_type() {
        DataType::Date32 => (each!(array, Date32Type, |days| i64::from(days) * DAY), Second),
        DataType::Date64 => (each!(array, Date64Type, i64::from), Millisecond),
        DataType::Time32(Second) => (each!(array, Time32SecondType, i64::from), Second),
        DataType::Time32(_) => (each!(array, Time32MillisecondType, i64::from), Millisecond),
        DataType::Time64(Microsecond) => (each!(array, Time64MicrosecondType, i64::from), Microsecond),
        DataType::Time64(_) => (each!(array, Time64NanosecondType, i64::from), Nanosecond),
        DataType::Duration(unit) => {
            let ticks = units!(
                unit,
                DurationSecondType,
                DurationMillisecondType,
                DurationMicrosecondType,
                DurationNanosecondType
            );
            (ticks, *unit)
        }
        DataType::Timestamp(unit, _) => {
            let ticks = units!(
                unit,
                TimestampSecondType,
                TimestampMillisecondType,
                TimestampMicrosecondType,
                TimestampNanosecondType
            );
            (ticks, *unit)
        }
        _ => return None,
    })
}

/// Text, and bytes that are text; `Err` with the row of the first bytes that are not, `None` for another type.
pub(super) fn texts(array: &dyn Array) -> Option<Result<Vec<Option<&str>>, usize>> {
    Some(match array.data_type() {
        DataType::Utf8 => Ok(array.as_string::<i32>().iter().collect()),
        DataType::LargeUtf8 => Ok(array.as_string::<i64>().iter().collect()),
        DataType::Utf8View => Ok(array.as_string_view().iter().collect()),
        DataType::Binary => decoded(array.as_binary::<i32>().iter()),
        DataType::LargeBinary => decoded(array.as_binary::<i64>().iter()),
        DataType::BinaryView => decoded(array.as_binary_view().iter()),
        DataType::FixedSizeBinary(_) => decoded(array.as_fixed_size_binary().iter()),
        _ => return None,
    })
}

fn decoded<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> Result<Vec<Option<&'a str>>, usize> {
    let text = |(row, bytes): (usize, Option<&'a [u8]>)| match bytes.map(str::from_utf8) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(row),
    };
    values.enumerate().map(text).collect()
}

/// The values of a dictionary or of runs, row by row; `None` for another type.
pub(super) fn unpacked(array: &dyn Array) -> Result<Option<ArrayRef>, ArrowError> {
    fn runs<T: RunEndIndexType>(array: &RunArray<T>) -> Result<ArrayRef, ArrowError> {
        picked(array.values(), (0..array.len()).map(|row| Some(array.get_physical_index(row))))
    }
    let unpacked = match array.data_type() {
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary();
            let keys = if array.values().is_empty() { vec![0; array.len()] } else { array.normalized_keys() };
            picked(array.values(), keys.into_iter().enumerate().map(|(row, key)| array.is_valid(row).then_some(key)))
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs(array.as_run::<Int16Type>()),
            DataType::Int32 => runs(array.as_run::<Int32Type>()),
            _ => runs(array.as_run::<Int64Type>()),
        },
        _ => return Ok(None),
    };
    unpacked.map(Some)
}

/// The values at those places; nulls where there is none.
fn picked(values: &ArrayRef, places: impl ExactSizeIterator<Item = Option<usize>>) -> Result<ArrayRef, ArrowError> {
    let data = values.to_data();
    let mut grown = MutableArrayData::new(vec![&data], true, places.len());
    for place in places {
        match place {
            Some(place) => grown.try_extend(0, place, place + 1)?,
            None => grown.try_extend_nulls(1)?,
        }
    }
    Ok(make_array(grown.freeze()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, Date64Array, Decimal128Array, Decimal256Array, DictionaryArray, DurationMicrosecondArray,
        Float16Array, Int8Array, StringArray, UInt64Array,
    };
    use arrow::datatypes::{ArrowPrimitiveType, i256};

    use super::*;

    #[test]
    fn every_kind_of_number_is_the_nearest_float() {
        let decimals = Decimal128Array::from(vec![Some(15), None, Some(-1), Some(i128::MAX)]);
        let decimals = decimals.with_precision_and_scale(38, 1).unwrap();
        let found = numbers(&decimals).unwrap();
        assert_eq!((found[0], found[2], found[3]), (1.5, -0.1, 1.701_411_834_604_692_3e37));
        assert!(found[1].is_nan());
        let vast = Decimal256Array::from(vec![i256::MAX]).with_precision_and_scale(76, 0).unwrap();
        assert_eq!(numbers(&vast).unwrap(), [i256::MAX.to_string().parse::<f64>().unwrap()]);
        assert_eq!(digits(&vast).unwrap()[0].as_deref(), Some(i256::MAX.to_string().as_str()));
        assert!(has_large(&vast));
        assert_eq!(numbers(&Int8Array::from(vec![-128])).unwrap(), [-128.0]);
        assert_eq!(numbers(&Float16Array::from_iter_values([half(1.5)])).unwrap(), [1.5]);
        let edge = UInt64Array::from(vec![LARGEST_EXACT]);
        assert_eq!((has_large(&edge), digits(&edge).unwrap()[0].as_deref()), (false, Some("9007199254740992")));
        assert_eq!(numbers(&StringArray::from(vec!["1"])), None);
    }

    fn half(value: f32) -> <Float16Type as ArrowPrimitiveType>::Native {
        <Float16Type as ArrowPrimitiveType>::Native::from_f32(value)
    }

    #[test]
    fn times_are_counts_of_their_unit() {
        assert_eq!(
            ticks(&Date64Array::from(vec![Some(1500), None])),
            Some((vec![Some(1500), None], TimeUnit::Millisecond))
        );
        assert_eq!(ticks(&DurationMicrosecondArray::from(vec![7])), Some((vec![Some(7)], TimeUnit::Microsecond)));
        assert_eq!(ticks(&Int8Array::from(vec![1])), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_found() {
        let bytes = BinaryArray::from(vec![Some(b"a".as_slice()), None, Some(b"\xff")]);
        assert_eq!(texts(&bytes), Some(Err(2)));
        assert_eq!(texts(&StringArray::from(vec![Some("a"), None])), Some(Ok(vec![Some("a"), None])));
    }

    #[test]
    fn dictionaries_and_runs_are_unpacked() {
        let dictionary: DictionaryArray<Int8Type> = [Some("x"), None, Some("x")].into_iter().collect();
        let rows = unpacked(&dictionary.slice(1, 2)).unwrap().unwrap();
        assert_eq!(texts(&rows), Some(Ok(vec![None, Some("x")])));
        let empty: DictionaryArray<Int8Type> = [None::<&str>, None].into_iter().collect();
        assert_eq!(unpacked(&empty).unwrap().unwrap().null_count(), 2);
        let runs = RunArray::<Int32Type>::try_new(&vec![2, 5].into(), &Int8Array::from(vec![Some(4), None])).unwrap();
        let rows = unpacked(&runs.slice(1, 3)).unwrap().unwrap();
        assert_eq!(numbers(&rows).unwrap().iter().map(|value| value.is_nan()).collect::<Vec<_>>(), [false, true, true]);
        assert!(unpacked(&(Arc::new(StringArray::from(vec!["a"])) as ArrayRef)).unwrap().is_none());
    }
}
