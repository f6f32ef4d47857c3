//! What tools are called in Japanese. English is the tools' own documentation.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mlops_core::Lang;

/// The Japanese texts, by tool.
static JAPANESE: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| toml::from_str(include_str!("../locales/ja.toml")).unwrap_or_default());

/// The description of a tool in that language; `None` where the tool's own documentation serves.
pub fn tool_description(tool: &str, lang: Lang) -> Option<&'static str> {
    match lang {
        Lang::En => None,
        Lang::Ja => JAPANESE.get(tool).map(String::as_str),
    }
}

/// The tools that have a Japanese text.
pub fn japanese_tools() -> impl Iterator<Item = &'static str> {
    JAPANESE.keys().map(String::as_str)
}
