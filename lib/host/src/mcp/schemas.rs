//! Output schemas as clients list them: the words of the first level, the types of the second, and below that only
//! what kind of value it is. A model pays for each byte of a listing; the whole is in `mlops tools --json`.

use serde_json::{Value, json};

/// How many levels of objects keep the names of their fields.
const LEVELS: usize = 2;

/// The schema without descriptions below its first level and without fields below its second. It requires no field of
/// the first level: a call that takes long answers with a `job_id` in their place.
pub(super) fn shortened(schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema.as_object_mut().map(|object| object.remove("required"));
    for property in schema["properties"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        let description = property.get("description").cloned();
        strip(property, 1);
        if let (Some(description), Some(object)) = (description, property.as_object_mut()) {
            object.insert("description".to_owned(), description);
        }
    }
    schema
}

fn strip(schema: &mut Value, level: usize) {
    let Value::Object(object) = schema else { return };
    object.remove("description");
    object.remove("default");
    if level >= LEVELS && object.contains_key("properties") {
        *schema = json!({"type": "object"});
        return;
    }
    for property in
        object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(serde_json::Map::values_mut)
    {
        strip(property, level + 1);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below) = object.get_mut(key) {
            strip(below, level);
        }
    }
    for union in ["anyOf", "oneOf"] {
        let Some(Value::Array(mut variants)) = object.remove(union) else { continue };
        for variant in &mut variants {
            strip(variant, level);
        }
        // Variants that differed in their fields alone are now the same: `oneOf` would refuse what fits both.
        let mut distinct: Vec<Value> = Vec::with_capacity(variants.len());
        for variant in variants {
            if !distinct.contains(&variant) {
                distinct.push(variant);
            }
        }
        match (distinct.pop(), distinct.is_empty()) {
            (Some(Value::Object(only)), true) => object.extend(only),
            (last, _) => {
                distinct.extend(last);
                object.insert("anyOf".to_owned(), Value::Array(distinct));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_level_keeps_its_words_and_the_second_its_types() {
        let deep = json!({"type": "object", "properties": {"d": {"type": "number"}}});
        let fields =
            json!({"description": {"type": "string", "description": "c"}, "deep": {"type": "array", "items": deep}});
        let inner = json!({"type": "object", "description": "b", "properties": fields});
        let short = shortened(&json!({"type": "object", "required": ["a"], "properties": {"a": inner}}));
        assert!(short.get("required").is_none());
        let a = &short["properties"]["a"];
        assert_eq!(a["description"], "b");
        assert_eq!(a["properties"]["description"], json!({"type": "string"}));
        let tagged = |name: &str| json!({"type": "object", "properties": {"kind": {"const": name}}});
        let union = json!({"type": "object", "properties": {"a": {"type": "object", "properties": {
            "b": {"oneOf": [tagged("x"), tagged("y"), {"type": "null"}]}, "c": {"oneOf": [tagged("x"), tagged("y")]}}}}});
        let short_union = &shortened(&union)["properties"]["a"]["properties"];
        assert_eq!(short_union["b"], json!({"anyOf": [{"type": "object"}, {"type": "null"}]}));
        assert_eq!(short_union["c"], json!({"type": "object"}));
        assert_eq!(a["properties"]["deep"], json!({"type": "array", "items": {"type": "object"}}));
    }
}
