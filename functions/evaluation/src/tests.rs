//! The agent on a store in a temporary folder, with real models, tables and versions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use mlops_algorithms::models::{Algorithm, Hyperparameters, Task as Learning, fit};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use mlops_artifacts::{Artifacts, ModelCard, ReadOptions, Signature};
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, Gate, IssueRef, SupervisedTask, TrainingConfig, sha256_hex};
use mlops_core::{Agent as _, AgentHandler as _, Call, ErrorKind, Lang, Task, ToolCaller};
use mlops_local::{Access, FileStore};
use mlops_ml_evaluation::MlEvaluation;
use mlops_model_registry::ModelRegistry;
use mlops_model_registry::tools::RegisterModel;
use serde_json::{Map, Value, json};

use crate::{EvaluateInputs, EvaluateOutputs, EvaluationAgent, Inputs, Outputs};

struct World {
    _folder: tempfile::TempDir,
    root: ArtifactUri,
    artifacts: Artifacts,
    registry: ToolCaller<ModelRegistry>,
    agent: EvaluationAgent,
    call: Call,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("home"), folder.path(), Access::Anywhere);
        let root = ArtifactUri::from_path(&folder.path().join("home/store"));
        let artifacts = Artifacts::new(Arc::new(store), root.clone());
        let registry = ToolCaller::embedded(ModelRegistry::new(artifacts.clone()));
        let evaluation = ToolCaller::embedded(MlEvaluation { artifacts: artifacts.clone() });
        let agent = EvaluationAgent::new(evaluation, registry.clone());
        Self { _folder: folder, root, artifacts, registry, agent, call: Call::new("test").in_run("run-1") }
    }

    async fn table(&self, name: &str, rows: u64, first: u64) -> ArtifactUri {
        let mut text = "length,colour,kind,weight\n".to_owned();
        for row in first..first + rows {
            let draw = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let (kind, noise) = (draw % 2, (draw / 7 % 100) as f64 / 40.0);
            let colour = ["red", "green", "blue"][(draw / 3 % 3) as usize];
            let length = 10.0 + 1.5 * kind as f64 + noise;
            let (kind, weight) = (["no", "yes"][kind as usize], length * 3.0 + noise);
            let _ = writeln!(text, "{length},{colour},{kind},{weight}");
        }
        let uri = self.root.join("tables").join(name);
        self.artifacts.write_bytes(&uri, text, Condition::None).await.unwrap();
        uri
    }

    async fn model(&self, train: &ArtifactUri, target: &str, algorithm: Algorithm, depth: u64) -> ArtifactUri {
        let loaded = self.artifacts.read_table(train, &ReadOptions::default(), &self.call).await.unwrap();
        let values = &loaded.table.column(target).unwrap().values;
        let (task, kind, answers) = if target == "weight" {
            (Learning::Regression, SupervisedTask::Regression, Target::numbers(values).unwrap())
        } else {
            (Learning::Classification, SupervisedTask::Classification, Target::classes(values, None).unwrap())
        };
        let features = loaded.table.without(&["kind", "weight"]);
        let config = PreprocessConfig::default();
        let (preprocessor, made) = Preprocessor::fit_transform(&features, Some(&answers), &config, 1).unwrap();
        let given = if depth == 0 { Map::new() } else { json!({"max_depth": depth}).as_object().cloned().unwrap() };
        let parameters = Hyperparameters::parse(algorithm, task, &given).unwrap();
        let fitted = fit(algorithm, made.features.view(), &answers, None, &parameters, 7, &Silent).unwrap();
        let card = ModelCard {
            format: 1,
            task: kind,
            algorithm: algorithm.as_str().to_owned(),
            target_column: target.to_owned(),
            classes: (task == Learning::Classification).then(|| fitted.model.labels().to_vec()),
            feature_names: preprocessor.feature_names(),
            signature: Signature { inputs: Vec::new(), output: "prediction".to_owned() },
            hyperparameters: given,
            metrics: BTreeMap::new(),
            feature_importance: BTreeMap::new(),
            seed: 7,
            train_sha256: loaded.source.sha256,
            validation_sha256: None,
            preprocessor_sha256: Some(sha256_hex(&serde_json::to_vec(&preprocessor).unwrap())),
            preprocessor: Some(preprocessor),
            weights_sha256: String::new(),
            library_version: "0.1.0".to_owned(),
        };
        let uri = self.root.join("models").join(&format!("{target}-{algorithm}-{depth}.tar.gz"));
        self.artifacts.write_model(&uri, card, &fitted.model).await.unwrap();
        uri
    }

    async fn champion(&self, model: &ArtifactUri) {
        let register = json!({"model_name": "things", "model_s3_uri": model, "aliases": ["champion"]});
        let register: RegisterModel = serde_json::from_value(register).unwrap();
        self.registry.call(register, &self.call).await.unwrap();
    }

    async fn evaluate(&self, config: &TrainingConfig, model: &ArtifactUri, test: &ArtifactUri) -> EvaluateOutputs {
        let inputs = EvaluateInputs { model_s3_uri: model.clone(), test_uri: test.clone(), champion_model_uri: None };
        match self.agent.handle(task(config, Inputs::Evaluate(inputs)), &self.call).await.unwrap().outputs {
            Outputs::Evaluate(outputs) => outputs,
            Outputs::Report(_) => panic!("this is the other step"),
        }
    }
}

fn task(config: &TrainingConfig, inputs: Inputs) -> Task<Inputs> {
    let issue = Some(IssueRef { repo: "acme/models".to_owned(), number: 7 });
    Task { run_id: "run-1".to_owned(), issue, config: config.clone(), inputs, attempt: 1, lang: Lang::En }
}

fn config(task: &str, target: &str) -> TrainingConfig {
    let gate = |gate: Value| serde_json::from_value::<Gate>(gate).unwrap();
    let metric = if task == "regression" { "rmse" } else { "accuracy" };
    let mut config: TrainingConfig = serde_json::from_value(json!({
        "task": task, "dataset_s3_uri": "things.csv", "target_column": target, "algorithm": "auto",
        "model_name": "things", "seed": 42, "lang": "en", "split": {"train": 0.7}
    }))
    .unwrap();
    config.gates.insert(metric.to_owned(), gate(json!({"min": 0.1, "slice": "colour"})));
    config
}

#[tokio::test]
async fn the_first_model_has_no_champion_and_its_gated_slices_go_on() {
    let world = World::new();
    let (train, test) = (world.table("train.csv", 300, 0).await, world.table("test.csv", 100, 1000).await);
    let model = world.model(&train, "kind", Algorithm::RandomForest, 4).await;
    let found = world.evaluate(&config("classification", "kind"), &model, &test).await;
    assert_eq!((found.n, found.evidence.champion.as_ref()), (100, None));
    assert!(found.evaluation_uri.ends_with("evaluations/run-1/evaluation.json"));
    let accuracy = found.evidence.metrics["accuracy"].unwrap();
    let interval = found.evidence.intervals["accuracy"];
    assert!(interval.low < accuracy && accuracy < interval.high);
    let slices = &found.evidence.slices["colour"];
    assert_eq!(slices.keys().map(String::as_str).collect::<Vec<_>>(), ["blue", "green", "red"]);
    assert_eq!(slices["red"].len(), 1);
    assert_eq!(found.evidence.beats_guessing, Some(true));
}

#[tokio::test]
async fn the_champion_is_compared_unless_it_is_the_same_model() {
    let world = World::new();
    let (train, test) = (world.table("train.csv", 300, 0).await, world.table("test.csv", 100, 1000).await);
    let model = world.model(&train, "kind", Algorithm::RandomForest, 4).await;
    let other = world.model(&train, "kind", Algorithm::DecisionTree, 1).await;
    let config = config("classification", "kind");
    world.champion(&other).await;
    let champion = world.evaluate(&config, &model, &test).await.evidence.champion.unwrap();
    let comparison = champion.comparison.unwrap();
    assert_eq!((champion.version, champion.reason, comparison.metric.as_str()), (1, None, "accuracy"));
    assert!(comparison.baseline_metrics["accuracy"].is_some() && comparison.p_value.is_some());
    world.champion(&model).await;
    assert_eq!(world.evaluate(&config, &model, &test).await.evidence.champion, None);
}

#[tokio::test]
async fn a_champion_that_cannot_be_scored_stays_with_the_reason() {
    let world = World::new();
    let (train, test) = (world.table("train.csv", 300, 0).await, world.table("test.csv", 100, 1000).await);
    let classifier = world.model(&train, "kind", Algorithm::DecisionTree, 2).await;
    let colours = world.model(&train, "colour", Algorithm::DecisionTree, 2).await;
    let regressor = world.model(&train, "weight", Algorithm::LinearRegression, 0).await;
    world.champion(&regressor).await;
    let champion = world.evaluate(&config("classification", "kind"), &classifier, &test).await.evidence.champion;
    let champion = champion.unwrap();
    assert!(champion.comparison.is_none() && champion.reason.unwrap().contains("regression"));
    world.champion(&colours).await;
    let champion = world.evaluate(&config("classification", "kind"), &classifier, &test).await.evidence.champion;
    assert!(champion.unwrap().reason.unwrap().contains("“colour”"));
    // The champion was trained on a column that the test rows do not have.
    let text = "length,kind,weight\n10,no,31\n12,yes,35\n13,yes,36\n";
    let narrow = world.root.join("tables/narrow.csv");
    world.artifacts.write_bytes(&narrow, text.replace("length", "height"), Condition::None).await.unwrap();
    let own = world.model_without_colour(&narrow).await;
    world.champion(&classifier).await;
    let mut config = config("classification", "kind");
    config.gates.clear();
    let champion = world.evaluate(&config, &own, &narrow).await.evidence.champion.unwrap();
    assert!(champion.comparison.is_none() && champion.reason.unwrap().contains("length"));
}

impl World {
    async fn model_without_colour(&self, train: &ArtifactUri) -> ArtifactUri {
        self.model(train, "kind", Algorithm::DecisionTree, 1).await
    }
}

#[tokio::test]
async fn a_regressor_is_compared_by_its_squared_error() {
    let world = World::new();
    let (train, test) = (world.table("train.csv", 300, 0).await, world.table("test.csv", 100, 1000).await);
    let model = world.model(&train, "weight", Algorithm::LinearRegression, 0).await;
    let stump = world.model(&train, "weight", Algorithm::DecisionTree, 1).await;
    let inputs = EvaluateInputs { model_s3_uri: model, test_uri: test, champion_model_uri: Some(stump) };
    let config = config("regression", "weight");
    let result = world.agent.handle(task(&config, Inputs::Evaluate(inputs)), &world.call).await.unwrap();
    assert!(result.metrics["r2"] > 0.9);
    let Outputs::Evaluate(outputs) = result.outputs else { panic!("this is the other step") };
    let comparison = outputs.evidence.champion.unwrap().comparison.unwrap();
    assert!(comparison.gain > 0.0 && comparison.significant && comparison.metric == "rmse");
}

#[tokio::test]
async fn the_report_follows_over_the_wire() {
    let world = World::new();
    let (train, test) = (world.table("train.csv", 300, 0).await, world.table("test.csv", 100, 1000).await);
    let model = world.model(&train, "kind", Algorithm::DecisionTree, 2).await;
    let config = config("classification", "kind");
    let send = async |inputs: Value| {
        let payload = json!({"run_id": "run-1", "config": config, "inputs": inputs, "lang": "ja",
            "issue": {"repo": "acme/models", "number": 7}});
        world.agent.invoke(payload, &world.call).await
    };
    let evaluated = send(json!({"step": "evaluate", "model_s3_uri": model, "test_uri": test})).await.unwrap();
    assert_eq!((&evaluated["agent"], &evaluated["status"]), (&json!("evaluation"), &json!("succeeded")));
    let decision = json!({"decision": "promote", "reasons": ["理由"], "gates": [], "champion_version": null});
    let evaluation_uri = &evaluated["outputs"]["evaluation_uri"];
    let inputs = json!({"step": "report", "evaluation_uri": evaluation_uri, "decision": decision, "version": 3,
        "data": {"rows": {"train": 300, "validation": null, "test": 100}, "imputed": {"length": 4}, "dropped_rows": 2,
            "source_sha256": null, "training_time_seconds": 1.5, "notes": ["前処理のメモ"]}});
    let reported = send(inputs).await.unwrap();
    let outputs = &reported["outputs"];
    assert!(outputs["report_uri"].as_str().unwrap().ends_with("reports/run-1/report.html"));
    assert!(outputs["comment"].as_str().unwrap().contains("理由"));
    let page = ArtifactUri::new(outputs["report_uri"].as_str().unwrap()).unwrap();
    let page = world.artifacts.read_bytes(&page, 1 << 24).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap().replace("<wbr>", "");
    assert!(page.contains("補完した欠損値") && page.contains("前処理のメモ") && page.contains("準備で除外した行数"));
    assert!(
        page.contains("things バージョン 3 の評価レポート") && page.contains("acme/models#7") && page.contains("採用")
    );
    let error = send(json!({"step": "retire"})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_named_by_its_path() {
    let world = World::new();
    let (train, test) = (world.table("train.csv", 300, 0).await, world.table("test.csv", 100, 1000).await);
    let model = world.model(&train, "kind", Algorithm::DecisionTree, 2).await;
    let mut config = config("classification", "kind");
    config.evaluation.positive_class = Some("maybe".to_owned());
    let inputs = EvaluateInputs { model_s3_uri: model, test_uri: test, champion_model_uri: None };
    let error = world.agent.handle(task(&config, Inputs::Evaluate(inputs)), &world.call).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("config.evaluation.positive_class"));
}
