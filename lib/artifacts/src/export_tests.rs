//! Exports lie beside their model, say whose they are, and nothing in them is trusted.

use futures::executor::block_on;
use mlops_algorithms::models::Algorithm;
use mlops_algorithms::models::calibration::{Calibrator, Sigmoid};
use mlops_core::ErrorKind;
use mlops_core::ports::Condition;
use mlops_core::values::SupervisedTask;

use crate::memory_store::{artifacts, uri};
use crate::sample_model::{plain, raw};
use crate::{EncodedModel, ExportFormat, onnx};

const PLACE: &str = "s3://store/models/model.tar.gz";
const ONNX: &str = "s3://store/models/model.onnx";

#[test]
fn exports_lie_beside_the_model_and_are_read_back() {
    let artifacts = artifacts();
    let calibrated = || {
        let (card, model) = raw(Algorithm::RandomForest, SupervisedTask::Classification);
        let map = Calibrator::Sigmoid(vec![Sigmoid { slope: 1.5, intercept: 0.1 }]);
        (card, model.calibrated(map).unwrap())
    };
    for (card, model) in [raw(Algorithm::DecisionTree, SupervisedTask::Regression), plain(), calibrated()] {
        let encoded = || EncodedModel::new(card.clone(), &model).unwrap();
        let (written, exports) = block_on(artifacts.write_encoded(&uri(PLACE), encoded())).unwrap();
        assert_eq!(block_on(artifacts.write_encoded(&uri(PLACE), encoded())).unwrap(), (written, exports.clone()));
        let [export] = exports.as_slice() else { panic!("{exports:?}") };
        assert_eq!((export.format, export.uri.as_ref()), (ExportFormat::Onnx, Some(&uri(ONNX))));
        let loaded = block_on(artifacts.read_model(&uri(PLACE))).unwrap();
        let back = block_on(artifacts.read_model(&uri(ONNX))).unwrap();
        assert_eq!((&back.card, &back.model), (&loaded.card, &loaded.model));
        assert_eq!(Some(&back.sha256), export.sha256.as_ref());
        assert_eq!(block_on(artifacts.exports(&loaded)).unwrap(), exports);
    }
}

#[test]
fn boosted_trees_lie_there_as_xgboost_has_them_too() {
    let artifacts = artifacts();
    let (card, model) = raw(Algorithm::Xgboost, SupervisedTask::Classification);
    let encoded = EncodedModel::new(card.clone(), &model).unwrap();
    let (_, exports) = block_on(artifacts.write_encoded(&uri(PLACE), encoded)).unwrap();
    assert_eq!(exports.iter().map(|export| export.format.as_str()).collect::<Vec<_>>(), ["onnx", "xgboost_json"]);
    let loaded = block_on(artifacts.read_model(&uri(PLACE))).unwrap();
    assert_eq!(block_on(artifacts.exports(&loaded)).unwrap(), exports);
    // A calibration has no place there, and the file of the model before is known as another's.
    let model = model.calibrated(Calibrator::Sigmoid(vec![Sigmoid { slope: 1.0, intercept: 0.0 }])).unwrap();
    let encoded = EncodedModel::new(card, &model).unwrap();
    let (_, exports) = block_on(artifacts.write_encoded(&uri(PLACE), encoded)).unwrap();
    assert!(exports[1].left_out.as_ref().unwrap().contains("no place"), "{exports:?}");
    let listed = block_on(artifacts.exports(&loaded)).unwrap();
    assert_eq!(listed.iter().map(|export| export.format).collect::<Vec<_>>(), [ExportFormat::XgboostJson]);
    let calibrated = block_on(artifacts.read_model(&uri(PLACE))).unwrap();
    assert_eq!(block_on(artifacts.exports(&calibrated)).unwrap(), exports[..1]);
}

#[test]
fn an_onnx_file_that_was_changed_is_refused() {
    let artifacts = artifacts();
    let (card, model) = raw(Algorithm::LogisticRegression, SupervisedTask::Classification);
    let good = onnx::encode(&card, &model).unwrap();
    let refused = |bytes: Vec<u8>| {
        block_on(artifacts.write_bytes(&uri(ONNX), bytes, Condition::None)).unwrap();
        let error = block_on(artifacts.read_model(&uri(ONNX))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.contains(ONNX) && error.hint.is_some(), "{error}");
        error.message
    };
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = good.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    assert!(refused(b"PK\x03\x04".to_vec()).contains("no ONNX"));
    assert!(refused(good[..good.len() / 2].to_vec()).contains("only a part"));
    assert!(refused(replaced("mlops", "skl2o")).contains("skl2o wrote it"));
    assert!(refused(replaced("MatMul", "MatSub")).contains("has the SHA-256"));
    assert!(refused(replaced("mlops.card", "mlops.cart")).contains("no `mlops.card`"));
    assert!(refused(replaced("\"present\":[0,1]", "\"present\":[0,9]")).contains("do not match its labels"));
    assert!(refused(replaced("\"seed\":1", "\"seed\":x")).contains("the card of the ONNX model is none"));
    // A graph whose hash was made to fit: the operation was changed, and the reader did not need it.
    let opened = mlops_algorithms::onnx::open(&good).unwrap();
    let graph = opened.graph.to_vec();
    let at = graph.windows(7).position(|part| part == b"Sigmoid").unwrap();
    let mut graph = graph;
    graph[at..at + 7].copy_from_slice(b"Softmax");
    let hash = mlops_core::values::sha256_hex(&graph);
    let text = |name: &str| opened.metadata[name].clone();
    let (description, card) = (text("mlops.description"), text("mlops.card"));
    let texts = [
        ("mlops.format", "1"),
        ("mlops.graph_sha256", hash.as_str()),
        ("mlops.description", description.as_str()),
        ("mlops.card", card.as_str()),
    ];
    let message = refused(mlops_algorithms::onnx::file(&graph, &texts));
    assert!(message.contains("not the one that this version writes"), "{message}");
}
