//! Every tool answers in the language of the call.

use mlops_core::Lang;
use mlops_data_preparation::tools::TOOLS;
use serde_json::{Value, json};

use crate::place::{Place, flowers};

async fn summary(place: &Place, name: &str, arguments: &Value, lang: Lang) -> String {
    let call = place.call.clone().in_lang(lang);
    let entry = TOOLS.iter().find(|entry| entry.name == name).unwrap();
    (entry.run)(&place.room, &call, arguments.clone()).await.unwrap().summary
}

#[tokio::test]
async fn in_english_and_in_japanese() {
    let place = Place::new();
    let path = place.file("flowers.csv", flowers(60));
    let bad = place.file("bad.csv", "a,y\n1,x\n2,x\n");
    let prepare = json!({"dataset_s3_uri": path, "target_column": "kind", "task_type": "classification"});
    for (name, arguments, english, japanese) in [
        ("load_dataset", json!({"uri": path}), "60 rows and 4 columns", "60 行 4 列"),
        ("validate_data", json!({"uri": path}), "passed with score", "合格"),
        ("validate_data", json!({"uri": bad, "target": "y"}), "not passed", "不合格"),
        ("split_dataset", json!({"uri": path}), "42 training", "学習 42 行"),
        ("preprocess_supervised", prepare, "60 rows into 6 features", "6 個の特徴量"),
    ] {
        let (in_english, in_japanese) =
            (summary(&place, name, &arguments, Lang::En).await, summary(&place, name, &arguments, Lang::Ja).await);
        assert!(in_english.contains(english), "{in_english}");
        assert!(in_japanese.contains(japanese), "{in_japanese}");
    }
}
