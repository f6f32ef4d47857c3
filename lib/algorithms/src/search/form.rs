//! A search space as people write it in JSON or YAML: reading it with every fault named, and writing it back.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::{SpaceProblem, SpaceProblems};
use super::parameter::{Condition, Domain, Parameter, same, whole};

/// The most parameters of a space.
const MOST_PARAMETERS: usize = 100;
/// The most choices of one parameter.
const MOST_CHOICES: usize = 1000;
/// The keys of which a range has exactly one.
const KINDS: [&str; 5] = ["int", "log_int", "float", "log", "choice"];

/// One parameter of a search space: a range, or a list of choices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParameterForm {
    /// One of these values, such as `[linear, rbf]`.
    Choices(Vec<Value>),
    /// A range, such as `{int: [3, 12]}` or `{log: [0.001, 0.3]}`, with exactly one of `int`, `log_int`, `float`, `log`
    /// and `choice`.
    Range(RangeForm),
}

/// A range of a parameter, and when the parameter has a value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeForm {
    /// Whole numbers from the first to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int: Option<[i64; 2]>,
    /// Whole numbers of at least 1, where equal ratios are equally far apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_int: Option<[i64; 2]>,
    /// Numbers from the first to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub float: Option<[f64; 2]>,
    /// Numbers above 0, where equal ratios are equally far apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<[f64; 2]>,
    /// One of these values; a list in place of the object says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Vec<Value>>,
    /// The distance between the values of `int`; 1 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
    /// The parameter has a value only where each of these other parameters has that value, or one of those in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<BTreeMap<String, Value>>,
}

/// Collects faults.
struct Reading<'a> {
    given: &'a Map<String, Value>,
    problems: Vec<SpaceProblem>,
}

/// The parameters of the space, or every fault in it.
pub(super) fn parse(given: &Map<String, Value>) -> Result<Vec<Parameter>, SpaceProblems> {
    let mut reading = Reading { given, problems: Vec::new() };
    if given.is_empty() {
        reading.fault("(root)", "a search space has at least one parameter, such as `max_depth: {int: [3, 12]}`");
    }
    if given.len() > MOST_PARAMETERS {
        reading.fault("(root)", &format!("{} parameters are too many; at most {MOST_PARAMETERS}", given.len()));
    }
    let mut parameters: Vec<Parameter> = Vec::new();
    for (name, value) in given.iter().take(MOST_PARAMETERS) {
        let domain = reading.domain(name, value);
        // A parameter with a fault stands in its place, so that what depends on it is still checked.
        let domain = domain.unwrap_or(Domain::Categorical { choices: Vec::new() });
        let conditions = reading.conditions(name, value);
        parameters.push(Parameter { name: name.clone(), domain, conditions });
    }
    for parameter in &parameters {
        for condition in &parameter.conditions {
            let Some(parent) = parameters.get(condition.parent) else { continue };
            let is_faulty = matches!(&parent.domain, Domain::Categorical { choices } if choices.is_empty());
            let stray = condition.values.iter().find(|value| !is_faulty && parent.domain.place(value).is_none());
            if let Some(value) = stray {
                let path = format!("{}.when.{}", parameter.name, parent.name);
                reading.fault(&path, &format!("{value} is not {}", parent.domain.describe()));
            }
        }
    }
    if reading.problems.is_empty() { Ok(parameters) } else { Err(SpaceProblems(reading.problems)) }
}

/// The indices of the parameters, each after those that it depends on.
pub(super) fn order(parameters: &[Parameter]) -> Result<Vec<usize>, SpaceProblems> {
    let mut order = Vec::with_capacity(parameters.len());
    while order.len() < parameters.len() {
        let is_ready = |index: &usize| {
            !order.contains(index) && parameters[*index].conditions.iter().all(|on| order.contains(&on.parent))
        };
        let Some(next) = (0..parameters.len()).find(is_ready) else {
            let stuck = (0..parameters.len()).find(|index| !order.contains(index)).unwrap_or_default();
            let message = "the parameters depend on each other in a circle; take one `when` away".to_owned();
            let path = format!("{}.when", parameters[stuck].name);
            return Err(SpaceProblems(vec![SpaceProblem { path, message }]));
        };
        order.push(next);
    }
    Ok(order)
}

/// The parameter as it is written.
pub(super) fn write(parameter: &Parameter, all: &[Parameter]) -> Value {
    let mut written = match &parameter.domain {
        Domain::Float { low, high, log: false } => json!({"float": [low, high]}),
        Domain::Float { low, high, log: true } => json!({"log": [low, high]}),
        Domain::Integer { low, high, log: true, .. } => json!({"log_int": [low, high]}),
        Domain::Integer { low, high, step: 1, .. } => json!({"int": [low, high]}),
        Domain::Integer { low, high, step, .. } => json!({"int": [low, high], "step": step}),
        Domain::Categorical { choices } if parameter.conditions.is_empty() => return json!(choices),
        Domain::Categorical { choices } => json!({"choice": choices}),
    };
    if !parameter.conditions.is_empty() {
        let one = |condition: &Condition| {
            let values = match condition.values.as_slice() {
                // A list in a list is one choice that is a list.
                [value] if !value.is_array() => value.clone(),
                values => json!(values),
            };
            (all[condition.parent].name.clone(), values)
        };
        written["when"] = Value::Object(parameter.conditions.iter().map(one).collect());
    }
    written
}

impl Reading<'_> {
    fn fault(&mut self, path: &str, message: &str) {
        self.problems.push(SpaceProblem { path: path.to_owned(), message: message.to_owned() });
    }

    fn domain(&mut self, name: &str, value: &Value) -> Option<Domain> {
        let given = match value {
            Value::Array(choices) => return self.choices(name, choices),
            Value::Object(given) => given,
            other => {
                let hint = format!(
                    "{other} is neither a range such as {{int: [1, 10]}} nor a list of choices; write [{other}] for a \
                     single value"
                );
                self.fault(name, &hint);
                return None;
            }
        };
        for key in
            given.keys().filter(|key| !KINDS.contains(&key.as_str()) && !["step", "when"].contains(&key.as_str()))
        {
            let message =
                format!("there is no such key; a range has one of {}, and `step` and `when`", KINDS.join(", "));
            self.fault(&format!("{name}.{key}"), &message);
        }
        let kinds = KINDS.iter().filter(|kind| given.contains_key(**kind)).collect::<Vec<_>>();
        let [kind] = kinds.as_slice() else {
            self.fault(name, &format!("give exactly one of {}", KINDS.join(", ")));
            return None;
        };
        let path = format!("{name}.{kind}");
        if given.contains_key("step") && **kind != "int" {
            self.fault(&format!("{name}.step"), "only `int` has steps");
        }
        match (**kind, given.get(**kind)) {
            ("choice", Some(Value::Array(choices))) => self.choices(&path, choices),
            ("int" | "log_int", Some(ends)) => self.integer(name, &path, ends, given.get("step")),
            ("float" | "log", Some(ends)) => self.float(&path, ends, **kind == "log"),
            _ => {
                self.fault(&path, "it must be a list of values");
                None
            }
        }
    }

    fn integer(&mut self, name: &str, path: &str, ends: &Value, step: Option<&Value>) -> Option<Domain> {
        let log = path.ends_with(".log_int");
        let ends = ends.as_array().map(|ends| ends.iter().map(whole).collect::<Option<Vec<_>>>());
        let Some(Some([low, high])) = ends.as_ref().map(|ends| ends.as_deref()) else {
            self.fault(path, "it must be two whole numbers, [lowest, highest]");
            return None;
        };
        let (low, high) = (*low, *high);
        if low > high {
            self.fault(path, &format!("the lowest value, {low}, is above the highest, {high}"));
            return None;
        }
        if log && low < 1 {
            self.fault(path, &format!("the lowest value is {low}, and a logarithmic range begins at 1 or above"));
            return None;
        }
        let step = match step.filter(|_| !log) {
            None => 1,
            Some(step) => {
                let found = whole(step).filter(|step| *step >= 1);
                if found.is_none() {
                    self.fault(&format!("{name}.step"), &format!("{step} is not a whole number of at least 1"));
                }
                found?
            }
        };
        // The highest value that steps from the lowest reach.
        let room = high.abs_diff(low) / step.unsigned_abs() * step.unsigned_abs();
        Some(Domain::Integer { low, high: low.saturating_add_unsigned(room), step, log })
    }

    fn float(&mut self, path: &str, ends: &Value, log: bool) -> Option<Domain> {
        let ends = ends.as_array().map(|ends| ends.iter().map(Value::as_f64).collect::<Option<Vec<_>>>());
        let Some(Some([low, high])) = ends.as_ref().map(|ends| ends.as_deref()) else {
            self.fault(path, "it must be two numbers, [lowest, highest]");
            return None;
        };
        let (low, high) = (*low, *high);
        // Written so that NaN is a fault as well.
        if !(low < high && (high - low).is_finite()) {
            self.fault(path, &format!("the lowest value, {low}, must be below the highest, {high}"));
            return None;
        }
        if log && low <= 0.0 {
            self.fault(path, &format!("the lowest value is {low}, and a logarithmic range begins above 0"));
            return None;
        }
        Some(Domain::Float { low, high, log })
    }

    fn choices(&mut self, path: &str, choices: &[Value]) -> Option<Domain> {
        if choices.is_empty() || choices.len() > MOST_CHOICES {
            self.fault(path, &format!("there are {} choices; give 1 to {MOST_CHOICES}", choices.len()));
            return None;
        }
        for (at, choice) in choices.iter().enumerate() {
            if choices[..at].iter().any(|other| same(other, choice)) {
                self.fault(&format!("{path}[{at}]"), &format!("{choice} is there twice"));
                return None;
            }
        }
        Some(Domain::Categorical { choices: choices.to_vec() })
    }

    fn conditions(&mut self, name: &str, value: &Value) -> Vec<Condition> {
        let Some(when) = value.get("when") else { return Vec::new() };
        let path = format!("{name}.when");
        let Some(when) = when.as_object().filter(|when| !when.is_empty()) else {
            self.fault(&path, "it must say which parameter has which value, such as {kernel: rbf}");
            return Vec::new();
        };
        let mut conditions = Vec::new();
        for (other, values) in when {
            let path = format!("{path}.{other}");
            let Some(parent) = self.given.keys().position(|name| name == other) else {
                let names = self.given.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                self.fault(&path, &format!("the search space has no parameter `{other}`; it has {names}"));
                continue;
            };
            let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
            if other == name {
                self.fault(&path, "a parameter cannot depend on itself");
            } else if values.is_empty() {
                self.fault(&path, "name at least one value");
            } else {
                conditions.push(Condition { parent, values });
            }
        }
        conditions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(given: &Value) -> Vec<String> {
        let given = given.as_object().unwrap();
        let problems = parse(given).and_then(|parameters| order(&parameters)).unwrap_err();
        problems.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_fault_has_its_path() {
        let found = problems(&json!({
            "a": 5, "b": {"int": [9, 3]}, "c": {"log": [0, 1]}, "d": {"float": [1, 1]}, "e": [], "f": {"int": [1, 9], "log": [1, 2]},
            "g": {"float": [0, 1], "step": 2}, "h": {"int": [1, 9], "stp": 2}, "i": {"int": [1.5, 2]}, "j": [1, 1.0],
            "k": {"int": [1, 9], "step": 0}, "l": {"log_int": [0, 9]}, "m": {"choice": 3}
        }));
        let paths = found.iter().map(|text| text.split(": ").next().unwrap()).collect::<Vec<_>>();
        let expected = [
            "a",
            "b.int",
            "c.log",
            "d.float",
            "e",
            "f",
            "g.step",
            "h.stp",
            "i.int",
            "j[1]",
            "k.step",
            "l.log_int",
            "m.choice",
        ];
        assert_eq!(paths, expected);
        assert!(found[0].contains("write [5] for a single value"), "{}", found[0]);
        assert!(problems(&json!({}))[0].contains("at least one parameter"));
    }

    #[test]
    fn conditions_name_a_parameter_and_its_values() {
        let kernel = json!(["linear", "rbf"]);
        let of = |when: Value| problems(&json!({"kernel": kernel, "gamma": {"log": [0.1, 1], "when": when}})).remove(0);
        assert_eq!(of(json!({"kernel": "poly"})), "gamma.when.kernel: \"poly\" is not one of \"linear\", \"rbf\"");
        assert!(of(json!({"kernl": "rbf"})).starts_with("gamma.when.kernl: the search space has no parameter"));
        assert!(of(json!("rbf")).starts_with("gamma.when: it must say"));
        assert!(of(json!({"gamma": 0.5})).contains("on itself"));
        let circle = json!({"a": {"choice": [1, 2], "when": {"b": 1}}, "b": {"choice": [1, 2], "when": {"a": 1}}});
        assert_eq!(problems(&circle)[0].split(": ").next(), Some("a.when"));
    }

    #[test]
    fn the_last_step_ends_within_the_range() {
        let given = json!({"trees": {"int": [10, 99], "step": 25}});
        let parameters = parse(given.as_object().unwrap()).unwrap();
        assert_eq!(parameters[0].domain, Domain::Integer { low: 10, high: 85, step: 25, log: false });
    }
}
