//! Clusterings and reductions in words: what was found, what the clusters are, and what limits the conclusions.

use mlops_core::Lang;

use super::document::TableOfNumbers;
use super::sentence::{Argument, Part, Sentence, Shown, say};
use crate::evaluation::Evaluation;
use crate::plots::lettering::significant;
use crate::structure::{ClusterFacts, ClusteringDetail, KnownGroups, ReductionDetail};

/// The most clusters in a table.
const CLUSTERS: usize = 30;

/// What was found about a clustering.
pub(super) fn of_clustering(evaluation: &Evaluation, detail: &ClusteringDetail, lang: Lang) -> Vec<Sentence> {
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    let mut found = Vec::new();
    let (rows, noise) = (Shown::count(evaluation.data.evaluated), count(detail.noise));
    let clusters = Shown::count(detail.clusters.len());
    let pattern = match detail.noise {
        0 => lang.pick("{0} clusters were found among {1} rows.", "{1} 行から {0} 個のクラスタが見つかりました。"),
        _ => lang.pick(
            "{0} clusters were found among {1} rows; {2} rows ({3}) belong to none.",
            "{1} 行から {0} 個のクラスタが見つかりました。{2} 行（{3}）はどのクラスタにも属しません。",
        ),
    };
    let share = Shown::percent(value("noise_ratio").unwrap_or_default());
    found.push(say(pattern, &[clusters.into(), rows.into(), noise.into(), share.into()]));
    if let Some(silhouette) = value("silhouette") {
        found.push(say(reading(silhouette, lang), &[Shown::share(silhouette).into()]));
    }
    if let Some(search) = &detail.k_search {
        let pattern = lang.pick(
            "The number of clusters was chosen among {0} that were compared, by {1}.",
            "クラスタ数は {0} 通りを比べ、{1}で選びました。",
        );
        let by = match search.criterion {
            mlops_algorithms::clustering::SearchCriterion::Silhouette => lang.pick("the silhouette", "シルエット"),
            mlops_algorithms::clustering::SearchCriterion::Elbow => {
                lang.pick("the bend of the inertia", "イナーシャの折れ曲がり")
            }
            mlops_algorithms::clustering::SearchCriterion::Bic => {
                lang.pick("the Bayesian information criterion", "BIC ")
            }
        };
        found.push(say(pattern, &[Shown::count(search.tried.len()).into(), by.into()]));
    }
    if let (Some(truth), Some(index)) = (&detail.truth, value("ari")) {
        let pattern = lang.pick(
            "Against the known groups in “{0}”, the adjusted Rand index is {1}: 1 is the same groups, 0 is chance.",
            "「{0}」の既知のグループに対する調整ランド指数は {1} です（1 は完全一致、0 は偶然）。",
        );
        found.push(say(pattern, &[truth.column.as_str().into(), Shown::share(index).into()]));
    }
    found
}

/// What a silhouette says, by the bounds of Kaufman and Rousseeuw (1990).
fn reading(silhouette: f64, lang: Lang) -> &'static str {
    match silhouette {
        value if value > 0.7 => lang.pick(
            "The mean silhouette is {0}: the clusters are told apart clearly.",
            "平均シルエットは {0} で、クラスタははっきり分かれています。",
        ),
        value if value > 0.5 => lang.pick(
            "The mean silhouette is {0}: the clusters are told apart reasonably well.",
            "平均シルエットは {0} で、クラスタはおおむね分かれています。",
        ),
        value if value > 0.25 => lang.pick(
            "The mean silhouette is {0}: the clusters are weak and overlap.",
            "平均シルエットは {0} で、クラスタの分かれ方は弱く、重なりがあります。",
        ),
        _ => lang.pick(
            "The mean silhouette is {0}: there is no substantial structure.",
            "平均シルエットは {0} で、明確な構造は見られません。",
        ),
    }
}

/// What was found about a reduction.
pub(super) fn of_reduction(evaluation: &Evaluation, detail: &ReductionDetail, lang: Lang) -> Vec<Sentence> {
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    let pattern = lang.pick(
        "{0} describes each of {1} rows by {2} numbers instead of {3}.",
        "{0} により、{1} 行をそれぞれ {3} 個ではなく {2} 個の数値で表しました。",
    );
    let arguments: [Argument; 4] = [
        evaluation.model.algorithm.as_str().into(),
        Shown::count(evaluation.data.evaluated).into(),
        Shown::count(detail.num_components).into(),
        Shown::count(evaluation.model.features).into(),
    ];
    let mut found = vec![say(pattern, &arguments)];
    if let Some(share) = value("explained_variance") {
        let pattern = lang.pick(
            "They keep {0} of the differences between rows (variance).",
            "行の間の違い（分散）の {0} を保っています。",
        );
        found.push(say(pattern, &[Shown::percent(share).into()]));
    }
    if let Some(divergence) = value("kl_divergence") {
        let pattern = lang.pick(
            "The map differs from the neighbourhoods among the features by {0} nats (Kullback–Leibler).",
            "地図上の近さと特徴量での近さの差（KL ダイバージェンス）は {0} ナットです。",
        );
        found.push(say(pattern, &[Shown::share(divergence).into()]));
    }
    if let (Some(trust), Some(kept)) = (value("trustworthiness"), value("preservation")) {
        let pattern = lang.pick(
            "Rows that are near on the map are near among the features as well to a trustworthiness of {0} (1 is perfect); {1} of the {2} nearest rows are kept.",
            "地図上で近い行が特徴量でも近い度合い（信頼性）は {0}（1 が最良）で、最も近い {2} 行の {1} が保たれています。",
        );
        let numbers = [Shown::share(trust), Shown::percent(kept), Shown::count(detail.n_neighbors)];
        found.push(say(pattern, &numbers.map(Argument::from)));
    }
    found
}

/// Which clusters hold together least.
pub(super) fn weak_clusters(detail: &ClusteringDetail, lang: Lang) -> Vec<Sentence> {
    let measured = detail.clusters.iter().filter_map(|one| Some((one, one.silhouette?)));
    let Some((worst, silhouette)) = measured.min_by(|a, b| a.1.total_cmp(&b.1)) else { return Vec::new() };
    let pattern = lang.pick(
        "The cluster that is told apart least is {0}: silhouette {1}, {2} rows.",
        "最も分かれていないクラスタは {0} です（シルエット {1}、{2} 行）。",
    );
    let mut found = vec![say(
        pattern,
        &[worst.cluster.to_string().as_str().into(), Shown::share(silhouette).into(), count(worst.rows).into()],
    )];
    let all: u64 = detail.clusters.iter().map(|one| one.rows).sum();
    if let Some(largest) = detail.clusters.iter().max_by_key(|one| one.rows)
        && largest.rows * 10 >= all * 9
        && detail.clusters.len() > 1
    {
        let share = largest.rows as f64 / all as f64;
        let pattern = lang.pick(
            "One cluster holds {0} of the rows in clusters; the others are little more than exceptions.",
            "一つのクラスタに {0} の行が集まり、残りは例外的な行にすぎません。",
        );
        found.push(say(pattern, &[Shown::percent(share).into()]));
    }
    found
}

/// The clusters, and the known groups against them.
pub(super) fn tables(detail: &ClusteringDetail, lang: Lang) -> Vec<TableOfNumbers> {
    let mut tables = vec![clusters(detail, lang)];
    tables.extend(detail.truth.as_ref().map(|truth| groups(detail, truth, lang)));
    tables
}

fn clusters(detail: &ClusteringDetail, lang: Lang) -> TableOfNumbers {
    let all = detail.clusters.iter().map(|one| one.rows).sum::<u64>() + detail.noise;
    let line = |one: &ClusterFacts| {
        vec![
            words(&one.cluster.to_string()),
            number(count(one.rows)),
            number(Shown::percent(one.rows as f64 / all.max(1) as f64)),
            one.silhouette.map_or_else(|| words("–"), |value| number(Shown::share(value))),
            words(&apart(one)),
        ]
    };
    let columns = [
        lang.pick("Cluster", "クラスタ"),
        lang.pick("Rows", "行数"),
        lang.pick("Share", "割合"),
        lang.pick("Silhouette", "シルエット"),
        lang.pick("What sets it apart (in standard deviations)", "特徴（標準偏差単位）"),
    ];
    TableOfNumbers {
        name: "clusters".to_owned(),
        title: lang.pick("The clusters", "クラスタ一覧").to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        lines: detail.clusters.iter().take(CLUSTERS).map(line).collect(),
    }
}

fn apart(one: &ClusterFacts) -> String {
    let named = one.set_apart.iter().map(|(name, distance)| {
        let sign = if *distance > 0.0 { "+" } else { "" };
        format!("{name} {sign}{}", significant(*distance, 2))
    });
    named.collect::<Vec<_>>().join(", ")
}

fn groups(detail: &ClusteringDetail, truth: &KnownGroups, lang: Lang) -> TableOfNumbers {
    let mut columns = vec![truth.column.clone()];
    columns.extend(detail.clusters.iter().take(CLUSTERS).map(|one| one.cluster.to_string()));
    let shown = columns.len() - 1;
    columns.push(lang.pick("none", "なし").to_owned());
    let line = |(group, counts): (&String, &Vec<u64>)| {
        let last = counts.last().copied().unwrap_or_default();
        let cells = counts.iter().take(shown).copied().chain([last]).map(|rows| number(count(rows)));
        [words(group)].into_iter().chain(cells).collect()
    };
    TableOfNumbers {
        name: "known_groups".to_owned(),
        title: match lang {
            Lang::En => format!("Rows of each “{}” by cluster", truth.column),
            Lang::Ja => format!("「{}」ごとのクラスタ別行数", truth.column),
        },
        columns,
        lines: truth.groups.iter().zip(&truth.counts).map(line).collect(),
    }
}

/// What limits the conclusions about clusters or coordinates.
pub(super) fn caveats(evaluation: &Evaluation, lang: Lang, found: &mut Vec<Sentence>) {
    if let Some(detail) = &evaluation.clustering {
        let text = lang.pick(
            "These measures say how well clusters are told apart by the prepared features; whether they mean anything is for people to say.",
            "これらの指標は、前処理後の特徴量でクラスタがどれだけ分かれるかを示すものです。意味の有無は人の判断によります。",
        );
        found.push(say(text, &[]));
        if detail.silhouette_sampled {
            let pattern = lang.pick(
                "The silhouette is that of {0} rows, drawn by the seed.",
                "シルエットはシードで抽出した {0} 行の値です。",
            );
            found.push(say(pattern, &[count(detail.silhouette_rows).into()]));
        }
        if let Some(share) = detail.explained_by_points.filter(|share| *share < 0.999) {
            let pattern = lang.pick(
                "The picture of the clusters shows {0} of the differences between rows; clusters that overlap there may be apart.",
                "クラスタの図は行の間の違いの {0} だけを示します。図で重なっていても実際には分かれていることがあります。",
            );
            found.push(say(pattern, &[Shown::percent(share).into()]));
        }
    }
    if let Some(detail) = &evaluation.reduction {
        if !detail.has_transform {
            let text = lang.pick(
                "t-SNE has no transform: the model cannot place rows that it was not fitted to. Distances between far groups and their sizes on the map mean little.",
                "t-SNE は変換を持たないため、学習に使っていない行を配置できません。離れたグループ間の距離や大きさにはあまり意味がありません。",
            );
            found.push(say(text, &[]));
        }
        if detail.measured_rows < evaluation.data.evaluated {
            let pattern = lang.pick(
                "Neighbourhoods were compared among {0} rows, drawn by the seed.",
                "近傍の比較はシードで抽出した {0} 行で行いました。",
            );
            found.push(say(pattern, &[Shown::count(detail.measured_rows).into()]));
        }
    }
}

fn count(count: u64) -> Shown {
    Shown::count(usize::try_from(count).unwrap_or(usize::MAX))
}

fn words(text: &str) -> Part {
    Part { text: text.to_owned(), value: None }
}

fn number(shown: Shown) -> Part {
    Part { text: shown.text, value: Some(shown.value) }
}
