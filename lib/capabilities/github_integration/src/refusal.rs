//! What people are told of a request that cannot be run.

use std::fmt::Write as _;

use mlops_core::{Error, ErrorKind, Lang};

use crate::ConfigError;

/// One error for all that is wrong with a request, a line for each.
pub fn refused(source_name: &str, errors: &[ConfigError], lang: Lang) -> Error {
    let mut message = match (lang, errors.len()) {
        (Lang::En, 1) => "The request has 1 error:".to_owned(),
        (Lang::En, count) => format!("The request has {count} errors:"),
        (Lang::Ja, count) => format!("依頼に {count} 個の誤りがあります:"),
    };
    for error in errors {
        // Writing to a string does not fail.
        let _ = write!(message, "\n- {}", error.to_line(source_name, lang));
    }
    // The kind is that of the errors when they agree: data that is missing is `NotFound`.
    let first = errors.first().map_or(ErrorKind::InvalidInput, |error| error.kind);
    let kind = if errors.iter().all(|error| error.kind == first) { first } else { ErrorKind::InvalidInput };
    let hint = lang.pick("correct the request and send it again", "依頼を修正して、もう一度実行してください");
    let error = Error::new(kind, message).hint(hint);
    match errors.first() {
        Some(first) => error.at(first.path.clone()),
        None => error,
    }
}
