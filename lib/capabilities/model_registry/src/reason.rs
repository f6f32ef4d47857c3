//! Who changes something and why, as it is written into records.

use mlops_core::masking::mask_text;
use mlops_core::{Call, Error, Result};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 2000;
/// The longest name of an actor, in characters.
const LONGEST_ACTOR: usize = 200;

/// The reason without secrets and without space around it; `None` when there is nothing left.
pub(crate) fn reason(given: Option<&str>) -> Result<Option<String>> {
    text("reason", given, LONGEST_REASON)
}

/// The one that was named, else the one that calls.
pub(crate) fn actor(given: Option<&str>, call: &Call) -> Result<String> {
    Ok(text("actor", given, LONGEST_ACTOR)?.unwrap_or_else(|| call.agent_id.clone()))
}

fn text(field: &str, given: Option<&str>, most: usize) -> Result<Option<String>> {
    let text = given.map(str::trim).filter(|text| !text.is_empty()).map(mask_text);
    match &text {
        Some(text) if text.chars().count() > most => {
            Err(Error::invalid_input(format!("`{field}` has more than {most} characters")).at(field))
        }
        _ => Ok(text),
    }
}
