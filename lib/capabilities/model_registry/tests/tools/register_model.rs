//! A model becomes a version, once.

use std::time::Duration;

use mlops_core::values::sha256_hex;
use mlops_core::{ErrorKind, Lang};
use serde_json::json;

use crate::place::Place;

#[tokio::test]
async fn a_model_becomes_the_first_version_with_what_its_card_says() {
    let place = Place::new();
    let model = place.classifier(3).await;
    let registered = place.call("register_model", json!({"model_name": "things", "model_uri": model})).await.unwrap();
    assert_eq!((&registered["version"], &registered["already_registered"]), (&json!(1), &json!(false)));
    let version = &registered["registered"];
    assert_eq!((&version["status"], &version["aliases"]), (&json!("pending"), &json!([])));
    assert_eq!((&version["algorithm"], &version["task"]), (&json!("decision_tree"), &json!("classification")));
    assert_eq!((&version["target_column"], &version["model_s3_uri"]), (&json!("kind"), &json!(model)));
    assert_eq!(version["metrics"], json!({"train_score": 0.53}));
    assert_eq!(version["hyperparameters"], json!({"max_depth": 3}));
    assert_eq!(version["run_id"], "run-1");
    let card = place.room.artifacts.read_model(&model).await.unwrap();
    assert_eq!(
        (&version["model_sha256"], &version["data_sha256"]),
        (&json!(card.sha256), &json!(card.card.train_sha256))
    );
    let onnx = model.with_file_name("model.onnx");
    let bytes = place.room.artifacts.read_bytes(&onnx, 1 << 20).await.unwrap();
    assert_eq!(version["exports"], json!([{"format": "onnx", "uri": onnx, "sha256": sha256_hex(&bytes)}]));
    let kept = &place.room.registry.versions("things").await.unwrap()[0].model;
    assert_eq!(kept.signature["output"], "prediction");
}

#[tokio::test]
async fn what_is_given_goes_before_what_the_card_says() {
    let place = Place::new();
    let arguments = json!({"model_name": "things", "model_s3_uri": place.classifier(1).await, "metrics": {"accuracy": 0.9},
        "data_sha256": "d".repeat(64), "run_id": "run-9", "status": "approved", "aliases": ["champion", "blue"]});
    let version = place.call("register_model", arguments).await.unwrap()["registered"].clone();
    assert_eq!((&version["metrics"], &version["run_id"]), (&json!({"accuracy": 0.9}), &json!("run-9")));
    assert_eq!((&version["status"], &version["aliases"]), (&json!("approved"), &json!(["blue", "champion"])));
    assert_eq!(version["data_sha256"], "d".repeat(64));
}

#[tokio::test]
async fn the_same_bytes_are_one_version_and_keep_their_status() {
    let place = Place::new();
    let (first, second) = (place.classifier(1).await, place.classifier(2).await);
    let register = |model: &_| json!({"model_name": "things", "model_s3_uri": model});
    let mut approved = register(&first);
    approved["status"] = json!("approved");
    place.call("register_model", approved).await.unwrap();
    let again = place.call("register_model", register(&first)).await.unwrap();
    assert_eq!((&again["version"], &again["already_registered"]), (&json!(1), &json!(true)));
    assert_eq!(again["registered"]["status"], "approved");
    let before = place.stored();
    place.call("register_model", register(&first)).await.unwrap();
    assert_eq!(place.stored(), before, "a repeat writes nothing");
    let other = place.call("register_model", register(&second)).await.unwrap();
    assert_eq!((&other["version"], &other["already_registered"]), (&json!(2), &json!(false)));
}

#[tokio::test]
async fn an_alias_moves_and_each_move_is_kept() {
    let place = Place::new();
    for depth in [1, 2] {
        let model = place.classifier(depth).await;
        let arguments = json!({"model_name": "things", "model_s3_uri": model, "aliases": ["champion"]});
        place.call("register_model", arguments).await.unwrap();
    }
    let state = place.room.registry.state("things").await.unwrap();
    assert_eq!(state.aliases["champion"], 2);
    let moves: Vec<_> = state.changes.iter().filter(|change| change.what == "champion").collect();
    assert_eq!((moves.len(), moves[0].from.as_deref(), moves[1].from.as_deref()), (2, None, Some("1")));
    assert!(moves.iter().all(|change| change.actor == "tester"));
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_writes_nothing() {
    let place = Place::new();
    let model = place.classifier(1).await;
    let before = place.stored();
    let arguments = json!({"model_name": "things", "model_s3_uri": model, "aliases": ["champion"], "status": "approved",
        "dry_run": true});
    let told = place.call("register_model", arguments.clone()).await.unwrap();
    assert_eq!(
        (&told["version"], &told["dry_run"], &told["already_registered"]),
        (&json!(1), &json!(true), &json!(false))
    );
    assert_eq!(
        (&told["registered"]["status"], &told["registered"]["aliases"]),
        (&json!("approved"), &json!(["champion"]))
    );
    assert_eq!(place.stored(), before);
    place.versions(2).await;
    let told = place.call("register_model", arguments).await.unwrap();
    assert_eq!((&told["version"], &told["already_registered"]), (&json!(1), &json!(true)));
    let next = json!({"model_name": "things", "model_s3_uri": place.classifier(3).await, "dry_run": true});
    let told = place.call("register_model", next).await.unwrap();
    assert_eq!((&told["version"], &told["registered"]["status"]), (&json!(3), &json!("pending")));
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_name_and_nothing_is_registered() {
    let place = Place::new();
    let model = place.classifier(1).await;
    let table = place.file("table.csv", "a,b\n1,2\n").display().to_string();
    let cases = [
        (json!({"model_name": "../things", "model_s3_uri": model}), ErrorKind::InvalidInput, "model_name"),
        (
            json!({"model_name": "things", "model_s3_uri": model, "aliases": ["a b"]}),
            ErrorKind::InvalidInput,
            "aliases",
        ),
        (json!({"model_name": "things", "model_s3_uri": table}), ErrorKind::InvalidInput, "model_s3_uri"),
        (json!({"model_name": "things", "model_s3_uri": "missing.tar.gz"}), ErrorKind::NotFound, "model_s3_uri"),
        (json!({"model_name": "things", "model_s3_uri": model, "status": "great"}), ErrorKind::InvalidInput, "status"),
        (json!({"model_name": "things", "model_s3_uri": model, "alias": ["x"]}), ErrorKind::InvalidInput, "alias"),
    ];
    for (arguments, kind, field) in cases {
        let error = place.error("register_model", arguments.clone()).await;
        assert_eq!((error.kind, error.field.as_deref()), (kind, Some(field)), "{arguments}: {error}");
    }
    assert!(place.room.registry.versions("things").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_metric_that_is_no_number_is_refused_from_typed_callers_too() {
    use mlops_core::Tool as _;
    use mlops_model_registry::tools::RegisterModel;

    let place = Place::new();
    let arguments = json!({"model_name": "things", "model_s3_uri": place.classifier(1).await});
    let mut tool: RegisterModel = serde_json::from_value(arguments).unwrap();
    tool.metrics.insert("rmse".to_owned(), f64::NAN);
    let error = tool.run(&place.room, &place.call).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("metrics")));
}

#[tokio::test]
async fn a_call_whose_time_is_over_registers_nothing() {
    use mlops_core::Tool as _;
    use mlops_model_registry::tools::RegisterModel;

    let place = Place::new();
    let arguments = json!({"model_name": "things", "model_s3_uri": place.classifier(1).await});
    let tool: RegisterModel = serde_json::from_value(arguments).unwrap();
    let error = tool.run(&place.room, &place.call.clone().within(Duration::ZERO)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(place.room.registry.versions("things").await.unwrap().is_empty());
}

#[tokio::test]
async fn people_read_one_line_in_their_language() {
    let place = Place::new();
    let arguments = json!({"model_name": "things", "model_s3_uri": place.classifier(1).await});
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let line = |arguments: &serde_json::Value, lang| place.summary("register_model", arguments.clone(), lang);
    assert_eq!(line(&dry, Lang::En).await, "things would be version 1; nothing was written");
    assert!(line(&dry, Lang::Ja).await.contains("書き込みはしていません"));
    assert_eq!(line(&arguments, Lang::En).await, "things was registered as version 1");
    assert_eq!(line(&arguments, Lang::En).await, "things version 1 had been registered before");
    assert!(line(&arguments, Lang::Ja).await.contains("すでに登録されています"));
    let other = json!({"model_name": "other", "model_s3_uri": place.classifier(1).await});
    assert!(line(&other, Lang::Ja).await.contains("バージョン 1 として登録しました"));
}
