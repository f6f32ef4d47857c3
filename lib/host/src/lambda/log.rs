//! The log: lines of JSON on the standard output, where Lambda takes them up. No line holds a secret.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use mlops_core::masking::mask_value;
use mlops_core::ports::{Clock, SystemClock};
use mlops_core::{Audit, AuditLine, Error};
use serde_json::{Map, Value, json};

/// The log of a function.
pub(super) struct Log {
    function: String,
    out: Mutex<Box<dyn Write + Send>>,
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Error,
}

impl Log {
    /// The log of that function on the standard output.
    pub(super) fn new(function: impl Into<String>) -> Self {
        Self::to(function, Box::new(std::io::stdout()))
    }

    pub(super) fn to(function: impl Into<String>, out: Box<dyn Write + Send>) -> Self {
        Self { function: function.into(), out: Mutex::new(out) }
    }

    /// Writes what happened, with its fields; those that are null are left out.
    pub(super) fn event(&self, level: Level, message: &str, fields: Value) {
        let mut line = json!({
            "timestamp": format!("{:.3}", SystemClock.now()),
            "level": match level { Level::Info => "INFO", Level::Error => "ERROR" },
            "message": message,
            "function": self.function,
        });
        if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
            line.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        self.line(&line);
    }

    /// Writes an error with all that is known of it: its causes are for the log alone.
    pub(super) fn error(&self, message: &str, error: &Error, fields: Value) {
        let mut causes = Vec::new();
        let mut source = error.source.as_deref().map(|source| source as &dyn std::error::Error);
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        let mut all = json!({ "error": error.to_value() });
        if !causes.is_empty() {
            all["error"]["causes"] = json!(causes);
        }
        if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
            all.extend(fields);
        }
        self.event(Level::Error, message, all);
    }

    fn line(&self, line: &Value) {
        let mut bytes = mask_value(line).to_string().into_bytes();
        bytes.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that nobody takes must not fail what it speaks of.
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
    }
}

impl Audit for Log {
    fn write(&self, line: &AuditLine) {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(line) else { return };
        fields.insert("function".to_owned(), json!(self.function));
        fields.insert("message".to_owned(), json!("tool"));
        self.line(&Value::Object(in_order(fields)));
    }
}

/// The keys that every line begins with come first.
fn in_order(mut fields: Map<String, Value>) -> Map<String, Value> {
    let mut ordered = Map::new();
    for key in ["timestamp", "level", "message", "function"] {
        ordered.extend(fields.shift_remove_entry(key));
    }
    ordered.extend(fields);
    ordered
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mlops_core::Call;
    use mlops_core::masking::register;

    use super::*;

    /// A writer whose bytes can be looked at.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        fn lines(&self) -> Vec<Value> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    #[test]
    fn a_line_is_one_json_object_without_secrets_and_with_the_causes() {
        register(&"hunter2-hunter2".to_owned().into());
        let kept = Kept::default();
        let log = Log::to("judge", Box::new(kept.clone()));
        log.event(Level::Info, "start", json!({"request_id": "r-1", "run_id": null, "note": "hunter2-hunter2\nend"}));
        let error = Error::not_found("no hunter2-hunter2").at("uri").caused_by(std::io::Error::other("disk"));
        log.error("error", &error, json!({"request_id": "r-1"}));
        let outcome: Result<&str, &Error> = Ok("done");
        let call = Call::new("r-1");
        log.write(&AuditLine::of(
            ("room", "tool"),
            &json!({"api_key": "x"}),
            &call,
            std::time::Duration::ZERO,
            outcome,
        ));
        let lines = kept.lines();
        assert_eq!(lines.len(), 3);
        assert!(!format!("{lines:?}").contains("hunter2"));
        assert!(lines[0].get("run_id").is_none() && lines[0]["function"] == "judge" && lines[0]["level"] == "INFO");
        assert_eq!(lines[1]["error"]["causes"], json!(["disk"]));
        assert_eq!((&lines[1]["error"]["kind"], &lines[1]["level"]), (&json!("NotFound"), &json!("ERROR")));
        assert_eq!((&lines[2]["tool_name"], &lines[2]["request_id"]), (&json!("tool"), &json!("r-1")));
        for line in lines {
            assert_eq!(
                line.as_object().unwrap().keys().take(4).collect::<Vec<_>>(),
                ["timestamp", "level", "message", "function"]
            );
        }
    }
}
