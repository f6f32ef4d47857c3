//! How results and errors look on a terminal.

use std::path::Path;

use mlops_core::ports::Execution;
use mlops_core::{Error, ErrorKind, Lang, Result, masking};
use serde_json::Value;

/// The longest file that is read as an issue or an event, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Prints a line on the standard output. A reader that has seen enough is no failure.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// Prints a line on the standard error.
macro_rules! tell {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub(crate) use {say, tell};

/// Prints JSON, indented.
pub(crate) fn json(value: &Value) {
    say!("{:#}", masking::mask_value(value));
}

/// Prints an error, for a person or for a program.
pub(crate) fn error(error: &Error, json: bool) {
    if json {
        tell!("{}", masking::mask_value(&error.to_value()));
        return;
    }
    tell!("error ({}): {}", error.kind, masking::mask_text(&error.message));
    if let Some(field) = error.field.as_deref().filter(|field| !field.is_empty()) {
        tell!("  where: {}", masking::mask_text(field));
    }
    if let Some(hint) = &error.hint {
        tell!("  fix: {}", masking::mask_text(hint));
    }
}

/// The text of a file, or of the standard input for `-`.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let shown = path.display();
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map(|_| bytes)
    } else {
        let size = std::fs::metadata(path).map_or(0, |meta| if meta.is_dir() { 0 } else { meta.len() });
        if path.is_dir() {
            return Err(Error::invalid_input(format!("{shown} is a directory")).hint("name a file in it"));
        }
        if size > LONGEST {
            return Err(Error::invalid_input(format!("{shown} has {size} bytes, more than {LONGEST}")));
        }
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::not_found(format!("there is no file {shown}")).hint("check the path"),
        std::io::ErrorKind::PermissionDenied => Error::forbidden(format!("{shown} may not be read")),
        _ => Error::new(ErrorKind::Unavailable, format!("{shown} could not be read: {error}")),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::invalid_input(format!("{shown} is not UTF-8 text: byte {at} is not valid")).hint("save it as UTF-8")
    })
}

/// A duration for people.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

/// A file URI as the path that a person opens.
pub(crate) fn shown_path(uri: &str) -> &str {
    uri.strip_prefix("file://").unwrap_or(uri)
}

/// The language of a run.
pub(crate) fn lang_of(run: &Execution) -> Lang {
    run.input["lang"].as_str().and_then(Lang::from_code).unwrap_or_default()
}
