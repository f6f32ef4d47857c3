//! Where a request is found, and what is said of the rest.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const FORM: &str = include_str!("../../tests/issue-form.md");

fn request(text: &str) -> Request {
    find(&Body::new(text, Lang::En).unwrap(), Lang::En).unwrap_or_else(|error| panic!("{error:?} in\n{text}"))
}

fn refused(text: &str) -> Error {
    find(&Body::new(text, Lang::En).unwrap(), Lang::En).expect_err(text)
}

#[test]
fn a_block_tagged_mlops_comes_first() {
    let text = "Hi\n\n```yaml\ntask: regression\n```\n\n```mlops yaml\ntask: classification\nsplit: {train: 1}\n```\n";
    let found = request(text);
    assert_eq!(found.config["task"], json!("classification"));
    assert_eq!((found.format, found.span), (Format::Yaml, Span { start_line: 7, end_line: 10 }));
    assert_eq!(found.lines.of("split.train"), Some(9));
    assert!(found.warnings.is_empty());
    let two = request("```mlops\ntask: a\n```\n```mlops\ntask: b\n```");
    assert_eq!((two.config["task"].as_str(), two.warnings[0].line), (Some("a"), Some(4)));
}

#[test]
fn a_block_of_something_else_is_passed_over() {
    let text =
        "```yaml\nservices: {web: {image: x}}\n```\n```yml\nalgorithm: auto\n```\n```\ntask: failed at 5: 3: 1\n```";
    assert_eq!(request(text).config, *json!({"algorithm": "auto"}).as_object().unwrap());
    let untagged = request("```\nlog: 1\n```\n```\ntask: regression\nalgoritm: x\n```\n");
    assert_eq!(untagged.config["task"], json!("regression"));
    let unknown = UnknownKey { key: "algoritm".into(), line: Some(6), suggestion: Some("algorithm".into()) };
    assert_eq!(untagged.unknown_keys, [unknown]);
    assert!(refused("```\ntask: a: b\n```").message.starts_with("line 2: "));
    assert_eq!(request("```yaml\nsplit: {train: 0.5}\n```").config["split"]["train"], json!(0.5));
}

#[test]
fn json_is_read_in_a_block_and_as_the_whole() {
    let found = request("```json\n{\n \"task\": \"regression\"\n}\n```");
    assert_eq!((found.format, found.lines.of("task")), (Format::Json, Some(3)));
    let found = request("\u{feff}{\"task\": \"regression\"}\r\n");
    assert_eq!((found.format, found.span.end_line), (Format::Json, 1));
    assert_eq!(request("```\n{task: regression}\n```".replace("```\n{", "```yaml\n{").as_str()).format, Format::Yaml);
    assert!(refused("{\"task\": }").message.starts_with("line 1: this is not valid JSON"));
}

#[test]
fn front_matter_and_a_whole_body_are_read() {
    let found = request("---\r\ntask: regression\r\nseed: 7\r\n---\r\nSome text: with a colon\r\n");
    assert_eq!((found.config["seed"].as_u64(), found.lines.of("seed")), (Some(7), Some(3)));
    let whole = request("task: regression\ntarget_column: y\n");
    assert_eq!((whole.format, whole.span), (Format::Yaml, Span { start_line: 1, end_line: 2 }));
    let both = request("---\nseed: 7\ntask: a\n---\n```mlops\ntask: b\n```\n");
    assert_eq!((both.format, both.config["task"].as_str()), (Format::Mixed, Some("b")));
    assert_eq!(both.config["seed"], json!(7));
    assert_eq!(both.warnings[0].message, "`task` is given twice; the value on line 6 holds");
    assert_eq!(both.lines.of("seed"), Some(2));
}

#[test]
fn what_holds_no_request_is_refused_with_an_example() {
    for text in ["", "Please train something", "```rust\nfn main() {}\n```", "<!--\n```mlops\ntask: x\n```\n-->"] {
        let error = refused(text);
        assert_eq!(error.message, "the issue holds no training request");
        assert!(error.hint.unwrap().contains("```mlops"));
    }
    assert!(refused("```mlops\n- task\n```").message.contains("names with values"));
    assert!(refused("```mlops\n```").message.contains("names with values"));
    assert_eq!(refused("My task: do it\nand task: again").message, "the issue holds no training request");
    assert_eq!(refused("{\"a\": 1}").message, "the issue holds no training request");
    assert!(refused("My task: do it: now").hint.is_some());
}

#[test]
fn the_form_is_read_with_its_lines() {
    let found = request(FORM);
    assert_eq!(found.format, Format::Mixed);
    assert_eq!(
        Value::Object(found.config.clone()),
        json!({
            "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
            "preprocessing_config": {"scaler": "robust"},
            "task": "classification",
            "dataset_s3_uri": "examples/penguins.csv",
            "target_column": "species",
            "algorithm": "random_forest",
            "model_name": null,
            "hyperparameters": {"n_estimators": 150, "max_depth": 12},
            "gates": {"accuracy": {"min": 0.9}},
            "notify": ["github", "slack"],
            "lang": "auto",
        })
    );
    let line_of = |text: &str| FORM.lines().position(|line| line.contains(text)).map(|at| at as u32 + 1);
    assert_eq!(found.lines.of("task"), line_of("classification"));
    assert_eq!(found.lines.of("hyperparameters.max_depth"), line_of("max_depth"));
    assert_eq!(found.lines.of("preprocessing_config.scaler"), line_of("scaler"));
    assert!(found.unknown_keys.is_empty() && found.warnings.is_empty(), "{found:?}");
    let crlf = request(&FORM.replace('\n', "\r\n"));
    assert_eq!(crlf, found);
}

#[test]
fn the_form_is_read_in_japanese_and_by_the_names_themselves() {
    let text = "### タスク\n\n回帰\n\n### データセット（必須）\n\n`a.csv`\n\n### 目的変数\n\n体重\nと身長\n\n### 通知先\n\n\
                - [X] GitHub\n- [ ] Slack\n\n### ハイパーパラメータ\n\nbootstrap: on\n\n### 備考\n\n自由\n";
    let found = request(text);
    let expected = json!({"task": "回帰", "dataset_s3_uri": "a.csv", "target_column": "体重", "notify": ["github"],
                          "hyperparameters": {"bootstrap": "on"}});
    assert_eq!(Value::Object(found.config.clone()), expected);
    assert_eq!(found.format, Format::IssueForm);
    let warned = found.warnings.iter().map(|notice| (notice.path.as_str(), notice.line)).collect::<Vec<_>>();
    assert_eq!(warned, [("target_column", Some(11)), ("hyperparameters.bootstrap", Some(21))]);
    let named = request("### task\n\nregression\n\n### algorithm\n\nauto\n## Not a question\n\ntext\n");
    assert_eq!(Value::Object(named.config), json!({"task": "regression", "algorithm": "auto"}));
}

#[test]
fn a_form_and_a_block_are_merged_and_the_block_holds() {
    let text = "### Task\n\n_No response_\n\n### Algorithm\n\nauto\n\n### Notes\n\n```yaml\ntask: regression\nalgorithm: x\n```\n";
    let found = request(text);
    assert_eq!(Value::Object(found.config), json!({"task": "regression", "algorithm": "x"}));
    assert_eq!((found.format, found.warnings.len()), (Format::Mixed, 1));
    let twice = refused("### Task\n\na\n\n### Task\n\nb\n");
    assert!(twice.message.contains("given twice, on line 3 and on line 5"), "{twice}");
    let list = refused("### Task\n\na\n\n### Algorithm\n\nb\n\n### Further settings\n\n- 1\n");
    assert!(list.message.starts_with("line 11: "), "{list}");
    let two = "### Task\n\na\n\n### Algorithm\n\nb\n\n### Settings\n\nseed: 1\n\n### Further settings\n\nseed: 2\n";
    assert!(refused(two).message.contains("given twice"));
}

#[test]
fn the_form_of_this_repository_asks_by_names_that_are_read() {
    use mlops_algorithms::clustering::Clusterer;
    use mlops_algorithms::models::Algorithm;
    use mlops_algorithms::reduction::Reducer;

    let text = include_str!("../../../../../.github/ISSUE_TEMPLATE/train-model.yml");
    let form = super::super::yaml::load(text, 1, Lang::En).unwrap().value;
    let questions = form["body"].as_array().unwrap().iter().filter(|question| question["id"].is_string());
    let mut names = Vec::new();
    for question in questions {
        let (id, label) = (question["id"].as_str().unwrap(), question["attributes"]["label"].as_str().unwrap());
        match keys::Heading::of(label) {
            Some(keys::Heading::Key(key)) => assert_eq!(key.name, id),
            Some(keys::Heading::Settings) => assert_eq!(id, "settings"),
            None => assert_eq!(id, "reason"),
        }
        let options = question["attributes"]["options"].as_array().into_iter().flatten();
        let mut options = options.map(|option| option.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        if id == "algorithm" {
            options.retain(|option| option != "auto");
            let all = Algorithm::ALL.into_iter().map(Algorithm::as_str);
            let all = all.chain(Clusterer::ALL.map(Clusterer::as_str)).chain(Reducer::ALL.map(Reducer::as_str));
            assert_eq!(options, all.collect::<Vec<_>>());
        }
        names.push(id);
    }
    assert!(REQUIRED.iter().all(|name| names.contains(name)), "{names:?}");
}

#[test]
fn large_bodies_are_read_or_refused_quickly() {
    let pieces = [
        "\n",
        "#",
        "a:\n",
        "- ",
        "? ",
        "[",
        "{",
        "&a ",
        "!",
        "''",
        "\"",
        "%TAG ! x\n",
        "a: b\n",
        " ",
        "```\n",
        "### Task\n",
        "<!--\n",
        "task: ",
        "---\n",
        "*a ",
        "|\n ",
        "\t",
        "a, ",
        "a: [",
        "é",
        "\u{2028}",
    ];
    for piece in pieces {
        for opening in ["", "```mlops\n", "```json\n", "task: |\n  ", "---\ntask: [", "### Task\n### Algorithm\n"] {
            let text = format!("{opening}{}", piece.repeat(250_000 / piece.len()));
            let started = std::time::Instant::now();
            let _ = find(&Body::new(&text, Lang::En).unwrap(), Lang::En);
            let _ = crate::language_of("", &text);
            assert!(started.elapsed().as_secs() < 5, "{opening:?} {piece:?}: {:?}", started.elapsed());
        }
    }
}

#[test]
fn an_open_block_is_read_with_a_warning() {
    let found = request("```mlops\ntask: regression");
    assert!(found.warnings[0].message.contains("not closed"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_bytes_break_the_parser(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(body) = Body::new(&text, Lang::Ja) {
            let _ = find(&body, Lang::Ja);
        }
    }

    #[test]
    fn no_markdown_breaks_the_parser(parts in proptest::collection::vec(markdown(), 0..14)) {
        let text = parts.concat();
        if let Ok(body) = Body::new(&text, Lang::En)
            && let Ok(found) = find(&body, Lang::En)
        {
            let last = text.lines().count().max(1) as u32;
            prop_assert!(found.span.start_line >= 1 && found.span.end_line <= last, "{found:?} in {text:?}");
            prop_assert!(found.lines.0.values().all(|line| (1..=last + 1).contains(line)), "{found:?} in {text:?}");
        }
    }
}

fn markdown() -> impl Strategy<Value = String> {
    let pieces = [
        "```mlops\n",
        "```yaml\n",
        "``` json\n",
        "```\n",
        "~~~~\n",
        "---\n",
        "...\n",
        "### Task\n",
        "### アルゴリズム\n",
        "### Settings\n",
        "### \n",
        "# x\n",
        "\n",
        "\r\n",
        "<!--\n",
        "-->\n",
        "_No response_\n",
        "task: regression\n",
        "  task:\n",
        "{\"task\": 1}\n",
        "{",
        "}\n",
        "- [x] a\n",
        "split: {train: 1}\n",
        "a: &a [*a]\n",
        "\t",
        "\u{feff}",
        "gates:\n",
        "  f1: yes\n",
        "\u{85}",
        "\u{2028}",
        "é日本\n",
        "? ",
        "!!int ",
        "'",
        "\"",
        "|\n",
        ">-\n",
        "%YAML 9\n",
    ];
    prop_oneof![
        6 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => "[ -~\n]{0,20}",
    ]
}
