//! `evaluate_classifier` and `generate_confusion_matrix`.

use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::confusion::Normalisation;
use mlops_algorithms::metrics::multiclass_roc::AucAveraging;
use mlops_algorithms::models::Algorithm;
use mlops_artifacts::ReadOptions;
use mlops_core::values::ArtifactUri;
use mlops_core::{ErrorKind, Lang, Report as _, Tool as _};

use super::{classifier, kinds, prices, refused, three_kinds};
use crate::Evaluation;
use crate::test_world::{World, animals};
use crate::tools::{EvaluateClassifier, GenerateConfusionMatrix};

#[tokio::test]
async fn three_classes_are_measured_and_everything_is_written() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let tool = EvaluateClassifier { slices: vec!["island".to_owned()], ..classifier(&model, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap();
    let metrics = &found.metrics;
    let accuracy = metrics.accuracy.unwrap();
    assert!(accuracy > 0.6 && accuracy < 1.0, "{metrics:?}");
    assert!(metrics.auc_roc.unwrap() > 0.8 && metrics.log_loss.is_some() && metrics.ece.is_some());
    assert_eq!((found.average, found.auc_averaging), (Average::Macro, AucAveraging::OneVsRestMacro));
    assert_eq!((found.n, found.dropped_rows, found.positive_class.as_ref()), (120, 0, None));
    let interval = &found.intervals["accuracy"];
    assert!(interval.lower < accuracy && accuracy < interval.upper);
    assert!(found.intervals.contains_key("auc_roc") && found.intervals.contains_key("f1_score"));
    assert_eq!(found.per_class.iter().map(|class| class.support).sum::<u64>(), 120);
    assert_eq!(found.slices[0].slices.len(), 3);
    assert!(found.baseline.metrics["accuracy"].unwrap() < accuracy);
    let names: Vec<&str> = found.plots.iter().map(|plot| plot.name.as_str()).collect();
    let all = ["confusion_matrix", "roc_curve", "precision_recall_curve", "calibration", "feature_importance"];
    assert_eq!(names, all);
    for plot in &found.plots {
        assert!(world.exists(&plot.png_uri).await && world.read(&plot.svg_uri).await.starts_with("<svg"));
    }
    assert!(found.evaluation_uri.contains("/evaluations/"));
    let written: Evaluation = serde_json::from_str(&world.read(&found.evaluation_uri).await).unwrap();
    assert_eq!(written.metrics["accuracy"], metrics.accuracy);
    let predictions = ArtifactUri::new(found.predictions_uri.clone()).unwrap();
    let table =
        world.room.artifacts.read_table(&predictions, &ReadOptions::default(), &world.call).await.unwrap().table;
    assert_eq!(table.num_rows(), 120);
    assert!(table.column("probability_Adelie").is_some());
    assert!(found.summary(Lang::En).contains("120 test rows") && found.summary(Lang::Ja).contains("当て推量"));
    assert_eq!(found.artifacts().len(), 7);
    let size = serde_json::to_string(&found).unwrap().len();
    assert!(size < 30_000, "{size} bytes");
}

#[tokio::test]
async fn the_same_arguments_write_the_same_bytes_to_the_same_place() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let first = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    let bytes = world.read(&first.evaluation_uri).await;
    let second = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(bytes, world.read(&second.evaluation_uri).await);
    let other = EvaluateClassifier { run_id: Some("run-9".to_owned()), ..classifier(&model, &test) };
    let other = other.run(&world.room, &world.call).await.unwrap();
    assert!(other.evaluation_uri.ends_with("evaluations/run-9/evaluation.json"));
}

#[tokio::test]
async fn a_dry_run_measures_and_writes_nothing() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let tool = EvaluateClassifier { dry_run: true, generate_plots: false, ..classifier(&model, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap();
    assert!(found.dry_run && found.metrics.accuracy.is_some() && found.artifacts().is_empty());
    assert!(!world.exists(&found.evaluation_uri).await && !world.exists(&found.predictions_uri).await);
    assert!(found.plots.is_empty());
}

#[tokio::test]
async fn two_classes_have_a_positive_one_and_a_threshold() {
    let world = World::new();
    let (model, test) = kinds(&world, &["no", "yes"]).await;
    let found = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!((found.average, found.positive_class.as_deref()), (Average::Binary, Some("yes")));
    assert_eq!(found.auc_averaging, AucAveraging::Binary);
    assert_eq!(found.metrics.recall.unwrap(), found.per_class[1].recall);
    let low = EvaluateClassifier { threshold: Some(0.0), ..classifier(&model, &test) };
    let low = low.run(&world.room, &world.call).await.unwrap();
    assert_eq!((low.metrics.recall, low.threshold), (Some(1.0), Some(0.0)));
    assert!(low.notes.iter().any(|note| note.contains("`no` is never predicted")));
    let best: EvaluateClassifier = serde_json::from_value(serde_json::json!({
        "model_s3_uri": model, "test_data_s3_uri": test, "optimize_for": "f1_score", "positive_class": "no"
    }))
    .unwrap();
    let best = best.run(&world.room, &world.call).await.unwrap();
    assert_eq!(best.positive_class.as_deref(), Some("no"));
    assert!(best.threshold.is_some() && best.notes[0].contains("chosen on these very rows"));
    let both: EvaluateClassifier = serde_json::from_value(serde_json::json!({
        "model_s3_uri": model, "test_data_s3_uri": test, "optimize_for": "youden", "threshold": 0.5
    }))
    .unwrap();
    assert_eq!(refused(&world, both).await.field.as_deref(), Some("threshold"));
}

#[tokio::test]
async fn one_class_only_gives_null_with_the_reason() {
    let world = World::new();
    let (model, _) = kinds(&world, &["no", "yes"]).await;
    let all = animals(60, &["no", "yes"], 5);
    let only = all.lines().filter(|line| !line.contains("\"no\"")).collect::<Vec<_>>().join(
        "
",
    );
    let test = world.write("one.csv", &only).await;
    let found = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!(found.metrics.auc_roc, None);
    assert!(found.undefined["auc_roc"].contains("class `yes`"), "{:?}", found.undefined);
    assert_eq!(found.beats_guessing, None);
    for name in ["auc_roc", "pr_auc"] {
        let value = serde_json::to_value(&found.metrics).unwrap()[name].clone();
        assert_eq!(value.is_null(), found.undefined.contains_key(name), "{name}");
    }
    let text = serde_json::to_string(&found).unwrap();
    assert!(!text.contains("NaN"));
    let best = EvaluateClassifier { positive_class: Some("no".to_owned()), ..classifier(&model, &test) };
    let best = EvaluateClassifier { optimize_for: Some(crate::tools::Objective::Youden), ..best };
    assert_eq!(refused(&world, best).await.field.as_deref(), Some("optimize_for"));
}

#[tokio::test]
async fn a_champion_is_scored_on_the_same_rows() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let train = world.uri("train.csv");
    let stump = world.fit(&train, "kind", Algorithm::DecisionTree, 1).await;
    let tool = EvaluateClassifier { baseline_model_s3_uri: Some(stump.clone()), ..classifier(&model, &test) };
    let found = tool.run(&world.room, &world.call).await.unwrap().comparison.unwrap();
    assert!(found.significant && found.gain > 0.0 && found.p_value.unwrap() < 0.05, "{found:?}");
    assert_eq!((found.metric.as_str(), found.n), ("accuracy", 120));
    assert!((found.deltas["accuracy"] - found.gain).abs() < 1e-12);
    let alone = classifier(&stump, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!(found.baseline_metrics["accuracy"], alone.metrics.accuracy);
    assert!(found.tests.mcnemar.is_some() && found.tests.f1_score.is_some() && found.tests.auc_roc.is_none());
    let same = EvaluateClassifier { baseline_model_s3_uri: Some(model.clone()), ..classifier(&model, &test) };
    assert_eq!(same.run(&world.room, &world.call).await.unwrap().comparison, None);
}

#[tokio::test]
async fn a_champion_that_does_not_fit_is_refused_by_name() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let (other_task, _) = prices(&world).await;
    let against = |uri: &ArtifactUri| EvaluateClassifier {
        baseline_model_s3_uri: Some(uri.clone()),
        ..classifier(&model, &test)
    };
    for uri in [other_task, world.uri("nothing.tar.gz")] {
        let error = refused(&world, against(&uri)).await;
        assert_eq!(error.field.as_deref(), Some("baseline_model_s3_uri"), "{error}");
    }
    let train = world.write("other.csv", &animals(200, &["no", "yes"], 3)).await;
    let other_classes = world.fit(&train, "kind", Algorithm::DecisionTree, 2).await;
    let error = refused(&world, against(&other_classes)).await;
    assert_eq!(error.field.as_deref(), Some("baseline_model_s3_uri"), "{error}");
    let other_target = world.fit(&world.uri("train.csv"), "island", Algorithm::DecisionTree, 2).await;
    let error = refused(&world, against(&other_target)).await;
    assert!(error.message.contains("`kind` and `island`"), "{error}");
}

#[tokio::test]
async fn wrong_arguments_name_the_field_and_the_fix() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let base = || classifier(&model, &test);
    let (regressor, _) = prices(&world).await;
    let cases = [
        (EvaluateClassifier { positive_class: Some("Adele".to_owned()), ..base() }, "positive_class"),
        (EvaluateClassifier { threshold: Some(0.5), ..base() }, "positive_class"),
        (EvaluateClassifier { average: Some(Average::Binary), ..base() }, "positive_class"),
        (EvaluateClassifier { slices: vec!["iland".to_owned()], ..base() }, "slices"),
        (EvaluateClassifier { confidence: 1.0, ..base() }, "confidence"),
        (EvaluateClassifier { run_id: Some("../x".to_owned()), ..base() }, "run_id"),
        (classifier(&world.uri("no.tar.gz"), &test), "model_s3_uri"),
        (classifier(&test, &test), "model_s3_uri"),
        (classifier(&regressor, &test), "model_s3_uri"),
        (classifier(&model, &world.uri("no.csv")), "test_data_s3_uri"),
        (classifier(&model, &world.write("bare.csv", "length,mass,island\n1,2,Dream\n").await), "test_data_s3_uri"),
        (classifier(&model, &world.write("thin.csv", "length,kind\n1,Adelie\n").await), "test_data_s3_uri"),
        (
            classifier(&model, &world.write("new.csv", "length,mass,island,kind\n1,2,Dream,Emperor\n").await),
            "test_data_s3_uri",
        ),
    ];
    for (tool, field) in cases {
        let error = refused(&world, tool).await;
        assert_eq!(error.field.as_deref(), Some(field), "{error}");
        assert!(matches!(error.kind, ErrorKind::InvalidInput | ErrorKind::NotFound), "{error}");
    }
}

#[tokio::test]
async fn rows_without_a_target_and_unseen_categories_are_counted() {
    let world = World::new();
    let (model, _) = three_kinds(&world).await;
    let mut text = animals(50, &["Adelie", "Gentoo"], 9);
    text += "12.0,110,Mars,Adelie\n12.5,120,Dream,\n";
    let test = world.write("odd.csv", &text).await;
    let found = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    assert_eq!((found.n, found.dropped_rows), (51, 1));
    assert_eq!(found.unseen.get("island"), Some(&1));
    assert!(found.notes.iter().any(|note| note.contains("Chinstrap")), "{:?}", found.notes);
}

#[tokio::test]
async fn a_call_that_is_over_writes_nothing() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let call = world.call.clone().in_run("late");
    call.cancellation.cancel();
    let error = classifier(&model, &test).run(&world.room, &call).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    let place = world.room.artifacts.place(mlops_artifacts::Kind::Evaluations, "late", "evaluation.json");
    assert!(!world.exists(place.as_str()).await);
}

#[tokio::test]
async fn the_confusion_matrix_is_counted_normalised_and_drawn() {
    let world = World::new();
    let (model, test) = three_kinds(&world).await;
    let tool = |normalize| GenerateConfusionMatrix {
        model_s3_uri: model.clone(),
        test_data_s3_uri: test.clone(),
        normalize,
        run_id: Some("matrix".to_owned()),
        dry_run: false,
    };
    let counts = tool(None).run(&world.room, &world.call).await.unwrap();
    let matrix = counts.matrix.clone().unwrap();
    assert_eq!(matrix.iter().flatten().sum::<f64>(), 120.0);
    assert_eq!(counts.labels.len(), 3);
    let svg = world.read(&counts.svg_uri).await;
    assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"));
    assert!(world.exists(&counts.png_uri).await && world.read(&counts.matrix_uri).await.contains("\"labels\""));
    let shares = tool(Some(Normalisation::True)).run(&world.room, &world.call).await.unwrap();
    for line in shares.matrix.unwrap() {
        assert!((line.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let all = tool(Some(Normalisation::All)).run(&world.room, &world.call).await.unwrap();
    assert!((all.matrix.unwrap().iter().flatten().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(tool(Some(Normalisation::Pred)).run(&world.room, &world.call).await.is_ok());
    assert!(counts.summary(Lang::En).contains("is taken for") && counts.summary(Lang::Ja).contains("クラス"));
    assert_eq!(counts.artifacts().len(), 3);
    let dry = GenerateConfusionMatrix { dry_run: true, run_id: Some("dry".to_owned()), ..tool(None) };
    let dry = dry.run(&world.room, &world.call).await.unwrap();
    assert!(dry.artifacts().is_empty() && !world.exists(&dry.matrix_uri).await);
}
