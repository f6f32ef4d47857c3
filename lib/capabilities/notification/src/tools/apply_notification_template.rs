//! Renders a notification from a template.

use mlops_core::{Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::template::render;
use crate::{Notification, Template};

/// Render a notification from a built-in template (English and Japanese) or from your own. It is strict: a value that
/// the template asks for and that is not given is an error, and so is one that it does not ask for. With `preview` it
/// is rendered with sample values.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyNotificationTemplate {
    /// The built-in template. Give this or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// A template of your own: the first line is the subject, then an empty line, then Markdown with {{ names }}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<String>,
    /// The values by name.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// The language of a built-in template; by default that of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// Fill what is not given with the built-in template's sample values.
    #[serde(default)]
    pub preview: bool,
}

/// The rendered notification.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct AppliedTemplate {
    /// The subject, one line.
    pub subject: String,
    /// The body, Markdown.
    pub body: String,
    /// The language of a built-in template.
    pub lang: Lang,
    /// The names that the template asks for.
    pub names: Vec<String>,
    /// Whether sample values were used.
    pub preview: bool,
}

impl Tool for ApplyNotificationTemplate {
    const NAME: &'static str = "apply_notification_template";
    const TITLE: &'static str = "Render a notification";
    const EFFECT: Effect = Effect::Read;
    type Capability = Notification;
    type Output = AppliedTemplate;

    async fn run(self, _: &Notification, call: &Call) -> Result<AppliedTemplate> {
        let lang = self.lang.unwrap_or(call.lang);
        let mut values = self.values;
        let source = match (self.template, &self.custom) {
            (Some(template), None) => {
                if self.preview {
                    for (name, value) in template.sample() {
                        values.entry(name).or_insert(value);
                    }
                }
                template.source(lang)
            }
            (None, Some(custom)) if !self.preview => custom.as_str(),
            (None, Some(_)) => {
                let message = "only a built-in template has sample values to preview it with";
                return Err(Error::invalid_input(message).at("preview").hint("give the values of your template"));
            }
            (Some(_), Some(_)) => {
                return Err(Error::invalid_input("give `template` or `custom`, not both").at("custom"));
            }
            (None, None) => return Err(Error::invalid_input("give `template` or `custom`").at("template")),
        };
        let rendered = render(source, &values)?;
        let (subject, body, names) = (rendered.subject, rendered.body, rendered.names);
        Ok(AppliedTemplate { subject, body, lang, names, preview: self.preview })
    }
}

impl Report for AppliedTemplate {
    fn summary(&self, lang: Lang) -> String {
        match lang {
            Lang::En => format!("The notification reads: {}", self.subject),
            Lang::Ja => format!("通知を作成しました: {}", self.subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::sample_room::SampleRoom;

    fn call(arguments: Value) -> Result<Value> {
        let entry = &crate::tools::TOOLS[0];
        let room = SampleRoom::new().room;
        block_on((entry.run)(&room, &Call::new("r").in_lang(Lang::Ja), arguments)).map(|outcome| outcome.value)
    }

    #[test]
    fn a_preview_speaks_the_callers_language() {
        let result = call(json!({"template": "drift_alert", "preview": true})).unwrap();
        assert_eq!(result["lang"], "ja");
        assert!(result["body"].as_str().unwrap().contains("bill_length_mm"));
    }

    #[test]
    fn ones_own_template_is_rendered() {
        let result = call(json!({"custom": "Hi {{ who }}\n\nAll well.", "values": {"who": "team"}})).unwrap();
        assert_eq!((&result["subject"], &result["body"]), (&json!("Hi team"), &json!("All well.")));
    }

    #[test]
    fn what_to_render_is_said_once() {
        for arguments in
            [json!({}), json!({"template": "rollback", "custom": "x"}), json!({"custom": "x", "preview": true})]
        {
            assert!(call(arguments).unwrap_err().field.is_some());
        }
        assert!(call(json!({"template": "drift_alrt"})).unwrap_err().hint.unwrap().contains("drift_alert"));
    }
}
