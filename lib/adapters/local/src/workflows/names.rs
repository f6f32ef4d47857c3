//! Which variables and functions an expression names.

use std::collections::BTreeSet;

use jsonata_core::ast::AstNode;
use mlops_core::{Error, Result};
use serde_json::Value;

/// The names in an expression.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The variables and functions that the expression uses, without those that it binds itself.
    pub(crate) used: BTreeSet<String>,
    bound: BTreeSet<String>,
}

impl Names {
    /// The names in the tree of an expression.
    pub(crate) fn of(tree: &AstNode) -> Result<Self> {
        // The tree has some thirty kinds of nodes; as JSON it is walked without knowing them.
        let value = serde_json::to_value(tree)
            .map_err(|error| Error::internal("the tree of an expression could not be walked").caused_by(error))?;
        let mut names = Self::default();
        names.collect(&value);
        names.used.retain(|name| !names.bound.contains(name) && !name.is_empty());
        Ok(names)
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(object) => {
                for (key, value) in object {
                    match (key.as_str(), value) {
                        ("Variable", Value::String(name)) => drop(self.used.insert(name.clone())),
                        ("focus" | "index_var" | "Index", Value::String(name)) => drop(self.bound.insert(name.clone())),
                        ("Function", call) if call["is_builtin"] == true => {
                            self.used.extend(call["name"].as_str().map(str::to_owned));
                        }
                        ("Lambda", lambda) => {
                            let parameters = lambda["params"].as_array().into_iter().flatten();
                            self.bound.extend(parameters.filter_map(Value::as_str).map(str::to_owned));
                        }
                        ("Binary", binary) if binary["op"] == "ColonEqual" => {
                            self.bound.extend(binary["lhs"]["Variable"].as_str().map(str::to_owned));
                        }
                        _ => {}
                    }
                    self.collect(value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(source: &str) -> Vec<String> {
        Names::of(&jsonata_core::parser::parse(source).unwrap()).unwrap().used.into_iter().collect()
    }

    #[test]
    fn names_that_an_expression_binds_are_its_own() {
        assert_eq!(used("$states.input.a[$ > $limit]"), ["limit", "states"]);
        assert_eq!(used("($x := 1; $f := function($y) { $x + $y + $z }; $f($x))"), ["z"]);
        assert_eq!(used("$map($rows, function($row) { $string($row) })"), ["map", "rows", "string"]);
        assert_eq!(used("$map($rows, $string)"), ["map", "rows", "string"]);
        assert_eq!(used("{'a': $eval('1')}"), ["eval"]);
        assert_eq!(used("a@$b.c#$i[$b = $i]"), Vec::<String>::new());
    }
}
