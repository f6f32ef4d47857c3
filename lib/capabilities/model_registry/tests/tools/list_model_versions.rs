//! Versions are found, paged through and compared.

use mlops_core::{ErrorKind, Lang, Report as _};
use mlops_model_registry::tools::ModelVersions;
use serde_json::{Value, json};

use crate::place::Place;

fn numbers(listed: &Value) -> Vec<u64> {
    listed["versions"].as_array().unwrap().iter().map(|version| version["version"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_model_that_nobody_registered_has_no_versions() {
    let place = Place::new();
    let listed = place.call("list_model_versions", json!({"model_name": "things"})).await.unwrap();
    assert_eq!((&listed["versions"], &listed["total"]), (&json!([]), &json!(0)));
    assert!(listed.get("next_before").is_none() && listed.get("diff").is_none());
}

#[tokio::test]
async fn the_newest_comes_first_and_pages_follow_each_other() {
    let place = Place::new();
    place.versions(5).await;
    let list = async |before: Option<u64>| {
        let mut arguments = json!({"model_name": "things", "limit": 2});
        if let Some(before) = before {
            arguments["before"] = json!(before);
        }
        place.call("list_model_versions", arguments).await.unwrap()
    };
    let first = list(None).await;
    assert_eq!((numbers(&first), &first["next_before"], &first["total"]), (vec![5, 4], &json!(4), &json!(5)));
    let second = list(Some(4)).await;
    assert_eq!((numbers(&second), &second["next_before"]), (vec![3, 2], &json!(2)));
    let last = list(Some(2)).await;
    assert_eq!((numbers(&last), last.get("next_before")), (vec![1], None));
}

#[tokio::test]
async fn status_and_alias_choose() {
    let place = Place::new();
    place.versions(3).await;
    let approve = json!({"model_name": "things", "model_s3_uri": place.classifier(2).await, "status": "approved",
        "aliases": ["champion"]});
    place.call("register_model", approve).await.unwrap();
    let list = async |filter: Value| {
        let mut arguments = json!({"model_name": "things"});
        arguments.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        numbers(&place.call("list_model_versions", arguments).await.unwrap())
    };
    assert_eq!(list(json!({"status": "approved"})).await, [2]);
    assert_eq!(list(json!({"status": "pending"})).await, [3, 1]);
    assert_eq!(list(json!({"alias": "champion"})).await, [2]);
    assert_eq!(list(json!({"alias": "champion", "status": "pending"})).await, Vec::<u64>::new());
    assert_eq!(list(json!({"alias": "nobody"})).await, Vec::<u64>::new());
}

#[tokio::test]
async fn a_difference_names_what_changed() {
    let place = Place::new();
    place.versions(2).await;
    let diff = |pair: Value| json!({"model_name": "things", "diff": pair});
    let changed = place.call("list_model_versions", diff(json!([1, 2]))).await.unwrap()["diff"].clone();
    assert_eq!((&changed["from"], &changed["to"], &changed["other_data"]), (&json!(1), &json!(2), &json!(false)));
    assert!((changed["metrics"]["train_score"].as_f64().unwrap() - 0.01).abs() < 1e-12);
    assert_eq!(changed["hyperparameters"], json!({"max_depth": [1, 2]}));
    let same = place.call("list_model_versions", diff(json!([2, 2]))).await.unwrap()["diff"].clone();
    assert_eq!((&same["hyperparameters"], &same["metrics"]), (&json!({}), &json!({"train_score": 0.0})));
    let other = json!({"model_name": "things", "model_s3_uri": place.model("weight", mlops_algorithms::models::Algorithm::LinearRegression, 0).await,
        "metrics": {"rmse": 1.0}, "data_sha256": "e".repeat(64)});
    place.call("register_model", other).await.unwrap();
    let far = place.call("list_model_versions", diff(json!([1, 3]))).await.unwrap()["diff"].clone();
    assert_eq!((&far["metrics"], &far["other_data"]), (&json!({}), &json!(true)));
    assert_eq!(far["hyperparameters"], json!({"max_depth": [1, null]}));
}

#[tokio::test]
async fn what_cannot_be_compared_or_listed_is_told() {
    let place = Place::new();
    let diff = |pair: Value| json!({"model_name": "things", "diff": pair});
    let error = place.error("list_model_versions", diff(json!([1, 2]))).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("diff")));
    assert!(error.message.ends_with("there are: none"), "{error}");
    place.versions(2).await;
    let error = place.error("list_model_versions", diff(json!([1, 9]))).await;
    assert!(error.message.contains("no version 9") && error.message.ends_with("1 to 2"), "{error}");
    for pair in [json!([1]), json!([1, 2, 3])] {
        let error = place.error("list_model_versions", diff(pair)).await;
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("diff")));
    }
    let error = place.error("list_model_versions", json!({"model_name": "things", "limit": 0})).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("limit")));
    let error = place.error("list_model_versions", json!({"model_name": ".things"})).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("model_name")));
}

#[tokio::test]
async fn a_typed_caller_must_name_two_versions() {
    use mlops_core::Tool as _;
    use mlops_model_registry::tools::ListModelVersions;

    let place = Place::new();
    let tool: ListModelVersions = serde_json::from_value(json!({"model_name": "things", "diff": [1]})).unwrap();
    let error = tool.run(&place.room, &place.call).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("diff")));
}

#[tokio::test]
async fn people_read_how_many_there_are_and_find_the_models() {
    let place = Place::new();
    place.versions(3).await;
    let arguments = json!({"model_name": "things", "limit": 2});
    let line = place.summary("list_model_versions", arguments.clone(), Lang::En).await;
    assert_eq!(line, "things has 3 versions; 2 are listed");
    assert!(place.summary("list_model_versions", arguments.clone(), Lang::Ja).await.contains("2 個を表示"));
    let listed = place.call("list_model_versions", arguments).await.unwrap();
    let listed: ModelVersions = serde_json::from_value(listed).unwrap();
    let links = listed.artifacts();
    assert_eq!((links.len(), links[0].name.as_str()), (2, "things version 3"));
    assert_eq!(links[0].mime_type, "application/gzip");
}
