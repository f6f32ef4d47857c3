//! Markdown as the HTML of a mail: plain, readable on a telephone, and nothing in it that loads or runs.

use mlops_core::Lang;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd, html};

/// Mail programs know little of CSS, so there is little of it.
const STYLE: &str = "\
body { margin: 0; padding: 24px; background: #ffffff; color: #1f2328; \
font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', 'Hiragino Sans', 'Noto Sans JP', sans-serif; }
main { max-width: 640px; margin: 0 auto; }
h1, h2, h3 { line-height: 1.3; }
table { border-collapse: collapse; margin: 16px 0; }
th, td { border: 1px solid #d0d7de; padding: 4px 12px; text-align: left; }
th { background: #f6f8fa; }
code, pre { font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace; background: #f6f8fa; }
pre { padding: 12px; overflow-x: auto; }
blockquote { margin: 16px 0; padding: 0 16px; border-left: 4px solid #d0d7de; color: #59636e; }
";

/// The page of a message. HTML in the Markdown is shown as it is written; pictures give way to the words that stand for
/// them; links lead to the web or to a mail address, and others give way to their words.
pub(crate) fn page(subject: &str, markdown: &str, lang: Lang) -> String {
    let mut links = Vec::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let shown = Parser::new_ext(markdown, options).filter_map(|event| harmless(event, &mut links));
    let mut body = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut body, shown);
    let mut title = String::new();
    html::push_html(&mut title, std::iter::once(Event::Text(subject.into())));
    let lang = lang.as_str();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// What is shown of an event. `links` holds, for each link that is open, whether it stays one.
fn harmless<'a>(event: Event<'a>, links: &mut Vec<bool>) -> Option<Event<'a>> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { link_type, ref dest_url, .. }) => {
            let place = dest_url.to_ascii_lowercase();
            let leads = ["https://", "http://", "mailto:"].iter().any(|scheme| place.starts_with(scheme));
            let stays = leads || link_type == LinkType::Email;
            links.push(stays);
            stays.then_some(event)
        }
        Event::End(TagEnd::Link) => links.pop().filter(|stays| *stays).map(|_| event),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(markdown: &str) -> String {
        let page = page("s", markdown, Lang::En);
        let inner = page.split_once("<main>\n").and_then(|(_, rest)| rest.split_once("</main>"));
        inner.unwrap().0.to_owned()
    }

    #[test]
    fn a_message_is_a_page_in_its_language() {
        let page = page("A < B & \"C\"", "# 結果\n\n| a | b |\n|---|---|\n| 1 | **2** |\n", Lang::Ja);
        assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"ja\">"), "{page}");
        assert!(page.contains("<title>A &lt; B &amp; \"C\"</title>"), "{page}");
        assert!(page.contains("<h1>結果</h1>") && page.contains("<td><strong>2</strong></td>"), "{page}");
        assert!(!page.contains("http"), "it loads nothing");
    }

    #[test]
    fn html_is_shown_and_never_done() {
        for (markdown, shown) in [
            ("<script>alert(1)</script>\n", "<p>&lt;script&gt;alert(1)&lt;/script&gt;\n</p>\n"),
            ("a <b onclick=x>b</b>\n", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"),
            ("<!-- mlops -->\n", "<p>&lt;!-- mlops --&gt;\n</p>\n"),
            ("`<i>` & so\n", "<p><code>&lt;i&gt;</code> &amp; so</p>\n"),
            ("![a *curve*](https://example.com/a.png)\n", "<p>a <em>curve</em></p>\n"),
        ] {
            assert_eq!(body(markdown), shown, "{markdown}");
        }
    }

    #[test]
    fn links_lead_to_the_web_or_to_a_person() {
        assert_eq!(
            body("[report](https://example.com/?a=1&b=\"2\")").matches("<a href=\"https://example.com/").count(),
            1
        );
        assert_eq!(body("<team@example.com>"), "<p><a href=\"mailto:team@example.com\">team@example.com</a></p>\n");
        for place in ["javascript:alert(1)", "JavaScript:x", "data:text/html,x", "file:///etc/passwd", "//example.com"]
        {
            assert_eq!(body(&format!("[**click** here]({place}) now")), "<p><strong>click</strong> here now</p>\n");
        }
    }
}
