//! The language of a result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The language in which people are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Lang {
    /// The BCP 47 code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The language of a code or a locale such as `ja_JP.UTF-8`.
    pub fn from_code(code: &str) -> Option<Self> {
        match code.get(..2)?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "ja" => Some(Self::Ja),
            _ => None,
        }
    }

    /// The language in which a text is written: Japanese when it holds kana or a tenth of its letters are ideographs.
    pub fn of_text(text: &str) -> Self {
        let (mut letters, mut kana, mut ideographs) = (0_usize, 0_usize, 0_usize);
        for character in text.chars().filter(|character| character.is_alphabetic()) {
            letters += 1;
            match character {
                '\u{3040}'..='\u{30ff}' => kana += 1,
                '\u{4e00}'..='\u{9fff}' => ideographs += 1,
                _ => {}
            }
        }
        if kana >= 2 || ideographs * 10 > letters { Self::Ja } else { Self::En }
    }

    /// Chooses between the two texts.
    pub const fn pick<'a>(self, en: &'a str, ja: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Ja => ja,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_a_text_is_told_by_its_script() {
        assert_eq!(Lang::of_text("Predict the species of a penguin"), Lang::En);
        assert_eq!(Lang::of_text("ペンギンの体重を予測する"), Lang::Ja);
        assert_eq!(Lang::of_text("体重 body_mass_g"), Lang::Ja);
        assert_eq!(Lang::of_text(""), Lang::En);
    }

    #[test]
    fn a_locale_names_a_language() {
        assert_eq!(Lang::from_code("ja_JP.UTF-8"), Some(Lang::Ja));
        assert_eq!(Lang::from_code("fr"), None);
        assert_eq!(Lang::from_code(""), None);
    }
}
