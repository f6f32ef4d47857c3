//! `generate_roc_curve`.

use mlops_core::{Lang, Report as _, Tool as _};

use super::{kinds, three_kinds};
use crate::test_world::World;
use crate::tools::{Cost, GenerateRocCurve};

fn tool(model: &mlops_core::values::ArtifactUri, test: &mlops_core::values::ArtifactUri) -> GenerateRocCurve {
    serde_json::from_value(serde_json::json!({"model_s3_uri": model, "test_data_s3_uri": test})).unwrap()
}

#[tokio::test]
async fn two_classes_have_a_curve_an_interval_and_a_best_threshold() {
    let world = World::new();
    let (model, test) = kinds(&world, &["no", "yes"]).await;
    let found = tool(&model, &test).run(&world.room, &world.call).await.unwrap();
    let (area, interval) = (found.auc.unwrap(), found.interval.clone().unwrap());
    assert!(interval.lower < area && area <= interval.upper);
    assert!(found.points.len() > 2 && found.points.len() <= 200);
    assert_eq!((found.points[0].false_positive_rate, found.points[0].threshold), (0.0, None));
    assert!(found.precision_recall.len() > 2);
    let best = found.best_threshold.clone().unwrap();
    assert!(best.threshold.is_some() && best.value.unwrap() > 0.0);
    let shown = serde_json::to_value(&best).unwrap();
    assert_eq!((shown["objective"].as_str(), shown["positive_class"].as_str()), (Some("youden"), Some("yes")));
    assert_eq!(found.per_class.len(), 1);
    assert!(world.exists(&found.png_uri).await && world.exists(&found.precision_recall_svg_uri).await);
    assert!(world.read(&found.curves_uri).await.contains("true_positive_rate"));
    assert!(found.summary(Lang::En).contains("120 rows") && found.summary(Lang::Ja).contains("ROC"));
    assert_eq!(found.artifacts().len(), 3);
    let dear =
        GenerateRocCurve { cost: Some(Cost { false_positive: 1.0, false_negative: 50.0 }), ..tool(&model, &test) };
    let dear = dear.run(&world.room, &world.call).await.unwrap().best_threshold.unwrap();
    assert!(dear.threshold.unwrap() <= best.threshold.unwrap());
    let wrong =
        GenerateRocCurve { cost: Some(Cost { false_positive: -1.0, false_negative: 1.0 }), ..tool(&model, &test) };
    assert_eq!(wrong.run(&world.room, &world.call).await.unwrap_err().field.as_deref(), Some("cost"));
}

#[tokio::test]
async fn several_classes_have_a_curve_each() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let found = tool(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!((found.per_class.len(), found.points.len(), found.best_threshold.is_none()), (3, 0, true));
    let one = GenerateRocCurve { positive_class: Some("Gentoo".to_owned()), dry_run: true, ..tool(&model, &test) };
    let one = one.run(&world.room, &world.call).await.unwrap();
    assert!(one.points.len() > 2 && one.best_threshold.is_some() && one.artifacts().is_empty());
    let cost =
        GenerateRocCurve { cost: Some(Cost { false_positive: 1.0, false_negative: 1.0 }), ..tool(&model, &test) };
    assert_eq!(cost.run(&world.room, &world.call).await.unwrap_err().field.as_deref(), Some("positive_class"));
}

#[tokio::test]
async fn one_class_has_no_curve_but_a_reason() {
    let world = World::new();
    let (model, _) = kinds(&world, &["no", "yes"]).await;
    let test = world.write("one.csv", "length,mass,island,kind\n11,120,Dream,no\n12,130,Dream,no\n").await;
    let found = tool(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert!(found.auc.is_none() && found.points.is_empty() && found.reason.is_some());
    assert!(found.summary(Lang::En).contains("no ROC curve") && found.summary(Lang::Ja).contains("ありません"));
    assert!(world.exists(&found.png_uri).await);
}
