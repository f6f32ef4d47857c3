//! JSON Schemas of inputs and outputs, normalised in one pass so that every client understands them.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The key under which a property lists other names that are accepted for it. It is taken out of what clients see.
pub const ALIASES: &str = "x-aliases";

/// The schema of an input: aliases kept, nulls left out because an optional argument is simply not given.
pub fn of_input<T: JsonSchema>() -> Value {
    let mut schema = generate::<T>(false);
    normalise(&mut schema, Nulls::Drop);
    if schema.get("properties").is_none() {
        schema["properties"] = json!({});
    }
    schema
}

/// The schema of an output.
pub fn of_output<T: JsonSchema>() -> Value {
    let mut schema = generate::<T>(true);
    normalise(&mut schema, Nulls::Keep);
    schema
}

/// The schema without what only our own checks read.
pub fn for_clients(mut schema: Value) -> Value {
    strip_aliases(&mut schema);
    schema
}

#[derive(Clone, Copy, PartialEq)]
enum Nulls {
    Keep,
    Drop,
}

fn generate<T: JsonSchema>(output: bool) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    if output {
        settings = settings.for_serialize();
    }
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn normalise(schema: &mut Value, nulls: Nulls) {
    if let Value::Array(items) = schema {
        for item in items {
            normalise(item, nulls);
        }
        return;
    }
    if *schema == Value::Bool(true) {
        *schema = any_value(None);
        return;
    }
    let Value::Object(object) = schema else { return };
    object.remove("$schema");
    object.remove("title");
    // `uint`, `double` and the like are formats of one generator only; validators warn about them.
    if object.get("format").is_some_and(|format| !matches!(format.as_str(), Some("date-time" | "date" | "uri"))) {
        object.remove("format");
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if nulls == Nulls::Drop {
        drop_nulls(object);
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
    }
    enum_of_constants(object);
    one_type_each(object);
    for (key, value) in object.iter_mut() {
        match key.as_str() {
            "default" | "const" | "enum" | "examples" => {}
            // Whether other keys are allowed is a question of its own, and `true` a good answer to it.
            "additionalProperties" if value.is_boolean() => {}
            "properties" | "$defs" | "patternProperties" => {
                value.as_object_mut().into_iter().flatten().for_each(|(_, property)| normalise(property, nulls));
            }
            _ => normalise(value, nulls),
        }
    }
    if object.keys().all(|key| matches!(key.as_str(), "description" | "default" | ALIASES)) {
        let (description, default) = (object.remove("description"), object.remove("default"));
        let mut any = any_value(description);
        if let Some(default) = default {
            any["default"] = default;
        }
        *schema = any;
    }
}

/// `["string", "null"]` and `anyOf: [X, null]` say only that the argument is optional; `required` says so already.
fn drop_nulls(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for union in ["anyOf", "oneOf"] {
        let Some(Value::Array(variants)) = object.get_mut(union) else { continue };
        variants.retain(|variant| variant.get("type").is_none_or(|name| name != "null"));
        if variants.len() == 1 {
            let only = variants.remove(0);
            object.remove(union);
            merge(object, only);
        }
    }
}

/// A `oneOf` of described constants becomes one `enum`, with the descriptions in the text.
fn enum_of_constants(object: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = object.get("oneOf") else { return };
    let constants = variants.iter().flat_map(|variant| match (variant.get("const"), variant.get("enum")) {
        (Some(constant), _) => vec![Some(constant.clone())],
        (None, Some(Value::Array(values))) => values.iter().cloned().map(Some).collect(),
        _ => vec![None],
    });
    let Some(constants) = constants.collect::<Option<Vec<Value>>>() else { return };
    let described = variants.iter().filter_map(|variant| {
        let name = variant.get("const")?.as_str()?;
        let text = variant.get("description")?.as_str()?;
        Some(format!("{name}: {}", text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.')))
    });
    let described = described.collect::<Vec<_>>().join("; ");
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(constants));
    if !described.is_empty() {
        let text = object.get("description").and_then(Value::as_str).map(|text| format!("{text} "));
        object.insert("description".to_owned(), json!(format!("{}{described}.", text.unwrap_or_default())));
    }
}

/// `type: ["integer", "null"]` becomes a union of one type each: some dialects know no arrays of types.
fn one_type_each(object: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = object.get("type").cloned() else { return };
    object.remove("type");
    let described: Vec<&str> = vec!["description", "default", "title", "x-aliases"];
    let kept: Vec<String> = object.keys().filter(|key| !described.contains(&key.as_str())).cloned().collect();
    let constraints: Map<String, Value> =
        kept.iter().filter_map(|key| Some((key.clone(), object.remove(key)?))).collect();
    let variants = types.into_iter().map(|name| {
        let mut variant = if name == "null" { Map::new() } else { constraints.clone() };
        if let Some(Value::Array(values)) = variant.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        variant.insert("type".to_owned(), name);
        Value::Object(variant)
    });
    object.insert("anyOf".to_owned(), Value::Array(variants.collect()));
}

/// A schema that accepts anything says so by naming every type.
fn any_value(description: Option<Value>) -> Value {
    let names = ["string", "number", "boolean", "object", "array", "null"];
    let mut schema = json!({"anyOf": names.map(|name| match name {
        "array" => json!({"type": name, "items": {"type": "object"}}),
        _ => json!({"type": name}),
    })});
    if let Some(description) = description {
        schema["description"] = description;
    }
    schema
}

fn merge(object: &mut Map<String, Value>, other: Value) {
    let Value::Object(other) = other else { return };
    for (key, value) in other {
        object.entry(key).or_insert(value);
    }
}

fn strip_aliases(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(strip_aliases),
        Value::Object(object) => {
            object.remove(ALIASES);
            object.values_mut().for_each(strip_aliases);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    /// How.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        /// Go at once.
        Fast,
        /// Take the
        /// time.
        Slow,
    }

    /// Inputs.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Inputs {
        /// How many.
        count: Option<u32>,
        /// Which way.
        #[serde(default)]
        mode: Option<Mode>,
        /// Where.
        #[schemars(extend("x-aliases" = ["url"]))]
        uri: String,
    }

    #[test]
    fn an_input_schema_has_no_null_no_format_and_no_aliases_for_clients() {
        let schema = for_clients(of_input::<Inputs>());
        let text = schema.to_string();
        for absent in ["null", "uint", "$schema", "x-aliases", "oneOf", "anyOf", "$ref"] {
            assert!(!text.contains(absent), "{absent} in {schema:#}");
        }
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["required"], json!(["uri"]));
        assert_eq!(schema["properties"]["mode"]["enum"], json!(["fast", "slow"]));
        let text = schema["properties"]["mode"]["description"].as_str().unwrap();
        assert!(text.contains("slow: Take the time"), "{text}");
        assert!(of_input::<Inputs>().to_string().contains("x-aliases"));
    }
}
