//! What clients see of the tools.

use mlops_model_registry::tools::TOOLS;
use serde_json::Value;

/// Every property below a schema that has no description.
fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
    if !schema.is_object() {
        return;
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        // The name of a variant says itself.
        let is_tag = !property["const"].is_null();
        if !is_tag && property["description"].as_str().is_none_or(str::is_empty) {
            found.push(path.clone());
        }
        undescribed(property, &path, found);
    }
    for key in ["items", "additionalProperties"] {
        undescribed(&schema[key], path, found);
    }
    for variant in ["anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
        undescribed(variant, path, found);
    }
}

#[test]
fn every_argument_and_every_part_of_a_result_is_described() {
    let mut names = std::collections::BTreeSet::new();
    for entry in TOOLS {
        let (input, output) = ((entry.input_schema)(), (entry.output_schema)());
        let mut found = Vec::new();
        undescribed(&input, entry.name, &mut found);
        undescribed(&output, entry.name, &mut found);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!((&input["type"], &output["type"]), (&Value::from("object"), &Value::from("object")));
        assert_eq!(input["additionalProperties"], false, "{}", entry.name);
        assert!(entry.description().len() > 100, "{}", entry.name);
        assert!(names.insert(entry.name));
    }
}
