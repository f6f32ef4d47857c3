//! Words, places and times as Markdown shows them, and nothing that they could do there.

use crate::Lang;
use crate::masking::mask_text;

/// The text with everything that means something to Markdown, HTML or mentions taken as letters; line breaks become
/// spaces. Secrets are masked first: a token with an escaped letter in it would no longer be known as one.
pub fn escape(text: &str) -> String {
    let text = mask_text(text);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // A zero-width space keeps a name from being told of the comment, and a number from becoming a link.
            '@' | '#' => {
                escaped.push(character);
                escaped.push('\u{200b}');
            }
            '\n' | '\r' | '\t' => escaped.push(' '),
            _ if character.is_control() => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The text as code in a line, its secrets masked.
pub fn code(text: &str) -> String {
    let kept: String = mask_text(text).chars().filter(|character| !character.is_control()).collect();
    format!("`{}`", kept.replace('`', "'").replace('|', "\\|"))
}

/// A place: a link when it is on the web and nothing in it would end the link, otherwise code.
pub fn link(label: &str, place: &str) -> String {
    let is_on_the_web = place.starts_with("https://") || place.starts_with("http://");
    let breaks = |c: char| c.is_whitespace() || c.is_control() || "()<>[]`|\\\"".contains(c);
    if is_on_the_web && !place.contains(breaks) {
        format!("[{}]({})", escape(label), mask_text(place))
    } else {
        format!("{}: {}", escape(label), code(place))
    }
}

/// The text, or its beginning and an ellipsis when it has more characters than that.
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most).chain(['…']).collect()
}

/// A time as people say it: three digits of seconds, or minutes, or hours.
pub fn duration(seconds: f64, lang: Lang) -> String {
    let whole = seconds.round();
    match lang {
        Lang::En if seconds < 10.0 => format!("{seconds:.2} s"),
        Lang::Ja if seconds < 10.0 => format!("{seconds:.2} 秒"),
        Lang::En if whole < 120.0 => format!("{whole} s"),
        Lang::Ja if whole < 120.0 => format!("{whole} 秒"),
        Lang::En if whole < 7_200.0 => format!("{} min {} s", (whole / 60.0).floor(), whole % 60.0),
        Lang::Ja if whole < 7_200.0 => format!("{} 分 {} 秒", (whole / 60.0).floor(), whole % 60.0),
        Lang::En => format!("{} h {} min", (whole / 3_600.0).floor(), (whole % 3_600.0 / 60.0).floor()),
        Lang::Ja => format!("{} 時間 {} 分", (whole / 3_600.0).floor(), (whole % 3_600.0 / 60.0).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_nothing_in_markdown() {
        assert_eq!(escape("<b>|a_b|\n[x](y)"), "&lt;b&gt;\\|a\\_b\\| \\[x\\](y)");
        assert!(!escape("@team #5").contains("@t") && !escape("#5").contains("#5"));
        assert_eq!(code("a`b\nc|d"), "`a'bc\\|d`");
    }

    #[test]
    fn only_places_on_the_web_are_links() {
        assert_eq!(link("report", "https://example.org/r?a=b#c"), "[report](https://example.org/r?a=b#c)");
        assert_eq!(link("report", "s3://bucket/report.html"), "report: `s3://bucket/report.html`");
        for place in ["https://x/)[y](javascript:z", "javascript:alert(1)", "https://x/ y", "https://x/<b>"] {
            assert_eq!(link("a", place), format!("a: {}", code(place)));
        }
    }

    #[test]
    fn a_secret_is_masked_before_its_letters_are_escaped() {
        let secret = "github_pat_abcdefghijklmnop";
        for text in [escape(secret), code(secret), link(secret, &format!("https://me:{secret}@example.org/"))] {
            assert!(text.contains("masked") && !text.contains("abcdefghijklmnop"), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!((shorten("ペンギン", 4), shorten("ペンギン", 2)), ("ペンギン".to_owned(), "ペン…".to_owned()));
    }

    #[test]
    fn times_are_said_in_the_unit_that_fits() {
        let said = |seconds| duration(seconds, Lang::En);
        assert_eq!([said(0.0), said(59.6), said(125.0), said(7_322.0)], ["0.00 s", "60 s", "2 min 5 s", "2 h 2 min"]);
        assert_eq!(duration(125.0, Lang::Ja), "2 分 5 秒");
    }
}
