//! Words as Markdown shows them, and nothing that they could do there.

/// The text with everything that means something to Markdown, HTML or GitHub's mentions taken as letters; line breaks
/// become spaces.
pub(super) fn escape(text: &str) -> String {
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

/// The text as code in a line.
pub(super) fn code(text: &str) -> String {
    let kept: String = text.chars().filter(|character| !character.is_control() && *character != '`').collect();
    format!("`{}`", kept.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_nothing_in_markdown() {
        assert_eq!(escape("<b>|a_b|\n[x](y)"), "&lt;b&gt;\\|a\\_b\\| \\[x\\](y)");
        assert!(!escape("@team").contains("@t"));
        assert_eq!(code("a`b\nc"), "`abc`");
    }
}
