//! Where programs hear of what happens.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MessageReceipt;
use super::message::{check_key, check_subject};
use crate::masking::{mask_text, mask_value};
use crate::{Error, Result};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Events of the same key are the same event.
    pub key: String,
    /// Events of the same group, such as a run, keep their order where the topic keeps one.
    pub group: String,
    /// The subject, one line of at most 250 characters.
    pub subject: String,
    /// What subscribers choose events by: at most ten texts by their names.
    pub attributes: BTreeMap<String, String>,
    /// What happened.
    pub body: Value,
}

impl Event {
    /// The most bytes of an event: the body as JSON, and the attributes. It is the limit of Amazon SNS.
    pub const LARGEST: usize = 256 * 1024;
    /// The most attributes: what Amazon SNS hands on to a queue.
    const MOST_ATTRIBUTES: usize = 10;

    /// The event as it is published: checked, and its secrets masked. `InvalidInput` names the field.
    pub fn checked(&self) -> Result<Self> {
        check_key(&self.key)?;
        check_subject(&self.subject)?;
        if self.group.is_empty() || self.group.chars().any(char::is_control) {
            return Err(Error::invalid_input("an event needs a group without control characters").at("group"));
        }
        if self.attributes.len() > Self::MOST_ATTRIBUTES {
            let message = format!("an event has at most {} attributes", Self::MOST_ATTRIBUTES);
            return Err(Error::invalid_input(message).at("attributes"));
        }
        for (name, value) in &self.attributes {
            let is_text = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || name.len() > 256 || !name.chars().all(is_text) {
                let message = format!("`{name}` is not the name of an attribute: write letters, digits, - and _");
                return Err(Error::invalid_input(message).at("attributes"));
            }
            if value.is_empty() || value.chars().any(char::is_control) {
                let message = format!("the attribute `{name}` is one line of text, and not empty");
                return Err(Error::invalid_input(message).at(format!("attributes.{name}")));
            }
        }
        let masked = Self {
            key: self.key.clone(),
            group: self.group.clone(),
            subject: mask_text(&self.subject),
            attributes: self.attributes.iter().map(|(name, value)| (name.clone(), mask_text(value))).collect(),
            body: mask_value(&self.body),
        };
        let bytes = masked.bytes();
        if bytes > Self::LARGEST {
            return Err(Error::invalid_input(format!("the event {} has {bytes} bytes", self.key)).at("body").hint(
                format!("an event has at most {} bytes: put the rest into the store and name it", Self::LARGEST),
            ));
        }
        Ok(masked)
    }

    /// The body as it goes over the wire.
    pub fn body_text(&self) -> String {
        self.body.to_string()
    }

    fn bytes(&self) -> usize {
        // An attribute counts with its name, its value and the name of its type, which is `String`.
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + value.len() + "String".len());
        self.body_text().len() + attributes.sum::<usize>()
    }
}

/// Tells subscribers what happens.
#[async_trait]
pub trait Topics: Send + Sync {
    /// Publishes the event, as [`Event::checked`] gives it. A key that the topic still knows is not published again: the
    /// receipt is that of then, with `deduplicated`. Not every topic remembers keys, and none for ever; that an event
    /// is published once is kept by the record of what was sent, which asks before it publishes.
    async fn publish(&self, event: &Event) -> Result<MessageReceipt>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Event {
        Event {
            key: "run-1/completed".to_owned(),
            group: "run-1".to_owned(),
            subject: "完了 ghp_abcdefghijklmnop".to_owned(),
            attributes: BTreeMap::from([("event".to_owned(), "completed".to_owned())]),
            body: json!({"text": "see ghp_abcdefghijklmnop", "version": 3}),
        }
    }

    #[test]
    fn an_event_goes_out_without_secrets() {
        let checked = event().checked().unwrap();
        assert_eq!(checked.subject, "完了 ghp_***masked***");
        assert_eq!(checked.body_text(), "{\"text\":\"see ghp_***masked***\",\"version\":3}");
    }

    #[test]
    fn what_is_no_event_names_the_field() {
        let with = |name: &str, value: &str| Event {
            attributes: BTreeMap::from([(name.to_owned(), value.to_owned())]),
            ..event()
        };
        let many = (0..11).map(|number| (format!("a{number}"), "x".to_owned())).collect();
        for (wrong, field) in [
            (Event { key: String::new(), ..event() }, "key"),
            (Event { key: "k".repeat(513), ..event() }, "key"),
            (Event { key: "a\nb".to_owned(), ..event() }, "key"),
            (Event { group: String::new(), ..event() }, "group"),
            (Event { subject: "two\nlines".to_owned(), ..event() }, "subject"),
            (Event { subject: " ".to_owned(), ..event() }, "subject"),
            (Event { subject: "ペ".repeat(251), ..event() }, "subject"),
            (Event { attributes: many, ..event() }, "attributes"),
            (with("a b", "x"), "attributes"),
            (with("", "x"), "attributes"),
            (with("a", ""), "attributes.a"),
            (with("a", "x\ny"), "attributes.a"),
            (Event { body: json!("x".repeat(Event::LARGEST)), ..event() }, "body"),
        ] {
            let error = wrong.checked().unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (crate::ErrorKind::InvalidInput, Some(field)));
        }
        let attributes = "event".len() + "completed".len() + "String".len();
        let longest = Event::LARGEST - attributes - 2;
        assert!(Event { body: json!("x".repeat(longest)), ..event() }.checked().is_ok());
        assert!(Event { body: json!("x".repeat(longest + 1)), ..event() }.checked().is_err());
    }
}
