//! A target with many more classes than a picture or a resample can take.

use std::fmt::Write as _;

use mlops_algorithms::models::Algorithm;
use mlops_core::Tool as _;
use serde_json::json;

use super::classifier;
use crate::test_world::World;
use crate::tools::{EvaluateClassifier, GenerateConfusionMatrix, GenerateRocCurve};

fn table(rows: usize, classes: usize, step: usize) -> String {
    let mut text = "code,shop,product\n".to_owned();
    for row in 0..rows {
        let class = row * step % classes;
        let _ = writeln!(text, "{},shop {},product {class}", class * 2 + row % 3, row % 400);
    }
    text
}

#[tokio::test]
async fn hundreds_of_classes_are_measured_drawn_and_told_apart() {
    let world = World::new();
    let train = world.write("many.csv", &table(1500, 500, 7)).await;
    let test = world.write("many-test.csv", &table(600, 500, 11)).await;
    let model = world.fit(&train, "product", Algorithm::DecisionTree, 12).await;
    let arguments = json!({"model_s3_uri": model, "test_data_s3_uri": test});
    let matrix: GenerateConfusionMatrix = serde_json::from_value(arguments.clone()).unwrap();
    let matrix = matrix.run(&world.room, &world.call).await.unwrap();
    assert_eq!((matrix.classes, matrix.matrix.is_none(), matrix.notes.len()), (500, true, 1));
    assert!(world.read(&matrix.svg_uri).await.contains("others (450)") && world.exists(&matrix.png_uri).await);
    let curve: GenerateRocCurve = serde_json::from_value(arguments).unwrap();
    let curve = curve.run(&world.room, &world.call).await.unwrap();
    assert!(curve.auc.is_some() && curve.interval.is_none() && curve.per_class.len() == 50);
    let tool = EvaluateClassifier { slices: vec!["shop".to_owned()], ..classifier(&model, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap();
    assert!(found.intervals.contains_key("accuracy") && found.intervals.contains_key("log_loss"));
    assert!(!found.intervals.contains_key("f1_score") && found.undefined.contains_key("f1_score_interval"));
    assert!(found.notes.iter().any(|note| note.contains("500 classes")), "{:?}", found.notes);
    let slices = &found.slices[0].slices;
    assert!(slices.len() == 21 && slices.iter().all(|slice| slice.intervals.len() == 1));
}
