//! `create_evaluation_report`: the page, the Markdown, the comment, and that their numbers are those of the JSON.

use std::collections::BTreeSet;

use mlops_algorithms::models::Algorithm;
use mlops_core::{Call, Error, Lang, Report as _, Tool as _};
use serde_json::{Value, json};

use super::{classifier, prices, regressor, three_kinds};
use crate::report::LONGEST_COMMENT;
use crate::test_world::World;
use crate::tools::{CreateEvaluationReport, EvaluateClassifier, EvaluateRegressor, EvaluationReport};

fn decision() -> Value {
    json!({
        "decision": "needs_human",
        "reasons": ["accuracy is 0.9 <i>and</i> the gate asks for at least 0.95: failed", "@everyone look"],
        "gates": [
            {"metric": "accuracy", "slice": null, "rule": "min", "required": 0.95, "observed": 0.9, "passed": false,
             "blocking": false, "without_champion": false, "uncertain": false},
            {"metric": "auc_roc", "slice": "island=Dream", "rule": "min", "required": 0.5, "observed": 0.97,
             "passed": true, "blocking": true, "without_champion": false, "uncertain": true},
            {"metric": "accuracy", "slice": null, "rule": "min_relative_change", "required": 0.01, "observed": null,
             "passed": true, "blocking": true, "without_champion": true, "uncertain": false},
            {"metric": "log_loss", "slice": null, "rule": "max_change", "required": 0.0, "observed": -0.25,
             "passed": true, "blocking": true, "without_champion": false, "uncertain": false}
        ],
        "champion_version": 3
    })
}

fn request() -> Value {
    json!({
        "issue": "acme/models#7", "model_name": "animals", "version": 4, "dataset_s3_uri": "examples/animals.csv",
        "algorithm": "random_forest", "split": {"train": 0.7, "validation": 0.15, "test": 0.15, "seed": 42},
        "preprocessing_config": {"normalize": true, "handle_missing": "median"}
    })
}

fn data() -> Value {
    json!({
        "rows": {"train": 400, "validation": 120, "test": 120}, "dropped_rows": 2, "imputed": {"mass": 31},
        "source_sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "training_time_seconds": 0.48, "notes": ["the column `id` was left out"],
        "search": {
            "algorithm": "random_forest", "strategy": "bayesian", "metric": "f1_macro", "folds": 5, "max_trials": 10,
            "trials": 7, "best_trial": 4, "best_value": 0.934_512, "note": "its time was over after 7 of 10 trials",
            "best_params": {"max_features": 0.33, "<b>leaf": 3}, "study_uri": "s3://b/models/run/random_forest-search",
            "convergence": [{"trial": 0, "value": 0.9, "best": 0.9}, {"trial": 4, "value": 0.93, "best": 0.93}]
        },
        "learning_curve": {
            "loss": "log loss", "diagnosis": "overfitting", "least_at": 11, "plot_uri": "s3://b/models/run/learning_curve.svg",
            "points": [{"iteration": 1, "train": 0.69, "validation": 0.7}, {"iteration": 30, "train": 0.1, "validation": 0.9}]
        }
    })
}

async fn report(world: &World, arguments: Value, call: &Call) -> Result<EvaluationReport, Error> {
    let tool: CreateEvaluationReport = serde_json::from_value(arguments).unwrap();
    tool.run(&world.room, call).await
}

async fn animals_report(world: &World, lang: Lang) -> EvaluationReport {
    let (model, test) = three_kinds(world).await;
    let stump = world.fit(&world.uri("train.csv"), "kind", Algorithm::DecisionTree, 1).await;
    let slices = vec!["island".to_owned()];
    let tool = EvaluateClassifier { slices, baseline_model_s3_uri: Some(stump), ..classifier(&model, &test) };
    let evaluation = tool.run(&world.room, &world.call).await.unwrap().evaluation_uri;
    let arguments = json!({
        "evaluation_uri": evaluation, "decision": decision(), "request": request(), "data": data(), "lang": lang
    });
    report(world, arguments, &world.call).await.unwrap()
}

/// Every number of a JSON document.
fn numbers(value: &Value, all: &mut BTreeSet<u64>) {
    match value {
        Value::Number(number) => drop(all.insert(number.as_f64().unwrap().to_bits())),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, all)),
        Value::Object(fields) => fields.values().for_each(|item| numbers(item, all)),
        _ => {}
    }
}

#[tokio::test]
async fn every_number_of_the_page_is_in_the_json() {
    let world = World::new();
    let found = animals_report(&world, Lang::En).await;
    let page = world.read(&found.html_uri).await;
    let mut known = BTreeSet::new();
    numbers(&serde_json::from_str(&world.read(&found.json_uri).await).unwrap(), &mut known);
    let values: Vec<&str> = page.split("<data value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(values.len() > 80, "{}", values.len());
    for value in values {
        let number: f64 = value.parse().unwrap_or_else(|_| panic!("{value}"));
        assert!(known.contains(&number.to_bits()), "{value}");
    }
}

#[tokio::test]
async fn names_of_classes_do_nothing_in_the_page_the_markdown_and_the_comment() {
    let world = World::new();
    let found = animals_report(&world, Lang::En).await;
    let (page, markdown) = (world.read(&found.html_uri).await, world.read(&found.markdown_uri).await);
    for text in [&page, &markdown, &found.comment] {
        assert!(!text.contains("<b>") && !text.contains("<i>"));
    }
    assert!(!found.comment.contains("@everyone"));
    assert!(page.contains("&lt;b&gt;Chinstrap"));
}

#[tokio::test]
async fn the_page_asks_for_nothing_from_outside() {
    let world = World::new();
    let page = world.read(&animals_report(&world, Lang::En).await.html_uri).await;
    for word in ["<script", "src=", "href=", "url(", "@import", "<link", "<iframe", "NaN", "undefined<"] {
        assert!(!page.contains(word), "{word}");
    }
    let places: BTreeSet<&str> = page.split("http").skip(1).map(|rest| &rest[..rest.len().min(20)]).collect();
    let allowed = |rest: &&str| rest.starts_with("://www.w3.org/2000") || rest.starts_with("-equiv");
    assert!(places.iter().all(allowed), "{places:?}");
    assert!(page.starts_with("<!DOCTYPE html>"), "{}", &page[..60]);
}

#[tokio::test]
async fn the_page_says_what_was_asked_found_and_decided_in_both_languages() {
    let world = World::new();
    let english = animals_report(&world, Lang::En).await;
    assert_eq!(english.title, "Evaluation of animals version 4");
    let page = world.read(&english.html_uri).await.replace("<wbr>", "");
    for words in [
        "A person must decide",
        "Model name",
        ">animals version 4<",
        "What was asked",
        "acme/models#7",
        "clearly better than guessing",
        "the champion (version 3)",
        "more than chance",
        "Its most frequent error",
        "weakest where",
        "31",
        "missing values were filled in",
        "Relies",
        "random_forest",
        "does not block",
        "no champion yet",
        "0123456789abcdef",
        "the column `id` was left out",
        "7 of 10 trials",
        "&lt;b&gt;leaf",
        "figure class=\"convergence\"",
        "figure class=\"learning_curve\"",
        "The best hyperparameters",
    ] {
        assert!(page.to_lowercase().contains(&words.to_lowercase()), "{words}");
    }
    let japanese = animals_report(&world, Lang::Ja).await;
    assert_eq!(japanese.title, "animals バージョン 4 の評価レポート");
    let page = world.read(&japanese.html_uri).await;
    for words in [
        "人の判断が必要",
        "依頼内容",
        "当て推量より明らかに良い",
        "マクネマー検定",
        "最も多い誤り",
        "lang=\"ja\"",
        "信頼区間",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for leftover in ["What was", "Guessing", "Accuracy", "Rows"] {
        assert!(!page.contains(leftover), "{leftover}");
    }
    assert!(japanese.comment.contains("人の判断が必要") && japanese.summary(Lang::Ja).contains("正しく分類"));
    assert_eq!(english.artifacts().len(), 3);
}

#[tokio::test]
async fn the_comment_fits_whatever_the_report_holds() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let evaluation = classifier(&model, &test).run(&world.room, &world.call).await.unwrap().evaluation_uri;
    let long = "very long ".repeat(900);
    let mut decision = decision();
    decision["reasons"] = json!(vec![long.clone(); 40]);
    let gate = decision["gates"][0].clone();
    decision["gates"] = json!(vec![gate; 300]);
    let arguments = json!({
        "evaluation_uri": evaluation, "decision": decision, "data": {"notes": vec![long; 40]}, "title": "x".repeat(200)
    });
    let found = report(&world, arguments, &world.call).await.unwrap();
    assert!(found.comment.chars().count() <= LONGEST_COMMENT, "{}", found.comment.chars().count());
    assert!(found.comment.contains("A person must decide") && found.comment.contains("report.html"));
}

#[tokio::test]
async fn a_regressor_has_its_own_words() {
    let world = World::new();
    let (model, test) = prices(&world).await;
    let stump = world.fit(&world.uri("train-houses.csv"), "price", Algorithm::DecisionTree, 2).await;
    let slices = vec!["quarter".to_owned()];
    let tool = EvaluateRegressor { slices, baseline_model_s3_uri: Some(stump), ..regressor(&model, &test) };
    let evaluation = tool.run(&world.room, &world.call).await.unwrap().evaluation_uri;
    let call = world.japanese().in_run("prices");
    let arguments = json!({"evaluation_uri": evaluation, "decision": {"decision": "promote"}});
    let found = report(&world, arguments.clone(), &call).await.unwrap();
    let page = world.read(&found.html_uri).await;
    for words in ["採用", "平均値", "残差", "誤差の大きい行", "二乗誤差の対応のある t 検定", "比較対象のモデル"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(found.html_uri.ends_with("reports/prices/report.html"));
    let again = report(&world, arguments, &call).await.unwrap();
    assert_eq!(page, world.read(&again.html_uri).await);
    let reject = json!({"evaluation_uri": evaluation, "decision": {"decision": "reject"}, "lang": "en"});
    let page = world.read(&report(&world, reject, &world.call).await.unwrap().html_uri).await;
    for words in ["Rejected", "off by", "Half of the predictions", "Largest errors", "explains"] {
        assert!(page.contains(words), "{words}");
    }
}

#[tokio::test]
async fn what_limits_the_conclusions_is_said() {
    let world = World::new();
    let (model, _) = three_kinds(&world).await;
    let rows = "length,mass,island,kind\n11,110,Dream,Adelie\n12,,Mars,Adelie\n13,100,Dream,Adelie\n11,105,Dream,Adelie\n20,,Biscoe,Gentoo\n9,100,Dream,\n";
    let test = world.write("few.csv", rows).await;
    let found = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    let found = report(&world, json!({"evaluation_uri": found.evaluation_uri}), &world.call).await.unwrap();
    let page = world.read(&found.html_uri).await;
    for words in [
        "only ",
        "out of balance",
        "Fewer than 10 test rows",
        "Not in the test data",
        "had not seen",
        "wide",
        "were left out",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let train = world.uri("train.csv");
    let found = classifier(&model, &train).run(&world.room, &world.call).await.unwrap();
    let found = report(&world, json!({"evaluation_uri": found.evaluation_uri}), &world.call).await.unwrap();
    assert!(world.read(&found.html_uri).await.contains("tested on the rows it learnt from"));
}

#[tokio::test]
async fn what_is_no_evaluation_is_refused() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let good = classifier(&model, &test).run(&world.room, &world.call).await.unwrap().evaluation_uri;
    let refused = async |arguments: Value| report(&world, arguments, &world.call).await.unwrap_err();
    let other = world.write("other.json", "{\"a\": 1}").await;
    let error = refused(json!({"evaluation_uri": other})).await;
    assert_eq!(error.field.as_deref(), Some("evaluation_uri"));
    assert!(refused(json!({"evaluation_uri": world.uri("none.json")})).await.message.contains("none.json"));
    let mut evaluation: Value = serde_json::from_str(&world.read(&good).await).unwrap();
    evaluation["classification"] = Value::Null;
    let neither = world.write("neither.json", &evaluation.to_string()).await;
    assert!(refused(json!({"evaluation_uri": neither})).await.message.contains("neither"));
    evaluation["format"] = json!(2);
    let newer = world.write("newer.json", &evaluation.to_string()).await;
    assert!(refused(json!({"evaluation_uri": newer})).await.message.contains("format 2"));
    assert_eq!(refused(json!({"evaluation_uri": good, "title": " "})).await.field.as_deref(), Some("title"));
    let dry = report(&world, json!({"evaluation_uri": good, "dry_run": true}), &world.call).await.unwrap();
    assert!(dry.artifacts().is_empty() && !world.exists(&dry.html_uri).await);
}

#[tokio::test]
async fn a_model_that_only_guesses_is_called_out() {
    let world = World::new();
    let (model, _) = three_kinds(&world).await;
    // Long animals that are named Adelie: the model is wrong on nearly all of them.
    let long = "18,150,Dream,Adelie\n19,150,Dream,Adelie\n20,150,Dream,Adelie\n".repeat(20);
    let rows = format!("length,mass,island,kind\n11,105,Dream,Gentoo\n{long}");
    let test = world.write("wrong.csv", &rows).await;
    let found = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!(found.beats_guessing, Some(false));
    assert!(found.notes.iter().any(|note| note.contains("no better than guessing")), "{:?}", found.notes);
    for (lang, words, knows) in [
        ("en", "The model is no better than guessing", "these very test rows"),
        ("ja", "当て推量を上回りません", "テスト行そのもの"),
    ] {
        let arguments = json!({"evaluation_uri": found.evaluation_uri, "lang": lang});
        let made = report(&world, arguments, &world.call).await.unwrap();
        let page = world.read(&made.html_uri).await;
        assert!(page.contains("class=\"warning\"") && page.contains(knows));
        assert!(world.read(&made.markdown_uri).await.contains(words) && made.comment.contains(words));
    }
}
