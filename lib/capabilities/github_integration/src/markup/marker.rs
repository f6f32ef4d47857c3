//! Whether a text was written for the fleet.

use super::Body;
use super::fences::Outline;
use super::form;

/// The word by which a block or a comment says so.
const WORD: &str = "mlops";

/// Whether the text is a request by its form: a block tagged `mlops`, the answers of the issue form, or the comment
/// `<!-- mlops -->` of a template.
pub(crate) fn is_request(body: &Body) -> bool {
    let outline = Outline::of(body);
    outline.fences.iter().any(|fence| fence.tags.iter().any(|tag| tag == WORD))
        || body.lines().any(|(_, line)| is_marker(line))
        || !form::sections(body, &outline).is_empty()
}

fn is_marker(line: &str) -> bool {
    let comment = line.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
    comment.is_some_and(|comment| comment.trim().eq_ignore_ascii_case(WORD))
}

#[cfg(test)]
mod tests {
    use mlops_core::Lang;

    use super::*;

    fn is(text: &str) -> bool {
        is_request(&Body::new(text, Lang::En).unwrap())
    }

    #[test]
    fn a_form_a_tagged_block_and_a_comment_are_marks() {
        assert!(is(include_str!("../../tests/issue-form.md")));
        assert!(is("Hello\n```yaml mlops\ntask: x\n```") && is("<!-- MLOps -->\nHello"));
        for text in ["", "mlops", "```yaml\ntask: x\n```", "### Task\n\nx", "<!-- mlops:request -->", "<!-- mlops"] {
            assert!(!is(text), "{text}");
        }
    }
}
