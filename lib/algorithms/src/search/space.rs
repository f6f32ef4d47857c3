//! The space that is searched: its parameters, its form in JSON, and the way from points to parameters and back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{SearchError, SpaceProblems};
use super::form;
use super::parameter::{Domain, Parameter, same};

/// A space of parameters, some of which have a value only where others have certain ones.
///
/// In JSON each name has a range or a list of choices:
/// `{"max_depth": {"int": [3, 12]}, "eta": {"log": [0.001, 0.3]}, "kernel": ["linear", "rbf"],
/// "gamma": {"log": [0.0001, 1], "when": {"kernel": "rbf"}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct SearchSpace {
    parameters: Vec<Parameter>,
    /// The indices of the parameters, each after those that it depends on.
    order: Vec<usize>,
}

/// A point of the unit cube: one place a parameter, `None` where it has no value.
pub(super) type Places = Vec<Option<f64>>;

impl SearchSpace {
    /// The space that a JSON object describes, or every fault in it.
    pub fn parse(given: &Map<String, Value>) -> Result<Self, SpaceProblems> {
        let parameters = form::parse(given)?;
        let order = form::order(&parameters)?;
        Ok(Self { parameters, order })
    }

    /// The space as JSON; [`SearchSpace::parse`] reads it back.
    pub fn to_json(&self) -> Map<String, Value> {
        self.parameters.iter().map(|one| (one.name.clone(), form::write(one, &self.parameters))).collect()
    }

    /// The parameters in the order in which they were given.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The number of parameters, at least 1.
    pub fn len(&self) -> usize {
        self.parameters.len()
    }

    /// Whether there is no parameter, which no parsed space is.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// The parameters at a point of the unit cube (one place a parameter); those whose condition does not hold there are
    /// left out.
    pub fn at(&self, units: &[f64]) -> Map<String, Value> {
        let values =
            self.order.iter().copied().fold(vec![None; self.len()], |mut values: Vec<Option<Value>>, index| {
                if self.is_active(index, &values) {
                    values[index] = Some(self.parameters[index].domain.at(units.get(index).copied().unwrap_or(0.5)));
                }
                values
            });
        self.named(values)
    }

    /// The place of each parameter in the unit interval, `None` for those that have no value there.
    ///
    /// # Errors
    /// [`SearchError::Parameters`] for a name that the space does not have, for a value outside its parameter's, for one
    /// that is missing, and for one that is given although its condition does not hold.
    pub(super) fn places(&self, given: &Map<String, Value>) -> Result<Places, SearchError> {
        let wrong = |name: &str, message: String| SearchError::Parameters { name: name.to_owned(), message };
        if let Some(name) = given.keys().find(|name| self.parameters.iter().all(|one| one.name != **name)) {
            let names = self.parameters.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(wrong(name, format!("the search space has no such parameter; it has {names}")));
        }
        let mut values: Vec<Option<Value>> = vec![None; self.len()];
        let mut places = vec![None; self.len()];
        for &index in &self.order {
            let parameter = &self.parameters[index];
            let name = parameter.name.as_str();
            match (self.is_active(index, &values), given.get(name)) {
                (true, Some(value)) => {
                    let outside = || wrong(name, format!("{value} is not {}", parameter.domain.describe()));
                    places[index] = Some(parameter.domain.place(value).ok_or_else(outside)?);
                    values[index] = Some(value.clone());
                }
                (true, None) => return Err(wrong(name, "it has no value".to_owned())),
                (false, Some(_)) => {
                    return Err(wrong(name, "it has a value although its `when` does not hold".to_owned()));
                }
                (false, None) => {}
            }
        }
        Ok(places)
    }

    /// Every node of the grid with at most `points` values of a range, or an error when there are more than `most`.
    pub(super) fn grid(&self, points: usize, most: usize) -> Result<Vec<Map<String, Value>>, SearchError> {
        let mut nodes: Vec<Vec<Option<Value>>> = vec![vec![None; self.len()]];
        for &index in &self.order {
            let choices = self.parameters[index].domain.grid(points);
            let mut next = Vec::with_capacity(nodes.len());
            for node in nodes {
                if !self.is_active(index, &node) {
                    next.push(node);
                    continue;
                }
                for choice in &choices {
                    let mut node = node.clone();
                    node[index] = Some(choice.clone());
                    next.push(node);
                }
                if next.len() > most {
                    return Err(SearchError::GridTooLarge { most });
                }
            }
            nodes = next;
        }
        Ok(nodes.into_iter().map(|node| self.named(node)).collect())
    }

    /// Which parameters have a value at a point of the unit cube.
    pub(super) fn active(&self, units: &[f64]) -> Vec<bool> {
        let mut values: Vec<Option<Value>> = vec![None; self.len()];
        for &index in &self.order {
            if self.is_active(index, &values) {
                let domain = &self.parameters[index].domain;
                // A parameter that nothing depends on need not be decoded.
                let is_parent = self.parameters.iter().any(|one| one.conditions.iter().any(|on| on.parent == index));
                values[index] = Some(if is_parent { domain.at(units[index]) } else { Value::Null });
            }
        }
        values.iter().map(Option::is_some).collect()
    }

    /// How many points there are; `None` when there are more than `most` or one is a real number.
    pub(super) fn size(&self, most: u64) -> Option<u64> {
        let mut sizes = self.parameters.iter().map(|one| one.domain.cardinality());
        sizes.try_fold(1_u64, |all, one| all.checked_mul(one?).filter(|all| *all <= most))
    }

    fn is_active(&self, index: usize, values: &[Option<Value>]) -> bool {
        self.parameters[index].conditions.iter().all(|condition| {
            values[condition.parent].as_ref().is_some_and(|value| condition.values.iter().any(|one| same(one, value)))
        })
    }

    fn named(&self, values: Vec<Option<Value>>) -> Map<String, Value> {
        let named = self.parameters.iter().zip(values);
        named.filter_map(|(parameter, value)| Some((parameter.name.clone(), value?))).collect()
    }
}

impl TryFrom<Map<String, Value>> for SearchSpace {
    type Error = SpaceProblems;

    fn try_from(given: Map<String, Value>) -> Result<Self, SpaceProblems> {
        Self::parse(&given)
    }
}

impl From<SearchSpace> for Map<String, Value> {
    fn from(space: SearchSpace) -> Self {
        space.to_json()
    }
}

/// What a column of points holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Places in the unit interval; distance counts.
    Ordered,
    /// Codes; only equality counts.
    Categorical,
}

/// The columns of the points of a space.
pub(super) fn columns(space: &SearchSpace) -> Vec<Column> {
    let column = |one: &Parameter| if one.domain.is_categorical() { Column::Categorical } else { Column::Ordered };
    space.parameters().iter().map(column).collect()
}

/// A point as a model sees it: the place of an ordered parameter, the code of a choice; a parameter without a value lies
/// in the middle of its range, or is a choice of its own.
pub(super) fn features(space: &SearchSpace, places: &[Option<f64>]) -> Vec<f64> {
    let feature = |(parameter, place): (&Parameter, &Option<f64>)| match (&parameter.domain, place) {
        (Domain::Categorical { choices }, Some(place)) => (place * choices.len() as f64).floor(),
        (Domain::Categorical { .. }, None) => -1.0,
        (_, place) => place.unwrap_or(0.5),
    };
    space.parameters().iter().zip(places).map(feature).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn space(given: &Value) -> SearchSpace {
        SearchSpace::parse(given.as_object().unwrap()).unwrap()
    }

    fn svm() -> SearchSpace {
        space(&json!({
            "gamma": {"log": [1e-4, 1], "when": {"kernel": "rbf"}},
            "kernel": ["linear", "rbf"],
            "C": {"log": [0.01, 100]}
        }))
    }

    #[test]
    fn a_parameter_has_a_value_only_where_its_condition_holds() {
        let space = svm();
        let linear = space.at(&[0.5, 0.1, 0.5]);
        assert_eq!(linear.keys().collect::<Vec<_>>(), ["kernel", "C"]);
        let rbf = space.at(&[0.5, 0.9, 0.5]);
        assert!((rbf["gamma"].as_f64().unwrap() - 0.01).abs() < 1e-12);
        assert_eq!(space.places(&linear).unwrap()[0], None);
        assert_eq!(space.active(&[0.5, 0.1, 0.5]), [false, true, true]);
        let stray = json!({"kernel": "linear", "C": 1.0, "gamma": 0.1});
        let error = space.places(stray.as_object().unwrap()).unwrap_err();
        assert_eq!(error.field().as_deref(), Some("gamma"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |given: Value| svm().places(given.as_object().unwrap()).unwrap_err().to_string();
        assert_eq!(message(json!({"kernel": "poly", "C": 1})), "kernel: \"poly\" is not one of \"linear\", \"rbf\"");
        assert!(message(json!({"kernel": "linear", "C": 1000})).contains("a number from 0.01 to 100, logarithmic"));
        assert_eq!(message(json!({"kernel": "linear"})), "C: it has no value");
        assert!(message(json!({"c": 1})).contains("it has gamma, kernel, C"));
    }

    #[test]
    fn a_grid_leaves_out_what_has_no_value() {
        let nodes = svm().grid(3, 100).unwrap();
        assert_eq!(nodes.len(), 3 + 3 * 3);
        assert!(nodes.iter().all(|node| node.contains_key("gamma") == (node["kernel"] == "rbf")));
        assert_eq!(svm().grid(50, 100).unwrap_err(), SearchError::GridTooLarge { most: 100 });
    }

    #[test]
    fn a_space_is_written_as_it_was_read() {
        let given = json!({
            "max_depth": {"int": [3, 12]}, "leaves": {"log_int": [2, 512]}, "trees": {"int": [50, 500], "step": 50},
            "eta": {"log": [0.001, 0.3]}, "subsample": {"float": [0.5, 1.0]}, "kernel": ["linear", "rbf"],
            "gamma": {"log": [0.0001, 1.0], "when": {"kernel": "rbf", "max_depth": [3, 4]}},
            "degree": {"choice": [2, 3], "when": {"kernel": "linear"}}
        });
        let parsed = space(&given);
        assert_eq!(serde_json::to_value(&parsed).unwrap(), given);
        assert_eq!(serde_json::from_value::<SearchSpace>(given).unwrap(), parsed);
    }
}
