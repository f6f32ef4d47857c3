//! Temporary.
use mlops_core::{Lang, Tool as _};
use crate::plots::{confusion_matrix::{self, ConfusionPlot}, raster, roc_curve::{self, Curve}};
use crate::test_world::{World, animals, houses};
use crate::tools::*;
use serde_json::json;
use super::*;

fn out(name: &str, svg: &str) {
    std::fs::create_dir_all("/tmp/gallery").unwrap();
    std::fs::write(format!("/tmp/gallery/{name}.svg"), svg).unwrap();
    std::fs::write(format!("/tmp/gallery/{name}.png"), raster::png(svg).unwrap()).unwrap();
}

#[test]
fn matrices() {
    for (n, name) in [(2, "cls"), (3, "species"), (10, "a long class name with words"), (20, "medium"), (50, "kind of thing")] {
        let labels: Vec<String> = (0..n).map(|i| format!("{name} {i}")).collect();
        let counts: Vec<Vec<u64>> = (0..n).map(|i| (0..n).map(|j| if i == j { 40 + (i as u64 * 37 % 60) * if i == 1 { 40 } else { 1 } } else { ((i * 7 + j * 3) as u64 % 11).saturating_sub(6) }).collect()).collect();
        let shares: Vec<Vec<f64>> = counts.iter().map(|l: &Vec<u64>| { let s: u64 = l.iter().sum(); l.iter().map(|&c| c as f64 / s as f64).collect() }).collect();
        out(&format!("cm{n}"), &confusion_matrix::draw(&ConfusionPlot { labels: &labels, counts: &counts, shares: &shares, share_of: "Share of the true class" }, Lang::En));
    }
    let curve = |i: usize| Curve { label: format!("class number {i}"), area: Some(0.99 - i as f64 * 0.01), points: (0..=20).map(|t| { let t = t as f64 / 20.0; [t, t.powf(0.1 + i as f64 * 0.05)] }).collect() };
    out("roc1", &roc_curve::draw_roc(&[curve(2)], Some([0.2, 0.2f64.powf(0.2)]), Lang::En));
    out("roc12", &roc_curve::draw_roc(&(0..12).map(curve).collect::<Vec<_>>(), None, Lang::En));
}

#[tokio::test]
async fn pages() {
    let world = World::new();
    let (model, test) = kinds(&world, &["Adelie", "Gentoo", "Chinstrap"]).await;
    let stump = world.fit(&world.uri("train.csv"), "kind", Algorithm::DecisionTree, 2).await;
    let tool = EvaluateClassifier { slices: vec!["island".to_owned()], baseline_model_s3_uri: Some(stump), ..classifier(&model, &test) };
    let e = tool.run(&world.room, &world.call).await.unwrap();
    for p in &e.plots { let u = ArtifactUri::new(p.png_uri.clone()).unwrap(); std::fs::write(format!("/tmp/gallery/c-{}.png", p.name), world.room.artifacts.read_bytes(&u, 1<<26).await.unwrap()).unwrap(); }
    for lang in ["en", "ja"] {
        let r: CreateEvaluationReport = serde_json::from_value(json!({"evaluation_uri": e.evaluation_uri, "decision": super::reports::decision(), "request": super::reports::request(), "data": super::reports::data(), "lang": lang, "run_id": format!("c-{lang}")})).unwrap();
        let r = r.run(&world.room, &world.call).await.unwrap();
        std::fs::write(format!("/tmp/gallery/c-{lang}.html"), world.read(&r.html_uri).await).unwrap();
        std::fs::write(format!("/tmp/gallery/c-{lang}.md"), world.read(&r.markdown_uri).await).unwrap();
        std::fs::write(format!("/tmp/gallery/c-{lang}.comment.md"), &r.comment).unwrap();
        std::fs::write(format!("/tmp/gallery/c-{lang}.json"), world.read(&r.json_uri).await).unwrap();
    }
    let train = world.write("th.csv", &houses(500, 1)).await;
    let test = world.write("thh.csv", &houses(300, 2)).await;
    let model = world.fit(&train, "price", Algorithm::RandomForest, 8).await;
    let tool = EvaluateRegressor { slices: vec!["quarter".to_owned(), "rooms".to_owned()], ..regressor(&model, &test) };
    let e = tool.run(&world.room, &world.call).await.unwrap();
    for p in &e.plots { let u = ArtifactUri::new(p.png_uri.clone()).unwrap(); std::fs::write(format!("/tmp/gallery/r-{}.png", p.name), world.room.artifacts.read_bytes(&u, 1<<26).await.unwrap()).unwrap(); }
    for (lang, d) in [("en", "promote"), ("ja", "reject")] {
        let r: CreateEvaluationReport = serde_json::from_value(json!({"evaluation_uri": e.evaluation_uri, "decision": {"decision": d, "reasons": ["no gates"]}, "request": super::reports::request(), "data": super::reports::data(), "lang": lang, "run_id": format!("r-{lang}")})).unwrap();
        let r = r.run(&world.room, &world.call).await.unwrap();
        std::fs::write(format!("/tmp/gallery/r-{lang}.html"), world.read(&r.html_uri).await).unwrap();
    }
    let names: Vec<String> = (0..10).map(|i| format!("A really long class name number {i} with_underscores")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let train = world.write("t10.csv", &animals(600, &names, 1)).await;
    let test = world.write("tt10.csv", &animals(300, &names, 2)).await;
    let model = world.fit(&train, "kind", Algorithm::RandomForest, 6).await;
    let e = classifier(&model, &test).run(&world.room, &world.call).await.unwrap();
    let r: CreateEvaluationReport = serde_json::from_value(json!({"evaluation_uri": e.evaluation_uri, "run_id": "ten"})).unwrap();
    let r = r.run(&world.room, &world.call).await.unwrap();
    std::fs::write("/tmp/gallery/ten-en.html", world.read(&r.html_uri).await).unwrap();
}
