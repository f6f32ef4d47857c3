//! `load_dataset`.

use mlops_core::ErrorKind;
use mlops_core::values::sha256_hex;
use serde_json::json;

use crate::place::{Place, flowers};

#[tokio::test]
async fn a_table_is_described() {
    let place = Place::new();
    let text = flowers(30);
    let path = place.file("flowers.csv", &text);
    let loaded = place.call("load_dataset", json!({"uri": path})).await.unwrap();
    assert_eq!(loaded["dataset_uri"], format!("file://{path}"));
    assert_eq!((&loaded["num_rows"], &loaded["num_columns"]), (&json!(30), &json!(4)));
    assert_eq!(loaded["sha256"], sha256_hex(text.as_bytes()));
    assert_eq!(loaded["bytes"], text.len());
    let length = json!({"name": "length", "type": "float", "nullable": true, "missing": 3, "cardinality": loaded["schema"][0]["cardinality"]});
    assert_eq!(loaded["schema"][0], length);
    let colour = json!({"name": "colour", "type": "text", "nullable": false, "missing": 0, "cardinality": 3});
    assert_eq!(loaded["schema"][2], colour);
    assert_eq!(loaded["preview"].as_array().unwrap().len(), 5);
    assert_eq!(loaded["preview"][4], json!({"length": null, "width": 1, "colour": "white", "kind": "iris"}));
    assert!(place.files().is_empty(), "nothing is copied");
}

#[tokio::test]
async fn what_was_handled_is_reported() {
    let place = Place::new();
    let path = place.file("odd.csv", "\u{feff}a,b,c\r\n1,\"x\r\ny\",\r\n2,z\r\ninf,w,,4\r\n");
    let loaded = place.call("load_dataset", json!({"uri": path})).await.unwrap();
    let notes = &loaded["notes"];
    assert_eq!(notes["byte_order_mark"], true);
    assert_eq!(notes["carriage_returns"], true);
    assert_eq!(notes["ragged_rows"], 2);
    assert_eq!(notes["infinite"], json!({"a": 1}));
    assert_eq!(notes["empty_columns"], json!(["c"]));
    assert_eq!(loaded["preview"][0]["b"], "x\r\ny");
    assert_eq!(loaded["preview"][2]["a"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_part_is_read_on_request() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(30));
    let arguments =
        json!({"dataset_s3_uri": path, "columns": ["kind", "width"], "limit": 10, "schema": {"width": "text"}});
    let loaded = place.call("load_dataset", arguments).await.unwrap();
    assert_eq!((&loaded["num_rows"], &loaded["num_columns"]), (&json!(10), &json!(2)));
    assert_eq!(loaded["schema"][1]["type"], "text");
    let sampled = place.call("load_dataset", json!({"uri": path, "sample": {"rows": 7}})).await.unwrap();
    assert_eq!((&sampled["num_rows"], &sampled["notes"]["sampled_from"]), (&json!(7), &json!(30)));
}

#[tokio::test]
async fn ten_thousand_columns_give_a_small_result() {
    let place = Place::new();
    let line = |value: &dyn Fn(usize) -> String| (0..10_000).map(value).collect::<Vec<_>>().join(",");
    let header = line(&|column| format!("column_{column}"));
    let row = line(&|column| column.to_string());
    let path = place.file("wide.csv", format!("{header}\n{row}\n{row}\n"));
    let loaded = place.call("load_dataset", json!({"uri": path})).await.unwrap();
    assert_eq!(loaded["num_columns"], 10_000);
    let shown = loaded["schema"].as_array().unwrap().len() as u64;
    assert!(shown > 100 && loaded["schema_omitted"] == 10_000 - shown);
    assert!(loaded.to_string().len() < 100 * 1024);
    let checked = place.call("validate_data", json!({"dataset_s3_uri": path})).await.unwrap();
    assert!(checked["results_omitted"].as_u64().unwrap() > 9_000);
    assert!(checked.to_string().len() < 100 * 1024);
}

#[tokio::test]
async fn what_is_no_table_is_refused_by_name() {
    let place = Place::new();
    let missing = place.error("load_dataset", json!({"uri": "/nowhere/at/all.csv"})).await;
    assert_eq!((missing.kind, missing.field.as_deref()), (ErrorKind::NotFound, Some("uri")));
    for (name, bytes) in [
        ("empty.csv", &b""[..]),
        ("header.csv", b"a,b\n"),
        ("twice.csv", b"a,a\n1,2\n"),
        ("latin.csv", b"a,b\n\xff\xfe,1\n"),
        ("cut.csv.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
    ] {
        let path = place.file(name, bytes);
        let error = place.error("load_dataset", json!({"uri": path})).await;
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{name}");
        assert!(error.message.contains(name), "{name}: {error}");
        assert_eq!(error.field.as_deref(), Some("uri"), "{name}");
    }
}
