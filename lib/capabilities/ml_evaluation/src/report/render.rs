//! The document as a page and as Markdown.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error as TemplateError, UndefinedBehavior, context};
use mlops_core::markdown::{code, escape};
use mlops_core::{Error, Result};

use super::document::Document;
use super::words;

const STYLE: &str = include_str!("templates/style.css");

static TEMPLATES: LazyLock<Result<Environment<'static>, TemplateError>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    templates.set_auto_escape_callback(|name| match name.rsplit_once('.') {
        Some((_, "html")) => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    templates.add_filter("md", |text: &str| escape(text));
    templates.add_filter("tick", |text: &str| code(text));
    templates.add_filter("breakable", breakable);
    templates.add_template("parts.html", include_str!("templates/parts.html"))?;
    templates.add_template("report.html", include_str!("templates/report.html"))?;
    templates.add_template("report.md", include_str!("templates/report.md"))?;
    Ok(templates)
});

/// The page: one file that asks for nothing else.
pub(crate) fn html(document: &Document) -> Result<String> {
    render("report.html", document)
}

/// The document as Markdown.
pub(crate) fn markdown(document: &Document) -> Result<String> {
    render("report.md", document)
}

fn render(name: &str, document: &Document) -> Result<String> {
    let failed = |error: &TemplateError| Error::internal(format!("the report could not be made: {error:#}"));
    let templates = TEMPLATES.as_ref().map_err(failed)?;
    let template = templates.get_template(name).map_err(|error| failed(&error))?;
    let plots: Vec<Value> = document
        .plots
        .iter()
        .map(|plot| context! { name => plot.name.as_str(), svg => Value::from_safe_string(plot.svg.clone()) })
        .collect();
    let context = context! {
        d => Value::from(Serde(document)),
        plots => plots,
        w => words::of(document.lang, document.task),
        lang => document.lang.as_str(),
        style => Value::from_safe_string(STYLE.to_owned()),
    };
    template.render(context).map_err(|error| failed(&error))
}

/// A name or a place with points where a line may break: after `/`, `_`, `=`, `.` and every 32 characters without one.
fn breakable(text: &str) -> Value {
    let mut broken = String::new();
    let mut run = 0;
    for character in text.chars() {
        match character {
            '&' => broken.push_str("&amp;"),
            '<' => broken.push_str("&lt;"),
            '>' => broken.push_str("&gt;"),
            '"' => broken.push_str("&quot;"),
            '\'' => broken.push_str("&#39;"),
            _ => broken.push(character),
        }
        run += 1;
        if matches!(character, '/' | '_' | '=' | '.') || run == 32 {
            broken.push_str("<wbr>");
            run = 0;
        }
    }
    Value::from_safe_string(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        assert!(TEMPLATES.is_ok(), "{:?}", TEMPLATES.as_ref().err());
    }

    #[test]
    fn a_long_name_may_break_and_stays_escaped() {
        assert_eq!(breakable("a/<b>").to_string(), "a/<wbr>&lt;b&gt;");
        assert!(breakable(&"x".repeat(64)).to_string().contains("<wbr>"));
    }
}
