//! What a run will do where nothing is predicted, step by step, in words.

use mlops_core::Lang;
use mlops_core::values::{TaskType, TrainingConfig};
use mlops_github_integration::SeenData;

use crate::steps::{grouped, settings, shown};

pub(super) fn data_step(config: &TrainingConfig, data: Option<&SeenData>, lang: Lang) -> String {
    let place = shown(config.dataset_s3_uri.as_str());
    let what = match config.task {
        TaskType::Clustering => lang.pick("look for groups of rows", "行のグループを探します"),
        _ => lang.pick("describe each row by fewer numbers", "各行をより少ない数値で表します"),
    };
    let Some(data) = data else {
        return say!(
            lang,
            "**Data**: read {place} and {what}. Its contents are looked at when the run reads it.",
            "**データ**: {place} を読み込み、{what}。内容は読み込み時に確認します。"
        );
    };
    let (rows, columns) = (grouped(data.rows), data.columns);
    let rows = match (lang, data.complete) {
        (_, true) => rows,
        (Lang::En, false) => format!("about {rows}"),
        (Lang::Ja, false) => format!("約 {rows}"),
    };
    say!(
        lang,
        "**Data**: read {place}: {rows} rows, {columns} columns; {what}. There is no column to predict.",
        "**データ**: {place} を読み込み（{rows} 行、{columns} 列）、{what}。予測対象の列はありません。"
    )
}

pub(super) fn split(lang: Lang) -> String {
    let text = lang.pick(
        "**Split**: none; every row is learnt from, since nothing is predicted.",
        "**分割**: なし。予測を行わないため、すべての行から学習します。",
    );
    text.to_owned()
}

pub(super) fn preparation(config: &TrainingConfig, lang: Lang) -> String {
    let settings = settings(&config.preprocessing_config, lang);
    say!(lang, "**Preparation**: {settings}; fitted on all rows.", "**前処理**: {settings}。すべての行に当てはめます。")
}

pub(super) fn training(config: &TrainingConfig, lang: Lang) -> String {
    let algorithm = shown(&config.algorithm);
    let mut text = match (config.algorithm.as_str(), config.task) {
        ("auto", TaskType::Clustering) => lang
            .pick(
                "**Training**: k-means, a Gaussian mixture and HDBSCAN are tried; the clustering of the highest silhouette is kept",
                "**学習**: k-means、混合ガウス、HDBSCAN を試し、シルエットが最も高いものを採用します",
            )
            .to_owned(),
        ("auto", _) => lang
            .pick(
                "**Training**: PCA and UMAP are tried; the one of the highest trustworthiness is kept",
                "**学習**: PCA と UMAP を試し、信頼性が最も高いものを採用します",
            )
            .to_owned(),
        _ => say!(lang, "**Training**: {algorithm}", "**学習**: {algorithm} を使います"),
    };
    if config.hyperparameters.is_empty() {
        text.push_str(lang.pick(" with default parameters", "（パラメータは既定値）"));
    } else {
        let given = settings(&config.hyperparameters, lang);
        text.push_str(&say!(lang, " with {given}, the rest by default", "（{given}、その他は既定値）"));
    }
    let seed = config.seed;
    text.push_str(&say!(lang, "; seed {seed}.", "。シード {seed}。"));
    if config.algorithm == "tsne" {
        text.push_str(lang.pick(
            " t-SNE has no transform: the model cannot place other rows.",
            "t-SNE は変換を持たないため、他の行は配置できません。",
        ));
    }
    text
}

pub(super) fn evaluation(config: &TrainingConfig, lang: Lang) -> String {
    let name = shown(&config.model_name);
    if config.task != TaskType::Clustering {
        let text = lang.pick(
            "**Evaluation**: how much of the differences between rows is kept, and whether near rows stay near.",
            "**評価**: 行の間の違いがどれだけ保たれ、近い行が近いままかを測ります。",
        );
        return text.to_owned();
    }
    let mut text = say!(
        lang,
        "**Evaluation**: how well the clusters are told apart, beside the clusters of the champion of {name} where there \
         is one that has a place for these rows",
        "**評価**: クラスタがどれだけ分かれているかを測り、{name} の現行モデル（チャンピオン）が同じ行を分類できれば比べます"
    );
    if let Some(truth) = &config.evaluation.truth_column {
        let truth = shown(truth);
        text.push_str(&say!(
            lang,
            "; also against the known groups in {truth}, which is no feature",
            "。既知のグループ {truth}（特徴量には使いません）とも比べます"
        ));
    }
    text.push_str(lang.pick(".", "。"));
    text
}
