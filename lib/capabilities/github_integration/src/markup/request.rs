//! Finds the request in the text of an issue.
//!
//! A value is taken from the first of these that has it: a block tagged `mlops`, a block tagged `yaml`, `yml` or `json`,
//! a block without a tag that holds a `task`; front matter; the further settings of the issue form; the other answers
//! of the form; and, when there is none of them, the whole text. An unanswered question takes nothing away.

use mlops_core::arguments::nearest;
use mlops_core::{Error, Lang, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fences::{Fence, Outline};
use super::form::{Form, sections};
use super::{Body, Flaw, Lines, Loaded, load};
use crate::Notice;
use crate::keys::{self, REQUIRED};

/// How the request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// YAML: a block, front matter or the whole body.
    Yaml,
    /// JSON: a block or the whole body.
    Json,
    /// The headings and answers of the issue form.
    IssueForm,
    /// Several of them.
    Mixed,
}

/// Lines of the issue's body, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// The first line.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
}

/// A name at the top of the request that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownKey {
    /// The name.
    pub key: String,
    /// The line of the issue's body, counted from 1; null when it is not known.
    pub line: Option<u32>,
    /// The nearest name that means something.
    pub suggestion: Option<String>,
}

/// The request as the issue has it: nothing checked, nothing filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) config: Map<String, Value>,
    pub(crate) format: Format,
    pub(crate) span: Span,
    pub(crate) lines: Lines,
    pub(crate) warnings: Vec<Notice>,
    pub(crate) unknown_keys: Vec<UnknownKey>,
}

struct Source {
    format: Format,
    span: Span,
    config: Map<String, Value>,
    lines: Lines,
    warnings: Vec<Notice>,
}

impl Span {
    pub(crate) const fn contains(self, line: u32) -> bool {
        self.start_line <= line && line <= self.end_line
    }

    pub(crate) fn around(self, other: Self) -> Self {
        Self { start_line: self.start_line.min(other.start_line), end_line: self.end_line.max(other.end_line) }
    }
}

/// The request in that text, or `InvalidInput` when there is none or it cannot be read.
pub(crate) fn find(body: &Body, lang: Lang) -> Result<Request> {
    let mut sources = sources(body, lang).map_err(|flaw| flaw.into_error(lang))?;
    if sources.is_empty() {
        sources.extend(whole(body, lang)?);
    }
    if sources.is_empty() {
        return Err(nothing(lang));
    }
    Ok(merge(sources, lang))
}

fn sources(body: &Body, lang: Lang) -> Result<Vec<Source>, Flaw> {
    let outline = Outline::of(body);
    let sections = sections(body, &outline);
    let mut sources = Vec::new();
    let is_answer = |fence: &Fence| sections.iter().any(|section| section.span.contains(fence.span.start_line));
    sources.extend(block(&outline, is_answer, lang)?);
    if let Some(front) = outline.front_matter.as_ref().filter(|front| names_any(&front.text)) {
        let loaded = load(&front.text, front.span.start_line + 1, false, lang)?;
        sources.push(Source::new(loaded, Format::Yaml, front.span, lang)?);
    }
    // A block that is an answer of the form and tagged `mlops` as well was read as the block.
    if !sections.is_empty() {
        let form = Form::read(&sections, &outline, lang)?;
        let span = form.span.unwrap_or(Span { start_line: 1, end_line: 1 });
        if let Some(settings) = form.settings {
            sources.push(Source::new(settings, Format::Yaml, span, lang)?);
        }
        let Form { answers, lines, warnings, .. } = form;
        sources.push(Source { format: Format::IssueForm, span, config: answers, lines, warnings });
    }
    Ok(sources)
}

/// The one block that holds the request.
fn block(outline: &Outline, is_answer: impl Fn(&Fence) -> bool, lang: Lang) -> Result<Option<Source>, Flaw> {
    let tagged = |fence: &&Fence| fence.tags.iter().any(|tag| tag == "mlops");
    let free = || outline.fences.iter().filter(|fence| !is_answer(fence) && !tagged(fence));
    let is_data = |fence: &&Fence| fence.tags.iter().any(|tag| matches!(tag.as_str(), "yaml" | "yml" | "json"));
    let mut candidates = outline.fences.iter().filter(tagged).collect::<Vec<_>>();
    if candidates.is_empty() {
        let data = free().filter(is_data).collect::<Vec<_>>();
        let is_only = data.len() == 1;
        candidates = data
            .into_iter()
            .filter(|fence| names_required(&fence.text) || (is_only && names_any(&fence.text)))
            .collect();
    }
    if candidates.is_empty() {
        return untagged(free().filter(|fence| fence.tags.is_empty()), lang);
    }
    let Some((fence, others)) = candidates.split_first() else { return Ok(None) };
    let mut source = Source::of_fence(fence, lang)?;
    for other in others {
        let (read, line) = (fence.span.start_line, other.span.start_line);
        source.warnings.push(Notice {
            path: String::new(),
            line: Some(line),
            message: say!(
                lang,
                "this block is not read: the one on line {read} is",
                "{read} 行目のブロックを使うため、このブロックは読み取りません"
            ),
        });
    }
    Ok(Some(source))
}

/// The first block without a tag that is a mapping with a `task`.
fn untagged<'a>(fences: impl Iterator<Item = &'a Fence>, lang: Lang) -> Result<Option<Source>, Flaw> {
    let mut first_flaw = None;
    for fence in fences.filter(|fence| names_required(&fence.text)) {
        match Source::of_fence(fence, lang) {
            Ok(source) if source.config.contains_key("task") => return Ok(Some(source)),
            Ok(_) => {}
            Err(flaw) => {
                first_flaw.get_or_insert(flaw);
            }
        }
    }
    first_flaw.map_or(Ok(None), Err)
}

/// The whole text, when it is YAML or JSON.
fn whole(body: &Body, lang: Lang) -> Result<Option<Source>> {
    let text = body.text();
    let is_json = text.trim_start().starts_with('{');
    // Text with blocks or comments is Markdown, whatever they hold.
    if !is_json && (!names_required(text) || Outline::of(body).is_markdown()) {
        return Ok(None);
    }
    let last = (text.lines().count() as u32).max(1);
    let span = Span { start_line: 1, end_line: last };
    let format = if is_json { Format::Json } else { Format::Yaml };
    let loaded = load(text, 1, is_json, lang).and_then(|loaded| Source::new(loaded, format, span, lang));
    let source = loaded.map_err(|flaw| flaw.into_error(lang).hint(how_to_write(lang)))?;
    Ok(Some(source).filter(|source| REQUIRED.iter().any(|name| source.config.contains_key(*name))))
}

impl Source {
    fn of_fence(fence: &Fence, lang: Lang) -> Result<Self, Flaw> {
        let is_json = fence.tags.iter().any(|tag| tag == "json") || fence.text.trim_start().starts_with('{');
        // YAML in braces needs no quotes; only what is called JSON must be JSON.
        let is_json = is_json && !fence.tags.iter().any(|tag| matches!(tag.as_str(), "yaml" | "yml"));
        let loaded = load(&fence.text, fence.span.start_line + 1, is_json, lang)?;
        let format = if is_json { Format::Json } else { Format::Yaml };
        let mut source = Self::new(loaded, format, fence.span, lang)?;
        if !fence.is_closed {
            source.warnings.push(Notice {
                path: String::new(),
                line: Some(fence.span.start_line),
                message: lang
                    .pick(
                        "this block is not closed; it is read to the end of the text",
                        "このブロックは閉じられていないため、本文の最後まで読み取ります",
                    )
                    .to_owned(),
            });
        }
        Ok(source)
    }

    fn new(loaded: Loaded, format: Format, span: Span, lang: Lang) -> Result<Self, Flaw> {
        let Loaded { value, lines, warnings } = loaded;
        if let Value::Object(config) = value {
            return Ok(Self { format, span, config, lines, warnings });
        }
        let message = lang.pick(
            "the settings must be names with values, as `task: classification`",
            "設定は `task: classification` のように、項目名と値で書いてください",
        );
        Err(Flaw::new(lines.of("").unwrap_or(span.start_line), message))
    }
}

/// One request of all sources; for each name the first source that has a value for it.
fn merge(sources: Vec<Source>, lang: Lang) -> Request {
    let mut sources = sources.into_iter();
    let first = sources.next();
    let Some(Source { mut format, mut span, mut config, mut lines, mut warnings }) = first else {
        return Request {
            config: Map::new(),
            format: Format::Yaml,
            span: Span { start_line: 1, end_line: 1 },
            lines: Lines::default(),
            warnings: Vec::new(),
            unknown_keys: Vec::new(),
        };
    };
    for source in sources {
        format = Format::Mixed;
        span = span.around(source.span);
        warnings.extend(source.warnings);
        for (key, value) in source.config {
            let line = source.lines.of(&key);
            match config.get(&key) {
                Some(held) if !held.is_null() => {
                    if !value.is_null() && *held != value {
                        let read = lines.of(&key).unwrap_or_default();
                        let message = say!(
                            lang,
                            "`{key}` is given twice; the value on line {read} holds",
                            "`{key}` が二か所で指定されています。{read} 行目の値を使います"
                        );
                        warnings.push(Notice { path: key, line, message });
                    }
                }
                _ => {
                    let belongs = |path: &str| path == key || path.starts_with(&format!("{key}."));
                    let is_item = |path: &str| path.starts_with(&format!("{key}["));
                    let own = source.lines.0.iter().filter(|(path, _)| belongs(path) || is_item(path));
                    lines.0.extend(own.map(|(path, line)| (path.clone(), *line)));
                    config.insert(key, value);
                }
            }
        }
    }
    let unknown = config.keys().filter(|key| !keys::names().any(|name| name == key.as_str()));
    let unknown_keys = unknown.map(|key| UnknownKey {
        key: key.clone(),
        line: lines.of(key),
        suggestion: nearest(key, keys::names()).map(str::to_owned),
    });
    let unknown_keys = unknown_keys.collect();
    Request { config, format, span, lines, warnings, unknown_keys }
}

/// Whether a line begins with a name that every request has.
fn names_required(text: &str) -> bool {
    REQUIRED.iter().any(|name| holds_name(text, name))
}

fn names_any(text: &str) -> bool {
    keys::names().any(|name| holds_name(text, name))
}

/// Whether the name stands in the text as that of a value: `task:`, `"task" :`.
fn holds_name(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let begins = before.is_none_or(|c| c.is_whitespace() || matches!(c, '{' | ',' | '"' | '\''));
        let behind = text[at + name.len()..].trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
        begins && behind.starts_with(':')
    })
}

fn nothing(lang: Lang) -> Error {
    let text = lang.pick("the issue holds no training request", "Issue に学習の依頼が見つかりません");
    Error::invalid_input(text).at("body").hint(how_to_write(lang))
}

fn how_to_write(lang: Lang) -> &'static str {
    lang.pick(
        "put the settings into a block that begins with ```mlops and ends with ```, one `name: value` a line: task, \
         dataset_s3_uri, target_column, algorithm",
        "```mlops で始まり ``` で終わるブロックに、task、dataset_s3_uri、target_column、algorithm を `名前: 値` の形で\
         1 行ずつ書いてください",
    )
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
