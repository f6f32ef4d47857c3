//! From the text of an issue to its request: a value, and the line on which each part of it stands.

mod body;
mod fences;
mod form;
mod json;
mod language;
mod lines;
mod marker;
mod request;
mod scalar;
mod truth;
mod yaml;

pub(crate) use body::Body;
pub(crate) use fences::Outline;
pub use language::language_of;
pub use lines::Lines;
pub(crate) use marker::is_request;
pub(crate) use request::find;
pub use request::{Format, Span, UnknownKey};

use mlops_core::{Error, Lang};

/// The most values, keys included, that a request may hold; one of a person has about fifty.
const LARGEST_REQUEST: usize = 2_000;
/// The deepest nesting.
const DEEPEST: usize = 16;
/// The longest key, in characters.
const LONGEST_KEY: usize = 128;

/// What makes a text unreadable, and on which line of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) line: u32,
    pub(crate) message: String,
}

impl Flaw {
    pub(crate) fn new(line: u32, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    pub(crate) fn into_error(self, lang: Lang) -> Error {
        let Self { line, message } = self;
        Error::invalid_input(say!(lang, "line {line}: {message}", "{line} 行目: {message}")).at("body")
    }
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) value: serde_json::Value,
    pub(crate) lines: Lines,
    pub(crate) warnings: Vec<crate::Notice>,
}

/// Reads JSON when the text begins like an object of JSON, YAML otherwise.
fn load(text: &str, first_line: u32, is_json: bool, lang: Lang) -> Result<Loaded, Flaw> {
    if is_json { json::load(text, first_line, lang) } else { yaml::load(text, first_line, lang) }
}

/// Why a value is refused that is nested too deeply, or a request with too many values.
fn too_deep(line: u32, lang: Lang) -> Flaw {
    Flaw::new(
        line,
        say!(
            lang,
            "the settings are nested more than {DEEPEST} levels deep",
            "設定の入れ子が {DEEPEST} 段を超えています"
        ),
    )
}

fn too_many(line: u32, lang: Lang) -> Flaw {
    Flaw::new(
        line,
        say!(
            lang,
            "the settings hold more than {LARGEST_REQUEST} values",
            "設定の値が {LARGEST_REQUEST} 個を超えています"
        ),
    )
}

fn key_too_long(line: u32, lang: Lang) -> Flaw {
    Flaw::new(
        line,
        say!(lang, "a name has more than {LONGEST_KEY} characters", "名前が {LONGEST_KEY} 文字を超えています"),
    )
}

fn duplicate(key: &str, first: Option<u32>, line: u32, lang: Lang) -> Flaw {
    let first = first.unwrap_or(line);
    Flaw::new(
        line,
        say!(
            lang,
            "`{key}` is given twice, on line {first} and on line {line}; keep one of them",
            "`{key}` が {first} 行目と {line} 行目で二度指定されています。どちらかを消してください"
        ),
    )
}
