//! The language in which somebody wrote an issue.

use mlops_core::Lang;

use super::Body;
use super::fences::Outline;

/// The language of an issue's prose; `None` when it holds settings only, so that no language can be told.
pub fn language_of(title: &str, body: &str) -> Option<Lang> {
    let title = title.split(']').next_back().unwrap_or_default();
    let Ok(body) = Body::new(body, Lang::En) else { return is_prose(title).then(|| Lang::of_text(title)) };
    if Lang::of_text(&format!("{title}\n{}", body.text())) == Lang::Ja {
        return Some(Lang::Ja);
    }
    let outline = Outline::of(&body);
    let mut prose = outline.prose(&body).map(|(_, line)| line).chain([title]);
    prose.any(is_prose).then_some(Lang::En)
}

/// Two words that belong to no heading and no pair of name and value.
fn is_prose(line: &str) -> bool {
    let line = line.trim_start();
    let is_markup = line.starts_with("###") || line.starts_with("_No response_") || line.starts_with('{');
    let is_pair = line.split_once(':').is_some_and(|(name, _)| !name.trim().contains(char::is_whitespace));
    let words = line.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic));
    !is_markup && !is_pair && words.count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_decides_and_not_the_settings() {
        assert_eq!(language_of("", "Please train this.\n```yaml\ntask: x\n```"), Some(Lang::En));
        assert_eq!(language_of("", "```yaml\ntask: classification of things\n```"), None);
        assert_eq!(language_of("ペンギンの分類", "task: classification"), Some(Lang::Ja));
        assert_eq!(language_of("", "task: classification  # 種を予測する"), Some(Lang::Ja));
        assert_eq!(language_of("[mlops] Train a model", "### Task\n\nregression"), Some(Lang::En));
        assert_eq!(language_of("", ""), None);
    }
}
