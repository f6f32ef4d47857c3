//! One parameter of a search space: what values it can take, and how they map to the unit interval.

use serde_json::{Number, Value};

/// The values that a parameter can take.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// A number from `low` to `high`, both included.
    Float {
        /// The least value.
        low: f64,
        /// The greatest value, above `low`.
        high: f64,
        /// Whether equal ratios, rather than equal differences, are equally far apart; `low` is then above 0.
        log: bool,
    },
    /// `low`, `low + step`, … up to `high`.
    Integer {
        /// The least value.
        low: i64,
        /// The greatest value, a multiple of `step` above `low`.
        high: i64,
        /// The distance between values, at least 1; 1 where `log` holds.
        step: i64,
        /// Whether equal ratios are equally far apart; `low` is then at least 1.
        log: bool,
    },
    /// One of at least one distinct values, among which there is no order.
    Categorical {
        /// The values.
        choices: Vec<Value>,
    },
}

/// A parameter, with the choices of other parameters on which it depends.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// The values.
    pub domain: Domain,
    /// What must hold for the parameter to have a value: all of these.
    pub conditions: Vec<Condition>,
}

/// That another parameter has one of some values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The index of the other parameter in the space.
    pub parent: usize,
    /// The values, at least one.
    pub values: Vec<Value>,
}

impl Domain {
    /// Whether there is no order among the values.
    pub const fn is_categorical(&self) -> bool {
        matches!(self, Self::Categorical { .. })
    }

    /// How many values there are; `None` for a range of real numbers.
    pub fn cardinality(&self) -> Option<u64> {
        match self {
            Self::Float { .. } => None,
            Self::Integer { low, high, step, .. } => {
                Some((high.abs_diff(*low) / step.unsigned_abs()).saturating_add(1))
            }
            Self::Categorical { choices } => Some(choices.len() as u64),
        }
    }

    /// The value at a place of the unit interval; places outside count as its ends.
    pub fn at(&self, unit: f64) -> Value {
        let unit = if unit.is_nan() { 0.5 } else { unit.clamp(0.0, 1.0) };
        match self {
            Self::Float { low, high, log: false } => float((unit * (high - low) + low).clamp(*low, *high)),
            Self::Float { low, high, log: true } => {
                float((unit * (high.ln() - low.ln()) + low.ln()).exp().clamp(*low, *high))
            }
            Self::Integer { low, high, step, log: false } => {
                let count = self.cardinality().unwrap_or(1);
                let place = ((unit * count as f64) as u64).min(count - 1);
                Value::from(low.saturating_add_unsigned(place.saturating_mul(step.unsigned_abs())).min(*high))
            }
            Self::Integer { low, high, log: true, .. } => {
                let [from, to] = logarithmic_ends(*low, *high);
                Value::from(((unit * (to - from) + from).exp().round() as i64).clamp(*low, *high))
            }
            Self::Categorical { choices } => {
                let place = ((unit * choices.len() as f64) as usize).min(choices.len().saturating_sub(1));
                choices.get(place).cloned().unwrap_or_default()
            }
        }
    }

    /// The place of a value in the unit interval; `None` when it is none of the values. Whole numbers and choices lie in
    /// the middle of the part of the interval that [`Domain::at`] gives them for.
    pub fn place(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Float { low, high, log } => {
                let value = value.as_f64().filter(|value| (*low..=*high).contains(value))?;
                let [value, low, high] = if *log { [value.ln(), low.ln(), high.ln()] } else { [value, *low, *high] };
                Some((value - low) / (high - low))
            }
            Self::Integer { low, high, step, log } => {
                let value = whole(value).filter(|value| (*low..=*high).contains(value))?;
                if *log {
                    let [from, to] = logarithmic_ends(*low, *high);
                    return Some(((value as f64).ln() - from) / (to - from));
                }
                let (distance, step) = (value.abs_diff(*low), step.unsigned_abs());
                let middle = (distance / step) as f64 + 0.5;
                (distance % step == 0).then(|| middle / self.cardinality().unwrap_or(1) as f64)
            }
            Self::Categorical { choices } => {
                let place = choices.iter().position(|choice| same(choice, value))?;
                Some((place as f64 + 0.5) / choices.len() as f64)
            }
        }
    }

    /// The values for a grid: all choices, and of a range at most `points` values evenly from end to end.
    pub fn grid(&self, points: usize) -> Vec<Value> {
        match (self, self.cardinality()) {
            (Self::Categorical { choices }, _) => return choices.clone(),
            (Self::Integer { low, step, .. }, Some(count)) if count <= points as u64 => {
                return (0..count as i64).map(|place| Value::from(low + place * step)).collect();
            }
            _ => {}
        }
        if points < 2 {
            return vec![self.at(0.5)];
        }
        let value = |at| self.at(at as f64 / (points - 1) as f64);
        (0..points).map(value).fold(Vec::new(), distinct)
    }

    /// The values in words, for errors.
    pub fn describe(&self) -> String {
        let scale = |log: &bool| if *log { ", logarithmic" } else { "" };
        match self {
            Self::Float { low, high, log } => format!("a number from {low} to {high}{}", scale(log)),
            Self::Integer { low, high, step: 1, log } => format!("an integer from {low} to {high}{}", scale(log)),
            Self::Integer { low, high, step, .. } => format!("an integer from {low} to {high} in steps of {step}"),
            Self::Categorical { choices } => {
                let shown = choices.iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join(", ");
                format!("one of {shown}{}", if choices.len() > 10 { ", …" } else { "" })
            }
        }
    }
}

/// Whether two JSON values are the same choice: numbers by their value, everything else as it is.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// The whole number that a JSON number is, also where it is written with a fraction of zero.
pub(super) fn whole(value: &Value) -> Option<i64> {
    let fraction =
        || value.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < 9e15).map(|value| value as i64);
    value.as_i64().or_else(fraction)
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Every integer has the part of the line that rounds to it.
fn logarithmic_ends(low: i64, high: i64) -> [f64; 2] {
    [(low as f64 - 0.5).ln(), (high as f64 + 0.5).ln()]
}

fn distinct(mut values: Vec<Value>, value: Value) -> Vec<Value> {
    if !values.contains(&value) {
        values.push(value);
    }
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_and_places_are_each_others_inverse() {
        let domains = [
            Domain::Float { low: -2.0, high: 3.0, log: false },
            Domain::Float { low: 1e-4, high: 10.0, log: true },
            Domain::Integer { low: 3, high: 12, step: 1, log: false },
            Domain::Integer { low: 50, high: 500, step: 50, log: false },
            Domain::Integer { low: 1, high: 1000, step: 1, log: true },
            Domain::Categorical { choices: vec![json!("a"), json!(null), json!([1, 2])] },
        ];
        for domain in domains {
            for step in 0..=50 {
                let value = domain.at(f64::from(step) / 50.0);
                let place = domain.place(&value).unwrap();
                let again = domain.at(place);
                let near =
                    again.as_f64().zip(value.as_f64()).is_some_and(|(a, b)| (a - b).abs() < 1e-12 * b.abs().max(1.0));
                assert!(again == value || near, "{domain:?}: {value} and {again}");
                assert!((0.0..=1.0).contains(&place));
            }
            assert!(domain.place(&json!("none of them")).is_none());
        }
    }

    #[test]
    fn what_lies_outside_has_no_place() {
        let steps = Domain::Integer { low: 50, high: 500, step: 50, log: false };
        assert!(steps.place(&json!(75)).is_none() && steps.place(&json!(550)).is_none());
        assert!(steps.place(&json!(100.0)).is_some() && steps.place(&json!(100.5)).is_none());
        let wide = Domain::Integer { low: i64::MIN, high: i64::MAX, step: 1, log: false };
        assert!(wide.at(1.0).is_i64() && wide.at(0.0) == json!(i64::MIN));
    }

    #[test]
    fn a_grid_runs_from_end_to_end_and_repeats_nothing() {
        let depth = Domain::Integer { low: 3, high: 12, step: 1, log: false };
        assert_eq!(depth.grid(4), [json!(3), json!(6), json!(9), json!(12)]);
        assert_eq!(depth.grid(100).len(), 10);
        assert_eq!(Domain::Float { low: 0.01, high: 1.0, log: true }.grid(3).len(), 3);
        assert_eq!(Domain::Integer { low: 1, high: 3, step: 1, log: true }.grid(5), [json!(1), json!(2), json!(3)]);
        assert_eq!(Domain::Float { low: 0.0, high: 1.0, log: false }.grid(1), [json!(0.5)]);
    }
}
