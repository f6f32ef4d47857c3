//! Statements whose numbers keep their exact value beside what is shown.

use serde::{Deserialize, Serialize};

use crate::plots::lettering::{decimal, significant};

/// A number as it is and as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The number.
    pub value: f64,
    /// The number as people read it.
    pub text: String,
}

/// A statement in one language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sentence {
    /// The whole statement as plain text.
    pub text: String,
    /// Its pieces in their order.
    pub parts: Vec<Part>,
}

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What is read.
    pub text: String,
    /// The number behind it; null for words.
    pub value: Option<f64>,
}

/// What takes a place in a statement.
pub(crate) enum Argument {
    /// A name or other words.
    Words(String),
    /// A number.
    Number(Shown),
}

impl From<Shown> for Argument {
    fn from(number: Shown) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Argument {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl Shown {
    /// A count: `1,234`.
    pub(crate) fn count(count: usize) -> Self {
        Self { value: count as f64, text: decimal(count as f64, 0) }
    }

    /// A share as it is: `0.912`.
    pub(crate) fn share(value: f64) -> Self {
        Self { value, text: decimal(value, 3) }
    }

    /// A share in percent: `91.2 %`. The value stays the share.
    pub(crate) fn percent(value: f64) -> Self {
        Self { value, text: format!("{} %", decimal(100.0 * value, 1)) }
    }

    /// A quantity with four significant digits.
    pub(crate) fn quantity(value: f64) -> Self {
        Self { value, text: significant(value, 4) }
    }

    /// A p-value.
    pub(crate) fn p_value(value: f64) -> Self {
        let text = if value < 0.001 { "< 0.001".to_owned() } else { decimal(value, 3) };
        Self { value, text }
    }

    /// The number with its sign, also when it is above 0.
    pub(crate) fn signed(mut self) -> Self {
        if self.value > 0.0 {
            self.text.insert(0, '+');
        }
        self
    }
}

/// The statement of a pattern in which `{0}`, `{1}` … stand for the arguments. A place without an argument stays as it
/// is written.
pub(crate) fn say(pattern: &str, arguments: &[Argument]) -> Sentence {
    let mut sentence = Sentence::default();
    let mut rest = pattern;
    while let Some(at) = rest.find('{') {
        let (before, place) = rest.split_at(at);
        let end = place.find('}').unwrap_or(place.len() - 1);
        let argument = place[1..end.max(1)].parse::<usize>().ok().and_then(|number| arguments.get(number));
        sentence.push(before, None);
        match argument {
            Some(Argument::Words(words)) => sentence.push(words, None),
            Some(Argument::Number(number)) => sentence.push(&number.text, Some(number.value)),
            None => sentence.push(&place[..=end], None),
        }
        rest = &place[end + 1..];
    }
    sentence.push(rest, None);
    sentence
}

impl Sentence {
    fn push(&mut self, text: &str, value: Option<f64>) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        match self.parts.last_mut() {
            Some(last) if last.value.is_none() && value.is_none() => last.text.push_str(text),
            _ => self.parts.push(Part { text: text.to_owned(), value }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_value_and_names_are_not_patterns() {
        let sentence =
            say("{0} of {1} rows ({2})", &["{1}".into(), Shown::count(1200).into(), Shown::percent(0.5).into()]);
        assert_eq!(sentence.text, "{1} of 1,200 rows (50.0 %)");
        let values: Vec<f64> = sentence.parts.iter().filter_map(|part| part.value).collect();
        assert_eq!(values, [1200.0, 0.5]);
        let joined: String = sentence.parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(joined, sentence.text);
    }

    #[test]
    fn a_place_without_an_argument_stays() {
        assert_eq!(say("a {7} b {", &[]).text, "a {7} b {");
        assert_eq!(say("{}", &[]).text, "{}");
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        assert_eq!(Shown::p_value(0.0001).text, "< 0.001");
        assert_eq!(Shown::share(0.0123).signed().text, "+0.012");
        assert_eq!(Shown::share(-0.5).signed().text, "−0.500");
        assert_eq!(Shown::quantity(1234.5).text, "1,234");
    }
}
