//! What is said to a message that is none.

use serde_json::{Value, json};

/// The text is no JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// The JSON is no message of the protocol.
pub(super) const INVALID_REQUEST: i32 = -32600;

/// The answer to a message that could not be taken.
pub(super) fn refusal(id: &Value, code: i32, message: &str, data: Option<Value>) -> Value {
    let mut error = json!({"code": code, "message": message});
    if let Some(data) = data {
        error["data"] = data;
    }
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}

/// The answer to bytes that rmcp does not take as a message; `None` when the protocol wants none.
pub(super) fn refusal_of(bytes: &[u8]) -> Option<Value> {
    let message = match serde_json::from_slice::<Value>(bytes) {
        Ok(message) => message,
        Err(error) => {
            let said = format!("this is no JSON: {error}");
            return Some(refusal(&Value::Null, PARSE_ERROR, &said, None));
        }
    };
    let id = match &message["id"] {
        id @ (Value::String(_) | Value::Number(_)) => id.clone(),
        _ => Value::Null,
    };
    let said = match &message {
        Value::Array(_) => "batches are not part of this protocol: send one message at a time",
        Value::Object(fields) if fields.get("jsonrpc") != Some(&json!("2.0")) => "`jsonrpc` must be \"2.0\"",
        Value::Object(fields) if fields.contains_key("method") && id.is_null() && !fields.contains_key("id") => {
            return None;
        }
        Value::Object(fields) if fields.get("method").is_some_and(Value::is_string) => {
            "the parameters are not those of the method"
        }
        Value::Object(_) => "a request has a `method` and an `id`",
        _ => "a message is an object",
    };
    Some(refusal(&id, INVALID_REQUEST, said, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_told_so_and_a_notification_is_not_answered() {
        let code = |text: &str| refusal_of(text.as_bytes()).map(|answer| answer["error"]["code"].clone());
        assert_eq!(code("{"), Some(json!(PARSE_ERROR)));
        assert_eq!(code(&"[".repeat(100_000)), Some(json!(PARSE_ERROR)));
        for text in ["[]", "1", "{}", r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, r#"{"jsonrpc":"2.0","id":1}"#] {
            assert_eq!(code(text), Some(json!(INVALID_REQUEST)), "{text}");
        }
        assert_eq!(code(r#"{"jsonrpc":"2.0","method":"tools/call","params":7}"#), None);
        let answer = refusal_of(br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":7}"#).unwrap();
        assert_eq!(answer["id"], "a");
    }
}
