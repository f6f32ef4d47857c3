//! What is refused: with the right kind, naming the thing and the fix, and leaving nothing half-written.

use serde_json::{Value, json};

use crate::fleet::Fleet;

/// The tool refuses, by that kind, in words that contain each of `parts`; nothing was written.
fn refused(fleet: &Fleet, tool: &str, arguments: &Value, kind: &str, parts: &[&str]) {
    let before = fleet.stored();
    let (error, _) = fleet.tool_error(tool, arguments);
    assert_eq!(error["kind"], kind, "{tool} {arguments}: {error:#}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part} in {error:#}");
    }
    assert_eq!(fleet.stored(), before, "{tool} left something behind");
}

fn table(fleet: &Fleet, name: &str, bytes: impl AsRef<[u8]>) -> Value {
    json!({"uri": fleet.file(name, bytes)})
}

#[test]
fn what_is_no_table_is_refused() {
    let fleet = Fleet::new();
    refused(&fleet, "load_dataset", &json!({"uri": fleet.path("missing.csv")}), "NotFound", &["missing.csv"]);
    refused(&fleet, "load_dataset", &json!({"uri": fleet.folder.path()}), "InvalidInput", &["director"]);
    refused(&fleet, "load_dataset", &table(&fleet, "empty.csv", ""), "InvalidInput", &["empty.csv", "empty"]);
    refused(&fleet, "load_dataset", &table(&fleet, "header.csv", "a,b\n"), "InvalidInput", &["header"]);
    refused(&fleet, "load_dataset", &table(&fleet, "twice.csv", "a,b,a\n1,2,3\n"), "InvalidInput", &["`a`"]);
    refused(&fleet, "load_dataset", &table(&fleet, "latin.csv", b"a,b\n1,caf\xe9\n"), "InvalidInput", &["UTF-8"]);
    let whole = std::fs::read(Fleet::repository().join("examples/penguins.csv")).unwrap();
    let cut = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &whole[..40]].concat();
    refused(&fleet, "load_dataset", &table(&fleet, "cut.csv.gz", cut), "InvalidInput", &["gz"]);
}

#[test]
fn a_key_cannot_leave_its_place() {
    let fleet = Fleet::new();
    refused(&fleet, "load_dataset", &json!({"uri": "s3://bucket/../../etc/passwd"}), "InvalidInput", &[".."]);
    let arguments = json!({"dataset_s3_uri": "examples/penguins.csv", "run_id": "../../x"});
    refused(&fleet, "split_dataset", &arguments, "InvalidInput", &["run_id"]);
    let arguments = json!({"model_name": "../x", "model_s3_uri": "examples/penguins.csv"});
    refused(&fleet, "register_model", &arguments, "InvalidInput", &["model_name"]);
}

#[test]
fn a_target_that_cannot_be_learnt_is_refused() {
    let fleet = Fleet::new();
    let rows = |target: &dyn Fn(usize) -> String| {
        (0..40).fold("a,target\n".to_owned(), |table, row| table + &format!("{},{}\n", row * 7 % 11, target(row)))
    };
    let prepare = |name: &str, table: &str, task: &str, target: &str| json!({"dataset_s3_uri": fleet.file(name, table), "target_column": target, "task_type": task});
    let good = rows(&|row| (row % 2).to_string());
    let wrong = prepare("good.csv", &good, "classification", "targett");
    refused(&fleet, "preprocess_supervised", &wrong, "InvalidInput", &["targett", "target"]);
    let one = prepare("one.csv", &rows(&|_| "x".to_owned()), "classification", "target");
    refused(&fleet, "preprocess_supervised", &one, "InvalidInput", &["class"]);
    let none = prepare("none.csv", &rows(&|_| String::new()), "classification", "target");
    refused(&fleet, "preprocess_supervised", &none, "InvalidInput", &["target", "missing"]);
    let infinite = prepare(
        "infinite.csv",
        &rows(&|row| if row == 3 { "inf".to_owned() } else { row.to_string() }),
        "regression",
        "target",
    );
    refused(&fleet, "preprocess_supervised", &infinite, "InvalidInput", &["infinite"]);
    let few = fleet.file("few.csv", "a,target\n1,x\n2,y\n");
    refused(
        &fleet,
        "split_dataset",
        &json!({"dataset_s3_uri": few, "target_column": "target"}),
        "InvalidInput",
        &["row"],
    );
    let ratios = json!({"dataset_s3_uri": fleet.file("good.csv", &good), "train": 0.7, "validation": 0.2, "test": 0.2});
    refused(&fleet, "split_dataset", &ratios, "InvalidInput", &["1.1"]);
}

#[test]
fn what_is_no_model_and_what_is_no_algorithm_is_refused() {
    let fleet = Fleet::new();
    let evaluate = json!({"model_s3_uri": "examples/penguins.csv", "test_data_s3_uri": "examples/penguins.csv"});
    refused(&fleet, "evaluate_classifier", &evaluate, "InvalidInput", &["model"]);
    let register = json!({"model_name": "m", "model_s3_uri": "examples/penguins.csv"});
    refused(&fleet, "register_model", &register, "InvalidInput", &["model"]);
    let train =
        json!({"algorithm": "random_forst", "train_data_s3_uri": "examples/penguins.csv", "training_job_name": "j"});
    refused(&fleet, "train_supervised_classifier", &train, "InvalidInput", &["random_forest"]);
    let raw = json!({"algorithm": "random_forest", "train_data_s3_uri": "examples/penguins.csv",
        "target_column": "species", "training_job_name": "j"});
    refused(&fleet, "train_supervised_classifier", &raw, "InvalidInput", &["preprocess_supervised"]);
}

#[test]
fn an_issue_that_cannot_be_read_is_refused() {
    let fleet = Fleet::new();
    let bomb = "```yaml mlops\na: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
        c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
        e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e]\n```\n";
    refused(&fleet, "parse_issue_config", &json!({"body": bomb}), "InvalidInput", &["alias"]);
    let large = fleet.file("large.md", "x".repeat(2 * 1024 * 1024));
    let (error, _) = fleet.error(&["run", &large, "--json"]);
    assert_eq!(error["kind"], "InvalidInput", "{error:#}");
    let (error, code) = fleet.error(&["run", "no-such-issue.md", "--json"]);
    assert_eq!((error["kind"].as_str(), code), (Some("NotFound"), 4));
    let many = fleet.file(
        "many.md",
        "```yaml mlops\ntask: clasification\ndataset_s3_uri: examples/penguins.csv\n\
        target_column: speces\nalgorithm: random_forest\nhyperparameters: {n_estimator: 5}\n\
        split: {train: 0.9, validation: 0.2, test: 0.1}\n```\n",
    );
    let (error, code) = fleet.error(&["run", &many, "--json"]);
    assert_eq!(code, 2);
    let text = error.to_string();
    for part in ["many.md:2", "clasification", "did you mean `classification`", "1.2", "did you mean `species`"] {
        assert!(text.contains(part), "{part} in {error:#}");
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    let fleet = Fleet::new();
    // A limit on the size of files is a disk that is full for this process alone: 64 blocks of 512 bytes.
    let command = "ulimit -f 8; trap '' XFSZ; exec \"$0\" \"$@\"";
    let program = env!("CARGO_BIN_EXE_mlops-under-test");
    let arguments = json!({"dataset_s3_uri": "examples/penguins.csv", "format": "csv"}).to_string();
    let output = std::process::Command::new("sh")
        .args(["-c", command, program, "tool", "split_dataset", &arguments])
        .current_dir(Fleet::repository())
        .env("MLOPS_HOME", fleet.path("home"))
        // The limit would cut off a coverage profile as well.
        .env("LLVM_PROFILE_FILE", fleet.path("limited.profraw"))
        .output()
        .expect("the program runs");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("Unavailable"), "{shown}");
    assert!(fleet.stored().is_empty(), "{:?}", fleet.stored());
}
