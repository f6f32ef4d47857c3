//! `evaluate_regressor`.

use mlops_algorithms::models::Algorithm;
use mlops_core::{Lang, Report as _, Tool as _};

use super::{prices, regressor, three_kinds};
use crate::Evaluation;
use crate::test_world::World;
use crate::tools::EvaluateRegressor;

#[tokio::test]
async fn prices_are_measured_and_everything_is_written() {
    let world = World::new();
    let (model, test) = prices(&world).await;
    let tool = EvaluateRegressor { slices: vec!["quarter".to_owned(), "rooms".to_owned()], ..regressor(&model, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap();
    let metrics = &found.metrics;
    assert!(metrics.r2.unwrap() > 0.9 && metrics.rmse.unwrap() < 40_000.0, "{metrics:?}");
    assert!((metrics.pinball.unwrap() - metrics.mae.unwrap() / 2.0).abs() < 1e-6);
    assert!(found.intervals.contains_key("rmse") && found.intervals.contains_key("mae"));
    assert!(found.baseline.metrics["rmse"].unwrap() > metrics.rmse.unwrap());
    assert_eq!((found.worst.len(), found.slices.len(), found.n), (10, 2, 120));
    assert_eq!(found.worst[0].residual.abs(), metrics.max_error.unwrap());
    let names: Vec<&str> = found.plots.iter().map(|plot| plot.name.as_str()).collect();
    assert_eq!(names, ["predicted_vs_actual", "residuals", "residual_histogram", "feature_importance"]);
    let written: Evaluation = serde_json::from_str(&world.read(&found.evaluation_uri).await).unwrap();
    assert_eq!(written.metrics["rmse"], metrics.rmse);
    assert!(world.exists(&found.predictions_uri).await);
    assert!(found.summary(Lang::En).contains("RMSE") && found.summary(Lang::Ja).contains("120 行"));
    assert_eq!(found.artifacts().len(), 6);
}

#[tokio::test]
async fn a_worse_champion_is_told_from_a_better_one() {
    let world = World::new();
    let (model, test) = prices(&world).await;
    let stump = world.fit(&world.uri("train-houses.csv"), "price", Algorithm::DecisionTree, 1).await;
    let tool = EvaluateRegressor { baseline_model_s3_uri: Some(stump.clone()), ..regressor(&model, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap().comparison.unwrap();
    assert!(found.significant && found.gain > 0.0 && found.deltas["rmse"] < 0.0, "{found:?}");
    let tool = EvaluateRegressor { baseline_model_s3_uri: Some(model), ..regressor(&stump, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap().comparison.unwrap();
    assert!(found.significant && found.gain < 0.0);
}

#[tokio::test]
async fn zero_targets_are_counted_out_of_the_percentage() {
    let world = World::new();
    let (model, _) = prices(&world).await;
    let test =
        world.write("zero.csv", "area,rooms,quarter,price\n50,2,north,0\n60,3,south,200000\n70,3,south,210000\n").await;
    let found = regressor(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!(found.mape_excluded_zero_targets, 1);
    assert!(found.notes.iter().any(|note| note.contains("left out of mape")));
    let one = world.write("single.csv", "area,rooms,quarter,price\n50,2,north,0\n").await;
    let found = regressor(&model, &one).run(&world.room, &world.call).await.unwrap();
    assert!(found.metrics.r2.is_none() && found.metrics.mape.is_none());
    assert!(found.undefined.contains_key("r2") && found.undefined.contains_key("mape"));
}

#[tokio::test]
async fn wrong_arguments_name_the_field() {
    let world = World::new();
    let (model, test) = prices(&world).await;
    let (classifier, _) = three_kinds(&world).await;
    let bare = world.write("bare.csv", "area,rooms,quarter\n1,2,north\n").await;
    let text = world.write("text.csv", "area,rooms,quarter,price\n1,2,north,cheap\n").await;
    let cases = [
        (EvaluateRegressor { quantile: 1.5, ..regressor(&model, &test) }, "quantile"),
        (EvaluateRegressor { slices: vec!["xyz".to_owned()], ..regressor(&model, &test) }, "slices"),
        (EvaluateRegressor { confidence: 0.0, ..regressor(&model, &test) }, "confidence"),
        (
            EvaluateRegressor { baseline_model_s3_uri: Some(classifier.clone()), ..regressor(&model, &test) },
            "baseline_model_s3_uri",
        ),
        (regressor(&classifier, &test), "model_s3_uri"),
        (regressor(&model, &bare), "test_data_s3_uri"),
        (regressor(&model, &text), "test_data_s3_uri"),
    ];
    for (tool, field) in cases {
        let error = tool.run(&world.room, &world.call).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some(field), "{error}");
    }
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let world = World::new();
    let (model, test) = prices(&world).await;
    let tool = EvaluateRegressor { dry_run: true, ..regressor(&model, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap();
    assert!(found.dry_run && found.artifacts().is_empty() && !world.exists(&found.evaluation_uri).await);
}
