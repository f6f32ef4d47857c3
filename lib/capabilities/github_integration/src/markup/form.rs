//! Reads the Markdown that GitHub makes of a filled-in issue form: a heading for each question, the answer below it.

use mlops_core::Lang;
use serde_json::{Map, Value};

use super::fences::{Fence, Outline};
use super::lines::member;
use super::{Body, Flaw, Lines, Loaded, Span, duplicate, load};
use crate::Notice;
use crate::keys::{Field, Heading, Key, REQUIRED};

/// What GitHub writes for a question that was not answered.
const NO_ANSWER: [&str; 3] = ["", "_No response_", "None"];

/// The answers to a form.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// The answers to questions that stand for one name.
    pub(super) answers: Map<String, Value>,
    /// The YAML or JSON of the question for further settings.
    pub(super) settings: Option<Loaded>,
    pub(super) lines: Lines,
    pub(super) warnings: Vec<Notice>,
    pub(super) span: Option<Span>,
}

/// One question that we know, with the lines of its answer.
pub(super) struct Section<'a> {
    heading: Heading,
    pub(super) span: Span,
    content: Vec<(u32, &'a str)>,
}

/// The sections of a form that we know; none when the text is no form: when fewer than two headings are known, or none
/// of them asks for something that every request has.
pub(super) fn sections<'a>(body: &'a Body, outline: &Outline) -> Vec<Section<'a>> {
    let headings = outline.prose(body).filter_map(|(number, line)| heading(line).map(|text| (number, text)));
    let headings = headings.collect::<Vec<_>>();
    let lines = body.lines().collect::<Vec<_>>();
    let mut known = Vec::new();
    for (index, (number, text)) in headings.iter().enumerate() {
        let end = headings.get(index + 1).map_or(lines.len() as u32, |(next, _)| next - 1);
        if let Some(heading) = Heading::of(text) {
            let content = lines[*number as usize..end as usize].to_vec();
            known.push(Section { heading, span: Span { start_line: *number, end_line: end }, content });
        }
    }
    let keys = || known.iter().filter_map(Section::key);
    let is_form = keys().count() >= 2 && keys().any(|key| REQUIRED.contains(&key.name));
    if is_form { known } else { Vec::new() }
}

/// The text of a heading; that of a larger heading, which ends an answer, is empty.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let is_heading = (1..=3).contains(&level) && (text.is_empty() || text.starts_with([' ', '\t']));
    is_heading.then(|| if level == 3 { text.trim() } else { "" })
}

impl Section<'_> {
    fn key(&self) -> Option<&'static Key> {
        match self.heading {
            Heading::Key(key) => Some(key),
            Heading::Settings => None,
        }
    }

    /// The answer without the empty lines around it, and the line on which it begins.
    fn answer(&self) -> (u32, String) {
        let is_empty = |(_, line): &(u32, &str)| line.trim().is_empty();
        let begin = self.content.iter().position(|line| !is_empty(line)).unwrap_or(self.content.len());
        let end = self.content.iter().rposition(|line| !is_empty(line)).map_or(begin, |end| end + 1);
        let first = self.content.get(begin).map_or(self.span.start_line, |(number, _)| *number);
        let text = self.content[begin..end].iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        (first, text)
    }

    /// YAML or JSON: that of the block in the answer when there is one, of the whole answer otherwise.
    fn settings(&self, outline: &Outline, lang: Lang) -> Result<Loaded, Flaw> {
        let (first, answer) = self.answer();
        let (first, text) = match self.fence(outline) {
            Some(fence) => (fence.span.start_line + 1, fence.text.clone()),
            None => (first, answer),
        };
        if NO_ANSWER.contains(&text.trim()) {
            let mut lines = Lines::default();
            lines.set("", first);
            return Ok(Loaded { value: Value::Null, lines, warnings: Vec::new() });
        }
        load(&text, first, text.trim_start().starts_with('{'), lang)
    }

    fn fence<'o>(&self, outline: &'o Outline) -> Option<&'o Fence> {
        outline.fences.iter().find(|fence| self.span.contains(fence.span.start_line))
    }
}

impl Form {
    /// The answers of those sections.
    pub(super) fn read(sections: &[Section<'_>], outline: &Outline, lang: Lang) -> Result<Self, Flaw> {
        let mut form = Self::default();
        for section in sections {
            form.span = Some(form.span.map_or(section.span, |span| span.around(section.span)));
            match section.heading {
                Heading::Settings => form.add_settings(section, outline, lang)?,
                Heading::Key(key) => form.add_answer(key, section, outline, lang)?,
            }
        }
        Ok(form)
    }

    fn add_settings(&mut self, section: &Section<'_>, outline: &Outline, lang: Lang) -> Result<(), Flaw> {
        let loaded = section.settings(outline, lang)?;
        let first = loaded.lines.of("").unwrap_or(section.span.start_line);
        match &loaded.value {
            Value::Null => return Ok(()),
            Value::Object(_) if self.settings.is_none() => {}
            Value::Object(_) => {
                return Err(duplicate("settings", self.settings.as_ref().and_then(|of| of.lines.of("")), first, lang));
            }
            _ => {
                let message = lang.pick(
                    "the settings must be names with values, as `seed: 42`",
                    "設定は `seed: 42` のように、項目名と値で書いてください",
                );
                return Err(Flaw::new(first, message));
            }
        }
        self.settings = Some(loaded);
        Ok(())
    }

    fn add_answer(&mut self, key: &Key, section: &Section<'_>, outline: &Outline, lang: Lang) -> Result<(), Flaw> {
        let (line, answer) = section.answer();
        if self.answers.contains_key(key.name) {
            return Err(duplicate(key.name, self.lines.0.get(key.name).copied(), section.span.start_line, lang));
        }
        let value = match key.field {
            _ if NO_ANSWER.contains(&answer.as_str()) => Value::Null,
            Field::Text => self.text(key, &answer, line, lang),
            Field::Names => names(&answer),
            Field::Settings => {
                let loaded = section.settings(outline, lang)?;
                let at = |path: &str| match path {
                    "" => key.name.to_owned(),
                    path if path.starts_with('[') => format!("{}{path}", key.name),
                    path => member(key.name, path),
                };
                self.lines.0.extend(loaded.lines.0.iter().map(|(path, line)| (at(path), *line)));
                let warnings = loaded.warnings.into_iter();
                self.warnings.extend(warnings.map(|notice| Notice { path: at(&notice.path), ..notice }));
                loaded.value
            }
        };
        self.lines.0.entry(key.name.to_owned()).or_insert(line);
        self.answers.insert(key.name.to_owned(), value);
        Ok(())
    }

    /// One line of text. Answers are typed by hand: quotes and backticks around them are not meant.
    fn text(&mut self, key: &Key, answer: &str, line: u32, lang: Lang) -> Value {
        let mut lines = answer.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("```"));
        let text = lines.next().unwrap_or_default().trim();
        if lines.next().is_some() {
            let name = key.name;
            let message = say!(
                lang,
                "only the first line of the answer for `{name}` is read",
                "`{name}` の回答は最初の 1 行だけを読み取ります"
            );
            self.warnings.push(Notice { path: name.to_owned(), line: Some(line), message });
        }
        let unquoted = ['`', '"', '\''].into_iter().find_map(|quote| {
            text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).filter(|inner| !inner.contains(quote))
        });
        Value::from(unquoted.unwrap_or(text).trim())
    }
}

/// Names separated by commas or lines; of checkboxes, those that are checked.
fn names(answer: &str) -> Value {
    let parts = answer.split(['\n', ',', '、']).map(str::trim);
    let names = parts.filter_map(|part| {
        let item = part.strip_prefix(['-', '*']).map_or(part, str::trim_start);
        if item.starts_with("[ ]") {
            return None;
        }
        let checked = item.strip_prefix("[x]").or_else(|| item.strip_prefix("[X]"));
        Some(checked.unwrap_or(item).trim().trim_matches('`')).filter(|name| !name.is_empty())
    });
    names.map(str::to_lowercase).collect()
}
