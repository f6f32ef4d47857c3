//! Who mail comes from and goes to.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest address and the longest name, in bytes. RFC 5321 gives 64 to what stands before the `@` and 254 to all.
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

/// A mail address with the name of whom it belongs to: `someone@example.com` or `Name <someone@example.com>`. Neither
/// part can hold what would begin another header or another address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox {
    name: Option<String>,
    address: String,
}

impl Mailbox {
    /// The mailbox that the text names, or `InvalidInput` saying what is wrong with it.
    pub fn new(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect();
            Err(Error::invalid_input(format!("`{shown}` is not a mail address: {what}"))
                .hint("write someone@example.com or Name <someone@example.com>"))
        };
        if text.chars().any(char::is_control) {
            return wrong("it holds a control character, such as a line break");
        }
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (unquoted(name.trim()), address.trim()),
            None => (None, text),
        };
        if name.as_ref().is_some_and(|name| name.len() > LONGEST) {
            return wrong("the name is too long");
        }
        if name.as_ref().is_some_and(|name| name.contains(['<', '>'])) {
            return wrong("there are two addresses in it, and one is expected");
        }
        let Some((local, domain)) = address.rsplit_once('@') else {
            return wrong("there is no @ in it");
        };
        let is_atom = |part: &str| {
            let is_text = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
            !part.is_empty() && part.chars().all(is_text)
        };
        if local.contains([',', ';']) {
            return wrong("give one address in each text");
        }
        if local.len() > LONGEST_LOCAL || !local.split('.').all(is_atom) {
            return wrong("what stands before the @ has letters, digits, dots and signs such as + and -");
        }
        if !domain.is_ascii() {
            return wrong("the domain is written in ASCII, as xn--…");
        }
        let is_label = |part: &str| {
            let is_text = |c: char| c.is_ascii_alphanumeric() || c == '-';
            (1..=63).contains(&part.len())
                && part.chars().all(is_text)
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        if address.len() > LONGEST || !domain.split('.').all(is_label) {
            return wrong("what stands behind the @ is no domain");
        }
        Ok(Self { name, address: address.to_owned() })
    }

    /// The name, when there is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address alone: `someone@example.com`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// A name without the quotes that it was written in; nothing when it is empty.
fn unquoted(name: &str) -> Option<String> {
    let inner = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = inner.map_or_else(|| name.to_owned(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"));
    Some(name).filter(|name| !name.trim().is_empty())
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str(&self.address),
            Some(name) => write!(f, "{name} <{}>", self.address),
        }
    }
}

impl TryFrom<String> for Mailbox {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(&text)
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.to_string()
    }
}

impl JsonSchema for Mailbox {
    fn schema_name() -> Cow<'static, str> {
        "Mailbox".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 3})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_alone_or_with_a_name() {
        let plain = Mailbox::new(" a.b+c@mail.example.com ").unwrap();
        assert_eq!(
            (plain.name(), plain.address(), plain.domain()),
            (None, "a.b+c@mail.example.com", "mail.example.com")
        );
        let named = Mailbox::new("学習チーム <team@example.com>").unwrap();
        assert_eq!((named.name(), named.address()), (Some("学習チーム"), "team@example.com"));
        assert_eq!(Mailbox::new("\"A \\\"B\\\", C\" <a@b.example>").unwrap().name(), Some("A \"B\", C"));
        assert_eq!(Mailbox::new("\" \" <a@localhost>").unwrap().name(), None);
        let back: Mailbox = serde_json::from_str(&serde_json::to_string(&named).unwrap()).unwrap();
        assert_eq!(back, named);
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_way_to_write_it() {
        let long = format!("{}@example.com", "x".repeat(65));
        let far = format!("a@{}.example", "x".repeat(250));
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b.example",
            "a@b..example",
            "a..b@c.example",
            ".a@c.example",
            "a b@c.example",
            "a@b@c.example",
            "a@b.example, c@d.example",
            "A <a@b.example> <c@d.example>",
            "a@b.example\nBcc: c@d.example",
            "A\r\nBcc: c@d.example <a@b.example>",
            "ペンギン@b.example",
            "a@ペンギン.example",
            "a@-b.example",
            "<a@b.example",
            &long,
            &far,
            &format!("{} <a@b.example>", "n".repeat(300)),
        ] {
            let error = Mailbox::new(text).unwrap_err();
            assert!(error.hint.is_some() && !error.message.contains('\n'), "{text}: {error}");
        }
    }
}
