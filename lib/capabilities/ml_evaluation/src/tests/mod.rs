//! The tools on real models and tables.

mod classifiers;
mod clusterings;
mod curves;
mod many_classes;
mod regressors;
mod reports;

use mlops_algorithms::models::Algorithm;
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Tool as _};
use serde_json::Value;

use crate::test_world::{World, animals, houses};
use crate::tools::{EvaluateClassifier, EvaluateRegressor, TOOLS};

/// Three kinds of animals: a model and test data.
async fn three_kinds(world: &World) -> (ArtifactUri, ArtifactUri) {
    kinds(world, &["Adelie", "Gentoo", "<b>Chinstrap</b>"]).await
}

async fn kinds(world: &World, names: &[&str]) -> (ArtifactUri, ArtifactUri) {
    let train = world.write("train.csv", &animals(400, names, 1)).await;
    let test = world.write("test.csv", &animals(120, names, 2)).await;
    (world.fit(&train, "kind", Algorithm::RandomForest, 4).await, test)
}

async fn prices(world: &World) -> (ArtifactUri, ArtifactUri) {
    let train = world.write("train-houses.csv", &houses(400, 1)).await;
    let test = world.write("test-houses.csv", &houses(120, 2)).await;
    (world.fit(&train, "price", Algorithm::LinearRegression, 0).await, test)
}

fn classifier(model: &ArtifactUri, test: &ArtifactUri) -> EvaluateClassifier {
    serde_json::from_value(serde_json::json!({"model_s3_uri": model, "test_data_s3_uri": test})).unwrap()
}

fn regressor(model: &ArtifactUri, test: &ArtifactUri) -> EvaluateRegressor {
    serde_json::from_value(serde_json::json!({"model_s3_uri": model, "test_data_s3_uri": test})).unwrap()
}

async fn refused(world: &World, tool: EvaluateClassifier) -> Error {
    tool.run(&world.room, &world.call).await.unwrap_err()
}

#[test]
fn every_field_of_every_tool_is_described() {
    fn check(name: &str, schema: &Value) {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{field}: {property}");
            check(&format!("{name}.{field}"), property);
            check(&format!("{name}.{field}[]"), &property["items"]);
        }
    }
    for entry in TOOLS {
        assert!(entry.description().len() > 80, "{}", entry.name);
        check(entry.name, &(entry.input_schema)());
        check(entry.name, &(entry.output_schema)());
        assert_eq!(entry.capability, "ml_evaluation");
    }
}
