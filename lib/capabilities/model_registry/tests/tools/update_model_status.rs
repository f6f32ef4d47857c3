//! Statuses and aliases change by the rules, all of it or nothing.

use mlops_core::{ErrorKind, Lang, Report as _};
use mlops_model_registry::tools::UpdatedModelStatus;
use serde_json::{Value, json};

use crate::place::Place;

fn update(version: u64, more: &Value) -> Value {
    let mut arguments = json!({"model_name": "things", "version": version});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

impl Place {
    async fn update(&self, version: u64, more: Value) -> Value {
        self.call("update_model_status", update(version, &more)).await.unwrap()
    }

    async fn refused(&self, version: u64, more: Value) -> (ErrorKind, String) {
        let error = self.error("update_model_status", update(version, &more)).await;
        (error.kind, error.field.unwrap_or_default())
    }
}

#[tokio::test]
async fn a_version_goes_its_way_and_each_step_is_kept() {
    let place = Place::new();
    place.register(&place.classifier(1).await, json!({"gates_passed": true})).await;
    let steps = ["staging", "approved", "production", "approved", "rejected", "pending", "archived", "pending"];
    let mut from = "pending";
    for to in steps {
        let told = place.update(1, json!({"status": to, "reason": "next", "actor": "ada"})).await;
        assert_eq!(told["transition"], json!({"from": from, "to": to}));
        assert_eq!(
            (&told["status"], &told["registered"]["status"], &told["changed"]),
            (&json!(to), &json!(to), &json!(true))
        );
        from = to;
    }
    let state = place.room.registry.state("things").await.unwrap();
    let kept: Vec<_> = state.changes.iter().filter(|change| change.what == "status").skip(1).collect();
    assert_eq!(kept.iter().map(|change| change.to.as_deref().unwrap()).collect::<Vec<_>>(), steps);
    assert!(kept.iter().all(|change| change.actor == "ada" && change.reason.as_deref() == Some("next")));
}

#[tokio::test]
async fn what_the_table_does_not_have_is_refused_and_nothing_changes() {
    let place = Place::new();
    place.register(&place.classifier(1).await, json!({"gates_passed": true})).await;
    place.update(1, json!({"status": "archived"})).await;
    let before = place.stored();
    for to in ["approved", "rejected", "staging", "production"] {
        let all = json!({"status": to, "aliases": ["blue"]});
        assert_eq!(place.refused(1, all.clone()).await, (ErrorKind::Rejected, "status".to_owned()), "{to}");
        let mut dry = all;
        dry["dry_run"] = json!(true);
        assert_eq!(place.refused(1, dry).await.0, ErrorKind::Rejected);
    }
    assert_eq!(place.stored(), before);
}

#[tokio::test]
async fn production_needs_passed_gates_or_an_override_with_a_reason() {
    let place = Place::new();
    for (depth, gates) in [(1, json!(null)), (2, json!(false)), (3, json!(true))] {
        let mut more = json!({});
        if !gates.is_null() {
            more["gates_passed"] = gates;
        }
        place.register(&place.classifier(depth).await, more).await;
    }
    for version in [1, 2] {
        let before = place.stored();
        let status = "status".to_owned();
        assert_eq!(place.refused(version, json!({"status": "production"})).await, (ErrorKind::Rejected, status));
        let silent = json!({"status": "production", "override_gates": true, "reason": " "});
        assert_eq!(place.refused(version, silent).await, (ErrorKind::InvalidInput, "reason".to_owned()));
        assert_eq!(place.stored(), before);
        let spoken = json!({"status": "production", "override_gates": true, "reason": "the old one is down"});
        let told = place.update(version, spoken).await;
        assert_eq!((&told["status"], &told["gates_overridden"]), (&json!("production"), &json!(true)));
    }
    let told = place.update(3, json!({"status": "production", "override_gates": true, "reason": "sure"})).await;
    assert_eq!((&told["gates_overridden"], &told["registered"]["gates_passed"]), (&json!(false), &json!(true)));
    let arguments = json!({"model_name": "other", "model_s3_uri": place.classifier(1).await, "status": "production"});
    let error = place.error("register_model", arguments.clone()).await;
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Rejected, Some("status")), "registering holds it too");
    assert!(place.room.registry.versions("other").await.unwrap().is_empty());
    let mut passed = arguments;
    passed["gates_passed"] = json!(true);
    assert_eq!(place.call("register_model", passed).await.unwrap()["registered"]["status"], "production");
}

#[tokio::test]
async fn one_that_is_in_production_stays_there_when_it_is_registered_again() {
    let place = Place::new();
    let model = place.classifier(1).await;
    let promoted = json!({"status": "approved", "aliases": ["champion"], "gates_passed": true});
    place.register(&model, promoted.clone()).await;
    place.update(1, json!({"status": "production"})).await;
    let before = place.stored();
    place.register(&model, promoted).await;
    assert_eq!(place.stored(), before);
}

#[tokio::test]
async fn aliases_are_added_moved_and_taken_away_in_one_step() {
    let place = Place::new();
    place.two_champions().await;
    let told = place.update(1, json!({"aliases": ["champion", "blue"]})).await;
    assert_eq!(
        told["alias_moves"],
        json!([{"alias": "champion", "from": 2, "to": 1}, {"alias": "blue", "from": null, "to": 1}])
    );
    assert_eq!((&told["aliases"], &told["transition"]), (&json!(["blue", "champion"]), &json!(null)));
    let told = place.update(1, json!({"aliases": ["green"], "remove_aliases": ["blue", "unknown"]})).await;
    assert_eq!(told["aliases"], json!(["champion", "green"]));
    assert_eq!(told["alias_moves"][0], json!({"alias": "blue", "from": 1, "to": null}));
    let told = place.update(2, json!({"remove_aliases": ["champion"]})).await;
    assert_eq!((&told["changed"], place.champion().await), (&json!(false), Some(1)), "it is not an alias of version 2");
    let rejected = place.refused(1, json!({"status": "rejected", "remove_aliases": ["green"]})).await;
    assert_eq!(rejected, (ErrorKind::Rejected, "aliases".to_owned()));
    let told = place.update(1, json!({"status": "rejected", "remove_aliases": ["green", "champion"]})).await;
    assert_eq!((&told["status"], &told["aliases"]), (&json!("rejected"), &json!([])));
    assert_eq!(place.refused(1, json!({"aliases": ["champion"]})).await, (ErrorKind::Rejected, "aliases".to_owned()));
}

#[tokio::test]
async fn a_repeat_and_a_dry_run_write_nothing() {
    let place = Place::new();
    place.two_champions().await;
    let change = json!({"status": "production", "aliases": ["live"], "override_gates": true, "reason": "asked for"});
    let mut dry = change.clone();
    dry["dry_run"] = json!(true);
    let before = place.stored();
    let told = place.update(2, dry).await;
    assert_eq!((&told["status"], &told["aliases"]), (&json!("production"), &json!(["champion", "live"])));
    assert_eq!((&told["dry_run"], &told["changed"]), (&json!(true), &json!(true)));
    assert_eq!(place.stored(), before);
    place.update(2, change.clone()).await;
    let after = place.stored();
    let again = place.update(2, change).await;
    assert_eq!((&again["changed"], &again["alias_moves"]), (&json!(false), &json!([])));
    assert_eq!(again["gates_overridden"], false);
    assert_eq!(place.stored(), after);
}

#[tokio::test]
async fn of_many_that_move_an_alias_at_once_each_move_is_kept() {
    let place = Place::new();
    place.versions(4).await;
    let moves = (0..16).map(|index: u64| {
        let (room, call) = (place.room.clone(), place.call.clone());
        let arguments = update(index % 4 + 1, &json!({"aliases": ["champion"], "actor": format!("person-{index}")}));
        let entry =
            mlops_model_registry::tools::TOOLS.iter().find(|entry| entry.name == "update_model_status").unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on((entry.run)(&room, &call, arguments)).unwrap().value
        })
    });
    let told: Vec<Value> = moves.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
    let state = place.room.registry.state("things").await.unwrap();
    let kept: Vec<_> = state.changes.iter().filter(|change| change.what == "champion").collect();
    assert_eq!(kept.len(), told.iter().filter(|told| told["changed"] == true).count());
    assert!(kept.windows(2).all(|pair| pair[0].to == pair[1].from), "each begins where the one before ended");
    assert_eq!(kept.last().unwrap().to, Some(state.aliases["champion"].to_string()));
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let place = Place::new();
    place.versions(2).await;
    let wrong = [
        (1, json!({}), ErrorKind::InvalidInput, "status"),
        (1, json!({"status": "great"}), ErrorKind::InvalidInput, "status"),
        (9, json!({"status": "approved"}), ErrorKind::NotFound, "version"),
        (0, json!({"status": "approved"}), ErrorKind::InvalidInput, "version"),
        (1, json!({"aliases": ["a b"]}), ErrorKind::InvalidInput, "aliases"),
        (1, json!({"aliases": ["status"]}), ErrorKind::InvalidInput, "aliases"),
        (1, json!({"remove_aliases": ["/"]}), ErrorKind::InvalidInput, "remove_aliases"),
        (1, json!({"aliases": ["x"], "remove_aliases": ["x"]}), ErrorKind::InvalidInput, "remove_aliases"),
        (1, json!({"status": "approved", "reason": "x".repeat(2001)}), ErrorKind::InvalidInput, "reason"),
        (1, json!({"status": "approved", "actor": "x".repeat(201)}), ErrorKind::InvalidInput, "actor"),
    ];
    for (version, more, kind, field) in wrong {
        assert_eq!(place.refused(version, more.clone()).await, (kind, field.to_owned()), "{more}");
    }
    let error = place.error("update_model_status", update(9, &json!({"status": "approved"}))).await;
    assert!(error.message.ends_with("there are: 1 to 2"), "{error}");
    let error =
        place.error("update_model_status", json!({"model_name": "none", "version": 1, "status": "approved"})).await;
    assert!(error.message.ends_with("there are: none"), "{error}");
}

#[tokio::test]
async fn no_secret_is_kept_in_a_reason() {
    let place = Place::new();
    place.versions(1).await;
    let token = format!("ghp_{}", "a1".repeat(18));
    place
        .update(1, json!({"status": "approved", "reason": format!("with {token}"), "actor": format!("me {token}")}))
        .await;
    for (path, bytes) in place.stored() {
        assert!(!String::from_utf8_lossy(&bytes).contains(&token), "{}", path.display());
    }
}

#[tokio::test]
async fn people_read_one_line_in_their_language() {
    let place = Place::new();
    place.versions(1).await;
    let change = json!({"status": "approved", "aliases": ["champion"]});
    let mut dry = change.clone();
    dry["dry_run"] = json!(true);
    let line = |more: &Value, lang| place.summary("update_model_status", update(1, more), lang);
    let expected = "things version 1 would be approved (aliases: champion); nothing was written";
    assert_eq!(line(&dry, Lang::En).await, expected);
    assert!(line(&dry, Lang::Ja).await.contains("書き込みはしていません"));
    assert_eq!(line(&change, Lang::En).await, "things version 1 is approved now (aliases: champion)");
    assert_eq!(line(&change, Lang::En).await, "things version 1 was approved already (aliases: champion)");
    assert!(line(&change, Lang::Ja).await.contains("すでに approved です"));
    assert!(
        line(&json!({"remove_aliases": ["champion"]}), Lang::Ja).await.contains("approved にしました (エイリアス: –)")
    );
    let told: UpdatedModelStatus = serde_json::from_value(place.update(1, change).await).unwrap();
    assert_eq!(told.artifacts()[0].name, "things version 1");
}
