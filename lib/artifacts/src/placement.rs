//! The folder that new artifacts go to.

use mlops_core::values::sha256_hex;
use mlops_core::{Call, Error, Result};
use serde::Serialize;

/// The longest id of a run, in bytes.
const LONGEST: usize = 128;

/// The run whose folder new artifacts go to: the one that was given, else the call's, else an id made of the arguments
/// and the hashes of what they name, so that a repeated call writes to the same place.
pub fn run_id<T: Serialize>(given: Option<&str>, call: &Call, arguments: &T, input_hashes: &[&str]) -> Result<String> {
    if let Some(id) = given.or(call.run_id.as_deref()) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let sound = id.bytes().all(allowed) && id.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !sound || id.len() > LONGEST {
            return Err(Error::invalid_input(format!(
                "`run_id` must begin with a letter or a digit and hold only letters, digits, `-`, `_` and `.`, at most \
                 {LONGEST}"
            ))
            .at("run_id"));
        }
        return Ok(id.to_owned());
    }
    let arguments = serde_json::to_string(arguments)
        .map_err(|error| Error::internal("the arguments could not be written as JSON").caused_by(error))?;
    let hash = sha256_hex(format!("{arguments}\n{}", input_hashes.join("\n")).as_bytes());
    Ok(hash.chars().take(12).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_the_arguments_and_the_inputs() {
        let call = Call::new("r");
        let id = |arguments: &str, hash: &str| run_id(None, &call, &arguments, &[hash]).unwrap();
        assert_eq!(id("a", "1"), id("a", "1"));
        assert_ne!(id("a", "1"), id("a", "2"));
        assert_ne!(id("a", "1"), id("b", "1"));
        assert_eq!(id("a", "1").len(), 12);
    }

    #[test]
    fn a_given_id_goes_before_the_one_of_the_call() {
        let call = Call::new("r").in_run("of-the-call");
        assert_eq!(run_id(None, &call, &(), &[]).unwrap(), "of-the-call");
        assert_eq!(run_id(Some("given_1.2"), &call, &(), &[]).unwrap(), "given_1.2");
    }

    #[test]
    fn an_id_that_leaves_its_folder_is_refused() {
        for id in ["../x", "a/b", "", "-a", ".hidden", &"a".repeat(200)] {
            let error = run_id(Some(id), &Call::new("r"), &(), &[]).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("run_id"), "{id}");
        }
    }
}
