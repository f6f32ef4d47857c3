//! The reader against a plain one made of the crate `csv`, with blocks and chunks of a few bytes so that every cut is tried.

use std::collections::BTreeMap;

use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_core::Call;
use proptest::prelude::*;

use super::super::batches::Inference;
use super::super::builder::TableBuilder;
use super::super::column::Kinds;
use super::super::input::Input;
use super::super::value::Cell;
use super::super::{ReadNotes, TableFormat};
use super::{DelimitedReader, Sizes};

const WHOLE: Sizes = cut(1 << 20, 1 << 20);

const fn cut(step: usize, block: usize) -> Sizes {
    Sizes { column: 0, step: (step, step), first: [block, block], block }
}

/// The table and the notes, or the error's message.
fn read(text: &[u8], sizes: Sizes, limit: usize) -> Result<(Table, ReadNotes), String> {
    let read = || {
        let mut texts = BTreeMap::new();
        loop {
            let input = Input::new(std::io::Cursor::new(text.to_vec()))?;
            let mut builder = TableBuilder::new(Inference::Typed, texts);
            let mut reader = DelimitedReader::new(input, TableFormat::Csv, None, limit, sizes)?;
            reader.read(&mut builder, limit, &Call::new("r"))?;
            texts = builder.again();
            if texts.is_empty() {
                let notes = reader.finish()?;
                return Ok((builder.finish(), notes));
            }
        }
    };
    read().map_err(|error: mlops_core::Error| error.message)
}

/// The same by the crate `csv`, one field after the other.
fn expected(text: &[u8], limit: usize) -> (Table, usize) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut records = reader.records().map(Result::unwrap);
    let names = records.next().unwrap();
    let rows = records.take(limit).collect::<Vec<_>>();
    let ragged = rows.iter().filter(|row| row.len() != names.len()).count();
    let column = |(index, name): (usize, &str)| {
        let fields = rows.iter().map(|row| row.get(index).unwrap_or_default()).collect::<Vec<_>>();
        let cells = fields.iter().map(|field| Cell::of_field(field)).collect::<Vec<_>>();
        let kinds = cells.iter().fold(Kinds::default(), |kinds, &cell| kinds.with(Kinds::of(cell)));
        let values = if kinds.is_text() {
            Values::from_text(fields.iter().zip(&cells).map(|(field, &cell)| (cell != Cell::Missing).then_some(*field)))
        } else {
            let values = cells.iter().map(|cell| cell.number()).collect();
            Values::Number { values, kind: kinds.number().unwrap_or(NumberKind::Float) }
        };
        Column { name: name.to_owned(), values }
    };
    (Table { columns: names.iter().enumerate().map(column).collect() }, ragged)
}

/// Tables with missing values as `null`, since `NaN` is not equal to itself.
fn shown(table: &Table) -> String {
    format!("{table:?}")
}

/// A field as it may stand in a file, with quotes or without them, of numbers more often than not.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?[0-9]{1,4}(\\.[0-9]{0,3})?",
        1 => "[0-9]{15,18}|true|False|NA|inf|2024-0[1-9]-1[0-9]| 7 ",
        2 => "[a-cé\"]{0,6}",
        2 => "([a-c1é,\n\r]|\"\"){0,8}".prop_map(|text| format!("\"{text}\"")),
        1 => "\"[0-9]{1,3}\"[0-9a\"]{0,2}",
        1 => Just(String::new()),
    ]
}

/// A file of three columns, the lines of which end in some way and are sometimes blank or ragged.
fn file() -> impl Strategy<Value = String> {
    let end =
        prop_oneof![6 => Just("\n"), 3 => Just("\r\n"), 1 => Just("\r"), 1 => Just("\n\n"), 1 => Just("\r\n\r\n")];
    let row = (prop::collection::vec(field(), 3), prop_oneof![8 => Just(3_usize), 1 => Just(2), 1 => Just(1)], end);
    // A file ends with a line, so that a field that begins with a quote and has one more is closed.
    prop::collection::vec(row, 1..40).prop_map(|rows| {
        let row = |(fields, count, end): (Vec<String>, usize, &str)| fields[..count].join(",") + end;
        format!("a,b,c\n{}", rows.into_iter().map(row).collect::<String>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn it_reads_what_the_plain_reader_reads(text in file(), step in 1..40_usize, block in 8..200_usize, limit in 1..50_usize) {
        for limit in [usize::MAX, limit] {
            let whole = read(text.as_bytes(), WHOLE, limit);
            let cut = read(text.as_bytes(), cut(step, block), limit);
            prop_assert_eq!(
                whole.as_ref().map(|(table, notes)| (shown(table), notes.clone())),
                cut.as_ref().map(|(table, notes)| (shown(table), notes.clone()))
            );
            if let Ok((table, notes)) = whole {
                let (expected, ragged) = expected(text.as_bytes(), limit);
                prop_assert_eq!(shown(&table), shown(&expected));
                prop_assert_eq!(notes.ragged_rows, ragged);
            }
        }
    }

    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(
        text in "a,b\n([ab1,\"\n\r]|é){0,60}", wrong in prop::option::of(4..60_usize), step in 1..20_usize, block in 4..80_usize,
    ) {
        let mut bytes = text.into_bytes();
        if let Some(byte) = wrong.and_then(|at| bytes.get_mut(at)) {
            *byte = 0xff;
        }
        let show = |sizes| read(&bytes, sizes, usize::MAX).map(|(table, notes)| (shown(&table), notes));
        prop_assert_eq!(show(WHOLE), show(cut(step, block)));
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut text = "n,t,q\n".to_owned();
    for row in 0..40_000 {
        let text_row =
            format!("{}.{},w{},\"line {row}\nsaid \"\"so\"\", {}\"\n", row * 7 % 1000, row % 10, row % 97, row % 13);
        text.push_str(&text_row);
    }
    let sizes = cut(10_000, 1 << 18);
    let results = [1, 2, 7].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (table, notes) = pool.install(|| read(text.as_bytes(), sizes, usize::MAX)).unwrap();
        assert_eq!((table.num_rows(), notes.ragged_rows), (40_000, 0));
        shown(&table)
    });
    assert!(results[0] == results[1] && results[1] == results[2]);
    assert_eq!(results[0], shown(&expected(text.as_bytes(), usize::MAX).0));
}

#[test]
fn faults_are_told_with_line_field_and_name() {
    let small = cut(5, 16);
    for sizes in [WHOLE, small] {
        let message = |text: &[u8]| read(text, sizes, usize::MAX).unwrap_err();
        let found = message(b"a,b,c\r\n1,\"x\r\ny\",2\r\n3,4,\"open\r\n5,6,7\r\n");
        assert_eq!(found, "a quote that is opened in the row of line 4, field 3 (`c`), is never closed");
        let found = message(b"a,b\n1,\"open");
        assert_eq!(found, "a quote that is opened in the row of line 2, field 2 (`b`), is never closed");
        let found = message(b"a,b\n\n1,2\n\"x\ny\",3\n4,z\xffz\n");
        assert!(
            found.starts_with("the row in line 6 is not UTF-8: its field 2 (`b`) has a wrong byte, byte 20"),
            "{found}"
        );
        let found = message(b"a,\"b\nc\xff\"\n1,2\n");
        assert!(found.starts_with("the row in line 1 is not UTF-8: its field 2"), "{found}");
        let (table, notes) = read(b"a,b\n1\n2,3\n4,5,6\n\n7\n", sizes, usize::MAX).unwrap();
        assert_eq!((table.num_rows(), notes.ragged_rows, notes.ragged_examples), (4, 3, vec![2, 4, 6]));
        assert_eq!(read(b"a,b\n1,2\n3,\"open\n", sizes, 1).unwrap().0.num_rows(), 1, "what is not read is not judged");
    }
}

#[test]
fn a_row_that_is_longer_than_a_block_is_read() {
    let long = "x".repeat(100_000);
    let text = format!("a,b\n1,\"{long}\n{long}\"\n2,{long}\n");
    let (table, _) = read(text.as_bytes(), cut(1000, 5000), usize::MAX).unwrap();
    assert_eq!(table.columns[1].values.label(0).unwrap().len(), 200_001);
    assert_eq!(table.columns[1].values.label(1).unwrap(), long);
}
