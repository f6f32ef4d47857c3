//! The text of an issue, cleaned of what differs between editors.

use mlops_core::{Error, Lang, Result};

use super::Flaw;

/// The largest body, in bytes. GitHub itself accepts 65,536 characters.
const LARGEST_BODY: usize = 256 * 1024;

/// The text of an issue: no byte order mark, and `\n` ends a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body(String);

impl Body {
    /// The text, or `InvalidInput` when it is too large or holds a NUL.
    pub(crate) fn new(raw: &str, lang: Lang) -> Result<Self> {
        let bytes = raw.len();
        if bytes > LARGEST_BODY {
            let text = say!(
                lang,
                "the body of the issue has {bytes} bytes, and at most {LARGEST_BODY} are read",
                "Issue の本文は {bytes} バイトあります。読み取れるのは {LARGEST_BODY} バイトまでです"
            );
            let hint = lang.pick("keep the settings and link to the rest", "設定だけを残し、他はリンクにしてください");
            return Err(Error::invalid_input(text).at("body").hint(hint));
        }
        let text = raw.strip_prefix('\u{feff}').unwrap_or(raw).replace("\r\n", "\n").replace('\r', "\n");
        if let Some(at) = text.find('\0') {
            let line = 1 + text[..at].matches('\n').count() as u32;
            let message = lang.pick("there is a NUL character", "NUL 文字が含まれています");
            return Err(Flaw::new(line, message).into_error(lang));
        }
        Ok(Self(text))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The lines, the first of them number 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        (1..).zip(self.0.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_make_no_difference() {
        let body = Body::new("\u{feff}a\r\nb\rc\n", Lang::En).unwrap();
        assert_eq!(body.lines().collect::<Vec<_>>(), [(1, "a"), (2, "b"), (3, "c")]);
    }

    #[test]
    fn a_body_that_is_too_large_or_holds_a_nul_is_refused() {
        let error = Body::new(&"x".repeat(2_000_000), Lang::En).unwrap_err();
        assert!(error.message.contains("2000000 bytes"), "{error}");
        let error = Body::new("a\nb\0", Lang::Ja).unwrap_err();
        assert_eq!(error.message, "2 行目: NUL 文字が含まれています");
    }
}
