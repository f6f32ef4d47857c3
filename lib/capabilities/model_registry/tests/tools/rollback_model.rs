//! An alias goes back to a version that was seen to work, and to no other.

use std::time::Duration;

use mlops_core::values::ArtifactUri;
use mlops_core::{ErrorKind, Lang, Report as _};
use mlops_model_registry::tools::RolledBackModel;
use mlops_records::How;
use serde_json::{Value, json};

use crate::place::Place;

fn back(more: &Value) -> Value {
    let mut arguments = json!({"model_name": "things", "reason": "it is slow", "actor": "ada"});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

impl Place {
    async fn back(&self, more: Value) -> Value {
        self.call("rollback_model", back(&more)).await.unwrap()
    }

    /// The reason with which a look at version 1 fails.
    async fn broken(&self) -> (Value, String) {
        let before = self.stored();
        let seen = self.back(json!({"to_version": 1, "dry_run": true})).await;
        assert_eq!((&seen["verification"]["passed"], &seen["moved"]), (&json!(false), &json!(false)));
        let error = self.error("rollback_model", back(&json!({"to_version": 1}))).await;
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Rejected, Some("to_version")), "{error}");
        assert!(error.message.contains("The alias champion stays at version 2"), "{error}");
        assert_eq!((self.champion().await, self.stored()), (Some(2), before), "nothing was written");
        let reason = seen["verification"]["reason"].as_str().unwrap().to_owned();
        assert!(error.message.contains(&reason), "{error}");
        (seen["verification"].clone(), reason)
    }
}

fn path(uri: &ArtifactUri) -> std::path::PathBuf {
    uri.to_path().unwrap()
}

#[tokio::test]
async fn the_last_move_is_undone_once() {
    let place = Place::new();
    place.two_champions().await;
    let told = place.back(json!({})).await;
    assert_eq!((&told["from"], &told["to"], &told["points_at"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(
        (&told["moved"], &told["already_there"], &told["alias"]),
        (&json!(true), &json!(false), &json!("champion"))
    );
    let verification = json!({"version": 1, "sha256_matches": true, "loaded": true, "golden_rows": 20,
        "max_abs_difference": 0.0, "label_flips": 0, "passed": true});
    assert_eq!(told["verification"], verification);
    let actions = [
        "verify the SHA-256 of version 1",
        "load the model of version 1",
        "predict 20 golden rows",
        "move champion from version 2 to version 1",
        "record the move",
    ];
    assert_eq!(told["actions"], json!(actions));
    let state = place.room.registry.state("things").await.unwrap();
    let last = state.last_move("champion").unwrap();
    assert_eq!(
        (last.actor.as_str(), last.reason.as_deref(), last.how),
        ("ada", Some("it is slow"), Some(How::Rollback))
    );
    let before = place.stored();
    let again = place.back(json!({})).await;
    assert_eq!((&again["moved"], &again["already_there"]), (&json!(false), &json!(true)));
    assert_eq!((&again["from"], &again["to"]), (&json!(2), &json!(1)), "a repeat tells where it came from");
    assert_eq!(place.stored(), before);
}

#[tokio::test]
async fn a_version_that_is_named_is_gone_to_and_a_later_move_can_be_undone_again() {
    let place = Place::new();
    place.two_champions().await;
    place.register(&place.classifier(3).await, json!({"aliases": ["champion"]})).await;
    assert_eq!(place.back(json!({"to_version": 1})).await["from"], 3);
    assert_eq!(place.back(json!({"to_version": 1})).await["already_there"], true);
    assert_eq!(place.champion().await, Some(1));
    place.register(&place.classifier(2).await, json!({"aliases": ["champion"]})).await;
    assert_eq!(place.back(json!({})).await["to"], 1);
    let forward = place.back(json!({"to_version": 3, "alias": "blue"})).await;
    assert_eq!((&forward["from"], &forward["points_at"], &forward["moved"]), (&json!(null), &json!(3), &json!(true)));
    assert_eq!(forward["actions"][3], "move blue from no version to version 3");
}

#[tokio::test]
async fn a_dry_run_looks_and_writes_nothing() {
    let place = Place::new();
    place.two_champions().await;
    let before = place.stored();
    let told = place.back(json!({"dry_run": true})).await;
    assert_eq!((&told["to"], &told["moved"], &told["points_at"]), (&json!(1), &json!(false), &json!(2)));
    assert_eq!(told["actions"].as_array().unwrap().len(), 5);
    let smoke = place.back(json!({"dry_run": true, "to_version": 2})).await;
    assert_eq!((&smoke["already_there"], &smoke["verification"]["passed"]), (&json!(true), &json!(true)));
    assert_eq!(smoke["actions"].as_array().unwrap().len(), 3);
    assert_eq!(place.stored(), before);
}

#[tokio::test]
async fn a_damaged_model_is_not_gone_back_to() {
    let place = Place::new();
    let [first, second] = place.two_champions().await;
    let mut bytes = std::fs::read(path(&first)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path(&first), &bytes).unwrap();
    let (seen, reason) = place.broken().await;
    assert_eq!((&seen["sha256_matches"], &seen["loaded"]), (&json!(false), &json!(false)));
    assert!(reason.contains("was registered") && reason.contains("SHA-256"), "{reason}");
    // Another good model in its place is not what was registered either.
    std::fs::copy(path(&second), path(&first)).unwrap();
    assert_eq!(place.broken().await.0["sha256_matches"], false);
    std::fs::write(path(&first), "").unwrap();
    assert_eq!(place.broken().await.0["loaded"], false);
    std::fs::remove_file(path(&first)).unwrap();
    let (seen, reason) = place.broken().await;
    assert_eq!(seen["sha256_matches"], false);
    assert!(reason.contains(first.as_str()), "{reason}");
}

#[tokio::test]
async fn bytes_that_were_registered_and_are_no_model_are_not_gone_back_to() {
    let place = Place::new();
    let [first, _] = place.two_champions().await;
    std::fs::write(path(&first), "not a model").unwrap();
    let record = path(place.room.artifacts.root()).join("registry/things/versions/00000001.json");
    let mut told: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    told["model_sha256"] = json!(mlops_core::values::sha256_hex(b"not a model"));
    std::fs::write(&record, told.to_string()).unwrap();
    let (seen, reason) = place.broken().await;
    assert_eq!((&seen["sha256_matches"], &seen["loaded"]), (&json!(true), &json!(false)));
    assert!(reason.contains("not a model"), "{reason}");
}

#[tokio::test]
async fn a_model_that_predicts_otherwise_is_not_gone_back_to() {
    let place = Place::new();
    place.two_champions().await;
    place.tamper(1, |golden| {
        let label = &golden["predictions"][0];
        golden["predictions"][0] = json!(if label == "yes" { "no" } else { "yes" });
    });
    let (seen, reason) = place.broken().await;
    assert_eq!((&seen["loaded"], &seen["golden_rows"], &seen["label_flips"]), (&json!(true), &json!(20), &json!(1)));
    assert!(reason.contains("does not predict the 20 golden rows as it did"), "{reason}");
    place.tamper(1, |golden| {
        golden["probabilities"][3][0] = json!(golden["probabilities"][3][0].as_f64().unwrap() + 1e-6);
    });
    assert!(place.broken().await.0["max_abs_difference"].as_f64().unwrap() > 9e-7);
}

#[tokio::test]
async fn rounding_is_no_difference() {
    let place = Place::new();
    place.two_champions().await;
    place.tamper(1, |golden| {
        golden["probabilities"][3][0] = json!(golden["probabilities"][3][0].as_f64().unwrap() + 1e-12);
    });
    let told = place.back(json!({})).await;
    assert_eq!(told["moved"], true);
    assert!(told["verification"]["max_abs_difference"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn golden_rows_that_are_not_what_was_kept_are_not_believed() {
    type Case = (fn(&mut Value), &'static str);
    let cases: [Case; 7] = [
        (|golden| golden["format"] = json!(2), "format is 2"),
        (|golden| golden["rows"] = json!([]), "no rows"),
        (|golden| golden["rows"][0] = json!([1]), "another length"),
        (|golden| golden["predictions"] = json!(["yes"]), "a prediction for each row"),
        (|golden| golden["model_sha256"] = json!("a"), "another model"),
        (|golden| golden["classes"] = json!(["yes", "no"]), "other classes"),
        (|golden| *golden = json!([1]), "invalid"),
    ];
    for (change, expected) in cases {
        let place = Place::new();
        place.two_champions().await;
        place.tamper(1, change);
        let (seen, reason) = place.broken().await;
        assert!(reason.contains(expected), "{expected}: {reason}");
        assert_eq!((&seen["loaded"], &seen["golden_rows"]), (&json!(true), &json!(0)));
    }
    let place = Place::new();
    place.two_champions().await;
    let golden = place.room.registry.version("things", 1).await.unwrap().model.golden.unwrap();
    let file = golden.uri.strip_prefix("file://").unwrap();
    std::fs::write(file, "{}").unwrap();
    assert!(place.broken().await.1.contains("golden rows at"));
    std::fs::remove_file(file).unwrap();
    assert!(place.broken().await.1.contains("golden-"));
}

#[tokio::test]
async fn a_version_without_golden_rows_passes_by_hash_and_load() {
    let place = Place::new();
    for depth in [1, 2] {
        let model = place.classifier(depth).await;
        let arguments = json!({"model_name": "things", "model_s3_uri": model, "aliases": ["champion"]});
        place.call("register_model", arguments).await.unwrap();
    }
    let told = place.back(json!({})).await;
    assert_eq!((&told["moved"], &told["verification"]["golden_rows"]), (&json!(true), &json!(0)));
    assert!(told["verification"].get("max_abs_difference").is_none());
}

#[tokio::test]
async fn a_regressor_is_verified_by_its_numbers() {
    use mlops_algorithms::models::Algorithm;

    let place = Place::new();
    place
        .register(&place.model("weight", Algorithm::LinearRegression, 0).await, json!({"aliases": ["champion"]}))
        .await;
    let seen = place.back(json!({"to_version": 1, "dry_run": true})).await;
    assert_eq!(seen["verification"]["max_abs_difference"], 0.0);
    place.tamper(1, |golden| golden["predictions"][0] = json!(golden["predictions"][0].as_f64().unwrap() + 0.5));
    let seen = place.back(json!({"to_version": 1, "dry_run": true})).await["verification"].clone();
    assert!((seen["max_abs_difference"].as_f64().unwrap() - 0.5).abs() < 1e-9 && seen["passed"] == false);
}

#[tokio::test]
async fn the_rules_hold_for_a_rollback_too() {
    let place = Place::new();
    place.two_champions().await;
    let reject = json!({"model_name": "things", "version": 1, "status": "rejected"});
    place.call("update_model_status", reject).await.unwrap();
    let error = place.error("rollback_model", back(&json!({}))).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Rejected, Some("aliases")));
    let seen = place.back(json!({"dry_run": true})).await;
    assert!(seen["refusal"].as_str().unwrap().contains("rejected"));
    assert_eq!((&seen["verification"]["passed"], seen["actions"].as_array().unwrap().len()), (&json!(true), 3));
    assert_eq!(place.champion().await, Some(2));
}

#[tokio::test]
async fn an_alias_that_points_elsewhere_than_expected_stays() {
    let place = Place::new();
    place.two_champions().await;
    let error = place.error("rollback_model", back(&json!({"from_version": 7}))).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Conflict, Some("alias")));
    assert_eq!(place.champion().await, Some(2));
    assert_eq!(place.back(json!({"from_version": 2})).await["moved"], true);
}

#[tokio::test]
async fn of_two_that_roll_back_at_once_one_moves_the_alias() {
    for _ in 0..10 {
        let place = Place::new();
        place.two_champions().await;
        let threads = (0..2).map(|_| {
            let (room, call) = (place.room.clone(), place.call.clone());
            let entry = mlops_model_registry::tools::TOOLS.iter().find(|entry| entry.name == "rollback_model").unwrap();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on((entry.run)(&room, &call, back(&json!({})))).unwrap().value
            })
        });
        let told: Vec<Value> = threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(told.iter().filter(|told| told["moved"] == true).count(), 1);
        assert!(told.iter().all(|told| told["points_at"] == 1 && told["from"] == 2));
        let state = place.room.registry.state("things").await.unwrap();
        assert_eq!(state.changes.iter().filter(|change| change.how == Some(How::Rollback)).count(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_gone_back_to_is_told() {
    let place = Place::new();
    place.register(&place.classifier(1).await, json!({"aliases": ["champion"]})).await;
    let wrong = [
        (json!({}), ErrorKind::NotFound, "to_version"),
        (json!({"alias": "blue"}), ErrorKind::NotFound, "to_version"),
        (json!({"to_version": 9}), ErrorKind::NotFound, "to_version"),
        (json!({"alias": "a b"}), ErrorKind::InvalidInput, "alias"),
        (json!({"alias": "gates", "to_version": 1}), ErrorKind::InvalidInput, "alias"),
        (json!({"reason": "  "}), ErrorKind::InvalidInput, "reason"),
        (json!({"to_version": 0}), ErrorKind::InvalidInput, "to_version"),
    ];
    for (more, kind, field) in wrong {
        let error = place.error("rollback_model", back(&more)).await;
        assert_eq!((error.kind, error.field.as_deref()), (kind, Some(field)), "{more}: {error}");
    }
}

#[tokio::test]
async fn a_call_whose_time_is_over_says_nothing_of_the_model() {
    use mlops_core::Tool as _;
    use mlops_model_registry::tools::RollbackModel;

    let place = Place::new();
    place.two_champions().await;
    let tool: RollbackModel = serde_json::from_value(back(&json!({}))).unwrap();
    let error = tool.run(&place.room, &place.call.clone().within(Duration::ZERO)).await.unwrap_err();
    assert_eq!((error.kind, place.champion().await), (ErrorKind::TimedOut, Some(2)));
}

#[tokio::test]
async fn people_read_one_line_in_their_language() {
    let place = Place::new();
    let [first, _] = place.two_champions().await;
    let line = |more: Value, lang| place.summary("rollback_model", back(&more), lang);
    let dry = json!({"dry_run": true});
    assert_eq!(
        line(dry.clone(), Lang::En).await,
        "things version 1 works; champion could point at it. Nothing was written"
    );
    assert!(line(dry.clone(), Lang::Ja).await.contains("正常です"));
    assert_eq!(line(json!({}), Lang::En).await, "champion of things points at version 1 again");
    assert_eq!(line(json!({}), Lang::En).await, "champion of things pointed at version 1 already");
    assert!(line(json!({}), Lang::Ja).await.contains("すでにバージョン 1 を指しています"));
    assert!(line(json!({"to_version": 2}), Lang::Ja).await.contains("バージョン 2 に戻しました"));
    let told: RolledBackModel = serde_json::from_value(place.back(json!({})).await).unwrap();
    assert_eq!(told.artifacts()[0].name, "things version 2");
    std::fs::write(path(&first), "damaged").unwrap();
    let look = json!({"dry_run": true, "to_version": 1});
    assert_eq!(line(look.clone(), Lang::En).await, "things version 1 cannot be used. Nothing was written");
    assert!(line(look, Lang::Ja).await.contains("使えません"));
}
