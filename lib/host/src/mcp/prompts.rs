//! Prompts for the common jobs: what a person asks, with what the model needs to answer it.

use mlops_core::arguments::nearest;
use mlops_core::{Error, Lang, Result, media_type};
use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Resource, Role};
use serde_json::Value;

use super::{McpSettings, resources};

/// One prompt.
struct Template {
    name: &'static str,
    title: [&'static str; 2],
    description: [&'static str; 2],
    /// Name, what it is, and whether it must be given.
    arguments: &'static [(&'static str, [&'static str; 2], bool)],
    /// The text; `{name}` stands for an argument.
    text: [&'static str; 2],
    /// Sentences that are added when their argument is given.
    extras: &'static [(&'static str, [&'static str; 2])],
}

static TEMPLATES: [Template; 4] = [
    Template {
        name: "train_model",
        title: ["Train a model on this file", "このファイルでモデルを学習"],
        description: [
            "Look at a file, train a model on it, evaluate it on unseen rows and report how good it is.",
            "ファイルを調べてモデルを学習し、未使用の行で評価して結果を報告します。",
        ],
        arguments: &[
            ("data", ["The file: a path, file:///path or s3://bucket/key", "ファイル (パス、file:///…、s3://…)"], true),
            ("target", ["The column to predict", "予測する列"], false),
            ("algorithm", ["The algorithm", "アルゴリズム"], false),
        ],
        text: [
            "Train a model on {data}. First look at it with load_dataset and check it with validate_data; tell me what \
             you find and stop if the data cannot support a model. Then split_dataset, preprocess_supervised on the \
             train part (and with its preprocessor_uri on the validation part), train, and evaluate on the raw test \
             part, which nothing before may have seen. Say how good the model is with its interval, compared with \
             guessing, and what it relies on. Write the report with create_evaluation_report. Do not register the \
             model before I have agreed.",
            "{data} でモデルを学習してください。まず load_dataset と validate_data でデータを調べ、分かったことを伝え、\
             学習に適さなければそこで止めてください。次に split_dataset、学習データでの preprocess_supervised (検証データには同じ \
             preprocessor_uri)、学習、そして未使用の元のテストデータでの評価を行ってください。精度を区間とともに、当て推量との比較と、\
             何に依存しているかを含めて説明し、create_evaluation_report でレポートを作成してください。登録は私の同意を得てからにしてください。",
        ],
        extras: &[
            ("target", ["The column to predict is `{target}`.", "予測する列は `{target}` です。"]),
            ("algorithm", ["Use the algorithm `{algorithm}`.", "アルゴリズムは `{algorithm}` を使ってください。"]),
        ],
    },
    Template {
        name: "explain_rejection",
        title: ["Why was this model rejected?", "このモデルはなぜ却下されたのか"],
        description: [
            "Explain from the records of a run why its model was rejected, and what would change that.",
            "実行の記録から、モデルが却下された理由と改善策を説明します。",
        ],
        arguments: &[("run_id", ["The run", "実行の ID"], true)],
        text: [
            "Why was the model of run {run_id} rejected? Read the records of the run that are linked here: the report, \
             the evaluation, the history. Name each gate that failed, with the figure that was reached, the one that \
             was wanted, and whether the interval leaves room for doubt. Then say what most likely limits the model - \
             the data, the target, the split, the algorithm - and propose at most three changes, the most promising \
             first. Where the records do not say something, say so.",
            "実行 {run_id} のモデルはなぜ却下されたのでしょうか。ここにリンクされた記録 (レポート、評価、履歴) を読み、満たさなかった基準ごとに、\
             実際の値、求められた値、区間から見て疑いの余地があるかを示してください。次に、データ、目的変数、分割、アルゴリズムのうち何が\
             制約になっているかを述べ、効果の大きい順に三つまで改善案を挙げてください。記録から分からないことは、分からないと書いてください。",
        ],
        extras: &[],
    },
    Template {
        name: "review_approval",
        title: ["Should this model be approved?", "このモデルを承認すべきか"],
        description: [
            "Prepare the decision about a model that waits for a person: what speaks for it, against it, and what is open.",
            "承認待ちのモデルについて、賛成・反対の理由と未確認の点を整理します。",
        ],
        arguments: &[("run_id", ["The run", "実行の ID"], true)],
        text: [
            "The model of run {run_id} waits for my decision. Read the report, the evaluation and the history that are \
             linked here. Give me on one page: why it was not decided by rule; how it compares with the model in use, \
             with intervals; for which groups of rows it is worse; what the data checks warned of; what would be hard \
             to undo. End with a recommendation and the one figure that it rests on. Decide nothing yourself: I answer \
             with `mlops approve {run_id}` or `mlops reject {run_id}`, or with a comment /mlops approve or /mlops reject.",
            "実行 {run_id} のモデルが私の判断を待っています。ここにリンクされたレポート、評価、履歴を読み、次のことを一ページにまとめてください。\
             規則で決まらなかった理由、現行モデルとの区間付きの比較、成績が悪くなる行の集団、データ検査の警告、取り消しにくい点。\
             最後に推奨と、その根拠となる数値を一つ示してください。判断は私が行います (`mlops approve {run_id}`、`mlops reject {run_id}`、\
             またはコメントの /mlops approve、/mlops reject)。",
        ],
        extras: &[],
    },
    Template {
        name: "compare_versions",
        title: ["Compare versions of a model", "モデルのバージョンを比較"],
        description: [
            "Say what differs between two versions of a model, and which one to use.",
            "モデルの二つのバージョンの違いと、どちらを使うべきかを説明します。",
        ],
        arguments: &[
            ("model_name", ["The model", "モデル名"], true),
            (
                "from",
                ["The older version; the one before the newest when left out", "古いバージョン (省略時は一つ前)"],
                false,
            ),
            ("to", ["The newer version; the newest when left out", "新しいバージョン (省略時は最新)"], false),
        ],
        text: [
            "Compare two versions of the model {model_name}: by default the newest one with the one before it. Use \
             list_model_versions, and its `diff`. Say what changed in data, parameters and metrics; whether the metrics \
             were measured on the same rows, and if not, that they cannot be compared; which version the aliases point \
             at; and which one should be used, with the figure that decides it.",
            "モデル {model_name} の二つのバージョン (既定では最新と一つ前) を list_model_versions とその `diff` で比較してください。\
             データ、パラメータ、指標の変化、指標が同じ行で測られたか (違えば比較できないこと)、エイリアスが指すバージョン、\
             そしてどちらを使うべきかを、決め手の数値とともに述べてください。",
        ],
        extras: &[
            ("from", ["Compare from version {from}.", "比較元はバージョン {from} です。"]),
            ("to", ["Compare to version {to}.", "比較先はバージョン {to} です。"]),
        ],
    },
];

/// Folders of a run that its prompts link to.
const RECORDS: [&str; 3] = ["reports", "evaluations", "history"];

fn in_lang(texts: [&'static str; 2], lang: Lang) -> &'static str {
    match lang {
        Lang::En => texts[0],
        Lang::Ja => texts[1],
    }
}

/// The prompts as clients list them.
pub(super) fn list(lang: Lang) -> Vec<Prompt> {
    let describe = |template: &Template| {
        let arguments = template.arguments.iter().map(|(name, what, required)| {
            PromptArgument::new(*name).with_description(in_lang(*what, lang)).with_required(*required)
        });
        Prompt::new(template.name, Some(in_lang(template.description, lang)), Some(arguments.collect()))
            .with_title(in_lang(template.title, lang))
    };
    TEMPLATES.iter().map(describe).collect()
}

/// A prompt with its arguments put in, and with links to what it speaks of.
pub(super) async fn get(settings: &McpSettings, name: &str, given: &JsonObject) -> Result<GetPromptResult> {
    let template = find(name)?;
    let known = || template.arguments.iter().map(|(name, ..)| *name);
    if let Some(key) = given.keys().find(|key| !known().any(|name| name == key.as_str())) {
        let error = Error::invalid_input(format!("`{name}` has no argument `{key}`")).at(key.as_str());
        return Err(match nearest(key, known()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("its arguments are: {}", known().collect::<Vec<_>>().join(", "))),
        });
    }
    let value = |name: &str| given.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    for (name, what, required) in template.arguments {
        let Some(text) = value(name) else {
            if *required {
                let what = in_lang(*what, settings.lang);
                return Err(Error::invalid_input(format!("`{name}` is missing")).at(*name).hint(what));
            }
            continue;
        };
        if text.len() > 2_000 || text.chars().any(char::is_control) {
            return Err(Error::invalid_input(format!("`{name}` must be one short line")).at(*name));
        }
    }
    let mut text = in_lang(template.text, settings.lang).to_owned();
    for (name, sentence) in template.extras {
        if value(name).is_some() {
            text.push(' ');
            text.push_str(in_lang(*sentence, settings.lang));
        }
    }
    let text = filled(&text, &value);
    let mut messages = vec![PromptMessage::new_text(Role::User, text)];
    if let Some(run_id) = value("run_id") {
        messages.extend(records(settings, run_id).await?);
    }
    Ok(GetPromptResult::new(messages).with_description(in_lang(template.description, settings.lang)))
}

/// The text with arguments in the place of their names. What an argument holds is not looked at again.
fn filled<'a>(text: &str, value: &impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(value(name).unwrap_or_default());
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// Whether there is a prompt of that name with that argument.
pub(super) fn has_argument(name: &str, argument: &str) -> bool {
    find(name).is_ok_and(|template| template.arguments.iter().any(|(known, ..)| *known == argument))
}

fn find(name: &str) -> Result<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name).ok_or_else(|| {
        let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
        let error = Error::invalid_input(format!("there is no prompt `{name}`")).at("name");
        error.hint(format!("the prompts are: {}", names.join(", ")))
    })
}

/// Links to what a run has written for people.
async fn records(settings: &McpSettings, run_id: &str) -> Result<Vec<PromptMessage>> {
    let mut links = Vec::new();
    for kind in RECORDS {
        let folder = format!("{}/", settings.root.join(&format!("{kind}/{run_id}")).as_str());
        let page = settings.store.list(&mlops_core::values::ArtifactUri::new(folder)?, None).await?;
        let readable = page.objects.iter().filter(|object| {
            let name = object.uri.file_name();
            [".md", ".json"].iter().any(|ending| name.ends_with(ending)) && !object.uri.as_str().contains("/records/")
        });
        links.extend(readable.take(5).map(|object| {
            let uri = object.uri.as_str();
            let resource =
                Resource::new(resources::encoded(uri), object.uri.file_name()).with_mime_type(media_type(uri));
            PromptMessage::new_resource_link(Role::User, resource)
        }));
    }
    if links.is_empty() {
        let error = Error::not_found(format!("there are no records of a run `{run_id}`")).at("run_id");
        return Err(error.hint("completion/complete gives the runs that there are"));
    }
    Ok(links)
}
