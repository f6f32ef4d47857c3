//! JSONata in definitions: templates whose texts between `{%` and `%}` are evaluated.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use mlops_core::Result;
use serde_json::{Map, Value};

use super::errors::{Failure, QUERY};
use super::fields::{below, refused};
use super::functions;

/// The longest expression, in bytes.
const LONGEST: usize = 10_000;
/// What one evaluation may use.
const MILLISECONDS: u64 = 5_000;
const DEPTH: usize = 1_000;
const ITEMS: usize = 100_000;

/// A value of a definition, with what has to be evaluated.
#[derive(Debug)]
pub(crate) enum Template {
    Literal(Value),
    Expression(Expression),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// A parsed expression and where it stands.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) tree: AstNode,
    pub(crate) path: String,
    pub(crate) source: String,
}

impl Template {
    /// The template of a value of a definition.
    pub(crate) fn parse(value: &Value, path: &str) -> Result<Self> {
        let template = match value {
            Value::String(text) => match Expression::parse(text, path)? {
                Some(expression) => Self::Expression(expression),
                None => Self::Literal(value.clone()),
            },
            Value::Array(items) => {
                let items =
                    items.iter().enumerate().map(|(index, item)| Self::parse(item, &format!("{path}[{index}]")));
                Self::Array(items.collect::<Result<_>>()?)
            }
            Value::Object(object) => {
                let entries = object.iter().map(|(name, value)| {
                    let path = below(path, name);
                    if name.ends_with(".$") {
                        let hint = "it belongs to JSONPath; in JSONata write {% … %}";
                        return Err(refused(&path, "must not end with `.$`").hint(hint));
                    }
                    Ok((name.clone(), Self::parse(value, &path)?))
                });
                Self::Object(entries.collect::<Result<_>>()?)
            }
            other => Self::Literal(other.clone()),
        };
        Ok(if template.expressions().is_empty() { Self::Literal(value.clone()) } else { template })
    }

    /// The expressions in the template.
    pub(crate) fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Expression(expression) => vec![expression],
            Self::Array(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Object(entries) => entries.iter().flat_map(|(_, value)| value.expressions()).collect(),
        }
    }
}

impl Expression {
    /// The expression of a text; `None` when the text is only a text.
    pub(crate) fn parse(text: &str, path: &str) -> Result<Option<Self>> {
        if text.contains("${") {
            return Err(refused(path, "holds a substitution, which only FunctionName can"));
        }
        let trimmed = text.trim();
        let Some(source) = text.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}")) else {
            if trimmed.starts_with("{%") || trimmed.ends_with("%}") {
                return Err(refused(path, "is half an expression").hint("begin it with {% and end it with %}"));
            }
            return Ok(None);
        };
        if source.len() > LONGEST {
            return Err(refused(path, format!("has an expression of {} bytes", source.len()))
                .hint(format!("an expression has at most {LONGEST} bytes")));
        }
        match catch_unwind(|| parser::parse(source)) {
            Ok(Ok(tree)) => Ok(Some(Self { tree, path: path.to_owned(), source: source.to_owned() })),
            Ok(Err(error)) => Err(refused(path, format!("is not JSONata: {error}"))),
            Err(_) => Err(refused(path, "is not JSONata")),
        }
    }
}

/// What expressions can see: `$states` and the variables. Not to be held while waiting.
pub(crate) struct Scope {
    evaluator: Evaluator,
}

impl Scope {
    /// The scope of a state. `states` is the value of `$states`.
    pub(crate) fn new(states: Value, variables: &Map<String, Value>) -> Self {
        let mut context = Context::new();
        for (name, value) in variables {
            context.bind(name.clone(), JValue::from(value.clone()));
        }
        context.bind("states".to_owned(), JValue::from(states));
        let mut evaluator = bounded(context);
        functions::register(&mut evaluator);
        Self { evaluator }
    }

    /// The value of a template.
    pub(crate) fn fill(&mut self, template: &Template) -> Result<Value, Failure> {
        match template {
            Template::Literal(value) => Ok(value.clone()),
            Template::Expression(expression) => self.evaluate(expression),
            Template::Array(items) => {
                items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>().map(Value::Array)
            }
            Template::Object(entries) => {
                let entries = entries.iter().map(|(name, value)| Ok((name.clone(), self.fill(value)?)));
                entries.collect::<Result<_, Failure>>().map(Value::Object)
            }
        }
    }

    /// The value of an expression. An expression without a value, or with one that JSON does not have, fails.
    pub(crate) fn evaluate(&mut self, expression: &Expression) -> Result<Value, Failure> {
        let failed = |what: &str| Failure::new(QUERY, format!("{}: {what}", expression.path));
        let evaluated =
            catch_unwind(AssertUnwindSafe(|| self.evaluator.evaluate(&expression.tree, &JValue::Undefined)));
        match evaluated {
            Ok(Ok(value)) => to_json(&value).map_err(failed),
            Ok(Err(error)) => Err(failed(error.message())),
            Err(_) => Err(failed("the expression could not be evaluated")),
        }
    }
}

/// Whether JSONata has a function of that name.
pub(crate) fn is_function(name: &str) -> bool {
    let node = AstNode::Variable(name.to_owned());
    bounded(Context::new()).evaluate(&node, &JValue::Undefined).is_ok_and(|value| value.is_function())
}

fn bounded(context: Context) -> Evaluator {
    let options = EvaluatorOptions {
        timeout_ms: Some(MILLISECONDS),
        max_stack_depth: Some(DEPTH),
        max_sequence_length: Some(ITEMS),
        ..EvaluatorOptions::default()
    };
    Evaluator::with_options(context, options)
}

/// The value as JSON.
pub(crate) fn to_json(value: &JValue) -> Result<Value, &'static str> {
    match value {
        JValue::Null => Ok(Value::Null),
        JValue::Bool(truth) => Ok(Value::Bool(*truth)),
        JValue::String(text) => Ok(Value::String(text.to_string())),
        JValue::Number(number) if !number.is_finite() => Err("the result is not a finite number"),
        JValue::Number(number) if number.fract() == 0.0 && number.abs() < 9.007_199_254_740_992e15 => {
            Ok(Value::from(*number as i64))
        }
        JValue::Number(number) => Ok(Value::from(*number)),
        JValue::Array(items) => items.iter().map(to_json).collect::<Result<_, _>>().map(Value::Array),
        JValue::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| Ok((name.clone(), to_json(value)?)));
            entries.collect::<Result<_, _>>().map(Value::Object)
        }
        JValue::Undefined => Err("the result is undefined: something that the expression names is not there"),
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => Err("the result is a function"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluate(source: &str) -> Result<Value, Failure> {
        let text = format!("{{% {source} %}}");
        let template = Template::parse(&json!({ "x": [text] }), "Output").unwrap();
        let variables = json!({"name": "run-1", "big": 9_007_199_254_740_991_i64});
        let states = json!({"input": {"a": [1, 2.5], "cause": "{\"errorType\": \"InvalidInput\"}"}});
        let mut scope = Scope::new(states, variables.as_object().unwrap());
        scope.fill(&template).map(|value| value["x"][0].clone())
    }

    #[test]
    fn expressions_see_the_state_and_the_variables() {
        assert_eq!(evaluate("$states.input.a[0]").unwrap(), json!(1));
        assert_eq!(evaluate("$states.input.a").unwrap(), json!([1, 2.5]));
        assert_eq!(evaluate("$name & '/' & $string($states.input.a[1])").unwrap(), json!("run-1/2.5"));
        assert_eq!(evaluate("$parse($states.input.cause).errorType").unwrap(), json!("InvalidInput"));
        assert_eq!(evaluate("$big").unwrap(), json!(9_007_199_254_740_991_i64));
        assert_eq!(evaluate("($x := 2; {'y': $x * 2, 'z': null})").unwrap(), json!({"y": 4, "z": null}));
        assert_eq!(evaluate("$exists($states.input.nothing)").unwrap(), json!(false));
        assert_eq!(evaluate("$merge([$states.input, {'a': 1}]).a").unwrap(), json!(1));
    }

    #[test]
    fn what_has_no_json_value_fails_with_its_place() {
        for source in [
            "$states.input.nothing",
            "$nothing",
            "name",
            "$sum",
            "function($x) { $x }",
            "1 / 0",
            "'a' + 1",
            "$parse('{')",
            "$parse(1)",
            "[1..10000000]",
            "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
        ] {
            let failure = evaluate(source).unwrap_err();
            assert_eq!(failure.error, QUERY, "{source}");
            assert!(failure.cause.starts_with("Output.x[0]: "), "{}", failure.cause);
        }
    }

    #[test]
    fn texts_stay_texts_and_half_expressions_are_refused() {
        let template = Template::parse(&json!({"a": "x", "b": [1, {"c": null}]}), "Output").unwrap();
        assert!(matches!(template, Template::Literal(_)));
        for wrong in ["{% 1", "1 %}", " {% 1 %}", "{% 1 %} ", "{% 1 + %}", "{%%}", "${Arn}", "{% ${Arn} %}"] {
            let error = Template::parse(&json!(["x", wrong]), "Output").unwrap_err();
            assert_eq!(error.field.as_deref(), Some("Output[1]"), "{wrong}");
        }
        let error = Template::parse(&json!({"a b": {"c.$": "$.x"}}), "Output").unwrap_err();
        assert_eq!(error.field.as_deref(), Some("Output[\"a b\"][\"c.$\"]"));
        let long = format!("{{% '{}' %}}", "x".repeat(LONGEST));
        Template::parse(&json!(long), "Output").unwrap_err();
        let deep = format!("{{% {}1{} %}}", "(".repeat(4000), ")".repeat(4000));
        Template::parse(&json!(deep), "Output").unwrap_err();
    }

    #[test]
    fn functions_are_known_by_their_names() {
        assert!(is_function("sum") && is_function("merge") && !is_function("summ") && !is_function("states"));
    }
}
