//! Says what a schema expects and what a value is, in the language of the call.

use mlops_core::Lang;
use serde_json::Value;

/// A value, cut short when it is long.
pub(super) fn value(value: &Value) -> String {
    let text = value.to_string();
    let shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// What a value of that schema must be, as the end of a sentence.
pub(super) fn expected(schema: &Value, lang: Lang) -> String {
    if let Some(allowed) = schema["enum"].as_array() {
        let list = allowed.iter().map(|of| of.as_str().map_or_else(|| of.to_string(), str::to_owned));
        let list = list.collect::<Vec<_>>().join(", ");
        return say!(lang, "one of {list}", "{list} のいずれか");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let kinds = types.iter().map(|name| match (*name, lang) {
        ("boolean", Lang::En) => "true or false",
        ("boolean", Lang::Ja) => "true または false",
        ("string", Lang::En) => "text",
        ("string", Lang::Ja) => "文字列",
        ("number", Lang::En) => "a number",
        ("number", Lang::Ja) => "数値",
        ("integer", Lang::En) => "a whole number",
        ("integer", Lang::Ja) => "整数",
        ("array", Lang::En) => "a list",
        ("array", Lang::Ja) => "リスト",
        ("object", Lang::En) => "names with values",
        ("object", Lang::Ja) => "項目名と値の組",
        ("null", _) => "null",
        (_, Lang::En) => "another value",
        (_, Lang::Ja) => "別の値",
    });
    let kinds = kinds.collect::<Vec<_>>().join(lang.pick(" or ", "または"));
    let bound = |key: &str| schema[key].as_f64();
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => {
            say!(lang, "{kinds} from {least} to {most}", "{least} から {most} までの{kinds}")
        }
        (Some(least), None) => say!(lang, "{kinds} of at least {least}", "{least} 以上の{kinds}"),
        (None, Some(most)) => say!(lang, "{kinds} of at most {most}", "{most} 以下の{kinds}"),
        (None, None) => kinds,
    }
}

/// That a value must be something else.
pub(super) fn wrong(path: &str, expected: &str, found: &Value, lang: Lang) -> String {
    let found = value(found);
    say!(
        lang,
        "`{path}` must be {expected}, and is {found}",
        "`{path}` には{expected}を指定してください（現在の値: {found}）"
    )
}

/// That there is no such name.
pub(super) fn unknown(path: &str, lang: Lang) -> String {
    say!(lang, "there is no setting `{path}`", "`{path}` という設定はありません")
}

/// That a name is missing.
pub(super) fn missing(path: &str, lang: Lang) -> String {
    say!(lang, "`{path}` is missing", "`{path}` が指定されていません")
}
