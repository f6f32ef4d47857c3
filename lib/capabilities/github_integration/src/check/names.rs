//! The settings that are single values: task, data, target, model name, channels, language.

use std::collections::BTreeSet;

use mlops_core::Lang;
use mlops_core::arguments::nearest;
use mlops_core::values::{ArtifactUri, TaskType, sha256_hex};
use serde_json::{Map, Value, json};

use super::words;
use crate::findings::Findings;

/// Tasks that a request may know from the documentation of later releases.
const LATER_TASKS: [&str; 1] = ["reinforcement"];
const CHANNELS: [&str; 5] = ["github", "slack", "email", "teams", "discord"];
const LONGEST_MODEL_NAME: usize = 63;
/// The hex digits that tell default names apart whose letters do not.
const HASH_DIGITS: usize = 8;

/// The text of a setting; an error when it is something else.
pub(super) fn text<'a>(config: &'a Map<String, Value>, key: &str, findings: &mut Findings<'_>) -> Option<&'a str> {
    match config.get(key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        found => {
            let message = words::wrong(key, findings.lang.pick("text", "文字列"), found, findings.lang);
            let quoted = matches!(found, Value::Number(_) | Value::Bool(_)).then(|| format!("\"{found}\""));
            findings.error(key, message).suggesting(quoted);
            None
        }
    }
}

/// The text of a setting without which there is no request.
pub(super) fn required<'a>(config: &'a Map<String, Value>, key: &str, findings: &mut Findings<'_>) -> Option<&'a str> {
    if !config.contains_key(key) {
        findings.error(key, words::missing(key, findings.lang));
    }
    text(config, key, findings)
}

pub(super) fn task(config: &Map<String, Value>, findings: &mut Findings<'_>) -> Option<TaskType> {
    let lang = findings.lang;
    let tasks = TaskType::ALL.map(TaskType::as_str);
    let before = findings.errors.len();
    let Some(written) = required(config, "task", findings) else {
        if let Some(error) = findings.errors.get_mut(before) {
            error.allowing(tasks);
        }
        return None;
    };
    let name = written.trim().to_lowercase().replace([' ', '-'], "_");
    if let Some(task) = TaskType::ALL.into_iter().find(|task| task.as_str() == name) {
        return Some(task);
    }
    let list = tasks.join(", ");
    let message = if LATER_TASKS.contains(&written) {
        say!(
            lang,
            "the task {written} is not in this release; it does {list}",
            "タスク {written} はこのリリースでは使えません。使えるのは {list} です"
        )
    } else {
        let expected = say!(lang, "one of {list}", " {list} のいずれか");
        words::wrong("task", &expected, &config["task"], lang)
    };
    findings.error("task", message).allowing(tasks).suggesting(nearest(written, tasks));
    None
}

pub(super) fn dataset(config: &Map<String, Value>, findings: &mut Findings<'_>) -> Option<ArtifactUri> {
    let uri = required(config, "dataset_s3_uri", findings)?;
    match ArtifactUri::new(uri.trim()) {
        Ok(uri) => Some(uri),
        Err(error) => {
            let lang = findings.lang;
            let shown: String = uri.chars().take(60).collect();
            let message = match lang {
                Lang::En => error.message,
                Lang::Ja => format!("`dataset_s3_uri` の `{shown}` はデータの場所として使えません"),
            };
            let allowed = ["s3://bucket/key", "file:///path", lang.pick("a plain path", "ファイルのパス")];
            findings.error("dataset_s3_uri", message).allowing(allowed);
            None
        }
    }
}

/// The column to predict, which a task without one must not name.
pub(super) fn target(
    config: &Map<String, Value>,
    task: Option<TaskType>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let Some(task) = task.filter(|task| task.supervised().is_none()) else {
        return required(config, "target_column", findings).map(str::to_owned);
    };
    let column = text(config, "target_column", findings)?;
    let (task, lang) = (task.as_str(), findings.lang);
    let mut message = say!(
        lang,
        "a request for {task} predicts no column; take `target_column` out",
        "{task} では列を予測しません。`target_column` を消してください"
    );
    if task == TaskType::Clustering.as_str() {
        message.push_str(&say!(
            lang,
            ", or name known groups in `evaluation.truth_column`",
            "（既知のグループと比べる場合は `evaluation.truth_column` に指定します）"
        ));
    }
    let suggestion = (task == TaskType::Clustering.as_str()).then(|| json!({"truth_column": column}).to_string());
    findings.error("target_column", message).suggesting(suggestion.map(|value| format!("evaluation: {value}")));
    None
}

/// The name under which the model is registered; by default that of the data's file and the target, or the task.
pub(super) fn model_name(
    config: &Map<String, Value>,
    dataset: Option<&ArtifactUri>,
    target: Option<&str>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if !config.contains_key("model_name") {
        let name = default_name(dataset?.file_name(), target?);
        findings.default("model_name", name.clone());
        return Some(name);
    }
    let name = text(config, "model_name", findings)?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && name.chars().all(is_allowed) && name.len() <= LONGEST_MODEL_NAME && !name.contains("..") {
        return Some(name.to_owned());
    }
    let message = say!(
        findings.lang,
        "`model_name` must begin with a letter or digit and hold only letters, digits, `-`, `_` and `.`, at most \
         {LONGEST_MODEL_NAME} characters",
        "`model_name` は英数字で始め、英数字・`-`・`_`・`.` だけを使い、{LONGEST_MODEL_NAME} 文字以内にしてください"
    );
    let suggestion = Some(slug(name)).filter(|slug| !slug.is_empty());
    findings.error("model_name", message).suggesting(suggestion);
    None
}

/// A name of lower-case letters, digits and single hyphens out of any text; empty when the text has none of them.
pub(crate) fn slug(text: &str) -> String {
    slug_within(text, LONGEST_MODEL_NAME)
}

fn slug_within(text: &str, longest: usize) -> String {
    let mut slug = String::new();
    for character in text.chars().map(|character| character.to_ascii_lowercase()) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= longest {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The stem of the file and the target. A hash of both follows where letters were lost, so that models of other data or
/// of another target do not share a name.
fn default_name(file_name: &str, target: &str) -> String {
    let stem = file_name.split('.').find(|part| !part.is_empty()).unwrap_or_default();
    let slugs = [stem, target].map(|text| slug_within(text, usize::MAX));
    let [stem_slug, target_slug] = &slugs;
    let stem_slug = if stem_slug.is_empty() { "model" } else { stem_slug };
    let name = slug_within(&format!("{stem_slug}-{target_slug}"), usize::MAX);
    if stem.is_ascii() && target.is_ascii() && !target_slug.is_empty() && name.len() <= LONGEST_MODEL_NAME {
        return name;
    }
    let hash = sha256_hex(json!([stem, target]).to_string().as_bytes());
    let readable = slug_within(&name, LONGEST_MODEL_NAME - HASH_DIGITS - 1);
    format!("{readable}-{}", &hash[..HASH_DIGITS])
}

pub(super) fn notify(config: &Map<String, Value>, findings: &mut Findings<'_>) -> Vec<String> {
    let lang = findings.lang;
    let Some(value) = config.get("notify") else {
        findings.default("notify", Vec::<String>::new());
        return Vec::new();
    };
    let items: Vec<(String, &Value)> = match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (format!("notify[{index}]"), item)).collect()
        }
        other => vec![("notify".to_owned(), other)],
    };
    let mut channels = BTreeSet::new();
    let mut kept = Vec::new();
    for (path, item) in items {
        let name = item.as_str().map(|name| name.trim().to_lowercase());
        if let Some(name) = name.filter(|name| CHANNELS.contains(&name.as_str())) {
            if channels.insert(name.clone()) {
                kept.push(name);
            }
            continue;
        }
        let list = CHANNELS.join(", ");
        let expected = say!(lang, "one of {list}", "{list} のいずれか");
        let near = item.as_str().and_then(|written| nearest(written, CHANNELS));
        let message = words::wrong(&path, &expected, item, lang);
        findings.error(path, message).allowing(CHANNELS).suggesting(near);
    }
    kept
}

/// The language of results; `auto` is that of the call.
pub(super) fn lang(config: &Map<String, Value>, findings: &mut Findings<'_>) -> Lang {
    let lang = findings.lang;
    match config.get("lang").map(|value| (value, value.as_str().map(str::to_lowercase))) {
        None => {
            findings.default("lang", lang.as_str());
            lang
        }
        Some((_, Some(code))) if code == "auto" => lang,
        Some((_, Some(code))) if code == "en" => Lang::En,
        Some((_, Some(code))) if code == "ja" => Lang::Ja,
        Some((value, _)) => {
            let expected = lang.pick("one of auto, en, ja", " auto、en、ja のいずれか");
            findings.error("lang", words::wrong("lang", expected, value, lang)).allowing(["auto", "en", "ja"]);
            lang
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_name_tells_data_and_targets_apart() {
        assert_eq!(default_name("Penguins 2.csv.gz", "Body mass_g"), "penguins-2-body-mass-g");
        assert_eq!(default_name("---.csv", "y"), "model-y");
        let penguins = default_name("ペンギン.csv", "y");
        assert!(penguins.starts_with("model-y-") && penguins.len() == 16, "{penguins}");
        assert_eq!(penguins, default_name("ペンギン.csv", "y"));
        let long = "c".repeat(100);
        let mut names = vec![
            penguins,
            default_name("データ.csv", "y"),
            default_name("ペンギン.csv", "体重"),
            default_name("データ 2024.csv", "y"),
            default_name("鳥 2024.csv", "y"),
            default_name("t.csv", "!"),
            default_name("t.csv", "?"),
            default_name(&long, "y"),
            default_name(&long, "z"),
            default_name("t.csv", &format!("{long}a")),
            default_name("t.csv", &format!("{long}b")),
        ];
        let is_plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        assert!(names.iter().all(|name| name.len() <= LONGEST_MODEL_NAME && is_plain(name)), "{names:?}");
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}
