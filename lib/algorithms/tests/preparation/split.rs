//! Splits keep their promises: sizes, classes, groups, time, and the leaks that they report.

use super::tables::{float, integer, table, text};
use mlops_algorithms::models::Task;
use mlops_algorithms::split::{
    Distribution, DuplicateLeak, Split, SplitError, SplitSpec, SplitStrategy, StratumKind, split,
};
use mlops_algorithms::table::Table;
use proptest::prelude::*;

fn rows(count: usize) -> Table {
    table([float("x", (0..count).map(|row| row as f64))])
}

fn spec(strategy: SplitStrategy) -> SplitSpec {
    SplitSpec { strategy, ..SplitSpec::default() }
}

fn sizes(split: &Split) -> [usize; 3] {
    [split.train.len(), split.validation.len(), split.test.len()]
}

fn all_rows(split: &Split) -> Vec<usize> {
    let mut all = [&split.train, &split.validation, &split.test].into_iter().flatten().copied().collect::<Vec<_>>();
    all.sort_unstable();
    all
}

#[test]
fn sizes_are_rounded_by_largest_remainder() {
    let sizes_of = |count| sizes(&split(&rows(count), &SplitSpec::default()).unwrap());
    assert_eq!(sizes_of(100), [70, 15, 15]);
    assert_eq!(sizes_of(344), [241, 52, 51]);
    assert_eq!(sizes_of(3), [1, 1, 1]);
    let whole = SplitSpec { train: 1.0, validation: 0.0, test: 0.0, ..SplitSpec::default() };
    assert_eq!(sizes(&split(&rows(5), &whole).unwrap()), [5, 0, 0]);
}

#[test]
fn the_seed_decides() {
    let with = |seed| split(&rows(50), &SplitSpec { seed, ..SplitSpec::default() }).unwrap();
    assert_eq!(with(1), with(1));
    assert_ne!(with(1).test, with(2).test);
    assert!(with(1).train.is_sorted());
}

#[test]
fn wrong_requests_are_refused() {
    let refuse = |spec: &SplitSpec| split(&rows(10), spec).unwrap_err();
    let shares = |train, validation, test| SplitSpec { train, validation, test, ..SplitSpec::default() };
    assert_eq!(
        refuse(&shares(0.7, 0.2, 0.2)).to_string(),
        "the shares train, validation and test sum to 1.1; they must sum to 1"
    );
    assert!(matches!(refuse(&shares(0.5, -0.1, 0.6)), SplitError::Share { field: "validation", .. }));
    assert!(matches!(refuse(&shares(f64::NAN, 0.5, 0.5)), SplitError::Share { field: "train", .. }));
    assert_eq!(refuse(&shares(0.0, 0.5, 0.5)), SplitError::NoTraining);
    assert_eq!(refuse(&spec(SplitStrategy::Stratified)), SplitError::Needs { strategy: "stratified", field: "target" });
    assert_eq!(refuse(&spec(SplitStrategy::Group)), SplitError::Needs { strategy: "group", field: "key" });
    assert_eq!(refuse(&spec(SplitStrategy::Time)), SplitError::Needs { strategy: "time", field: "key" });
    let missing = SplitSpec { target: Some("X".to_owned()), ..SplitSpec::default() };
    assert_eq!(
        refuse(&missing).to_string(),
        "'target' names the column 'X', which is not in the table; did you mean 'x'?"
    );
    let few = split(&rows(2), &SplitSpec::default()).unwrap_err();
    assert_eq!(few.to_string(), "the table has 2 rows; a split into 3 parts needs at least 3");
    assert_eq!(split(&Table::default(), &SplitSpec::default()), Err(SplitError::TooFewRows { rows: 0, needed: 3 }));
}

#[test]
fn every_class_is_split_in_proportion() {
    let classes = (0..200).map(|row| if row % 10 == 0 { "rare" } else { "common" });
    let table = table([float("x", (0..200).map(f64::from)), text("y", classes)]);
    let spec = SplitSpec { target: Some("y".to_owned()), ..spec(SplitStrategy::Stratified) };
    let found = split(&table, &spec).unwrap();
    assert_eq!(sizes(&found), [140, 30, 30]);
    let distribution = found.report.distribution.unwrap();
    let Distribution::Classes { counts, other: 0, missing: 0 } = distribution.test else { panic!("not classes") };
    assert_eq!((counts["rare"], counts["common"]), (3, 27));
    let strata = found.report.stratified_by.unwrap();
    assert_eq!((strata.kind, strata.count, strata.column.as_str()), (StratumKind::Classes, 2, "y"));
    assert!(found.report.warnings.is_empty());
}

#[test]
fn small_classes_are_reported_and_a_single_row_is_for_training() {
    let classes = (0..40).map(|row| match row {
        0 => "one",
        1 | 2 => "two",
        3 => "",
        _ => "many",
    });
    let table = table([float("x", (0..40).map(f64::from)), text("y", classes.collect::<Vec<_>>())]);
    let spec = SplitSpec { target: Some("y".to_owned()), ..spec(SplitStrategy::Stratified) };
    let found = split(&table, &spec).unwrap();
    assert!(found.train.contains(&0));
    assert!(found.train.contains(&1) || found.train.contains(&2));
    assert_eq!(all_rows(&found), (0..40).collect::<Vec<_>>());
    assert!(
        found.report.warnings.iter().any(|warning| warning.contains("'one', 'two'")),
        "{:?}",
        found.report.warnings
    );
    assert!(found.report.warnings.iter().any(|warning| warning.contains("1 rows without a target")));
}

#[test]
fn no_part_stays_empty() {
    let table = table([text("y", ["a", "b", "c", "d"])]);
    let spec = SplitSpec { target: Some("y".to_owned()), ..spec(SplitStrategy::Stratified) };
    let found = split(&table, &spec).unwrap();
    assert_eq!(sizes(&found), [2, 1, 1]);
    assert!(found.report.warnings.iter().any(|warning| warning.starts_with("test was empty")));
}

#[test]
fn a_target_of_numbers_is_cut_into_bins() {
    let table = table([float("y", (0..100).map(|row| f64::from(row) + 0.5))]);
    let spec = SplitSpec { target: Some("y".to_owned()), ..spec(SplitStrategy::Stratified) };
    let found = split(&table, &spec).unwrap();
    let strata = found.report.stratified_by.clone().unwrap();
    assert_eq!((strata.kind, strata.count), (StratumKind::QuantileBins, 10));
    assert_eq!(sizes(&found), [70, 15, 15]);
    for bin in 0..10 {
        assert_eq!(found.train.iter().filter(|&&row| row / 10 == bin).count(), 7);
    }
    let Distribution::Numbers { median, min, .. } = found.report.distribution.unwrap().train else { panic!("classes") };
    assert!((median.unwrap() - 50.0).abs() < 6.0 && min.unwrap() < 5.0);
}

#[test]
fn the_task_says_whether_whole_numbers_are_classes() {
    // 40 classes of 10 rows each.
    let labels = table([integer("y", (0..400).map(|row| f64::from(row % 40)))]);
    let spec = |task| SplitSpec { target: Some("y".to_owned()), task, ..spec(SplitStrategy::Stratified) };
    for task in [Some(Task::Classification), None] {
        let found = split(&labels, &spec(task)).unwrap();
        let strata = found.report.stratified_by.clone().unwrap();
        assert_eq!((strata.kind, strata.count), (StratumKind::Classes, 40), "{task:?}");
        for class in 0..40 {
            assert_eq!(found.train.iter().filter(|&&row| row % 40 == class).count(), 7, "{task:?}");
        }
        let Distribution::Classes { counts, .. } = found.report.distribution.unwrap().train else { panic!("numbers") };
        assert_eq!((counts.len(), counts["39"]), (40, 7));
    }
    let found = split(&labels, &spec(Some(Task::Regression))).unwrap().report;
    assert_eq!(found.stratified_by.unwrap().kind, StratumKind::QuantileBins);
    assert!(matches!(found.distribution.unwrap().train, Distribution::Numbers { .. }));
    // Numbers that hardly ever repeat are no classes unless somebody says so.
    let measures = table([integer("y", (0..100).map(f64::from))]);
    let kind = |task| split(&measures, &spec(task)).unwrap().report.stratified_by.unwrap().kind;
    assert_eq!(kind(None), StratumKind::QuantileBins);
    assert_eq!(kind(Some(Task::Classification)), StratumKind::Classes);
}

#[test]
fn groups_are_kept_whole() {
    let groups = (0..90).map(|row| f64::from(row % 13));
    let table = table([float("x", (0..90).map(f64::from)), integer("g", groups)]);
    let spec = SplitSpec { key: Some("g".to_owned()), ..spec(SplitStrategy::Group) };
    let found = split(&table, &spec).unwrap();
    let group_of = |row: &usize| row % 13;
    let in_train = found.train.iter().map(group_of).collect::<std::collections::HashSet<_>>();
    assert!(found.validation.iter().chain(&found.test).all(|row| !in_train.contains(&group_of(row))));
    assert_eq!(found.report.shared_groups, Some(0));
    assert_eq!(all_rows(&found).len(), 90);
    assert!((sizes(&found)[0] as f64 / 90.0 - 0.7).abs() < 0.1);
}

#[test]
fn groups_may_be_too_few_or_too_large() {
    let spec = SplitSpec { key: Some("g".to_owned()), ..spec(SplitStrategy::Group) };
    let two = table([text("g", ["a", "b"].repeat(5))]);
    let error = split(&two, &spec).unwrap_err();
    assert_eq!(error, SplitError::TooFewGroups { column: "g".to_owned(), groups: 2, needed: 3 });
    let large = table([text("g", (0..20).map(|row| if row < 18 { "a" } else { "" }))]);
    let found = split(&large, &spec).unwrap();
    assert_eq!(sizes(&found), [18, 1, 1]);
    assert!(found.report.warnings.iter().any(|warning| warning.contains("2 rows without a key")));
    assert!(found.report.warnings.iter().any(|warning| warning.starts_with("train has 90.0 %")));
}

#[test]
fn time_runs_from_training_to_test() {
    let table = table([float("t", (0..20).rev().map(f64::from))]);
    let spec = SplitSpec { key: Some("t".to_owned()), ..spec(SplitStrategy::Time) };
    let found = split(&table, &spec).unwrap();
    assert_eq!(sizes(&found), [14, 3, 3]);
    assert_eq!(found.train[..2], [19, 18]);
    assert_eq!(found.test, [2, 1, 0]);
}

#[test]
fn rows_of_one_moment_stay_together() {
    let spec = SplitSpec { key: Some("t".to_owned()), ..spec(SplitStrategy::Time) };
    let days = table([text("t", (0..40).map(|row| format!("2024-01-{:02}", row / 4 + 1)))]);
    let found = split(&days, &spec).unwrap();
    assert_eq!(sizes(&found), [28, 4, 8]);
    assert!(found.report.warnings.iter().any(|warning| warning.contains("alphabetical")));
    let same = split(&table([float("t", [1.0; 10])]), &spec).unwrap();
    assert_eq!(sizes(&same), [7, 2, 1]);
    assert!(same.report.warnings.iter().any(|warning| warning.contains("same time lie in two parts")));
    let missing = split(&table([float("t", [1.0, f64::NAN, 2.0])]), &spec).unwrap_err();
    assert_eq!(missing, SplitError::MissingTime { column: "t".to_owned(), count: 1, rows: 3 });
}

#[test]
fn duplicates_across_parts_are_counted() {
    let table = table([float("x", (0..40).map(|row| f64::from(row / 2))), float("y", (0..40).map(f64::from))]);
    let spec = SplitSpec { target: Some("y".to_owned()), ..SplitSpec::default() };
    let found = split(&table, &spec).unwrap();
    let part = |row: usize| usize::from(!found.train.contains(&row)) + usize::from(found.test.contains(&row));
    let distinct = (0..20).filter(|pair| part(2 * pair) != part(2 * pair + 1)).count();
    let leaks = |row: usize| part(row) != 0 && part(row ^ 1) == 0;
    let leaked = (0..40).filter(|&row| leaks(row)).count();
    assert!(distinct > 0 && leaked > 0);
    assert_eq!(found.report.duplicate_leak, DuplicateLeak { distinct, rows: leaked });
    assert_eq!(found.report.overlapping_rows, 0);
    assert!(found.report.warnings.iter().any(|warning| warning.contains("same features as a row of training")));
}

#[test]
fn many_classes_are_summed() {
    let table = table([text("y", (0..300).map(|row| format!("c{}", row % 150)))]);
    let spec = SplitSpec { target: Some("y".to_owned()), ..SplitSpec::default() };
    let distribution = split(&table, &spec).unwrap().report.distribution.unwrap();
    let Distribution::Classes { counts, other, .. } = distribution.train else { panic!("not classes") };
    assert_eq!(counts.len(), 100);
    assert_eq!(counts.values().sum::<usize>() + other, 210);
}

proptest! {
    #[test]
    fn every_row_lies_in_one_part_and_classes_hold_their_share(
        classes in prop::collection::vec(0..6_u8, 3..300),
        shares in (1..10_u32, 0..10_u32, 0..10_u32),
        seed in 0..5_u64,
    ) {
        let size_of_class = |class: u8| classes.iter().map(|other| f64::from(u8::from(*other == class))).sum::<f64>();
        let sum = f64::from(shares.0 + shares.1 + shares.2);
        let [train, validation, test] = [shares.0, shares.1, shares.2].map(|share| f64::from(share) / sum);
        let table = table([text("y", classes.iter().map(ToString::to_string))]);
        for strategy in [SplitStrategy::Random, SplitStrategy::Stratified] {
            let spec = SplitSpec { train, validation, test, strategy, seed, target: Some("y".to_owned()), ..SplitSpec::default() };
            let found = split(&table, &spec).unwrap();
            prop_assert_eq!(all_rows(&found), (0..classes.len()).collect::<Vec<_>>());
            let filled = found.report.warnings.iter().any(|warning| warning.contains("was empty"));
            for (part, share) in [(&found.train, train), (&found.validation, validation), (&found.test, test)] {
                prop_assert_eq!(part.is_empty(), share == 0.0);
                let class_holds = |class: u8| {
                    let rows = size_of_class(class);
                    let held = part.iter().filter(|&&row| classes[row] == class).count() as f64;
                    (held - rows * share).abs() <= 1.0 + 1e-9
                };
                // Training always gets a row of each class, which can cost another part one more.
                let large = |class: &u8| size_of_class(*class) * train >= 1.0;
                if strategy == SplitStrategy::Stratified && !filled {
                    prop_assert!((0..6).filter(large).all(class_holds));
                }
            }
        }
    }
}
