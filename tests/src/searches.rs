//! An issue that asks for a search of hyperparameters, from the issue to the report.

use crate::fleet::{Fleet, path_of};

const ISSUE: &str = "examples/penguins-search.md";

#[test]
fn an_issue_with_a_search_becomes_a_model_with_its_best_parameters() {
    let fleet = Fleet::new();
    let output = fleet.json(&["run", ISSUE, "--json"]);
    assert_eq!(output["decision"], "promote", "{output:#}");
    let model = output["model_s3_uri"].as_str().unwrap();
    assert!(model.contains("/decision_tree-trial-"), "{model}");
    let stored = fleet.stored();
    let trials = stored.iter().filter(|file| file.contains("decision_tree-search/trials/")).count();
    assert_eq!(trials, 10, "{stored:?}");
    assert!(stored.iter().any(|file| file.ends_with("decision_tree-search/convergence.svg")), "{stored:?}");
    let page = std::fs::read_to_string(path_of(&output["report_uri"])).unwrap().replace("<wbr>", "");
    for words in ["<h2>Search</h2>", "bayesian search tried", "figure class=\"convergence\"", "min_samples_leaf"] {
        assert!(page.contains(words), "{words}");
    }
    let second = Fleet::new().json(&["run", ISSUE, "--json"]);
    assert_eq!(second["model_sha256"], output["model_sha256"]);
    assert_eq!(second["metrics"], output["metrics"]);
}

#[test]
fn a_search_that_cannot_be_made_is_refused_before_anything_is_done() {
    let fleet = Fleet::new();
    let text = std::fs::read_to_string(Fleet::repository().join(ISSUE)).unwrap();
    for (wrong, words) in [
        ("strategy: genetic", "grid, random, bayesian"),
        ("max_trials: 0", "from 1 to 2000"),
        ("metric: rmse", "log_loss, accuracy, f1_score"),
    ] {
        let key = wrong.split(':').next().unwrap();
        let start = text.find(key).unwrap();
        let end = start + text[start..].find([',', '}']).unwrap();
        let issue = fleet.file("issue.md", format!("{}{wrong}{}", &text[..start], &text[end..]));
        let (error, code) = fleet.error(&["run", &issue, "--json"]);
        assert_eq!((error["kind"].as_str(), code), (Some("InvalidInput"), 2), "{error:#}");
        let told = error.to_string();
        assert!(told.contains(&format!("hyperparameter_optimization.{key}")) || told.contains(key), "{told}");
        assert!(told.contains(words), "{told}");
    }
    assert!(fleet.stored().is_empty());
}
