//! The outline of a Markdown text: fenced blocks, front matter, comments, and the prose between them.

use super::{Body, Span};

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fence {
    /// The lower-case words behind the opening fence.
    pub(crate) tags: Vec<String>,
    /// The lines of the two fences.
    pub(crate) span: Span,
    /// What stands between them, without the indentation of the opening fence.
    pub(crate) text: String,
    /// Whether there is a closing fence; otherwise the block runs to the end of the text.
    pub(crate) is_closed: bool,
}

/// Front matter: what stands between two lines of dashes at the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrontMatter {
    pub(crate) span: Span,
    pub(crate) text: String,
}

/// What a Markdown text is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) fences: Vec<Fence>,
    pub(crate) front_matter: Option<FrontMatter>,
    comments: Vec<Span>,
}

struct Opening {
    line: u32,
    mark: char,
    length: usize,
    indentation: usize,
    tags: Vec<String>,
}

impl Outline {
    pub(crate) fn of(body: &Body) -> Self {
        let mut outline = Self { front_matter: front_matter(body), ..Self::default() };
        let after = outline.front_matter.as_ref().map_or(0, |front| front.span.end_line);
        let mut open: Option<(Opening, Vec<&str>)> = None;
        let mut comment: Option<u32> = None;
        let mut last = 1;
        for (number, line) in body.lines().skip_while(|(number, _)| *number <= after) {
            last = number;
            if let Some((opening, content)) = &mut open {
                if !opening.is_closed_by(line) {
                    content.push(opening.dedent(line));
                    continue;
                }
                outline.fences.extend(open.take().map(|(opening, content)| opening.close(number, &content, true)));
            } else if let Some(start) = comment {
                if line.contains("-->") {
                    outline.comments.push(Span { start_line: start, end_line: number });
                    comment = None;
                }
            } else if let Some(rest) = line.trim_start().strip_prefix("<!--") {
                if rest.contains("-->") {
                    outline.comments.push(Span { start_line: number, end_line: number });
                } else {
                    comment = Some(number);
                }
            } else if let Some(opening) = Opening::of(number, line) {
                open = Some((opening, Vec::new()));
            }
        }
        outline.fences.extend(open.map(|(opening, content)| opening.close(last, &content, false)));
        outline.comments.extend(comment.map(|start| Span { start_line: start, end_line: last }));
        outline
    }

    /// Whether there is a block or a comment.
    pub(crate) fn is_markdown(&self) -> bool {
        !self.fences.is_empty() || !self.comments.is_empty()
    }

    /// The lines outside of blocks, front matter and comments.
    pub(crate) fn prose<'a>(&self, body: &'a Body) -> impl Iterator<Item = (u32, &'a str)> {
        let spans = self.fences.iter().map(|fence| fence.span).chain(self.comments.iter().copied());
        let mut spans = spans.chain(self.front_matter.iter().map(|front| front.span)).collect::<Vec<_>>();
        spans.sort_unstable_by_key(|span| span.start_line);
        body.lines().filter(move |(number, _)| {
            let before = spans.partition_point(|span| span.start_line <= *number);
            !spans[..before].last().is_some_and(|span| span.contains(*number))
        })
    }
}

impl Opening {
    fn of(line_number: u32, line: &str) -> Option<Self> {
        let trimmed = line.trim_start_matches(' ');
        let mark = trimmed.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = trimmed.trim_start_matches(mark);
        let length = trimmed.len() - info.len();
        // Backticks behind backticks are code within a line and open nothing.
        if length < 3 || (mark == '`' && info.contains('`')) {
            return None;
        }
        let words = info.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}'));
        let tags = words.map(|word| word.trim_start_matches('.').to_lowercase()).filter(|word| !word.is_empty());
        let indentation = line.len() - trimmed.len();
        Some(Self { line: line_number, mark, length, indentation, tags: tags.collect() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|character| character == self.mark)
    }

    fn dedent<'a>(&self, line: &'a str) -> &'a str {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        &line[spaces.min(self.indentation)..]
    }

    fn close(self, end_line: u32, content: &[&str], is_closed: bool) -> Fence {
        let span = Span { start_line: self.line, end_line };
        Fence { tags: self.tags, span, text: content.join("\n"), is_closed }
    }
}

fn front_matter(body: &Body) -> Option<FrontMatter> {
    let mut lines = body.lines().skip_while(|(_, line)| line.trim().is_empty());
    let (start_line, _) = lines.next().filter(|(_, line)| line.trim_end() == "---")?;
    let mut content = Vec::new();
    for (number, line) in lines {
        if matches!(line.trim_end(), "---" | "...") {
            let span = Span { start_line, end_line: number };
            return Some(FrontMatter { span, text: content.join("\n") });
        }
        content.push(line);
    }
    None
}

#[cfg(test)]
mod tests {
    use mlops_core::Lang;

    use super::*;

    fn outline(text: &str) -> (Body, Outline) {
        let body = Body::new(text, Lang::En).unwrap();
        let outline = Outline::of(&body);
        (body, outline)
    }

    #[test]
    fn fences_are_those_of_commonmark() {
        let text = "a\n````yaml mlops\n```\nx: 1\n````\n  ~~~json\n  {\n   }\n  ~~~~\n``` not `one`\n```\nopen";
        let (_, outline) = outline(text);
        let found = outline.fences.iter().map(|fence| (fence.text.as_str(), fence.span.start_line, fence.is_closed));
        assert_eq!(found.collect::<Vec<_>>(), [("```\nx: 1", 2, true), ("{\n }", 6, true), ("open", 11, false)]);
        assert_eq!(outline.fences[0].tags, ["yaml", "mlops"]);
    }

    #[test]
    fn blocks_in_comments_are_not_read() {
        let (body, outline) = outline("<!--\n```yaml\ntask: x\n```\n-->\n<!-- one line -->\n```\nb\n```\nprose");
        assert_eq!(outline.fences.len(), 1);
        assert_eq!(outline.fences[0].text, "b");
        assert_eq!(outline.prose(&body).collect::<Vec<_>>(), [(10, "prose")]);
    }

    #[test]
    fn front_matter_stands_at_the_beginning() {
        let (_, found) = outline("\n---\ntask: x\n---\ntext");
        let front = found.front_matter.unwrap();
        assert_eq!((front.text.as_str(), front.span.start_line, front.span.end_line), ("task: x", 2, 4));
        assert!(outline("text\n---\na: 1\n---").1.front_matter.is_none());
        assert!(outline("---\na: 1").1.front_matter.is_none());
    }
}
