//! The file of a table: it is read, or refused as bad input; and what was read is written as Parquet and read back the same.

use std::cell::RefCell;
use std::time::Duration;

use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::{ReadOptions, TableFormat, encode};
use mlops_core::ports::Condition;
use mlops_core::{Call, ErrorKind, Result};

use crate::edits::Input;
use crate::room::{Renewed, Room};

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    static ROOM: RefCell<Renewed<Room>> = const { RefCell::new(Renewed::new(Room::new)) };
}

const TEXTS: [&str; 6] = [
    "id,x,kind,note\n1,0.5,a,\"two\nlines\"\n2,-1e-3,b,\"he said \"\"no\"\"\"\n3,NA,a,\n",
    "\u{feff}a;b;c\r\n1;x;2024-01-01\r\n2;\"y;z\";2024-01-02T03:04:05Z\r\n\r\n3;;\r\n",
    "a\tb\n1\ttrue\n9007199254740993\tFalse\n",
    "a,b\n1,2\n3\n4,5,6\n\"7\"8,9\r10,11",
    "{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2.5, \"c\": [1, {\"d\": null}]}\n",
    "x,y\n0.1234567890123456789,1e308\n-0,1e-320\n.5,5.\n",
];

fn sample() -> Table {
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let numbers = |values: [f64; 3], kind| Values::Number { values: values.to_vec(), kind };
    Table {
        columns: vec![
            column("i", numbers([1.0, f64::NAN, 3.0], NumberKind::Integer)),
            column("f", numbers([0.5, 1.5, f64::NAN], NumberKind::Float)),
            column("t", numbers([0.0, 86400.0, 1.5], NumberKind::Timestamp)),
            column("s", Values::from_text([Some("a"), None, Some("b")])),
        ],
    }
}

fn samples() -> Vec<Vec<u8>> {
    let written = [TableFormat::Parquet, TableFormat::Arrow, TableFormat::Csv].map(|format| encode(&sample(), format));
    let written = written.into_iter().map(|bytes| bytes.unwrap().to_vec());
    TEXTS.iter().map(|text| text.as_bytes().to_vec()).chain(written).collect()
}

/// The table in those bytes under that name.
fn read(name: &str, bytes: Vec<u8>) -> Result<Table> {
    ROOM.with_borrow_mut(|room| {
        let artifacts = &room.get().artifacts;
        RUNTIME.with(|runtime| {
            runtime.block_on(async {
                let place = artifacts.root().join(name);
                artifacts.write_bytes(&place, bytes, Condition::None).await?;
                Ok(artifacts.read_table(&place, &ReadOptions::default(), &Call::new("fuzz")).await?.table)
            })
        })
    })
}

fn holds(name: &str, bytes: Vec<u8>) {
    let table = match read(name, bytes) {
        Ok(table) => table,
        Err(error) => return assert_eq!(error.kind, ErrorKind::InvalidInput, "{error}"),
    };
    let instants = |column: &Column| column.values.kind().to_string() == "timestamp";
    // A file holds points in time to the microsecond, and a column without values has no kind.
    let again = read("again.parquet", encode(&table, TableFormat::Parquet).unwrap().to_vec()).unwrap();
    for (column, back) in table.columns.iter().zip(&again.columns) {
        assert_eq!((&column.name, column.values.len()), (&back.name, back.values.len()));
        assert_eq!(column.values.missing(), back.values.missing());
        for row in (0..column.values.len()).filter(|_| !instants(column)) {
            assert_eq!(column.values.label(row), back.values.label(row), "{}", column.name);
        }
    }
}

#[test]
fn table_file() {
    let samples = samples();
    for bytes in &samples {
        holds("a", bytes.clone());
    }
    let names = ["a", "a.csv", "a.tsv", "a.jsonl"];
    bolero::check!().with_type::<(u8, Input)>().with_test_time(Duration::from_secs(2)).for_each(|(name, input)| {
        holds(names[usize::from(*name) % names.len()], input.bytes(&samples));
    });
}
