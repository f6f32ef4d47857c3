//! Reads YAML 1.2 into a value, with the line of each part, within limits that no text can break.

use std::collections::HashMap;

use mlops_core::Lang;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::lines::member;
use super::{
    DEEPEST, Flaw, LARGEST_REQUEST, LONGEST_KEY, Lines, Loaded, duplicate, key_too_long, scalar, too_deep, too_many,
    truth,
};
use crate::Notice;

/// How much aliases may repeat: values plus bytes of text.
const LARGEST_REPETITION: usize = 16 * 1024;

/// Reads one YAML document. `first_line` is the line of the body on which the text begins.
pub(super) fn load(text: &str, first_line: u32, lang: Lang) -> Result<Loaded, Flaw> {
    let mut loader = Loader::new(first_line, lang);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| loader.unreadable(text, *error.marker(), error.info()))?;
        let line = loader.line(span.start);
        loader.take(event, line)?;
    }
    Ok(Loaded { value: loader.root.unwrap_or_default(), lines: loader.lines, warnings: loader.warnings })
}

enum Items {
    Sequence(Vec<Value>),
    Mapping { entries: Map<String, Value>, key: Option<String> },
}

struct Frame {
    items: Items,
    path: String,
    anchor: usize,
}

struct Loader {
    lang: Lang,
    first_line: u32,
    stack: Vec<Frame>,
    root: Option<Value>,
    lines: Lines,
    warnings: Vec<Notice>,
    anchors: HashMap<usize, Value>,
    values: usize,
    repeated: usize,
    documents: usize,
}

impl Loader {
    fn new(first_line: u32, lang: Lang) -> Self {
        let mut lines = Lines::default();
        lines.set("", first_line);
        Self {
            lang,
            first_line,
            stack: Vec::new(),
            root: None,
            lines,
            warnings: Vec::new(),
            anchors: HashMap::new(),
            values: 0,
            repeated: 0,
            documents: 0,
        }
    }

    fn line(&self, marker: Marker) -> u32 {
        self.first_line.saturating_add((marker.line() as u32).saturating_sub(1))
    }

    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), Flaw> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = self.lang.pick(
                        "a second YAML document begins here; write one",
                        "ここから二つ目の YAML 文書が始まっています。一つにまとめてください",
                    );
                    return Err(Flaw::new(line, message));
                }
                Ok(())
            }
            Event::Alias(anchor) => self.repeat(anchor, line),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(line)?;
                if self.awaits_key() {
                    return self.set_key(&text, line);
                }
                let value = self.scalar(&text, style, tag.as_deref(), line)?;
                self.add(value, anchor, line)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_collection(tag.as_deref(), "seq", line)?;
                self.open(Items::Sequence(Vec::new()), anchor, line)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_collection(tag.as_deref(), "map", line)?;
                self.open(Items::Mapping { entries: Map::new(), key: None }, anchor, line)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Frame { items: Items::Sequence(items), anchor, .. }) => {
                    self.add(Value::Array(items), anchor, line)
                }
                Some(Frame { items: Items::Mapping { entries, .. }, anchor, .. }) => {
                    self.add(Value::Object(entries), anchor, line)
                }
                None => Ok(()),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, line: u32) -> Result<(), Flaw> {
        self.values += 1;
        if self.values > LARGEST_REQUEST { Err(too_many(line, self.lang)) } else { Ok(()) }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { items: Items::Mapping { key: None, .. }, .. }))
    }

    fn set_key(&mut self, text: &str, line: u32) -> Result<(), Flaw> {
        let lang = self.lang;
        if text == "<<" {
            let message = lang.pick(
                "merge keys (<<) are not read; write the names out",
                "マージキー（<<）は使えません。項目を書き出してください",
            );
            return Err(Flaw::new(line, message));
        }
        if text.chars().count() > LONGEST_KEY {
            return Err(key_too_long(line, lang));
        }
        let Some(Frame { items: Items::Mapping { entries, key }, path, .. }) = self.stack.last_mut() else {
            return Ok(());
        };
        let at = member(path, text);
        if entries.contains_key(text) {
            return Err(duplicate(&at, self.lines.0.get(&at).copied(), line, lang));
        }
        *key = Some(text.to_owned());
        self.lines.set(at, line);
        Ok(())
    }

    /// The path of the value that comes next.
    fn next_path(&self) -> String {
        match self.stack.last() {
            None => String::new(),
            Some(Frame { items: Items::Sequence(items), path, .. }) => format!("{path}[{}]", items.len()),
            Some(Frame { items: Items::Mapping { key, .. }, path, .. }) => {
                member(path, key.as_deref().unwrap_or_default())
            }
        }
    }

    fn open(&mut self, items: Items, anchor: usize, line: u32) -> Result<(), Flaw> {
        self.count(line)?;
        if self.awaits_key() {
            let message = self.lang.pick(
                "a name must be text, and is a list or a mapping; close the braces or put it in quotes",
                "項目名は文字列でなければなりません（リストまたはマッピングになっています）",
            );
            return Err(Flaw::new(line, message));
        }
        if self.stack.len() >= DEEPEST {
            return Err(too_deep(line, self.lang));
        }
        let path = self.next_path();
        // A member's line is that of its name.
        self.lines.0.entry(path.clone()).or_insert(line);
        self.stack.push(Frame { items, path, anchor });
        Ok(())
    }

    fn add(&mut self, value: Value, anchor: usize, line: u32) -> Result<(), Flaw> {
        if anchor != 0 {
            self.repeated = self.repeated.saturating_add(weight(&value));
            self.check_repetition(line)?;
            self.anchors.insert(anchor, value.clone());
        }
        let path = self.next_path();
        match self.stack.last_mut() {
            None => self.root = Some(value),
            Some(Frame { items: Items::Sequence(items), .. }) => {
                items.push(value);
                self.lines.0.entry(path).or_insert(line);
            }
            Some(Frame { items: Items::Mapping { entries, key }, .. }) => {
                if let Some(key) = key.take() {
                    entries.insert(key, value);
                }
            }
        }
        Ok(())
    }

    fn repeat(&mut self, anchor: usize, line: u32) -> Result<(), Flaw> {
        self.count(line)?;
        let Some(value) = self.anchors.get(&anchor) else {
            let message = self
                .lang
                .pick("an alias stands inside of what it repeats", "エイリアスが、それ自身の中で参照されています");
            return Err(Flaw::new(line, message));
        };
        self.repeated = self.repeated.saturating_add(weight(value));
        self.check_repetition(line)?;
        let value = self.anchors.get(&anchor).cloned().unwrap_or_default();
        if self.awaits_key() {
            return match &value {
                Value::String(text) => self.set_key(text, line),
                _ => self.set_key(&value.to_string(), line),
            };
        }
        self.add(value, 0, line)
    }

    fn check_repetition(&self, line: u32) -> Result<(), Flaw> {
        if self.repeated <= LARGEST_REPETITION {
            return Ok(());
        }
        let message = self.lang.pick(
            "anchors and aliases repeat too much; write the values out",
            "アンカーとエイリアスの展開が大きすぎます。値を書き出してください",
        );
        Err(Flaw::new(line, message))
    }

    fn check_collection(&self, tag: Option<&Tag>, expected: &str, line: u32) -> Result<(), Flaw> {
        let is_read = |tag: &&Tag| is_plain(tag) || (tag.is_yaml_core_schema() && tag.suffix == expected);
        match tag.filter(|tag| !is_read(tag)) {
            Some(tag) => Err(self.unknown_tag(tag, line)),
            None => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, line: u32) -> Result<Value, Flaw> {
        match tag {
            Some(tag) if tag.is_yaml_core_schema() => return scalar::tagged(&tag.suffix, text, line, self.lang),
            Some(tag) if is_plain(tag) => return Ok(Value::from(text)),
            Some(tag) => return Err(self.unknown_tag(tag, line)),
            None if style != ScalarStyle::Plain => return Ok(Value::from(text)),
            None => {}
        }
        let scalar = scalar::plain(text, line, self.lang)?;
        if let Some(message) = scalar.warning {
            let path = self.next_path();
            // A column may be called `y`: that is no answer to a question.
            if truth::is_expected(&path) {
                self.warnings.push(Notice { path, line: Some(line), message });
            }
        }
        Ok(scalar.value)
    }

    fn unknown_tag(&self, tag: &Tag, line: u32) -> Flaw {
        let name = tag.to_string().chars().take(80).collect::<String>();
        Flaw::new(line, say!(self.lang, "the tag {name} is not read", "タグ {name} は使えません"))
    }

    /// What the parser could not read, in words for people who do not write parsers.
    fn unreadable(&self, text: &str, marker: Marker, info: &str) -> Flaw {
        let lang = self.lang;
        let line = self.line(marker);
        let written = text.lines().nth(marker.line().saturating_sub(1)).unwrap_or_default();
        let indentation = written.len() - written.trim_start().len();
        if written[..indentation].contains('\t') {
            let message = lang.pick(
                "YAML cannot be indented with tabs; use spaces",
                "YAML のインデントにタブは使えません。空白を使ってください",
            );
            return Flaw::new(line, message);
        }
        Flaw::new(line, say!(lang, "this is not valid YAML: {info}", "YAML として読み取れません: {info}"))
    }
}

/// The tag `!`, which makes any scalar text.
fn is_plain(tag: &Tag) -> bool {
    tag.handle.is_empty() && tag.suffix == "!"
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len(),
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(entries) => 1 + entries.iter().map(|(key, value)| key.len() + weight(value)).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
