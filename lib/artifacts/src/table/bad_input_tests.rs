//! Every file that is no table is refused with its URI, the place and the fix.

use std::io::Write as _;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use futures::executor::block_on;
use mlops_core::ports::Condition;
use mlops_core::{Call, Error, ErrorKind};

use super::*;
use crate::memory_store::{artifacts, uri};

/// The error of reading those bytes under that name.
fn refused(name: &str, bytes: impl Into<bytes::Bytes>, options: &ReadOptions) -> Error {
    let artifacts = artifacts();
    let place = uri(&format!("s3://store/{name}"));
    block_on(artifacts.write_bytes(&place, bytes, Condition::None)).unwrap();
    let error = block_on(artifacts.read_table(&place, options, &Call::new("r"))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput, "{error}");
    assert!(error.message.contains(place.as_str()), "{error}");
    error
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn files_that_are_no_table_are_refused() {
    let everything = ReadOptions::default();
    let cases: [(&str, &[u8], &str); 21] = [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b" \n\n", "the file is empty"),
        ("a.csv", b"\xef\xbb\xbf", "the file is empty"),
        ("a.csv", b"a,b\n", "2 columns but no rows"),
        ("a.csv", b"a,b,a,b,c\n1,2,3,4,5\n", "more than once: `a`, `b`"),
        ("a.csv", b"a,b\n1,2\n3,\xff\n", "line 3 is not UTF-8: its field 2"),
        ("a.csv", b"a,\xff\n1,2\n", "line 1 is not UTF-8"),
        ("a.csv", b"a,b\n1,2\n\"3,4\n5,6\n", "opened in the row of line 3"),
        ("a.csv", b"a,b\n1,2,3\n4,5,6\n", "every row has 3 fields"),
        ("a.csv", b"\xff\xfea\0,\0b\0", "UTF-16"),
        ("a.csv", b"a,b\n\0\x01,2\n", "zero byte at offset 4"),
        ("a.xlsx", b"PK\x03\x04rest", "ZIP archive"),
        ("a.jsonl", b"{\"a\": 1}\n{\"a\": \n", "line 2 is not a JSON object"),
        ("a.jsonl", b"{\"a\": 1}\n\n[1]\n", "line 3 is a JSON array"),
        ("a.jsonl", b"1\n", "line 1 is `1`"),
        ("a.jsonl", b"{\"a\": 1}\n{\"a\": \"\xff\"}\n", "line 2 is not UTF-8: byte 16"),
        ("a.parquet", b"a,b\n1,2\n", "the name says parquet"),
        ("a.parquet", b"PAR1rest", "not a whole Parquet file"),
        ("a.arrow", b"ARROW1\0\0rest", "not a whole Arrow IPC file"),
        ("a.arrow", b"\xff\xff\xff\xff\x10\0\0\0rest", "not a whole Arrow IPC file"),
        ("a", b"{}\n{}\n", "the table has no columns"),
    ];
    for (name, bytes, expected) in cases {
        let error = refused(name, bytes, &everything);
        assert!(error.message.contains(expected), "{expected}: {error}");
        assert!(error.hint.is_some(), "{error}");
    }
}

#[test]
fn what_is_cut_off_is_refused() {
    let everything = ReadOptions::default();
    let text = (0..50_000).fold("a,b\n".to_owned(), |text, row| format!("{text}{row},{}\n", row * 7919 % 1000));
    let whole = gzip(text.as_bytes());
    let error = refused("a.csv.gz", whole[..whole.len() - 3].to_vec(), &everything);
    assert!(error.message.contains("the gzip file is cut off"), "{error}");
    let error = refused("a.csv.gz", whole[..whole.len() / 2].to_vec(), &everything);
    assert!(error.message.contains("the gzip file is cut off"), "{error}");
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let error = refused("a.csv.zst", zstd[..zstd.len() / 2].to_vec(), &everything);
    assert!(error.message.contains("the zstd file is cut off"), "{error}");
    let mut damaged = whole;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xa5);
    let error = refused("a.csv.gz", damaged, &everything);
    assert!(error.message.contains("cannot be decompressed") || error.message.contains("not UTF-8"), "{error}");
}

#[test]
fn options_that_cannot_be_met_are_refused() {
    let everything = ReadOptions::default();
    let columns = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    let schema = |name: &str, kind| Some([(name.to_owned(), kind)].into());
    let cases: [(ReadOptions, &str, &str); 11] = [
        (ReadOptions { columns: columns(&["age", "heigth"]), ..everything.clone() }, "no column `heigth`", "columns"),
        (ReadOptions { columns: columns(&[]), ..everything.clone() }, "names no column", "columns"),
        (ReadOptions { columns: columns(&["age", "age"]), ..everything.clone() }, "more than once", "columns"),
        (ReadOptions { limit: Some(0), ..everything.clone() }, "`limit` is 0", "limit"),
        (ReadOptions { sample: Some(Sample { rows: 0, seed: 1 }), ..everything.clone() }, "is 0", "sample.rows"),
        (
            ReadOptions { schema: schema("agee", crate::ColumnType::Float), ..everything.clone() },
            "no column `agee`",
            "schema",
        ),
        (
            ReadOptions { schema: schema("name", crate::ColumnType::Integer), ..everything.clone() },
            "is integer, but data row 1 holds `ann`",
            "schema.name",
        ),
        (
            ReadOptions { schema: schema("height", crate::ColumnType::Integer), ..everything.clone() },
            "data row 2 holds `1.5`",
            "schema.height",
        ),
        (
            ReadOptions { schema: schema("age", crate::ColumnType::Boolean), ..everything.clone() },
            "data row 1 holds `30`",
            "schema.age",
        ),
        (
            ReadOptions { schema: schema("name", crate::ColumnType::Timestamp), ..everything.clone() },
            "holds `ann`",
            "schema.name",
        ),
        (
            ReadOptions { schema: schema("zzz", crate::ColumnType::Text), ..everything.clone() },
            "no column `zzz`",
            "schema",
        ),
    ];
    for (options, expected, field) in cases {
        let artifacts = artifacts();
        let place = uri("s3://store/a.csv");
        let bytes = "name,age,height\nann,30,1\nbob,40,1.5\n";
        block_on(artifacts.write_bytes(&place, bytes, Condition::None)).unwrap();
        let error = block_on(artifacts.read_table(&place, &options, &Call::new("r"))).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
        assert_eq!(error.field.as_deref(), Some(field), "{error}");
    }
    let asked = ReadOptions { columns: columns(&["heigth"]), ..ReadOptions::default() };
    let error = refused("a.jsonl", "{\"height\": 1, \"b\": 2}\n", &asked);
    assert_eq!(error.hint.as_deref(), Some("did you mean `height`?"));
}

#[test]
fn a_format_that_is_not_the_content_is_refused() {
    let parquet = ReadOptions { format: Some(TableFormat::Parquet), ..ReadOptions::default() };
    let error = refused("a.csv", "a,b\n1,2\n", &parquet);
    assert!(error.message.contains("`format` says parquet, but the content is not of a binary format"), "{error}");
    let csv = ReadOptions { format: Some(TableFormat::Csv), ..ReadOptions::default() };
    let error = refused("a.csv", "PAR1xxxxPAR1", &csv);
    assert!(error.message.contains("`format` says csv, but the content is parquet"), "{error}");
}

#[test]
fn what_is_not_there_and_folders_are_told_apart() {
    let artifacts = artifacts();
    let call = Call::new("r");
    let read = |place: &str| block_on(artifacts.read_table(&uri(place), &ReadOptions::default(), &call)).unwrap_err();
    assert_eq!(read("s3://store/data").kind, ErrorKind::NotFound);
    block_on(artifacts.write_bytes(&uri("s3://store/data/a.csv"), "a\n1\n", Condition::None)).unwrap();
    for place in ["s3://store/data", "s3://store/data/"] {
        let error = read(place);
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.contains("is a folder"), "{error}");
    }
}

#[test]
fn a_call_that_is_over_stops_the_reading() {
    let artifacts = artifacts();
    let place = uri("s3://store/a.csv");
    block_on(artifacts.write_bytes(&place, "a\n1\n", Condition::None)).unwrap();
    let call = Call::new("r");
    call.cancellation.cancel();
    let error = block_on(artifacts.read_table(&place, &ReadOptions::default(), &call)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
}

#[test]
fn a_table_that_does_not_match_its_manifest_is_refused() {
    let artifacts = artifacts();
    let place = uri("s3://store/a.csv");
    let written = block_on(artifacts.write_bytes(&place, "a\n1\n", Condition::None)).unwrap();
    let manifest = |kind, data_sha256: &str| crate::Manifest {
        format: 1,
        target_column: None,
        task: None,
        columns: vec![crate::ManifestColumn { name: "a".to_owned(), kind }],
        rows: 1,
        split_role: None,
        data_sha256: data_sha256.to_owned(),
        source_sha256: String::new(),
        preprocessor_uri: None,
        preprocessor_sha256: None,
        classes: None,
    };
    let read = || block_on(artifacts.read_table(&place, &ReadOptions::default(), &Call::new("r")));
    block_on(artifacts.write_manifest(&place, &manifest(crate::ColumnType::Text, &written.sha256))).unwrap();
    assert_eq!(read().unwrap().table.columns[0].values.kind(), crate::ColumnType::Text);
    block_on(artifacts.write_manifest(&place, &manifest(crate::ColumnType::Text, "0"))).unwrap();
    assert!(read().unwrap_err().message.contains("changed by hand"));
    block_on(artifacts.write_bytes(&place, "a\nx\n", Condition::None)).unwrap();
    block_on(artifacts.write_manifest(&place, &manifest(crate::ColumnType::Float, &written.sha256))).unwrap();
    assert!(read().unwrap_err().hint.unwrap().contains("manifest"));
}
