//! What is refused, with the argument that is wrong, and without a model.

use mlops_core::ErrorKind;
use serde_json::{Value, json};

use crate::place::{Place, numbers};

#[tokio::test]
async fn what_cannot_be_learnt_is_refused() {
    let place = Place::new();
    let train = json!(place.file("train.csv", numbers(60, 0)));
    let base = json!({"algorithm": "decision_tree", "train_data_s3_uri": train, "training_job_name": "job", "target_column": "kind"});
    let but = |name: &str, value: Value| {
        let mut request = base.clone();
        request[name] = value;
        request
    };
    let table = |name: &str, text: &str| json!(place.file(name, text));
    for (arguments, field) in [
        (but("algorithm", json!("random_forrest")), "algorithm"),
        (but("algorithm", json!("linear_regression")), "algorithm"),
        (but("hyperparameters", json!({"max_dept": 3})), "hyperparameters.max_dept"),
        (but("hyperparameters", json!({"max_depth": "deep"})), "hyperparameters.max_depth"),
        (but("target_column", json!("kinds")), "target_column"),
        (but("target_column", Value::Null), "target_column"),
        (but("training_job_name", json!("../up")), "training_job_name"),
        (but("run_id", json!("../up")), "run_id"),
        (but("sample_weight_column", json!("wait")), "sample_weight_column"),
        (but("sample_weight_column", json!("kind")), "sample_weight_column"),
        (but("class_weight", json!({"tulip": 2.0})), "class_weight"),
        (but("class_weight", json!("balance")), "class_weight"),
        (but("seed", json!("x")), "seed"),
        (but("train_data_s3_uri", json!("/nowhere.csv")), "train_data_s3_uri"),
        (but("validation_data_s3_uri", json!("/nowhere.csv")), "validation_data_s3_uri"),
        (but("preprocessor_uri", json!("/nowhere.json")), "preprocessor_uri"),
        (but("preprocessor_uri", table("not.json", "[1]")), "preprocessor_uri"),
        (but("train_data_s3_uri", table("text.csv", "a,kind\nx,p\ny,q\n")), "train_data_s3_uri"),
        (but("train_data_s3_uri", table("gap.csv", "a,kind\n1,p\n,q\n")), "train_data_s3_uri"),
        (but("train_data_s3_uri", table("infinite.csv", "a,kind\n1,p\ninf,q\n")), "train_data_s3_uri"),
        (but("train_data_s3_uri", table("alone.csv", "kind\np\nq\n")), "train_data_s3_uri"),
        (but("train_data_s3_uri", table("one.csv", "a,kind\n1,p\n2,p\n")), "target_column"),
        (but("train_data_s3_uri", table("none.csv", "a,kind\n1,\n2,\n")), "target_column"),
        (
            but("validation_data_s3_uri", table("other.csv", "length,width,weight,kind,size\n1,1,1,tulip,1\n")),
            "validation_data_s3_uri",
        ),
        (
            but("validation_data_s3_uri", table("fewer.csv", "length,width,kind,size\n1,1,rose,1\n")),
            "validation_data_s3_uri",
        ),
    ] {
        let error = place.error("train_supervised_classifier", arguments.clone()).await;
        assert!(matches!(error.kind, ErrorKind::InvalidInput | ErrorKind::NotFound), "{arguments}: {error}");
        assert_eq!(error.field.as_deref(), Some(field), "{arguments}: {error}");
    }
    assert!(place.models().is_empty());
}

#[tokio::test]
async fn a_target_that_is_no_finite_number_is_refused() {
    let place = Place::new();
    for (name, text) in [("infinite.csv", "a,y\n1,inf\n2,3\n"), ("text.csv", "a,y\n1,x\n2,y\n")] {
        let train = place.file(name, text);
        let arguments = json!({"algorithm": "linear_regression", "train_data_s3_uri": train, "training_job_name": "j", "target_column": "y"});
        let error = place.error("train_supervised_regressor", arguments).await;
        assert_eq!(error.field.as_deref(), Some("target_column"), "{error}");
    }
}

#[tokio::test]
async fn messages_say_what_to_do() {
    let place = Place::new();
    let train = place.file("text.csv", "a,kind\nx,p\ny,q\n");
    let request = json!({"algorithm": "decision_tree", "train_data_s3_uri": train, "training_job_name": "job", "target_column": "kind"});
    let error = place.error("train_supervised_classifier", request.clone()).await;
    assert!(error.message.contains("`a` holds text such as 'x'"), "{error}");
    assert!(error.hint.unwrap().contains("preprocess_supervised"));
    let mut wrong = request;
    wrong["target_column"] = json!("kin");
    let error = place.error("train_supervised_classifier", wrong).await;
    assert_eq!(error.hint.as_deref(), Some("did you mean `kind`?"));
}

#[tokio::test]
async fn rows_that_were_prepared_otherwise_are_refused() {
    let place = Place::new();
    let [prepared, raw, _] = place.prepared().await;
    let other = place.file("other.json", "{}");
    let request = |train: &str, more: Value| {
        let mut request = json!({"algorithm": "decision_tree", "train_data_s3_uri": train, "training_job_name": "j", "target_column": "kind"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let error =
        place.error("train_supervised_classifier", request(&prepared, json!({"preprocessor_uri": other}))).await;
    assert_eq!(error.field.as_deref(), Some("preprocessor_uri"));
    let numeric = place.file("numeric.csv", "length,kind\n1,warm\n2,cold\n3,warm\n");
    let error = place
        .error("train_supervised_classifier", request(&numeric, json!({"validation_data_s3_uri": prepared})))
        .await;
    assert_eq!(error.field.as_deref(), Some("validation_data_s3_uri"));
    let error = place.error("train_supervised_classifier", request(&raw, json!({}))).await;
    assert_eq!(error.field.as_deref(), Some("train_data_s3_uri"));
}
