//! What becomes of an issue.

use std::sync::Arc;

use futures::executor::block_on;
use mlops_core::{Error, ErrorKind};
use serde_json::json;

use super::*;
use crate::outside::{Outside, room};

const PENGUINS: &[u8] = include_bytes!("../../../examples/penguins.csv");
const ENGLISH: &str = include_str!("../../../examples/penguins-classification.md");
const JAPANESE: &str = include_str!("../../../examples/penguins-regression-ja.md");

fn detector() -> (IssueDetector, Arc<Outside>) {
    let (room, outside) = room();
    outside.objects.lock().unwrap().insert("examples/penguins.csv".into(), PENGUINS.into());
    (IssueDetector::new(ToolCaller::embedded(room)), outside)
}

fn issue(body: &str) -> IssueRequest {
    let issue = Some(IssueRef { repo: "o/n".into(), number: 5 });
    let source_name = "issue.md".to_owned();
    IssueRequest {
        title: String::new(),
        body: body.to_owned(),
        issue,
        source_name,
        data_version: None,
        default_lang: Lang::En,
    }
}

fn accepted(detector: &IssueDetector, request: IssueRequest) -> Accepted {
    let RequestOutcome::Accepted(accepted) = block_on(detector.request(request, &Call::new("r"))).unwrap();
    *accepted
}

fn refused(request: IssueRequest) -> Error {
    let (detector, outside) = detector();
    let error = block_on(detector.request(request, &Call::new("r"))).unwrap_err();
    assert!(outside.executions.lock().unwrap().is_empty());
    error
}

#[test]
fn an_issue_becomes_one_run_however_often_it_is_sent() {
    let (detector, outside) = detector();
    let first = accepted(&detector, issue(ENGLISH));
    assert!(!first.already_running && first.run_id.starts_with("penguin-species-"), "{first:?}");
    assert!(first.execution_arn.ends_with(&first.run_id) && first.warnings.is_empty());
    let again = accepted(&detector, issue(&ENGLISH.replace('\n', "\r\n")));
    assert_eq!((again.run_id.as_str(), again.already_running), (first.run_id.as_str(), true));
    let input = outside.executions.lock().unwrap()[&first.run_id].input.clone();
    let expected =
        json!({"run_id": first.run_id, "issue": {"repo": "o/n", "number": 5}, "config": first.config, "lang": "en"});
    assert_eq!(input, expected);
    let other = IssueRequest { data_version: Some("2".into()), issue: None, ..issue(ENGLISH) };
    let other = accepted(&detector, other);
    assert_ne!(other.run_id, first.run_id);
    assert!(outside.executions.lock().unwrap()[&other.run_id].input.get("issue").is_none());
    let wire = serde_json::to_value(RequestOutcome::Accepted(Box::new(other))).unwrap();
    assert_eq!(wire["outcome"], json!("accepted"));
}

#[test]
fn the_language_is_that_of_the_issue_then_the_default() {
    let (detector, _) = detector();
    let japanese = accepted(&detector, issue(JAPANESE));
    assert_eq!(japanese.config.lang, Lang::Ja);
    let bare = "```mlops\ntask: regression\ndataset_s3_uri: examples/penguins.csv\ntarget_column: year\nalgorithm: auto\n\
                deployment: {endpoint: x}\nlang: LANG\n```";
    let request = |lang: &str| IssueRequest { default_lang: Lang::Ja, ..issue(&bare.replace("LANG", lang)) };
    let auto = accepted(&detector, request("auto"));
    assert_eq!((auto.config.lang, auto.warnings.len()), (Lang::Ja, 1));
    assert_eq!(auto.warnings, ["issue.md:6: `deployment` はこのリリースでは実行されません"]);
    let chosen = accepted(&detector, request("en"));
    assert_eq!(chosen.config.lang, Lang::En);
    assert!(chosen.warnings[0].ends_with("not acted on by this release"));
    assert_eq!(
        accepted(&detector, IssueRequest { title: "Guess the year".into(), ..request("auto") }).config.lang,
        Lang::En
    );
}

#[test]
fn every_error_is_listed_with_its_line_in_the_language_of_the_issue() {
    let body =
        ENGLISH.replace("target_column: species", "target_column: specis").replace("random_forest", "random_forst");
    let error = refused(issue(&body));
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("algorithm")));
    let line = |text: &str| body.lines().position(|line| line.contains(text)).unwrap() + 1;
    let expected = format!(
        "The request has 2 errors:\n- issue.md:{}: `algorithm` must be one of random_forest, decision_tree, \
         logistic_regression, neural_network, extra_trees, svm, naive_bayes, knn, xgboost, linear_discriminant_analysis, auto, and is \"random_forst\"; did you mean `random_forest`?\n- issue.md:{}: the data has no \
         column `specis`; did you mean `species`?",
        line("algorithm:"),
        line("target_column:")
    );
    assert_eq!(error.message, expected);
    let error = refused(issue(&ENGLISH.replace("target_column: species", "target_column: zzz")));
    assert!(error.message.ends_with("`zzz`; there are: species, island, bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, sex, year"), "{error}");
    let error = refused(issue(&JAPANESE.replace("rmse", "rmsee")));
    assert!(error.message.starts_with("依頼に 1 個の誤りがあります:\n- issue.md:"), "{error}");
    assert!(error.message.contains("`rmse` のことですか"), "{error}");
    assert!(
        refused(issue(&JAPANESE.replace("target_column", "lang: en\ntarget_colum")))
            .message
            .starts_with("The request has")
    );
}

#[test]
fn what_cannot_be_read_keeps_its_kind() {
    let absent = refused(issue(&ENGLISH.replace("penguins.csv", "pigeons.csv")));
    assert_eq!((absent.kind, absent.field.as_deref()), (ErrorKind::NotFound, Some("dataset_s3_uri")));
    let nothing = refused(issue("Hello"));
    assert_eq!(nothing.message, "issue.md: the issue holds no training request");
    assert!(nothing.hint.is_some());
    let broken = refused(issue("```mlops\ntask: [a\n```\nこれはペンですか"));
    assert!(
        broken.message.starts_with("issue.md: 2 行目: ") || broken.message.starts_with("issue.md: 3 行目: "),
        "{broken}"
    );
    let large = refused(issue(&"x".repeat(2_000_000)));
    assert_eq!((large.kind, large.field.as_deref()), (ErrorKind::InvalidInput, Some("body")));
}
