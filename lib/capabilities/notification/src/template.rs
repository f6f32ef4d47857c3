//! Built-in and custom templates. A template is a subject line, an empty line and a Markdown body; a name in it that
//! has no value is an error, and so is a value that no name asks for.

use std::collections::BTreeSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use mlops_core::arguments::nearest;
use mlops_core::{Error, Lang, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The longest custom template, in bytes.
const LONGEST: usize = 64 * 1024;

/// A built-in template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// A run ended and a decision was made.
    TrainingCompleted,
    /// A run failed.
    TrainingFailed,
    /// A model was evaluated.
    EvaluationReport,
    /// A model was deployed.
    Deployment,
    /// A model was rolled back.
    Rollback,
    /// The data has drifted.
    DriftAlert,
    /// A retraining is proposed.
    RetrainProposed,
    /// A person is asked to decide.
    ApprovalRequest,
}

/// A message that was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, one line.
    pub subject: String,
    /// The body, Markdown.
    pub body: String,
    /// The names that the template asks for.
    pub names: Vec<String>,
}

impl Template {
    /// Every built-in template.
    pub const ALL: [Self; 8] = [
        Self::TrainingCompleted,
        Self::TrainingFailed,
        Self::EvaluationReport,
        Self::Deployment,
        Self::Rollback,
        Self::DriftAlert,
        Self::RetrainProposed,
        Self::ApprovalRequest,
    ];

    /// The template's text in that language.
    pub const fn source(self, lang: Lang) -> &'static str {
        macro_rules! texts {
            ($name:literal) => {
                match lang {
                    Lang::En => include_str!(concat!("templates/en/", $name, ".md")),
                    Lang::Ja => include_str!(concat!("templates/ja/", $name, ".md")),
                }
            };
        }
        match self {
            Self::TrainingCompleted => texts!("training_completed"),
            Self::TrainingFailed => texts!("training_failed"),
            Self::EvaluationReport => texts!("evaluation_report"),
            Self::Deployment => texts!("deployment"),
            Self::Rollback => texts!("rollback"),
            Self::DriftAlert => texts!("drift_alert"),
            Self::RetrainProposed => texts!("retrain_proposed"),
            Self::ApprovalRequest => texts!("approval_request"),
        }
    }

    /// Values with which the template can be looked at.
    pub fn sample(self) -> Map<String, Value> {
        let model = json!({"model_name": "penguins", "run_id": "penguins-0123456789ab"});
        let own = match self {
            Self::TrainingCompleted => json!({"decision": "promote", "version": 3, "algorithm": "random_forest",
                "metrics": {"accuracy": 0.9804, "f1_score": 0.978}, "report": "report.html",
                "reasons": ["accuracy is 0.9804 and the gate asks for at least 0.9: passed"],
                "approval": null}),
            Self::TrainingFailed => json!({"stage": "PrepareData", "error": "InvalidInput",
                "cause": "there is no column `specie`; did you mean `species`?"}),
            Self::EvaluationReport => json!({"metrics": {"accuracy": 0.9804}, "rows": 51, "report": "report.html"}),
            Self::Deployment => json!({"version": 3, "endpoint": "penguins", "traffic_percent": 10}),
            Self::Rollback => json!({"from_version": 3, "to_version": 2, "reason": "the smoke prediction failed"}),
            Self::DriftAlert => json!({"severity": "high", "features": ["bill_length_mm", "island"]}),
            Self::RetrainProposed => json!({"reasons": ["bill_length_mm has drifted"], "issue": "owner/penguins#12"}),
            Self::ApprovalRequest => json!({"version": 3, "report": "report.html", "issue": "owner/penguins#12",
                "reasons": ["the difference to the champion may be chance"]}),
        };
        let both = [model, own].into_iter().filter_map(|value| value.as_object().cloned());
        both.flatten().filter(|(name, _)| self != Self::RetrainProposed || name != "run_id").collect()
    }
}

/// Renders a template's text with exactly the values that it asks for.
pub(crate) fn render(source: &str, values: &Map<String, Value>) -> Result<Rendered> {
    if source.len() > LONGEST {
        return Err(Error::invalid_input(format!("the template has more than {LONGEST} bytes")).at("custom"));
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| wrong_template(&error))?);
    environment.set_recursion_limit(64);
    let template = environment.template_from_str(source).map_err(|error| wrong_template(&error))?;
    let names: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    check_names(&names, values)?;
    let text = template.render(Serde(values)).map_err(|error| wrong_template(&error))?;
    let (subject, body) = text.split_once('\n').unwrap_or((&text, ""));
    if subject.trim().is_empty() {
        return Err(Error::invalid_input("the template's first line is the subject, and it is empty").at("custom"));
    }
    Ok(Rendered {
        subject: subject.trim().to_owned(),
        body: body.trim().to_owned(),
        names: names.into_iter().collect(),
    })
}

fn check_names(names: &BTreeSet<String>, values: &Map<String, Value>) -> Result<()> {
    let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| !values.contains_key(*name)).collect();
    if let Some(first) = missing.first() {
        let message = format!("the template asks for values that are not given: {}", missing.join(", "));
        return Err(Error::invalid_input(message).at(format!("values.{first}")));
    }
    if let Some(unknown) = values.keys().find(|name| !names.contains(*name)) {
        let asked = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let error = Error::invalid_input(format!("the template does not ask for `{unknown}`; it asks for: {asked}"))
            .at(format!("values.{unknown}"));
        return Err(match nearest(unknown, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        });
    }
    Ok(())
}

fn wrong_template(error: &minijinja::Error) -> Error {
    let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    Error::invalid_input(format!("the template cannot be rendered{line}: {}{detail}", error.kind())).at("values")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_template_renders_its_sample_in_both_languages_with_the_same_names() {
        for template in Template::ALL {
            let [en, ja] = [Lang::En, Lang::Ja].map(|lang| {
                let rendered = render(template.source(lang), &template.sample()).expect("renders");
                assert_eq!(Lang::of_text(&rendered.body), lang, "{template:?}: {}", rendered.body);
                assert!(!rendered.body.contains("{{") && !rendered.body.contains("\n\n\n"), "{}", rendered.body);
                rendered
            });
            assert_eq!(en.names, ja.names, "{template:?}");
        }
    }

    #[test]
    fn what_does_not_apply_is_left_out_of_the_text() {
        let with = |template: Template, lang: Lang, name: &str, value: Value| {
            let mut values = template.sample();
            values.insert(name.to_owned(), value);
            let rendered = render(template.source(lang), &values).expect("renders");
            assert!(!rendered.body.contains("\n\n\n") && !rendered.body.contains("none"), "{}", rendered.body);
            format!("{}\n{}", rendered.subject, rendered.body)
        };
        for lang in [Lang::En, Lang::Ja] {
            let asked = with(Template::ApprovalRequest, lang, "issue", json!(null));
            assert!(asked.contains("mlops approve penguins-0123456789ab") && !asked.contains("/mlops"), "{asked}");
            let asked = with(Template::ApprovalRequest, lang, "issue", json!("owner/penguins#12"));
            assert!(asked.contains("owner/penguins#12") && asked.contains("`/mlops approve`"), "{asked}");
            let answer = json!({"approved": false, "by": "github:someone", "reason": "too slow"});
            let told = with(Template::TrainingCompleted, lang, "approval", answer);
            assert!(told.matches("github:someone").count() == 2 && told.contains("too slow"), "{told}");
            assert!(told.contains(lang.pick("rejected", "却下")), "{told}");
            let back = with(Template::Rollback, lang, "to_version", json!(null));
            assert!(back.contains(lang.pick("no version is in use", "使用中のバージョンはありません")), "{back}");
        }
    }

    #[test]
    fn a_value_that_is_missing_or_not_asked_for_is_named() {
        let render = |values: Value| render("Hello {{ who }}\n\nYes", values.as_object().unwrap()).unwrap_err();
        assert_eq!(render(json!({})).field.as_deref(), Some("values.who"));
        let error = render(json!({"who": 1, "whom": 2}));
        assert_eq!((error.field.as_deref(), error.hint.as_deref()), (Some("values.whom"), Some("did you mean `who`?")));
    }

    #[test]
    fn a_broken_or_endless_template_is_refused() {
        for source in
            ["Hi {{ who", "{% include 'x' %}\n", "\n\nbody", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}"]
        {
            assert!(render(source, &Map::new()).is_err(), "{source}");
        }
        assert!(render(&"x".repeat(LONGEST + 1), &Map::new()).is_err());
    }
}
