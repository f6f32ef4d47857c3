//! The plan of a run, and the comment that it becomes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::executor::block_on;
use mlops_core::ports::{
    Checked, CodeHost, Comment, CommentChange, Commented, CommitCheck, Issue, Labelled, Permission, Reaction,
};
use mlops_core::values::{ArtifactUri, IssueRef};
use mlops_core::{AgentHandler, Error, ErrorKind};
use mlops_github_integration::tools::ParseIssueConfig;
use mlops_records::RunRecords;
use serde_json::json;

use super::*;
use crate::outside::{Outside, room};

const PENGUINS: &[u8] = include_bytes!("../../../examples/penguins.csv");
const ENGLISH: &str = include_str!("../../../examples/penguins-classification.md");
const JAPANESE: &str = include_str!("../../../examples/penguins-regression-ja.md");

/// Keeps comments; a board of a repository that is gone keeps none.
#[derive(Default)]
struct Board(Mutex<BTreeMap<String, String>>);

#[async_trait]
impl CodeHost for Board {
    async fn issue(&self, reference: &IssueRef) -> Result<Issue> {
        Err(Error::not_found(format!("there is no issue {reference}")))
    }

    async fn comment(&self, reference: &IssueRef, comment: &Comment) -> Result<Commented> {
        if reference.repo == "o/gone" {
            return Err(Error::unavailable("the host does not answer"));
        }
        let url = format!("https://example.org/{reference}/{}", comment.marker);
        let known = self.0.lock().unwrap().insert(url.clone(), comment.to_text()?);
        let change = if known.is_some() { CommentChange::Updated } else { CommentChange::Created };
        Ok(Commented { url, change })
    }

    async fn label(&self, reference: &IssueRef, _: &[String], _: &[String]) -> Result<Labelled> {
        Err(Error::not_found(format!("a board has no labels for {reference}")))
    }

    async fn react(&self, reference: &IssueRef, _: Option<u64>, _: Reaction) -> Result<bool> {
        Err(Error::not_found(format!("a board has no reactions to {reference}")))
    }

    async fn permission(&self, _: &str, _: &str) -> Result<Permission> {
        Ok(Permission::None)
    }

    async fn check(&self, repo: &str, _: &str, _: &CommitCheck) -> Result<Checked> {
        Err(Error::not_found(format!("a board has no checks of {repo}")))
    }
}

struct World {
    agent: Planner,
    tools: ToolCaller<GithubIntegration>,
    board: Arc<Board>,
    outside: Arc<Outside>,
}

fn world() -> World {
    let (room, outside) = room();
    outside.objects.lock().unwrap().insert("examples/penguins.csv".into(), PENGUINS.into());
    let runs = RunRecords::new(outside.clone(), &ArtifactUri::new("s3://store/root").unwrap());
    let board = Arc::new(Board::default());
    let tools = ToolCaller::embedded(room);
    let repositories = Arc::new(mlops_local::FileRepositories::new("/nowhere"));
    let history = HistoryManagement { runs, code_host: board.clone(), repositories };
    World { agent: Planner::new(tools.clone(), ToolCaller::embedded(history)), tools, board, outside }
}

/// The request of that issue with its defaults written out.
fn config(world: &World, body: &str) -> Value {
    let call = Call::new("r");
    let parse = ParseIssueConfig { body: Some(body.to_owned()), repo: None, issue_number: None };
    let parsed = block_on(world.tools.call(parse, &call)).unwrap();
    let validate = ValidateTrainingParams { config: parsed.config, lines: None, check_data: false };
    let config = block_on(world.tools.call(validate, &call)).unwrap().normalized_config;
    serde_json::to_value(config.unwrap()).unwrap()
}

fn planned(world: &World, config: &Value, lang: &str, issue: &Value) -> Result<Value> {
    let task = json!({"run_id": "penguins-1", "issue": issue, "config": config, "inputs": {}, "lang": lang});
    block_on(world.agent.invoke(task, &Call::new("r")))
}

fn issue() -> Value {
    json!({"repo": "o/n", "number": 5})
}

fn comment(world: &World) -> String {
    let comments = world.board.0.lock().unwrap();
    assert_eq!(comments.len(), 1, "{comments:?}");
    comments["https://example.org/o/n#5/penguins-1"].clone()
}

#[test]
fn what_will_be_done_is_said_before_it_is_done() {
    let world = world();
    let config = config(&world, ENGLISH);
    let result = planned(&world, &config, "en", &issue()).unwrap();
    let outputs = &result["outputs"];
    let expected = [
        "**Data**: read `examples/penguins.csv`: 344 rows, 8 columns. Predict `species`, one of 3 classes: `Adelie` (152), \
         `Gentoo` (124), `Chinstrap` (68).",
        "**Split**: 70 % to train, 15 % to validate, 15 % to test, with equal shares of `species` in each; seed 42.",
        "**Preparation**: `normalize` = `true`, `handle_missing` = `median`, `encode_categorical` = `true`; fitted on the \
         training rows only.",
        "**Training**: `random_forest` with `n_estimators` = `200`, the rest by default; seed 42.",
        "**Evaluation**: on the test rows, which training never sees, beside the champion of `penguin-species` where there \
         is one; also by `island`.",
        "**Decision**: the gates are `accuracy` ≥ 0.9, `auc_roc` ≥ 0.95 and change ≥ 0, `f1_score` ≥ 0.9. A gate that \
         blocks and is not passed rejects the model.",
        "**Registration**: a promoted model becomes the next version of `penguin-species` and its champion; a rejected one \
         is not registered, and the champion stays.",
        "**Approval**: a person is asked when the difference to the champion may be chance or the two cannot be compared. \
         Otherwise nothing needs approval.",
    ];
    assert_eq!(outputs["plan"], json!(expected));
    assert_eq!(outputs["warnings"], json!([]));
    assert_eq!(outputs["comment_url"], "https://example.org/o/n#5/penguins-1");
    let text = comment(&world);
    assert!(
        text.starts_with("<!-- mlops:penguins-1 -->\n\n### The plan for penguin-species\n\n1. **Data**: read"),
        "{text}"
    );
    let seconds = duration(outputs["estimate"]["seconds"].as_f64().unwrap(), Lang::En);
    for part in
        [format!("**about {seconds}**"), "US$ ".to_owned(), "8. **Approval**".to_owned(), "`/mlops cancel`".to_owned()]
    {
        assert!(text.contains(&part), "{part} in {text}");
    }
    assert!(!text.contains("e-"), "numbers are written out: {text}");
    assert_eq!(planned(&world, &config, "en", &issue()).unwrap(), result, "a repeated task gives the same result");
    assert_eq!(comment(&world), text);
}

#[test]
fn a_japanese_issue_is_answered_in_japanese() {
    let world = world();
    let mut config = config(&world, JAPANESE);
    config["gates"]["r2"]["blocking"] = json!(false);
    config["algorithm"] = json!("auto");
    config["hyperparameters"] = json!({});
    let outputs = planned(&world, &config, "ja", &issue()).unwrap()["outputs"].clone();
    let plan = outputs["plan"].as_array().unwrap();
    assert!(plan.iter().all(|step| Lang::of_text(step.as_str().unwrap()) == Lang::Ja), "{plan:#?}");
    let text = comment(&world);
    for part in [
        "penguin-body-mass の実行計画",
        "（2700 ～ 6300 の数値）。2 行で欠損しています。",
        "無作為に、学習 70 %・検証 15 %・テスト 15 %",
        "検証データで最も良いもの",
        "`rmse` ≤ 400",
        "`r2` ≥ 0.7（ブロックしない）",
        "または `r2` を満たさないとき",
        "米ドル",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_request_that_is_wrong_by_now_is_refused_with_every_error() {
    let world = world();
    let mut config = config(&world, ENGLISH);
    config["target_column"] = json!("specis");
    config["evaluation"]["slices"] = json!(["iland"]);
    let error = planned(&world, &config, "en", &issue()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert!(error.message.starts_with("The request has 2 errors:\n- o/n#5: "), "{error}");
    assert!(error.message.contains("`species`") && error.message.contains("`island`"), "{error}");
    world.outside.objects.lock().unwrap().clear();
    let error = planned(&world, &config, "ja", &json!(null)).unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("dataset_s3_uri")));
    assert!(error.message.starts_with("依頼に 1 個の誤り"), "{error}");
    assert!(world.board.0.lock().unwrap().is_empty());
}

#[test]
fn data_that_cannot_be_looked_at_before_the_run_is_said() {
    let world = world();
    let mut config = config(&world, ENGLISH);
    config["dataset_s3_uri"] = json!("s3://bucket/of/others.csv");
    config["gates"] = json!({});
    config["split"]["strategy"] = json!("time");
    config["split"]["key"] = json!("year`|");
    let outputs = planned(&world, &config, "en", &issue()).unwrap()["outputs"].clone();
    assert_eq!(outputs["estimate"], json!(null));
    assert_eq!(outputs["warnings"].as_array().unwrap().len(), 1);
    let text = comment(&world);
    for part in [
        "Its contents are looked at when",
        "cannot be estimated",
        "**Mind this**",
        "no gates are set",
        "in the order of `year'\\|`",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_issue_that_cannot_be_reached_keeps_no_run_from_going_on() {
    let world = world();
    let config = config(&world, ENGLISH);
    let gone = planned(&world, &config, "en", &json!({"repo": "o/gone", "number": 5})).unwrap()["outputs"].clone();
    assert_eq!(gone["comment_url"], json!(null));
    assert!(gone["warnings"][0].as_str().unwrap().ends_with("the host does not answer"), "{gone}");
    let alone = planned(&world, &config, "en", &json!(null)).unwrap()["outputs"].clone();
    assert_eq!((&alone["comment_url"], &alone["warnings"]), (&json!(null), &json!([])));
    assert_eq!(alone["plan"].as_array().unwrap().len(), 8);
}
