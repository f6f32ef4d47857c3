//! The checks find what is wrong with a table, and nothing in a sound one.

use super::tables::{float, integer, number, table, text};
use mlops_algorithms::checks::{
    Check, CheckError, CheckOptions, CheckResult, Expectation, Observed, Severity, TableSchema, Task, Validation,
    validate,
};
use mlops_algorithms::table::{Column, ColumnKind, NumberKind, Table};

const NAN: f64 = f64::NAN;

/// Numbers without any pattern, from 0 to 1.
fn noise(count: usize, salt: usize) -> Vec<f64> {
    (0..count).map(|row| ((row * 7919 + salt * 104_729 + 13) as f64 * 0.618_033_988_749).fract()).collect()
}

fn run(columns: impl IntoIterator<Item = Column>, target: Option<&str>) -> Validation {
    validate(&table(columns), &CheckOptions { target: target.map(str::to_owned), ..CheckOptions::default() }).unwrap()
}

/// The findings of a check, without the note that it found nothing.
fn findings(validation: &Validation, check: Check) -> Vec<&CheckResult> {
    let nothing = |result: &CheckResult| result.message == "nothing found";
    validation.results.iter().filter(|result| result.check == check && !nothing(result)).collect()
}

fn only(validation: &Validation, check: Check) -> &CheckResult {
    let found = findings(validation, check);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

fn missing<'a>(validation: &'a Validation, column: &str) -> &'a CheckResult {
    let of_column = |result: &&&CheckResult| result.column.as_deref() == Some(column);
    findings(validation, Check::Missing).iter().find(of_column).copied().unwrap()
}

fn columns_of(validation: &Validation, check: Check) -> Vec<&str> {
    findings(validation, check).iter().filter_map(|result| result.column.as_deref()).collect()
}

#[test]
fn a_sound_table_passes_with_full_marks() {
    let classes = noise(200, 5).into_iter().map(|value| if value < 0.4 { "a" } else { "b" });
    let found = run([float("x", noise(200, 1)), text("y", classes.collect::<Vec<_>>())], Some("y"));
    assert!(found.passed);
    assert_eq!(found.score, 1.0);
    assert_eq!(found.results.len(), 10);
    assert!(found.results.iter().all(|result| result.severity == Severity::Info));
    assert_eq!(only(&found, Check::ClassCounts).message.matches(", ").count(), 1);
}

#[test]
fn tables_that_cannot_be_checked_are_refused() {
    let check =
        |table: &Table| validate(table, &CheckOptions { target: Some("Y".to_owned()), ..CheckOptions::default() });
    assert_eq!(check(&Table::default()), Err(CheckError::Empty { rows: 0, columns: 0 }));
    let ragged = check(&table([float("x", [1.0]), float("y", [])])).unwrap_err();
    assert_eq!(ragged.to_string(), "the column 'y' has 0 rows where the first column has 1");
    let twice = check(&table([float("x", [1.0]), float("x", [1.0])])).unwrap_err();
    assert_eq!(twice, CheckError::DuplicateColumn { column: "x".to_owned() });
    let target = check(&table([float("y", [1.0])])).unwrap_err();
    assert_eq!(target.to_string(), "the target column 'Y' is not in the table; did you mean 'y'?");
}

#[test]
fn missing_infinite_and_constant_columns_are_found() {
    let found = run(
        [
            float("hollow", [NAN, NAN, 1.0, 2.0]),
            float("one", [NAN, 5.0, 5.0, 5.0]),
            float("endless", [1.0, f64::INFINITY, 2.0, 3.0]),
            text("same", ["a", "a", "", "a"]),
        ],
        None,
    );
    let hollow = missing(&found, "hollow");
    assert_eq!((hollow.severity, hollow.failed_count, &hollow.example_rows[..]), (Severity::Warning, 2, &[0, 1][..]));
    assert_eq!(hollow.observed, Observed::Number(0.5));
    assert_eq!(hollow.threshold, Some(Observed::Number(0.3)));
    assert_eq!(missing(&found, "one").severity, Severity::Info);
    assert_eq!(only(&found, Check::Infinite).example_rows, [1]);
    let constant = columns_of(&found, Check::Constant);
    assert_eq!(constant, ["one", "same"]);
    assert!(found.passed);
    assert!(found.score < 1.0);
}

#[test]
fn duplicate_rows_are_found() {
    let found = run([float("x", [1.0, 2.0, 1.0, NAN, NAN]), text("c", ["a", "a", "a", "", ""])], None);
    let result = only(&found, Check::DuplicateRows);
    assert_eq!((result.failed_count, &result.example_rows[..], result.severity), (2, &[2, 4][..], Severity::Warning));
}

#[test]
fn identifiers_are_found() {
    let count = 60;
    let found = run(
        [
            integer("rownames", (1..=count).map(f64::from)),
            integer("customer_id", (0..count).map(|row| f64::from(row * row + 3))),
            integer("population", (0..count).map(|row| f64::from(row * row * 17 + 3))),
            float("measure", noise(60, 2)),
            text("name", (0..count).map(|row| format!("name {row}"))),
            text("group", (0..count).map(|row| format!("group {}", row % 4))),
        ],
        None,
    );
    assert_eq!(columns_of(&found, Check::IdLike), ["rownames", "customer_id", "name"]);
}

#[test]
fn mixed_types_are_found() {
    let words = (0..10).map(|row| if row == 4 { "n/a".to_owned() } else { row.to_string() }).collect::<Vec<_>>();
    let found =
        run([text("mixed", words), text("number", (0..10).map(|row| row.to_string())), text("w", ["a"; 10])], None);
    let results = findings(&found, Check::MixedTypes);
    let severities = results.iter().map(|result| (result.column.as_deref(), result.severity, result.failed_count));
    let expected = [(Some("mixed"), Severity::Warning, 1), (Some("number"), Severity::Info, 0)];
    assert!(severities.eq(expected), "{results:?}");
}

#[test]
fn outliers_are_counted() {
    let mut values = noise(100, 3);
    values[7] = 50.0;
    let flags = (0..100).map(|row| f64::from(u8::from(row == 3)));
    let found = run([float("x", values), number("flag", flags, NumberKind::Boolean)], None);
    let result = only(&found, Check::Outliers);
    assert_eq!((result.severity, &result.example_rows[..]), (Severity::Info, &[7][..]));
}

#[test]
fn a_target_without_variety_fails() {
    let one = run([float("x", noise(10, 1)), text("y", ["a"; 10])], Some("y"));
    assert!(!one.passed);
    assert!(only(&one, Check::Target).message.contains("only one class, 'a'"));
    let same = run([float("x", noise(10, 1)), float("y", [0.5; 10])], Some("y"));
    assert!(only(&same, Check::Target).message.contains("every value of the target is 0.5"));
    let empty = run([float("x", noise(10, 1)), float("y", [NAN; 10])], Some("y"));
    assert_eq!(only(&empty, Check::Target).severity, Severity::Error);
    let infinite = run([float("x", [1.0, 2.0, 3.0]), float("y", [0.5, f64::INFINITY, NAN])], Some("y"));
    let severities = findings(&infinite, Check::Target).iter().map(|result| result.severity).collect::<Vec<_>>();
    assert_eq!(severities, [Severity::Error, Severity::Error, Severity::Warning]);
}

#[test]
fn rare_and_unbalanced_classes_are_warned_of() {
    let classes = (0..100).map(|row| if row < 3 { "rare" } else { "common" });
    let found = run([float("x", noise(100, 1)), text("y", classes)], Some("y"));
    assert!(found.passed);
    let results = findings(&found, Check::ClassCounts);
    let severities = results.iter().map(|result| result.severity).collect::<Vec<_>>();
    assert_eq!(severities, [Severity::Warning, Severity::Warning, Severity::Info]);
    assert_eq!(results[0].example_rows, [0, 1, 2]);
    assert_eq!(results[2].observed, Observed::Text("common 97, rare 3".to_owned()));
}

#[test]
fn columns_that_give_classes_away_are_found() {
    let truth = noise(200, 9);
    let class = |value: &f64| if *value < 0.3 { "no" } else { "yes" };
    let found = run(
        [
            text("copy", truth.iter().map(class)),
            integer("code", truth.iter().map(|value| if *value < 0.3 { 7.0 } else { 9.0 })),
            float("score", truth.clone()),
            text("band", truth.iter().map(|value| format!("b{}", (value * 10.0) as u32))),
            float("other", noise(200, 4)),
            text("y", truth.iter().map(class)),
        ],
        Some("y"),
    );
    let severities = findings(&found, Check::TargetLeakage);
    let severities = severities.iter().map(|result| (result.column.as_deref().unwrap(), result.severity));
    let expected = [
        ("copy", Severity::Error),
        ("code", Severity::Warning),
        ("score", Severity::Warning),
        ("band", Severity::Warning),
    ];
    assert_eq!(severities.collect::<Vec<_>>(), expected);
    assert!(!found.passed);
}

#[test]
fn columns_that_give_numbers_away_are_found() {
    let truth = noise(200, 9);
    let found = run(
        [
            float("copy", truth.clone()),
            float("scaled", truth.iter().map(|value| 1e200 * value + 3.0)),
            float("power", truth.iter().map(|value| (20.0 * value).exp())),
            text("band", truth.iter().map(|value| format!("b{}", (value * 19.0) as u32))),
            float("other", noise(200, 4)),
            float("y", truth.clone()),
        ],
        Some("y"),
    );
    assert_eq!(columns_of(&found, Check::TargetLeakage), ["copy", "scaled", "power"]);
}

#[test]
fn a_few_rows_prove_no_leak() {
    let few = run([float("x", [1.0, 2.0, 3.0]), float("y", [2.5, 4.5, 6.5])], Some("y"));
    assert!(findings(&few, Check::TargetLeakage).is_empty());
}

#[test]
fn the_task_decides_how_the_target_is_read() {
    let table = table([float("x", noise(100, 1)), integer("y", (0..100).map(|row| f64::from(row % 7)))]);
    let with = |task| {
        let options = CheckOptions { target: Some("y".to_owned()), task: Some(task), ..CheckOptions::default() };
        findings(&validate(&table, &options).unwrap(), Check::ClassCounts).len()
    };
    assert_eq!((with(Task::Classification), with(Task::Regression)), (1, 0));
}

#[test]
fn a_schema_is_inferred_and_fits_its_own_table() {
    let own = table([
        integer("n", [3.0, 1.0, f64::INFINITY]),
        text("c", ["b", "", "a"]),
        text("many", (0..60).map(|row| row.to_string()).take(3)),
    ]);
    let schema = TableSchema::infer(&own);
    let n = &schema.columns[0];
    assert_eq!((n.kind, n.nullable, n.min, n.max), (ColumnKind::Integer, false, Some(1.0), Some(3.0)));
    assert_eq!(schema.columns[1].categories, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert!(schema.columns[1].nullable);
    let wide = TableSchema::infer(&table([text("many", (0..60).map(|row| row.to_string()))]));
    assert_eq!(wide.columns[0].categories, None);
    let stored = serde_json::to_string(&schema).unwrap();
    let schema = serde_json::from_str::<TableSchema>(&stored).unwrap();
    let options = CheckOptions { schema: Some(schema), ..CheckOptions::default() };
    let plain = table([integer("n", [3.0, 1.0, 2.0]), text("c", ["b", "", "a"]), text("many", ["0", "1", "2"])]);
    let found = validate(&plain, &options).unwrap();
    let against = [Check::Columns, Check::Types, Check::NotNull, Check::Ranges, Check::Categories];
    assert!(against.iter().all(|&check| findings(&found, check).is_empty()), "{:?}", found.results);
}

#[test]
fn departures_from_a_saved_schema_are_found() {
    let saved = TableSchema::infer(&table([
        integer("n", [0.0, 10.0]),
        text("c", ["a", "b"]),
        float("gone", [1.0, 2.0]),
        number("flag", [0.0, 1.0], NumberKind::Boolean),
        float("f", [1.0, 2.0]),
        text("t", ["u", "v"]),
    ]));
    let other = table([
        float("n", [0.5, 30.0, NAN]),
        text("c", ["a", "z", "b"]),
        text("flag", ["0", "1", "2"]),
        text("f", ["1.5", "1", "x"]),
        integer("t", [1.0, NAN, 2.0]),
        float("new", [1.0, 2.0, 3.0]),
    ]);
    let options = CheckOptions { schema: Some(saved), ..CheckOptions::default() };
    let found = validate(&other, &options).unwrap();
    let of =
        |check| findings(&found, check).into_iter().map(|r| (r.column.as_deref().unwrap(), r.severity, r.failed_count));
    let columns = of(Check::Columns).collect::<Vec<_>>();
    assert_eq!(columns, [("gone", Severity::Error, 0), ("new", Severity::Info, 0)]);
    let types = of(Check::Types).collect::<Vec<_>>();
    let expected = [
        ("n", Severity::Error, 1),
        ("flag", Severity::Error, 1),
        ("f", Severity::Error, 1),
        ("t", Severity::Warning, 2),
    ];
    assert_eq!(types, expected);
    assert_eq!(of(Check::NotNull).collect::<Vec<_>>(), [("n", Severity::Warning, 1), ("t", Severity::Warning, 1)]);
    let ranges = findings(&found, Check::Ranges);
    assert_eq!(ranges[0].observed, Observed::Number(30.0));
    assert!(ranges[0].message.contains("outside 0 to 10"), "{}", ranges[0].message);
    assert_eq!(of(Check::Categories).next(), Some(("c", Severity::Warning, 1)));
}

#[test]
fn expectations_are_checked() {
    let data = table([
        integer("age", [20.0, 20.0, 300.0]),
        text("color", ["red", "", "pink"]),
        integer("code", [1.0, 2.0, 5.0]),
    ]);
    let expect = |column: &str| Expectation { column: column.to_owned(), ..Expectation::default() };
    let set = |values: &[&str]| Some(values.iter().map(ToString::to_string).collect::<Vec<_>>());
    let options = CheckOptions {
        expectations: vec![
            Expectation {
                unique: true,
                min: Some(0.0),
                max: Some(150.0),
                kind: Some(ColumnKind::Float),
                ..expect("age")
            },
            Expectation { not_null: true, in_set: set(&["red"]), severity: Severity::Warning, ..expect("color") },
            Expectation { in_set: set(&["1", "2"]), ..expect("code") },
            expect("colour"),
        ],
        ..CheckOptions::default()
    };
    let found = validate(&data, &options).unwrap();
    assert_eq!(only(&found, Check::Unique).example_rows, [1]);
    assert_eq!(only(&found, Check::Ranges).example_rows, [2]);
    assert_eq!(only(&found, Check::NotNull).severity, Severity::Warning);
    assert!(only(&found, Check::Columns).message.ends_with("did you mean 'color'?"));
    assert_eq!(columns_of(&found, Check::Categories), ["code", "color"]);
    assert!(findings(&found, Check::Types).is_empty());
    assert!(!found.passed);
}

#[test]
fn ten_thousand_columns_are_fast_enough_to_test() {
    let columns = (0..10_000).map(|index| float(&format!("n{index}"), noise(60, index)));
    let classes = (0..60).map(|row| if row % 3 == 0 { "a" } else { "b" });
    let found = run(columns.chain([text("y", classes)]), Some("y"));
    assert_eq!(found.inferred_schema.columns.len(), 10_001);
    assert!((0.0..=1.0).contains(&found.score));
}
