//! What one hyperparameter accepts, and the check of a JSON value against it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{HyperparameterError, nearest};

/// One row of an algorithm's table of hyperparameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HyperparameterSpec {
    /// The name; scikit-learn's where it has one.
    pub name: &'static str,
    /// Other names that are accepted for it.
    pub aliases: &'static [&'static str],
    /// What it does, in one sentence.
    pub description: &'static str,
    /// The values that are accepted; one of them must match.
    pub accepts: &'static [Accepts],
    /// The value that holds when none is given.
    pub default: DefaultValue,
}

/// One kind of value that a hyperparameter accepts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Accepts {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// An integer in a closed range.
    Integer {
        /// The smallest integer that is accepted.
        min: i64,
        /// The largest integer that is accepted.
        max: i64,
    },
    /// A finite number in a range.
    Number {
        /// The lower end.
        min: f64,
        /// Whether the lower end itself is left out.
        above: bool,
        /// The upper end; infinite when there is none.
        max: f64,
        /// Whether the upper end itself is left out.
        below: bool,
    },
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// An object from class label to a finite weight of at least 0.
    ClassWeights,
    /// An object from feature name to -1, 0 or 1.
    Directions,
    /// A list of integers in a closed range: an array, one integer, or text such as `(100, 50)`.
    Sizes {
        /// The most integers; the least is one.
        most: usize,
        /// The smallest integer that is accepted.
        min: i64,
        /// The largest integer that is accepted.
        max: i64,
    },
}

/// A default value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DefaultValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A word.
    Text(&'static str),
    /// A list of integers.
    Sizes(&'static [i64]),
}

/// A value that has passed the check.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Checked {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(&'static str),
    Weights(BTreeMap<String, f64>),
    Sizes(Vec<i64>),
    Directions(BTreeMap<String, i64>),
}

impl HyperparameterSpec {
    /// The value, when it is one that the hyperparameter accepts.
    pub(crate) fn check(&self, value: &Value) -> Result<Checked, HyperparameterError> {
        let integer = self.accepts.iter().any(|accepts| matches!(accepts, Accepts::Integer { .. }));
        let number = self.accepts.iter().any(|accepts| matches!(accepts, Accepts::Number { .. }));
        // Many writers of JSON know no integers: 100.0 is the integer 100 unless a fraction could be meant.
        let whole = value.as_f64().filter(|number| integer && number.fract() == 0.0 && number.abs() < 9.0e15);
        let rewritten = if integer && !number { whole.map(|whole| Value::from(whole as i64)) } else { None };
        let candidate = rewritten.as_ref().unwrap_or(value);
        self.accepts.iter().find_map(|accepts| accepts.check(candidate, integer)).ok_or_else(|| self.refuse(value))
    }

    fn refuse(&self, value: &Value) -> HyperparameterError {
        let mut allowed = self.accepts.iter().map(|accepts| accepts.describe()).collect::<Vec<_>>().join(" or ");
        let words = self.accepts.iter().flat_map(|accepts| match accepts {
            Accepts::Choice(words) => *words,
            _ => &[],
        });
        if let Some(near) = value.as_str().and_then(|given| nearest(given, words.copied())) {
            allowed = format!("{allowed}; did you mean '{near}'?");
        }
        let text = value.to_string();
        let shown = text.chars().take(80).collect::<String>();
        let value = if shown.len() < text.len() { format!("{shown}…") } else { shown };
        HyperparameterError::Value { name: self.name, value, allowed }
    }
}

impl Accepts {
    /// The value, when it is of this kind. With `integers`, an integer is never read as a number.
    fn check(self, value: &Value, integers: bool) -> Option<Checked> {
        match (self, value) {
            (Self::Null, Value::Null) => Some(Checked::Null),
            (Self::Boolean, Value::Bool(value)) => Some(Checked::Boolean(*value)),
            (Self::Integer { min, max }, value) => {
                value.as_i64().filter(|value| (min..=max).contains(value)).map(Checked::Integer)
            }
            (Self::Number { min, above, max, below }, Value::Number(value)) => {
                if integers && !value.is_f64() {
                    return None;
                }
                let value = value.as_f64()?;
                let over = if above { value > min } else { value >= min };
                let under = if below { value < max } else { value <= max };
                (over && under && value.is_finite()).then_some(Checked::Number(value))
            }
            (Self::Choice(words), Value::String(value)) => {
                words.iter().find(|word| *word == value).copied().map(Checked::Text)
            }
            (Self::ClassWeights, Value::Object(weights)) => class_weights(weights).map(Checked::Weights),
            (Self::Directions, Value::Object(directions)) => self::directions(directions).map(Checked::Directions),
            (Self::Sizes { most, min, max }, value) => {
                let sizes = sizes(value)?;
                let fits = (1..=most).contains(&sizes.len()) && sizes.iter().all(|size| (min..=max).contains(size));
                fits.then_some(Checked::Sizes(sizes))
            }
            _ => None,
        }
    }

    /// The kind in words, as the end of "it must be".
    pub fn describe(self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Integer { min, max } if min == max => min.to_string(),
            Self::Integer { min, max } => format!("an integer from {min} to {max}"),
            Self::Number { min, above, max, below } => {
                let lower = if above { format!("above {min}") } else { format!("of at least {min}") };
                match (max.is_finite(), below) {
                    (false, _) => format!("a number {lower}"),
                    (true, true) => format!("a number {lower} and below {max}"),
                    (true, false) => format!("a number {lower} and at most {max}"),
                }
            }
            Self::Choice(words) => {
                let words = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>();
                if let [word] = words.as_slice() { word.clone() } else { format!("one of {}", words.join(", ")) }
            }
            Self::ClassWeights => "an object from class label to weight, each at least 0".to_owned(),
            Self::Directions => "an object from feature name to -1, 0 or 1".to_owned(),
            Self::Sizes { most, min, max } => format!("an array of 1 to {most} integers from {min} to {max}"),
        }
    }
}

fn class_weights(weights: &Map<String, Value>) -> Option<BTreeMap<String, f64>> {
    let weight = |value: &Value| value.as_f64().filter(|weight| weight.is_finite() && *weight >= 0.0);
    let weights = weights.iter().map(|(label, value)| Some((label.clone(), weight(value)?)));
    weights.collect::<Option<BTreeMap<_, _>>>().filter(|weights| !weights.is_empty())
}

fn directions(directions: &Map<String, Value>) -> Option<BTreeMap<String, i64>> {
    let direction = |value: &Value| value.as_i64().filter(|direction| (-1..=1).contains(direction));
    directions.iter().map(|(name, value)| Some((name.clone(), direction(value)?))).collect()
}

/// The integers of an array, a single one, or those of a tuple as Python writes it.
fn sizes(value: &Value) -> Option<Vec<i64>> {
    let whole = |value: &Value| {
        let float = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9.0e15);
        value.as_i64().or(float.map(|number| number as i64))
    };
    match value {
        Value::Array(items) => items.iter().map(whole).collect(),
        Value::String(text) => {
            let inner = text.trim().trim_start_matches(['(', '[']).trim_end_matches([')', ']']);
            let inner = inner.trim_end().trim_end_matches(',');
            inner.split(',').map(|size| size.trim().parse().ok()).collect()
        }
        other => whole(other).map(|size| vec![size]),
    }
}

impl DefaultValue {
    pub(crate) fn checked(self) -> Checked {
        match self {
            Self::Null => Checked::Null,
            Self::Boolean(value) => Checked::Boolean(value),
            Self::Integer(value) => Checked::Integer(value),
            Self::Number(value) => Checked::Number(value),
            Self::Text(value) => Checked::Text(value),
            Self::Sizes(value) => Checked::Sizes(value.to_vec()),
        }
    }
}

impl Checked {
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::from(*value),
            Self::Integer(value) => Value::from(*value),
            Self::Number(value) => Value::from(*value),
            Self::Text(value) => Value::from(*value),
            Self::Sizes(value) => Value::from(value.clone()),
            Self::Directions(directions) => {
                directions.iter().map(|(name, direction)| (name.clone(), Value::from(*direction))).collect()
            }
            Self::Weights(weights) => {
                weights.iter().map(|(label, weight)| (label.clone(), Value::from(*weight))).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integer_and_a_fraction_are_told_apart() {
        let spec = HyperparameterSpec {
            name: "max_features",
            aliases: &[],
            description: "",
            accepts: &[
                Accepts::Integer { min: 1, max: 9 },
                Accepts::Number { min: 0.0, above: true, max: 1.0, below: false },
            ],
            default: DefaultValue::Null,
        };
        assert_eq!(spec.check(&json!(1)), Ok(Checked::Integer(1)));
        assert_eq!(spec.check(&json!(1.0)), Ok(Checked::Number(1.0)));
        assert!(spec.check(&json!(0)).is_err());
        assert!(spec.check(&json!(u64::MAX)).is_err());
    }

    #[test]
    fn sizes_are_written_in_many_ways() {
        let spec = HyperparameterSpec {
            name: "hidden_layer_sizes",
            aliases: &[],
            description: "",
            accepts: &[Accepts::Sizes { most: 2, min: 1, max: 99 }],
            default: DefaultValue::Sizes(&[9]),
        };
        for given in [json!([20, 5]), json!([20.0, 5]), json!("(20, 5)"), json!("20,5"), json!("[20, 5,]")] {
            assert_eq!(spec.check(&given), Ok(Checked::Sizes(vec![20, 5])), "{given}");
        }
        for given in [json!(7), json!("7"), json!("(7,)")] {
            assert_eq!(spec.check(&given), Ok(Checked::Sizes(vec![7])), "{given}");
        }
        let refused = [json!([]), json!([1, 2, 3]), json!([0]), json!([100]), json!([1.5]), json!("a"), json!(null)];
        for given in refused {
            assert!(spec.check(&given).is_err(), "{given}");
        }
        assert_eq!(spec.default.checked().json(), json!([9]));
    }

    #[test]
    fn kinds_say_what_they_are() {
        let number = |above, max, below| Accepts::Number { min: 0.0, above, max, below }.describe();
        assert_eq!(number(false, f64::INFINITY, false), "a number of at least 0");
        assert_eq!(number(true, 1.0, true), "a number above 0 and below 1");
        assert_eq!(number(true, 1.0, false), "a number above 0 and at most 1");
        assert_eq!(Accepts::Choice(&["l2"]).describe(), "'l2'");
        assert_eq!(serde_json::to_value(DefaultValue::Null).unwrap(), Value::Null);
    }
}
