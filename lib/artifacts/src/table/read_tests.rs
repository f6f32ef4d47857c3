//! Tables in all their formats are read with their types, and what was odd is noted.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Int64Array,
    ListArray, NullArray, RecordBatch, StringViewArray, Time32SecondArray, TimestampMillisecondArray, UInt64Array,
};
use arrow::datatypes::{Int8Type, Int32Type};
use arrow::ipc::writer::StreamWriter;
use futures::executor::block_on;
use mlops_algorithms::table::ColumnKind::{self, Boolean, Float, Integer, Text, Timestamp};
use mlops_algorithms::table::Values;
use mlops_core::Call;
use mlops_core::ports::Condition;
use mlops_core::values::sha256_hex;

use super::*;
use crate::memory_store::{artifacts, uri};

fn read_with(name: &str, bytes: impl Into<bytes::Bytes>, options: &ReadOptions) -> LoadedTable {
    let artifacts = artifacts();
    let place = uri(&format!("s3://store/{name}"));
    block_on(artifacts.write_bytes(&place, bytes, Condition::None)).unwrap();
    block_on(artifacts.read_table(&place, options, &Call::new("r"))).unwrap()
}

fn read(name: &str, bytes: impl Into<bytes::Bytes>) -> LoadedTable {
    read_with(name, bytes, &ReadOptions::default())
}

fn kinds(loaded: &LoadedTable) -> Vec<(&str, ColumnKind)> {
    loaded.table.columns.iter().map(|column| (column.name.as_str(), column.values.kind())).collect()
}

fn labels(loaded: &LoadedTable, column: usize) -> Vec<String> {
    let values = &loaded.table.columns[column].values;
    (0..values.len()).map(|row| values.label(row).unwrap_or_else(|| "-".to_owned())).collect()
}

#[test]
fn a_csv_file_is_read_with_its_types() {
    let text =
        "\u{feff}i,f,b,t,x,e\r\n1,1.5,true,2024-01-01,a,\r\n2,2,False,2024-01-01 00:01,\"b\r\nc\",NA\r\n,inf,,,?,\r\n";
    let loaded = read("a.csv", text);
    assert_eq!(
        kinds(&loaded),
        [("i", Integer), ("f", Float), ("b", Boolean), ("t", Timestamp), ("x", Text), ("e", Float)]
    );
    assert_eq!(labels(&loaded, 0), ["1", "2", "-"]);
    assert_eq!(labels(&loaded, 3), ["1704067200", "1704067260", "-"]);
    assert_eq!(labels(&loaded, 4), ["a", "b\r\nc", "-"]);
    let Source { sha256, bytes, rows, format, compression, notes, .. } = loaded.source;
    assert_eq!((sha256, bytes), (sha256_hex(text.as_bytes()), text.len() as u64));
    assert_eq!((rows, format, compression), (3, TableFormat::Csv, None));
    assert!(notes.byte_order_mark && notes.carriage_returns);
    assert_eq!(notes.empty_columns, ["e"]);
    assert_eq!(notes.infinite, [("f".to_owned(), 1)].into());
}

#[test]
fn ragged_rows_and_empty_names_are_noted() {
    let loaded = read("a.csv", ",b,\n1,2,3\n4\n5,6,7,8\n\n9,10,11\n");
    assert_eq!(loaded.table.names().collect::<Vec<_>>(), ["Unnamed: 0", "b", "Unnamed: 2"]);
    assert_eq!(labels(&loaded, 2), ["3", "-", "7", "11"]);
    assert_eq!((loaded.source.notes.ragged_rows, loaded.source.notes.ragged_examples), (2, vec![3, 4]));
}

#[test]
fn other_delimiters_are_found() {
    let loaded = read("a.csv", "a;b\n1,5;x\n2,5;y\n");
    assert_eq!(labels(&loaded, 0), ["1,5", "2,5"]);
    assert_eq!(loaded.source.notes.delimiter.as_deref(), Some(";"));
    let loaded = read("a.tsv", "a\tb,c\n1\t2\n");
    assert_eq!((kinds(&loaded)[1].0, loaded.source.format), ("b,c", TableFormat::Tsv));
    assert_eq!(loaded.source.notes.delimiter, None);
}

const DIGITS: &str = "integer → text: numbers beyond 2^53 keep their digits as text";

#[test]
fn whole_numbers_beyond_two_to_the_53_are_text_however_late_they_come() {
    let (large, mixed) = ("9007199254740993", "9007199254740993.5");
    let mut csv = "id,x\n".to_owned();
    let mut json = String::new();
    for row in 0..70_000 {
        writeln!(csv, "{row},{large}").unwrap();
        writeln!(json, "{{\"id\": {row}, \"x\": {large}}}").unwrap();
    }
    writeln!(csv, "{large},0.5").unwrap();
    writeln!(json, "{{\"id\": {large}, \"x\": {mixed}}}").unwrap();
    for loaded in [read("a.csv", csv), read("a.jsonl", json)] {
        assert_eq!(kinds(&loaded), [("id", Text), ("x", Float)]);
        let ids = &loaded.table.columns[0].values;
        assert_eq!((ids.label(0).unwrap(), ids.label(70_000).unwrap()), ("0".to_owned(), large.to_owned()));
        let widened = [("id", DIGITS), ("x", "integer → float")].map(|(name, what)| (name.to_owned(), what.to_owned()));
        assert_eq!(loaded.source.notes.widened, widened.into());
    }
}

#[test]
fn mixed_columns_are_widened_even_late() {
    let mut text = "a,b,c,d\n".to_owned();
    for row in 0..70_000 {
        writeln!(text, "0{row},{row},1,12345678901234567890").unwrap();
    }
    text.push_str("x,0.5,true,1\n");
    let loaded = read("a.csv", text);
    assert_eq!(kinds(&loaded), [("a", Text), ("b", Float), ("c", Text), ("d", Text)]);
    assert_eq!(loaded.table.columns[3].values.label(0).unwrap(), "12345678901234567890");
    assert_eq!(loaded.table.columns[0].values.label(0).unwrap(), "00", "the text is the one of the file");
    let widened = [("a", "integer → text"), ("c", "integer, boolean → text"), ("d", DIGITS)];
    let widened = widened.map(|(name, what)| (name.to_owned(), what.to_owned()));
    assert_eq!(loaded.source.notes.widened, widened.into());
}

#[test]
fn json_lines_are_read_with_their_types() {
    let text = "{\"a\": 1, \"s\": \"1\", \"n\": [1, {\"x\": 2}], \"m\": 1}\n\n{\"b\": true, \"a\": 2.5, \"s\": \"NA\", \"m\": \"x\"}\r\n{\"t\": \"2024-01-01T00:00:00Z\", \"s\": null}";
    let loaded = read("a.jsonl", format!("\u{feff}{text}"));
    let expected = [("a", Float), ("s", Text), ("n", Text), ("m", Text), ("b", Boolean), ("t", Timestamp)];
    assert_eq!(kinds(&loaded), expected);
    assert_eq!(labels(&loaded, 1), ["1", "NA", "-"]);
    assert_eq!(labels(&loaded, 2), ["[1,{\"x\":2}]", "-", "-"]);
    assert_eq!(labels(&loaded, 4), ["-", "true", "-"]);
    assert_eq!(loaded.source.notes.widened, [("m".to_owned(), "integer → text".to_owned())].into());
    assert!(loaded.source.notes.byte_order_mark);
}

#[test]
fn json_columns_widen_late_and_appear_late() {
    let mut text = String::new();
    for row in 0..70_000 {
        writeln!(text, "{{\"a\": {row}, \"z\": null}}").unwrap();
    }
    text.push_str("{\"a\": \"x\", \"late\": 1, \"z\": 5}\n");
    let loaded = read("a", text);
    assert_eq!(loaded.source.format, TableFormat::Jsonl);
    assert_eq!(loaded.table.columns[0].values.label(69_999).unwrap(), "69999");
    assert_eq!(loaded.table.columns[0].values.label(70_000).unwrap(), "x");
    let late = loaded.table.column("late").unwrap();
    assert_eq!((late.values.missing(), late.values.kind()), (70_000, Integer));
    assert_eq!(loaded.source.notes.widened["a"], "integer → text");
}

fn columns() -> RecordBatch {
    let dictionary = ["x", "y", "x"].into_iter().collect::<DictionaryArray<Int8Type>>();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), None, None]);
    let zoned = TimestampMillisecondArray::from(vec![Some(1500), None, Some(-1)]).with_timezone("+09:00");
    let decimals = Decimal128Array::from(vec![Some(150), Some(1), None]).with_precision_and_scale(5, 2).unwrap();
    let columns = [
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])) as ArrayRef),
        ("whole", Arc::new(Int64Array::from(vec![Some(1), None, Some(-5)]))),
        ("large", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)]))),
        ("float", Arc::new(Float32Array::from(vec![0.5, f32::NAN, f32::INFINITY]))),
        ("decimal", Arc::new(decimals)),
        ("date", Arc::new(Date32Array::from(vec![Some(1), None, Some(-1)]))),
        ("instant", Arc::new(zoned)),
        ("time", Arc::new(Time32SecondArray::from(vec![Some(60), None, Some(0)]))),
        ("category", Arc::new(dictionary)),
        ("view", Arc::new(StringViewArray::from(vec![Some("1"), None, Some("")]))),
        ("binary", Arc::new(BinaryArray::from(vec![Some(b"ab".as_slice()), None, Some(b"c")]))),
        ("nothing", Arc::new(NullArray::new(3))),
        ("nested", Arc::new(list)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// What every column of [`columns`] but the nested one is read as.
fn check(loaded: &LoadedTable) {
    let found = kinds(loaded).into_iter().map(|(_, kind)| kind).collect::<Vec<_>>();
    let expected = [Boolean, Integer, Text, Float, Float, Timestamp, Timestamp, Float, Text, Text, Text, Float];
    assert_eq!(found, expected);
    assert_eq!(labels(loaded, 1), ["1", "-", "-5"]);
    assert_eq!(labels(loaded, 3), ["0.5", "-", "inf"]);
    assert_eq!(labels(loaded, 4), ["1.5", "0.01", "-"]);
    assert_eq!(labels(loaded, 5), ["86400", "-", "-86400"]);
    assert_eq!(labels(loaded, 6), ["1.5", "-", "-0.001"]);
    assert_eq!(labels(loaded, 7), ["60", "-", "0"]);
    assert_eq!(labels(loaded, 8), ["x", "y", "x"]);
    assert_eq!(labels(loaded, 9), ["1", "-", ""]);
    assert_eq!(labels(loaded, 10), ["ab", "-", "c"]);
    assert_eq!(loaded.source.notes.empty_columns, ["nothing"]);
    assert_eq!(labels(loaded, 2), ["18446744073709551615", "-", "0"]);
    assert_eq!(loaded.source.notes.widened["large"], DIGITS);
}

#[test]
fn parquet_and_arrow_files_are_read_with_their_types() {
    let batch = columns();
    let names = batch.schema_ref().fields().iter().map(|field| field.name().clone()).filter(|name| name != "nested");
    let options = ReadOptions { columns: Some(names.collect()), ..ReadOptions::default() };
    let nested = ReadOptions { columns: Some(vec!["nested".to_owned()]), ..ReadOptions::default() };
    let schema = ReadOptions { schema: Some([("nested".to_owned(), Text)].into()), ..ReadOptions::default() };
    let mut parquet = Vec::new();
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(&mut parquet, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    let stream = stream.into_inner().unwrap();
    let mut file = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    let file = file.into_inner().unwrap();
    for (bytes, format) in [(parquet, TableFormat::Parquet), (stream, TableFormat::Arrow), (file, TableFormat::Arrow)] {
        let loaded = read_with("a", bytes.clone(), &options);
        assert_eq!(loaded.source.format, format);
        check(&loaded);
        assert!(loaded.source.notes.skipped_columns.is_empty());
        let whole = read("a", bytes.clone());
        check(&whole);
        assert!(whole.source.notes.skipped_columns["nested"].starts_with("List"));
        let artifacts = artifacts();
        let place = uri("s3://store/a");
        block_on(artifacts.write_bytes(&place, bytes, Condition::None)).unwrap();
        for (options, field) in [(&nested, "columns"), (&schema, "schema")] {
            let error = block_on(artifacts.read_table(&place, options, &Call::new("r"))).unwrap_err();
            assert!(error.message.contains("`nested` (List"), "{error}");
            assert_eq!((error.kind, error.field.as_deref()), (mlops_core::ErrorKind::InvalidInput, Some(field)));
        }
    }
}

#[test]
fn compressed_files_are_read() {
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let members = [gzip("a,b\n1,"), gzip("2\n3,4\n")].concat();
    let loaded = read("a.csv", members.clone());
    assert_eq!(
        (labels(&loaded, 1), loaded.source.compression),
        (vec!["2".to_owned(), "4".to_owned()], Some(Compression::Gzip))
    );
    assert_eq!((loaded.source.bytes, loaded.source.sha256), (members.len() as u64, sha256_hex(&members)));
    let frames = ["a,b\n1,", "2\n3,4\n"].map(|text| zstd::encode_all(text.as_bytes(), 1).unwrap()).concat();
    let loaded = read("a.csv.zst", frames);
    assert_eq!(
        (labels(&loaded, 1), loaded.source.compression),
        (vec!["2".to_owned(), "4".to_owned()], Some(Compression::Zstd))
    );
}

#[test]
fn columns_limits_samples_and_schemas_are_heeded() {
    let mut text = "id,zip,empty\n".to_owned();
    (0..1000).for_each(|row| writeln!(text, "{row},0{row},").unwrap());
    let all = ReadOptions::default();
    let asked = ReadOptions { columns: Some(vec!["zip".to_owned(), "id".to_owned()]), limit: Some(3), ..all.clone() };
    let loaded = read_with("a.csv", text.clone(), &asked);
    assert_eq!((labels(&loaded, 1), loaded.source.rows), (vec!["0".to_owned(), "1".to_owned(), "2".to_owned()], 3));
    assert_eq!(loaded.source.sha256, sha256_hex(text.as_bytes()), "the hash is of the whole object");
    let schema = [("zip".to_owned(), Text), ("id".to_owned(), Float)];
    let asked = ReadOptions { schema: Some(schema.into()), keep_empty_columns: false, ..all.clone() };
    let loaded = read_with("a.csv", text.clone(), &asked);
    assert_eq!(kinds(&loaded), [("id", Float), ("zip", Text)]);
    assert_eq!((labels(&loaded, 1)[7].as_str(), &loaded.source.notes.widened.len()), ("07", &0));
    assert_eq!(loaded.source.notes.empty_columns, ["empty"]);
    let asked = ReadOptions { sample: Some(Sample { rows: 100, seed: 7 }), ..all.clone() };
    let loaded = read_with("a.csv", text.clone(), &asked);
    assert_eq!((loaded.source.rows, loaded.source.notes.sampled_from), (100, Some(1000)));
    let Values::Number { values, .. } = &loaded.table.columns[0].values else { panic!("numbers") };
    assert!(values.is_sorted() && values[99] > 500.0 && values[0] < 500.0, "rows from everywhere, in their order");
    assert_eq!(labels(&read_with("a.csv", text.clone(), &asked), 0), labels(&loaded, 0));
    let other = ReadOptions { sample: Some(Sample { rows: 100, seed: 8 }), ..all };
    assert_ne!(labels(&read_with("a.csv", text, &other), 0), labels(&loaded, 0));
}

#[test]
fn ten_thousand_columns_are_read() {
    let (columns, rows) = (10_000, 100);
    let mut text = (0..columns).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    (0..rows).for_each(|row| {
        text.push('\n');
        text.push_str(&(0..columns).map(|column| format!("{row}.{column}")).collect::<Vec<_>>().join(","));
    });
    let loaded = read("a.csv", text);
    assert_eq!((loaded.table.num_columns(), loaded.table.num_rows()), (columns, rows));
    assert_eq!(loaded.table.columns[9_999].values.label(99).unwrap(), "99.9999");
}
