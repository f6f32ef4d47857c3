//! The headers of a delivery, whatever the case of their names.

use std::collections::BTreeMap;

use mlops_core::{Error, Result};

/// The event that the delivery tells of.
const EVENT: &str = "x-github-event";
/// The id of the delivery.
const DELIVERY: &str = "x-github-delivery";
/// The media type of the body.
const CONTENT_TYPE: &str = "content-type";

/// Headers by their names in lower case.
#[derive(Debug)]
pub(crate) struct Headers(BTreeMap<String, String>);

impl Headers {
    /// The headers; `InvalidInput` when a name is given twice in different cases, because nobody could say which holds.
    pub(crate) fn new(given: BTreeMap<String, String>) -> Result<Self> {
        let mut headers = BTreeMap::new();
        for (name, value) in given {
            let name = name.to_ascii_lowercase();
            if headers.insert(name.clone(), value).is_some() {
                let shown: String = name.chars().take(60).collect();
                return Err(Error::invalid_input(format!("the header {shown} is given twice")).at("headers"));
            }
        }
        Ok(Self(headers))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The name of the event: lower-case letters and underscores.
    pub(crate) fn event(&self) -> Result<&str> {
        let event = self.required(EVENT)?;
        if event.is_empty() || event.len() > 64 || !event.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return Err(Error::invalid_input("the header X-GitHub-Event names no event").at("headers"));
        }
        Ok(event)
    }

    /// The id of the delivery: 1 to 64 letters, digits and dashes.
    pub(crate) fn delivery_id(&self) -> Result<&str> {
        let id = self.required(DELIVERY)?;
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Error::invalid_input("the header X-GitHub-Delivery is no id of a delivery").at("headers"));
        }
        Ok(id)
    }

    /// Refuses a body that says of itself that it is no JSON.
    pub(crate) fn check_content_type(&self) -> Result<()> {
        let Some(content_type) = self.get(CONTENT_TYPE) else { return Ok(()) };
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media == "application/json" {
            return Ok(());
        }
        let shown: String = media.chars().take(60).collect();
        Err(Error::invalid_input(format!("the body of a delivery is application/json, and this one is `{shown}`"))
            .at("headers.content-type")
            .hint("choose the content type application/json in the settings of the webhook"))
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            Error::invalid_input(format!("the header {name} is missing: this is no delivery of GitHub")).at("headers")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<const N: usize>(given: [(&str, &str); N]) -> Result<Headers> {
        Headers::new(given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn the_case_of_a_name_makes_no_difference_and_a_name_holds_once() {
        let read = headers([("X-GitHub-EVENT", "issues"), ("x-github-delivery", "72d3162e-cc78")]).unwrap();
        assert_eq!((read.event().unwrap(), read.delivery_id().unwrap()), ("issues", "72d3162e-cc78"));
        let error = headers([("X-Hub-Signature-256", "a"), ("x-hub-signature-256", "b")]).unwrap_err();
        assert!(error.message.contains("x-hub-signature-256 is given twice"), "{error}");
    }

    #[test]
    fn what_is_missing_or_odd_is_named() {
        for (name, value) in
            [("x", ""), ("x-github-event", "Issues"), ("x-github-event", ""), ("x-github-event", "a b")]
        {
            let error = headers([(name, value)]).unwrap().event().unwrap_err();
            assert!(error.message.to_lowercase().contains("x-github-event"), "{error}");
        }
        for id in ["", "../../x", "a/b", "{72d3162e}", &"x".repeat(65)] {
            assert!(headers([("x-github-delivery", id)]).unwrap().delivery_id().is_err(), "{id}");
        }
    }

    #[test]
    fn only_json_is_read() {
        for media in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"] {
            headers([("content-type", media)]).unwrap().check_content_type().unwrap();
        }
        headers([]).unwrap().check_content_type().unwrap();
        for media in ["application/x-www-form-urlencoded", "text/plain", "application/json-seq", ""] {
            let error = headers([("content-type", media)]).unwrap().check_content_type().unwrap_err();
            assert_eq!(error.field.as_deref(), Some("headers.content-type"), "{media}");
        }
    }
}
