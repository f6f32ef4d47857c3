//! What every fitted network must keep.

use mlops_algorithms::models::{Algorithm, Examples, FitError, Hyperparameters, Task, fit, fit_watched};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

use super::tables::{fitted, noise, score, table};

#[test]
fn the_same_on_any_number_of_threads() {
    // Enough parameters and rows for several chunks a batch.
    let given = json!({"hidden_layer_sizes": [600, 30], "batch_size": 250, "max_iter": 3, "dropout": 0.2});
    for task in Task::ALL {
        let (x, y) = table(700, task);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fitted(x.view(), &y, &given, 5).unwrap())
        };
        let one = on(1);
        assert_eq!(one, on(2));
        assert_eq!(one, on(7));
        assert_ne!(one, fitted(x.view(), &y, &given, 6).unwrap());
    }
}

#[test]
fn every_option_learns() {
    let (x, y) = table(600, Task::Classification);
    let (_, numbers) = table(600, Task::Regression);
    let options = [
        json!({"normalization": "batch"}),
        json!({"normalization": "layer"}),
        json!({"dropout": 0.1, "activation": "gelu"}),
        json!({"weight_decay": 0.01, "gradient_clip": 1.0}),
        json!({"solver": "sgd", "learning_rate_init": 0.1}),
        json!({"solver": "sgd", "learning_rate_init": 0.2, "learning_rate": "adaptive"}),
        json!({"learning_rate": "one_cycle", "learning_rate_init": 0.02}),
        json!({"learning_rate": "cosine"}),
        json!({"learning_rate": "step", "step_size": 40, "gamma": 0.5}),
        json!({"learning_rate": 0.01}),
        json!({"activation": "tanh", "learning_rate_init": 0.01, "class_weight": "balanced", "loss": "absolute_error"}),
        json!({"loss": "quantile", "quantile": 0.5}),
    ];
    for mut given in options {
        let object = given.as_object_mut().unwrap();
        object.insert("hidden_layer_sizes".to_owned(), json!([60, 30]));
        object.insert("batch_size".to_owned(), json!(50));
        object.insert("max_iter".to_owned(), json!(100));
        let (mut of_numbers, mut of_classes) = (object.clone(), object.clone());
        of_numbers.remove("class_weight");
        of_classes.remove("loss");
        of_classes.remove("quantile");
        let model = fitted(x.view(), &y, &Value::Object(of_classes), 1).unwrap().model;
        let Target::Classes { codes, .. } = &y else { panic!("classes") };
        let truth: Vec<f64> = codes.iter().map(|code| f64::from(*code)).collect();
        let accuracy = score(&model, x.view(), &truth);
        let model = fitted(x.view(), &numbers, &Value::Object(of_numbers), 1).unwrap().model;
        let Target::Numbers(truth) = &numbers else { panic!("numbers") };
        let r2 = score(&model, x.view(), truth);
        println!("{given}: accuracy {accuracy:.3}, R² {r2:.3}");
        assert!(accuracy > 0.75 && r2 > 0.5, "{given}: accuracy {accuracy:.3}, R² {r2:.3}");
    }
}

#[test]
fn early_stopping_keeps_the_best_epoch() {
    let (x, y) = table(500, Task::Classification);
    let given =
        json!({"early_stopping": true, "hidden_layer_sizes": [80], "learning_rate_init": 0.03, "max_iter": 300});
    let held_out = fitted(x.view(), &y, &given, 2).unwrap();
    let best = held_out.best_iteration.unwrap();
    assert_eq!((held_out.converged, held_out.iterations), (Some(true), Some(held_out.curve.len())));
    let lowest = held_out.curve.iter().map(|point| point.validation.unwrap()).fold(f64::INFINITY, f64::min);
    assert_eq!(held_out.curve[best - 1].validation, Some(lowest));
    assert!(best < held_out.curve.len() && held_out.curve[best - 1].iteration == best);
    // With validation data, every row is learnt from, and the curve is theirs.
    let (learnt, watched) = (x.slice_axis(Axis(0), (..400).into()), x.slice_axis(Axis(0), (400..).into()));
    let (first, last) = (y.take(&(0..400).collect::<Vec<_>>()), y.take(&(400..500).collect::<Vec<_>>()));
    let parameters =
        Hyperparameters::parse(Algorithm::NeuralNetwork, Task::Classification, given.as_object().unwrap()).unwrap();
    let training = Examples { x: learnt, target: &first, sample_weight: None };
    let validation = Examples { x: watched, target: &last, sample_weight: None };
    let given = fit_watched(training, Some(validation), &parameters, 2, &Silent).unwrap();
    let point = given.curve[given.best_iteration.unwrap() - 1];
    let probabilities = given.model.predict_proba(watched).unwrap();
    let Target::Classes { codes, .. } = &last else { panic!("classes") };
    let loss =
        codes.iter().enumerate().map(|(row, code)| -probabilities[(row, *code as usize)].ln()).sum::<f64>() / 100.0;
    assert!((loss - point.validation.unwrap()).abs() < 1e-5, "{loss} {point:?}");
    // Validation data without early stopping only make the curve.
    let parameters = Hyperparameters::defaults(Algorithm::NeuralNetwork, Task::Classification).unwrap();
    let watched = fit_watched(training, Some(validation), &parameters, 2, &Silent).unwrap();
    assert!(watched.best_iteration.is_none() && watched.curve.iter().all(|point| point.validation.is_some()));
    let alone = fit_watched(training, None, &parameters, 2, &Silent).unwrap();
    assert_eq!(watched.model, alone.model);
}

#[test]
fn bad_input_is_told() {
    let (x, y) = table(60, Task::Classification);
    let message = |given: Value| fitted(x.view(), &y, &given, 0).unwrap_err().to_string();
    let text = message(
        json!({"solver": "sgd", "learning_rate_init": 100.0, "momentum": 1.0, "max_iter": 500, "activation": "identity", "hidden_layer_sizes": [50, 50]}),
    );
    assert!(
        text.contains("stopped being a finite number in iteration") && text.contains("lower learning_rate_init"),
        "{text}"
    );
    let few =
        fitted(x.slice_axis(Axis(0), (..5).into()), &y.take(&[0, 1, 2, 3, 4]), &json!({"early_stopping": true}), 0)
            .unwrap_err();
    assert!(few.to_string().contains("of the 5 rows"), "{few}");
    let one =
        fitted(x.slice_axis(Axis(0), (..1).into()), &Target::Numbers(vec![3.0]), &json!({"max_iter": 5}), 0).unwrap();
    assert!((one.model.predict_values(x.slice_axis(Axis(0), (..1).into())).unwrap()[0] - 3.0).abs() < 2.0);
    let huge = Array2::from_elem((4, 2), 1e308) * ndarray::array![[1.0, -1.0]];
    assert!(fitted(huge.view(), &y.take(&[0, 1, 2, 3]), &json!({}), 0).is_ok());
    let spread = ndarray::array![[1e308], [-1e308], [1e308], [-1e308]];
    assert_eq!(fitted(spread.view(), &y.take(&[0, 1, 2, 3]), &json!({}), 0).unwrap_err(), FitError::OutOfRange);
    let refused = |given: Value| {
        Hyperparameters::parse(Algorithm::NeuralNetwork, Task::Regression, given.as_object().unwrap())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(json!({"hidden_layer_sizes": [0]})).contains("an array of 1 to 20 integers from 1 to 16384"));
    assert!(refused(json!({"dropout": 1.0})).contains("a number of at least 0 and below 1"));
    assert!(refused(json!({"solver": "lbfgs"})).contains("one of 'adam', 'sgd'"));
    assert!(refused(json!({"class_weight": "balanced"})).contains("not a hyperparameter"));
}

#[test]
fn rows_without_weight_and_classes_without_rows_change_nothing() {
    let (x, y) = table(120, Task::Classification);
    let Target::Classes { codes, .. } = &y else { panic!("classes") };
    let parameters = Hyperparameters::parse(
        Algorithm::NeuralNetwork,
        Task::Classification,
        json!({"max_iter": 5}).as_object().unwrap(),
    );
    let parameters = parameters.unwrap();
    let weights: Vec<f64> = codes.iter().map(|code| if *code == 1 { 0.0 } else { 2.5 }).collect();
    let weighted = fit(Algorithm::NeuralNetwork, x.view(), &y, Some(&weights), &parameters, 3, &Silent).unwrap();
    let rows: Vec<usize> = (0..120).filter(|row| codes[*row] != 1).collect();
    let kept = x.select(Axis(0), &rows);
    let plain = fit(Algorithm::NeuralNetwork, kept.view(), &y.take(&rows), None, &parameters, 3, &Silent).unwrap();
    let (a, b) = (weighted.model.predict_proba(x.view()).unwrap(), plain.model.predict_proba(x.view()).unwrap());
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!(a.column(1).iter().all(|value| *value == 0.0));
    assert!(a.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
}

#[test]
fn the_importance_finds_the_features() {
    let x = Array2::from_shape_vec((300, 3), noise(900, 11).into_iter().map(f64::from).collect()).unwrap();
    let y = Target::Numbers(x.rows().into_iter().map(|row| 20.0 * row[0] - 10.0 * row[2]).collect());
    let fitted = fitted(x.view(), &y, &json!({"max_iter": 300, "learning_rate_init": 0.01}), 0).unwrap();
    let deviations: Vec<f64> = x.columns().into_iter().map(|column| column.std(0.0)).collect();
    let importance = &fitted.feature_importance;
    // A linear function: the derivative times the deviation.
    assert!((importance[0] / (20.0 * deviations[0]) - 1.0).abs() < 0.1, "{importance:?}");
    assert!((importance[2] / (10.0 * deviations[2]) - 1.0).abs() < 0.15, "{importance:?}");
    assert!(importance[1] < 0.1 * importance[2], "{importance:?}");
}
