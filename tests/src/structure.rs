//! Issues that predict nothing, from the issue to the report: clusters, and a map.

use serde_json::{Value, json};

use crate::fleet::{Fleet, path_of};

const CLUSTERING: &str = "examples/penguins-clustering.md";
const REDUCTION: &str = "examples/penguins-reduction-ja.md";

fn steps(fleet: &Fleet, output: &Value) -> Vec<String> {
    let status = fleet.json(&["status", output["run_id"].as_str().unwrap(), "--json"]);
    let steps = status["steps"].as_array().unwrap().iter().filter_map(|step| step["step"].as_str());
    steps.map(str::to_owned).collect()
}

/// The issue of that file with a replacement.
fn changed(fleet: &Fleet, file: &str, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(Fleet::repository().join(file)).unwrap();
    assert!(text.contains(from), "{from}");
    fleet.file("changed.md", text.replace(from, to))
}

#[test]
fn an_issue_becomes_registered_clusters_and_later_ones_are_judged_against_them() {
    let fleet = Fleet::new();
    let output = fleet.json(&["run", CLUSTERING, "--json"]);
    assert_eq!((&output["decision"], &output["version"]), (&json!("promote"), &json!(1)), "{output:#}");
    let metric = |output: &Value, name: &str| output["metrics"][name].as_f64().unwrap();
    assert!(metric(&output, "silhouette") > 0.4 && metric(&output, "ari") > 0.3, "{:#}", output["metrics"]);
    assert_eq!((&output["test_uri"], &output["validation_uri"]), (&Value::Null, &Value::Null));
    let order = [
        "Plan",
        "PrepareData",
        "LearnStructure",
        "MeasureStructure",
        "Judge",
        "Register",
        "WriteReport",
        "SmokePrediction",
        "RememberRun",
        "TellPeople",
    ];
    assert_eq!(steps(&fleet, &output), order);
    let page = std::fs::read_to_string(path_of(&output["report_uri"])).unwrap();
    for words in ["clusters were found among", "What the clusters are", "species", "How many clusters"] {
        assert!(page.contains(words), "{words}");
    }
    let history = std::fs::read_to_string(path_of(&output["history_uri"])).unwrap();
    assert!(history.contains("clustering") && !history.contains("Target"), "{history}");
    let name = output["model_name"].as_str().unwrap();
    let versions = fleet.tool("list_model_versions", &json!({"model_name": name}));
    assert_eq!(
        (&versions["versions"][0]["target_column"], &versions["versions"][0]["golden_rows"]),
        (&Value::Null, &json!(20))
    );
    let verified = fleet
        .tool("rollback_model", &json!({"model_name": name, "to_version": 1, "dry_run": true, "reason": "a drill"}));
    assert_eq!(
        (&verified["verification"]["passed"], &verified["verification"]["golden_rows"]),
        (&json!(true), &json!(20))
    );
    let again = fleet.json(&["run", CLUSTERING, "--json"]);
    assert_eq!(again, output, "the same issue is the same run");
    let many = changed(&fleet, CLUSTERING, "k_range: [2, 8]", "k: 30");
    let worse = fleet.json(&["run", &many, "--json"]);
    assert_eq!(worse["decision"], "reject", "{worse:#}");
    let other = Fleet::new();
    assert_eq!(other.json(&["run", CLUSTERING, "--json"])["model_sha256"], output["model_sha256"]);
}

#[test]
fn a_japanese_issue_becomes_a_registered_map() {
    let fleet = Fleet::new();
    let output = fleet.json(&["run", REDUCTION, "--json"]);
    assert_eq!((&output["decision"], &output["algorithm"]), (&json!("promote"), &json!("pca")), "{output:#}");
    for key in ["explained_variance", "trustworthiness"] {
        assert!(output["metrics"][key].as_f64().unwrap() > 0.8, "{:#}", output["metrics"]);
    }
    let page = std::fs::read_to_string(path_of(&output["report_uri"])).unwrap();
    assert!(page.contains("次元削減") && page.contains("説明された分散") && page.contains("<svg"), "the report");
    let shown = fleet.output(&["run", REDUCTION]);
    let summary = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(summary.contains("指標:") && !summary.contains("テスト行"), "{summary}");
}

#[test]
fn what_has_no_place_for_other_rows_is_registered_without_golden_rows() {
    let fleet = Fleet::new();
    let table = std::fs::read_to_string(Fleet::repository().join("examples/penguins.csv")).unwrap();
    let few = table.lines().take(80).collect::<Vec<_>>().join("\n");
    let data = fleet.file("few.csv", few);
    let text = format!(
        "```mlops\ntask: dimensionality_reduction\ndataset_s3_uri: {data}\nalgorithm: tsne\nmodel_name: map\n\
         hyperparameters: {{perplexity: 10, max_iter: 250}}\ngates: {{}}\n```\n"
    );
    let output = fleet.json(&["run", &fleet.file("tsne.md", text), "--json"]);
    assert_eq!(output["decision"], "promote", "{output:#}");
    let versions = fleet.tool("list_model_versions", &json!({"model_name": "map"}));
    assert_eq!(versions["versions"][0]["golden_rows"], 0);
    let page = std::fs::read_to_string(path_of(&output["report_uri"])).unwrap();
    assert!(page.contains("t-SNE has no transform"), "the report says so");
}

#[test]
fn a_weak_clustering_asks_a_person_by_default_and_auto_tries_several() {
    let fleet = Fleet::new();
    let mut rows = "a,b,c,d,e,f\n".to_owned();
    for row in 0..200_u64 {
        let draw = |factor: u64| ((row * factor + row * row * (factor % 97)) % 1009).to_string();
        rows.push_str(&[7919, 104_729, 1_299_709, 15_485_863, 611_953, 350_377].map(draw).join(","));
        rows.push('\n');
    }
    let data = fleet.file("chance.csv", rows);
    let text = format!(
        "```mlops\ntask: clustering\ndataset_s3_uri: {data}\nalgorithm: gaussian_mixture\nmodel_name: chance\n\
         hyperparameters: {{k: 9}}\n```\n"
    );
    let asked = fleet.output(&["run", &fleet.file("chance.md", text), "--json"]);
    assert_eq!(asked.status.code(), Some(3), "{}", String::from_utf8_lossy(&asked.stderr));
    let auto = changed(&fleet, CLUSTERING, "algorithm: kmeans\n", "algorithm: auto\n");
    let auto = std::fs::read_to_string(&auto).unwrap().replace("hyperparameters:\n  k_range: [2, 8]\n", "");
    let output = fleet.json(&["run", &fleet.file("auto.md", auto), "--json"]);
    assert!(["kmeans", "gaussian_mixture", "hdbscan"].contains(&output["algorithm"].as_str().unwrap()), "{output:#}");
    for folder in ["kmeans", "gaussian_mixture"] {
        let tried = format!("models/{}/{folder}/model.tar.gz", output["run_id"].as_str().unwrap());
        assert!(fleet.stored().contains(&tried), "{tried}: {:?}", fleet.stored());
    }
}

#[test]
fn a_request_that_does_not_fit_names_the_line() {
    let fleet = Fleet::new();
    let wrong = changed(&fleet, CLUSTERING, "algorithm: kmeans", "algorithm: kmeans\ntarget_column: species");
    let (error, code) = fleet.error(&["run", &wrong, "--json"]);
    assert!(error["message"].as_str().unwrap().contains("predicts no column"), "{error}");
    assert_ne!(code, 0);
    let few = fleet.file("two.csv", "a,b\n1,2\n3,4\n");
    let text = format!("```mlops\ntask: clustering\ndataset_s3_uri: {few}\nalgorithm: kmeans\n```\n");
    let (error, _) = fleet.error(&["run", &fleet.file("two.md", text), "--json"]);
    assert!(error["message"].as_str().unwrap().contains("at least 3"), "{error}");
    let many = changed(&fleet, CLUSTERING, "k_range: [2, 8]", "k: 345");
    let (error, _) = fleet.error(&["run", &many, "--json"]);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("345 clusters, and the data has only 344 rows"), "{error}");
    assert!(!fleet.stored().iter().any(|path| path.starts_with("models/")), "{:?}", fleet.stored());
}

#[test]
fn a_run_over_rows_without_differences_fails_with_the_reason() {
    let fleet = Fleet::new();
    let same = fleet.file("same.csv", format!("a,b\n{}", "1,x\n".repeat(30)));
    let ask = |task: &str, more: &str| {
        let text = format!("```mlops\ntask: {task}\ndataset_s3_uri: {same}\n{more}```\n");
        fleet.error(&["run", &fleet.file("same.md", text), "--json"])
    };
    for (task, more) in [("clustering", "algorithm: kmeans\n"), ("dimensionality_reduction", "algorithm: pca\n")] {
        let (error, code) = ask(task, more);
        assert!(error["message"].as_str().unwrap().contains("constant"), "{error}");
        assert_ne!(code, 0);
    }
    let wide = changed(&fleet, REDUCTION, "n_components: 2", "n_components: 9");
    let (error, _) = fleet.error(&["run", &wide, "--json"]);
    assert!(error["message"].as_str().unwrap().contains("n_components"), "{error}");
}
