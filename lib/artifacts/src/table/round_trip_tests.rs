//! What is written reads back with every value and every kind.

use futures::executor::block_on;
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_core::Call;
use proptest::prelude::*;

use super::*;
use crate::memory_store::{artifacts, uri};

fn write_and_read(table: &Table, format: TableFormat) -> Table {
    let artifacts = artifacts();
    let place = uri(&format!("s3://store/a.{format}"));
    block_on(artifacts.write_table(&place, table, format)).unwrap();
    block_on(artifacts.read_table(&place, &ReadOptions::default(), &Call::new("r"))).unwrap().table
}

fn column(name: &str, values: Values) -> Column {
    Column { name: name.to_owned(), values }
}

fn numbers(values: Vec<f64>, kind: NumberKind) -> Values {
    Values::Number { values, kind }
}

/// The kind and each value: the bits of a number, the text of a label.
fn content(table: &Table) -> Vec<(String, String, Vec<String>)> {
    let show = |column: &Column, row: usize| match &column.values {
        _ if column.values.is_missing(row) => "missing".to_owned(),
        Values::Number { values, .. } => format!("{:x}", values[row].to_bits()),
        Values::Text { .. } => format!("'{}'", column.values.label(row).unwrap_or_default()),
    };
    let content = |column: &Column| {
        let values = (0..column.values.len()).map(|row| show(column, row)).collect();
        (column.name.clone(), column.values.kind().to_string(), values)
    };
    table.columns.iter().map(content).collect()
}

fn missing_or(values: impl Strategy<Value = f64>) -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(f64::NAN), 4 => values]
}

/// A table of `rows` rows in which every column has a value in its first row.
fn tables(text: &'static str) -> impl Strategy<Value = Table> {
    (1..40_usize).prop_flat_map(move |rows| {
        let list = move |first: BoxedStrategy<f64>, rest: BoxedStrategy<f64>| {
            (first, prop::collection::vec(missing_or(rest), rows - 1)).prop_map(|(first, mut rest)| {
                rest.insert(0, first);
                rest
            })
        };
        let same = move |values: BoxedStrategy<f64>| list(values.clone(), values);
        let whole = same((-(1_i64 << 53)..=(1_i64 << 53)).prop_map(|value| value as f64).boxed());
        let floats = any::<f64>().prop_filter("NaN is missing", |value| !value.is_nan()).boxed();
        let floats = list(Just(0.5).boxed(), floats);
        let truths = same(any::<bool>().prop_map(|value| f64::from(u8::from(value))).boxed());
        let instants = same((-62_135_596_800_000_i64..253_402_300_799_000).prop_map(|ms| ms as f64 / 1e3).boxed());
        let texts =
            (prop::string::string_regex(text).unwrap(), prop::collection::vec(prop::option::of(text), rows - 1));
        (whole, floats, truths, instants, texts).prop_map(|(whole, floats, truths, instants, (first, texts))| {
            let texts = std::iter::once(Some(first.as_str())).chain(texts.iter().map(Option::as_deref));
            Table {
                columns: vec![
                    column("whole", numbers(whole, NumberKind::Integer)),
                    column("float, \"quoted\"", numbers(floats, NumberKind::Float)),
                    column("truth", numbers(truths, NumberKind::Boolean)),
                    column("instant", numbers(instants, NumberKind::Timestamp)),
                    column("テキスト", Values::from_text(texts)),
                ],
            }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn csv_keeps_everything(table in tables("x[ ,;\"'\na-zé]{0,8}")) {
        for format in [TableFormat::Csv, TableFormat::Tsv] {
            prop_assert_eq!(content(&write_and_read(&table, format)), content(&table));
        }
        prop_assert_eq!(encode(&table, TableFormat::Csv).unwrap(), encode(&table, TableFormat::Csv).unwrap());
    }

    #[test]
    fn parquet_and_arrow_keep_everything(table in tables("(NA|1|é|\\PC){0,5}")) {
        for format in [TableFormat::Parquet, TableFormat::Arrow] {
            prop_assert_eq!(content(&write_and_read(&table, format)), content(&table));
            prop_assert_eq!(encode(&table, format).unwrap(), encode(&table, format).unwrap());
        }
    }

    #[test]
    fn reading_never_panics(head in prop::sample::select(vec!["", "a,b\n", "{\"a\":1}\n", "PAR1", "ARROW1", "\u{feff}"]),
        bytes in prop::collection::vec(any::<u8>(), 0..200), name in "a(\\.csv|\\.jsonl|\\.parquet|\\.arrow|)") {
        let artifacts = artifacts();
        let place = uri(&format!("s3://store/{name}"));
        let bytes = [head.as_bytes(), &bytes].concat();
        block_on(artifacts.write_bytes(&place, bytes, mlops_core::ports::Condition::None)).unwrap();
        let read = block_on(artifacts.read_table(&place, &ReadOptions::default(), &Call::new("r")));
        if let Err(error) = read {
            prop_assert_eq!(error.kind, mlops_core::ErrorKind::InvalidInput, "{}", error);
        }
    }
}

#[test]
fn json_lines_keep_finite_values() {
    let table = Table {
        columns: vec![
            column("a \"b\"", numbers(vec![1.0, f64::NAN, -3.0], NumberKind::Integer)),
            column("f", numbers(vec![1.0, 0.1, 1e300], NumberKind::Float)),
            column("b", numbers(vec![1.0, f64::NAN, 0.0], NumberKind::Boolean)),
            column("t", numbers(vec![0.0, 1.5, f64::NAN], NumberKind::Timestamp)),
            column("s", Values::from_text([Some("NA"), None, Some("1")])),
        ],
    };
    assert_eq!(content(&write_and_read(&table, TableFormat::Jsonl)), content(&table));
    let infinite = Table { columns: vec![column("x", numbers(vec![f64::INFINITY], NumberKind::Float))] };
    let error = encode(&infinite, TableFormat::Jsonl).unwrap_err();
    assert!(error.message.contains("`x` holds infinite values"), "{error}");
}

#[test]
fn a_table_is_compressed_as_its_name_says() {
    let table = Table { columns: vec![column("a", numbers((0..5000).map(f64::from).collect(), NumberKind::Integer))] };
    let plain = encode(&table, TableFormat::Csv).unwrap();
    for (ending, compression) in [(".gz", Compression::Gzip), (".ZST", Compression::Zstd)] {
        let artifacts = artifacts();
        let place = uri(&format!("s3://store/a.csv{ending}"));
        let written = block_on(artifacts.write_table(&place, &table, TableFormat::Csv)).unwrap();
        assert!(written.bytes < plain.len() as u64 / 2);
        let again = block_on(artifacts.write_table(&place, &table, TableFormat::Csv)).unwrap();
        assert_eq!(written.sha256, again.sha256);
        let loaded = block_on(artifacts.read_table(&place, &ReadOptions::default(), &Call::new("r"))).unwrap();
        assert_eq!(loaded.source.compression, Some(compression));
        assert_eq!(content(&loaded.table), content(&table));
    }
}

/// As many rows as are written at a time, and many more, by the crate `csv`.
#[test]
fn csv_files_are_those_of_another_writer() {
    for rows in [1, 4096, 150_000] {
        let texts = ["plain", "a,b", "said \"so\"", "two\nlines", "\r", ""];
        let text = Values::from_text((0..rows).map(|row| (row % 7 < 6).then(|| texts[row % 6])));
        let number = numbers((0..rows).map(|row| row as f64 / 4.0).collect(), NumberKind::Float);
        let table = Table { columns: vec![column("te,xt", text), column("n", number)] };
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["te,xt", "n"]).unwrap();
        for row in 0..rows {
            let text = table.columns[0].values.label(row).unwrap_or_default();
            writer.write_record([text, format!("{:?}", row as f64 / 4.0)]).unwrap();
        }
        assert!(encode(&table, TableFormat::Csv).unwrap() == writer.into_inner().unwrap(), "{rows}");
    }
}

#[test]
fn one_column_keeps_its_missing_values() {
    let table = Table { columns: vec![column("a", numbers(vec![f64::NAN, 1.0, f64::NAN], NumberKind::Integer))] };
    assert_eq!(content(&write_and_read(&table, TableFormat::Csv)), content(&table));
}

#[test]
fn points_in_time_are_written_to_the_microsecond() {
    let instants =
        |values: &[f64]| Table { columns: vec![column("t", numbers(values.to_vec(), NumberKind::Timestamp))] };
    for format in [TableFormat::Csv, TableFormat::Jsonl, TableFormat::Parquet, TableFormat::Arrow] {
        let found = write_and_read(&instants(&[1_700_000_000.234_567_1, -0.000_000_4, 1.5]), format);
        assert_eq!(content(&found), content(&instants(&[1_700_000_000.234_567, 0.0, 1.5])), "{format}");
    }
    let table = instants(&[1e-12, 1e18]);
    let Values::Number { values, kind } = &write_and_read(&table, TableFormat::Parquet).columns[0].values else {
        panic!("numbers")
    };
    assert_eq!((values.as_slice(), *kind), ([1e-12, 1e18].as_slice(), NumberKind::Float));
}

#[test]
fn whole_numbers_beyond_two_to_the_53_keep_their_digits() {
    let ids = ["9007199254740993", "-9007199254740995", "18446744073709551615", "7"];
    let table = Table { columns: vec![column("id", Values::from_text(ids.map(Some)))] };
    for format in [TableFormat::Csv, TableFormat::Tsv, TableFormat::Jsonl, TableFormat::Parquet, TableFormat::Arrow] {
        assert_eq!(content(&write_and_read(&table, format)), content(&table), "{format}");
    }
}

#[test]
fn tables_that_are_none_are_not_written() {
    let one = || column("a", numbers(vec![1.0], NumberKind::Float));
    let two = column("b", numbers(vec![1.0, 2.0], NumberKind::Float));
    for (columns, expected) in [
        (vec![], "without columns"),
        (vec![one(), one()], "two columns are called `a`"),
        (vec![one(), two], "`b` has 2 rows"),
    ] {
        let error = encode(&Table { columns }, TableFormat::Csv).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
    }
}
