//! What is odd and handled, and reported in the result.

use serde_json::json;

use crate::fleet::Fleet;

#[test]
fn a_table_as_people_save_it_is_read_and_what_was_odd_is_reported() {
    let fleet = Fleet::new();
    let bytes = "\u{feff}name,note,value,mixed,gone,far\r\n\
        a,\"two\nlines\",1,1,,1\r\nb,plain,2,x,,inf\r\nc,short,3\r\nd,long,4,2,,2,extra\r\n";
    let loaded = fleet.tool("load_dataset", &json!({"uri": fleet.file("odd.csv", bytes)}));
    assert_eq!(loaded["num_rows"], 4, "{loaded:#}");
    let notes = &loaded["notes"];
    assert_eq!(notes["byte_order_mark"], true);
    assert_eq!(notes["carriage_returns"], true);
    assert_eq!(notes["ragged_rows"], 2);
    assert!(notes["widened"]["mixed"].is_string(), "{notes:#}");
    assert_eq!(notes["empty_columns"], json!(["gone"]));
    assert_eq!(notes["infinite"]["far"], 1);
}

#[test]
fn missing_infinite_and_unseen_values_are_handled_and_counted() {
    let fleet = Fleet::new();
    let row = |row: usize, city: &str, value: &str| format!("{city},{value},,{}\n", ["yes", "no"][row % 2]);
    let head = "city,value,gone,target\n".to_owned();
    let train = (0..40)
        .fold(head.clone(), |table, n| table + &row(n, ["Oslo", "Rome"][n % 2], if n == 4 { "inf" } else { "3.5" }));
    let train = train + &row(1, "Rome", "") + &row(2, "Oslo", "9");
    let prepare = json!({"dataset_s3_uri": fleet.file("train.csv", train), "target_column": "target",
        "task_type": "classification"});
    let fitted = fleet.tool("preprocess_supervised", &prepare);
    assert_eq!(fitted["imputed"]["value"], 2, "{fitted:#}");
    let text = fitted.to_string();
    assert!(text.contains("gone"), "the empty column is reported: {fitted:#}");
    let test = head + &row(0, "Lima", "1") + &row(1, "Rome", "2");
    let mut apply = prepare.clone();
    apply["dataset_s3_uri"] = json!(fleet.file("test.csv", test));
    apply["preprocessor_uri"] = fitted["preprocessor_uri"].clone();
    let applied = fleet.tool("preprocess_supervised", &apply);
    assert_eq!(applied["unseen"]["city"], 1, "{applied:#}");
    assert_eq!(applied["feature_names"], fitted["feature_names"]);
}

#[test]
fn ten_thousand_columns_are_read_split_and_prepared() {
    let fleet = Fleet::new();
    let names: Vec<String> = (0..10_000).map(|column| format!("c{column}")).collect();
    let mut table = names.join(",") + ",target\n";
    for row in 0..60_usize {
        for column in 0..10_000_usize {
            table.push_str(&((row * 31 + column * 17) % 101).to_string());
            table.push(',');
        }
        table.push_str(["a\n", "b\n"][row % 2]);
    }
    let uri = fleet.file("wide.csv", table);
    let loaded = fleet.tool("load_dataset", &json!({"uri": uri}));
    assert_eq!(loaded["num_columns"], 10_001);
    assert!(loaded.to_string().len() < 100 * 1024, "a result stays under 100 KB: {}", loaded.to_string().len());
    let split = fleet.tool("split_dataset", &json!({"dataset_s3_uri": uri, "target_column": "target"}));
    let prepared = fleet.tool(
        "preprocess_supervised",
        &json!({"dataset_s3_uri": split["train_uri"],
        "target_column": "target", "task_type": "classification"}),
    );
    assert_eq!(prepared["metadata"]["num_features"], 10_000, "{}", prepared["metadata"]);
    assert!(prepared.to_string().len() < 100 * 1024, "{}", prepared.to_string().len());
    let checks = fleet.tool("validate_data", &json!({"dataset_s3_uri": uri, "target_column": "target"}));
    assert!(checks.to_string().len() < 100 * 1024, "{}", checks.to_string().len());
}

#[test]
fn every_format_gives_the_same_table() {
    let fleet = Fleet::new();
    let mut hashes = Vec::new();
    for format in ["csv", "tsv", "jsonl", "parquet", "arrow"] {
        let parts = fleet.tool(
            "split_dataset",
            &json!({"dataset_s3_uri": "examples/penguins.csv", "format": format,
            "target_column": "species", "run_id": format}),
        );
        let loaded = fleet.tool("load_dataset", &json!({"uri": parts["train_uri"]}));
        assert_eq!(loaded["num_columns"], 8, "{format}: {loaded:#}");
        hashes.push((format, loaded["num_rows"].clone(), loaded["preview"].clone()));
    }
    for (format, rows, preview) in &hashes {
        assert_eq!((rows, preview), (&hashes[0].1, &hashes[0].2), "{format}");
    }
}
