//! The parameters of a graph that was written here, found by their names; nothing in them is trusted.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::OnnxReadError;
use super::graph::{Element, PARAMETERS};
use super::protobuf::{Fields, Malformed, Value, ints};

/// The parameters of a graph, and what was kept beside it.
pub(crate) struct Parts<'a> {
    tensors: HashMap<String, Tensor<'a>>,
    /// The properties of the trees, where there are any.
    trees: HashMap<String, Property<'a>>,
    description: Map<String, Json>,
}

/// A tensor as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct Tensor<'a> {
    shape: Vec<usize>,
    element: u64,
    raw: &'a [u8],
    texts: Vec<&'a [u8]>,
}

/// What a property of a node holds.
#[derive(Debug, Default)]
pub(super) struct Property<'a> {
    pub(super) ints: &'a [u8],
    pub(super) texts: Vec<&'a [u8]>,
    pub(super) tensor: Tensor<'a>,
}

fn malformed(_: Malformed) -> OnnxReadError {
    OnnxReadError::damaged("its graph is no message")
}

impl<'a> Parts<'a> {
    /// Looks through a graph.
    pub(super) fn read(graph: &'a [u8], description: &str) -> Result<Self, OnnxReadError> {
        let description = serde_json::from_str(description)
            .map_err(|error| OnnxReadError::damaged(format!("its description is not what it should be ({error})")))?;
        let (mut tensors, mut trees) = (HashMap::new(), HashMap::new());
        for field in Fields(graph) {
            match field.map_err(malformed)? {
                (1, Value::Bytes(node)) if is_ensemble(node)? => trees = properties(node)?,
                (5, Value::Bytes(bytes)) => {
                    let (name, tensor) = tensor(bytes)?;
                    if let Some(name) = name.strip_prefix(PARAMETERS) {
                        tensors.insert(name.to_owned(), tensor);
                    }
                }
                _ => {}
            }
        }
        Ok(Self { tensors, trees, description })
    }

    fn tensor(&self, name: &str) -> Result<&Tensor<'a>, OnnxReadError> {
        self.tensors.get(name).ok_or_else(|| OnnxReadError::damaged(format!("it has no parameter `{name}`")))
    }

    /// Whether there is such a parameter.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Whether there are trees.
    pub(crate) fn has_trees(&self) -> bool {
        !self.trees.is_empty()
    }

    /// The shape of a parameter with that many axes.
    pub(crate) fn shape<const N: usize>(&self, name: &str) -> Result<[usize; N], OnnxReadError> {
        let shape = &self.tensor(name)?.shape;
        let found = <[usize; N]>::try_from(shape.as_slice());
        found.map_err(|_| OnnxReadError::damaged(format!("`{name}` has the shape {shape:?}, not one of {N} axes")))
    }

    /// The numbers of a parameter in double precision.
    pub(crate) fn doubles(&self, name: &str) -> Result<Vec<f64>, OnnxReadError> {
        self.tensor(name)?.doubles(name)
    }

    /// The numbers of a parameter in single precision.
    pub(crate) fn singles(&self, name: &str) -> Result<Vec<f32>, OnnxReadError> {
        let tensor = self.tensor(name)?;
        Ok(tensor.numbers::<4>(name, Element::Float)?.map(f32::from_le_bytes).collect())
    }

    /// The texts of a parameter.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, OnnxReadError> {
        let tensor = self.tensor(name)?;
        let wrong = || OnnxReadError::damaged(format!("`{name}` is no list of texts"));
        if tensor.element != Element::Text as u64 || tensor.shape != [tensor.texts.len()] {
            return Err(wrong());
        }
        tensor.texts.iter().map(|text| String::from_utf8(text.to_vec()).map_err(|_| wrong())).collect()
    }

    /// The classes, where there are any.
    pub(crate) fn labels(&self) -> Result<Vec<String>, OnnxReadError> {
        if self.has("labels") { self.texts("labels") } else { Ok(Vec::new()) }
    }

    /// What was kept beside the graph under that name.
    pub(crate) fn described<T: DeserializeOwned>(&self, name: &str) -> Result<T, OnnxReadError> {
        let value = self.description.get(name).cloned().unwrap_or_default();
        serde_json::from_value(value)
            .map_err(|error| OnnxReadError::damaged(format!("`{name}` of its description is wrong ({error})")))
    }

    /// A property of the trees.
    pub(super) fn property(&self, name: &str) -> Result<&Property<'a>, OnnxReadError> {
        self.trees.get(name).ok_or_else(|| OnnxReadError::damaged(format!("its trees have no `{name}`")))
    }
}

impl<'a> Tensor<'a> {
    fn numbers<const N: usize>(
        &self,
        name: &str,
        element: Element,
    ) -> Result<impl Iterator<Item = [u8; N]> + use<'a, N>, OnnxReadError> {
        let count = self.shape.iter().try_fold(1_usize, |count, length| count.checked_mul(*length));
        let (numbers, rest) = self.raw.as_chunks::<N>();
        if self.element != element as u64 || !rest.is_empty() || count != Some(numbers.len()) {
            let (shape, bytes) = (&self.shape, self.raw.len());
            let what = format!("`{name}` is said to have the shape {shape:?}, and holds {bytes} bytes of another kind");
            return Err(OnnxReadError::damaged(what));
        }
        Ok(numbers.iter().copied())
    }

    /// The numbers in double precision.
    pub(super) fn doubles(&self, name: &str) -> Result<Vec<f64>, OnnxReadError> {
        Ok(self.numbers::<8>(name, Element::Double)?.map(f64::from_le_bytes).collect())
    }
}

impl Property<'_> {
    /// The whole numbers of the property, each from 0 to `most`.
    pub(super) fn indices(&self, name: &str, most: usize) -> Result<Vec<usize>, OnnxReadError> {
        let values = ints(self.ints).map_err(malformed)?;
        let index = |value: i64| usize::try_from(value).ok().filter(|value| *value <= most);
        let found = values.into_iter().map(index).collect::<Option<Vec<_>>>();
        found.ok_or_else(|| OnnxReadError::damaged(format!("`{name}` of its trees holds a number out of range")))
    }
}

fn is_ensemble(node: &[u8]) -> Result<bool, OnnxReadError> {
    for field in Fields(node) {
        if let (4, Value::Bytes(op)) = field.map_err(malformed)? {
            return Ok(op == b"TreeEnsembleRegressor");
        }
    }
    Ok(false)
}

fn properties(node: &[u8]) -> Result<HashMap<String, Property<'_>>, OnnxReadError> {
    let mut properties = HashMap::new();
    for field in Fields(node) {
        let (5, Value::Bytes(attribute)) = field.map_err(malformed)? else { continue };
        let (mut name, mut property) = (String::new(), Property::default());
        for part in Fields(attribute) {
            match part.map_err(malformed)? {
                (1, Value::Bytes(bytes)) => name = String::from_utf8_lossy(bytes).into_owned(),

                (5, Value::Bytes(bytes)) => property.tensor = tensor(bytes)?.1,
                (8, Value::Bytes(bytes)) => property.ints = bytes,
                (9, Value::Bytes(text)) => property.texts.push(text),
                _ => {}
            }
        }
        properties.insert(name, property);
    }
    Ok(properties)
}

fn tensor(bytes: &[u8]) -> Result<(String, Tensor<'_>), OnnxReadError> {
    let (mut name, mut tensor) = (String::new(), Tensor::default());
    for field in Fields(bytes) {
        match field.map_err(malformed)? {
            (1, Value::Int(length)) => tensor.shape.push(usize::try_from(length).unwrap_or(usize::MAX)),
            (2, Value::Int(element)) => tensor.element = element,
            (6, Value::Bytes(text)) => tensor.texts.push(text),
            (8, Value::Bytes(bytes)) => name = String::from_utf8_lossy(bytes).into_owned(),
            (9, Value::Bytes(bytes)) => tensor.raw = bytes,
            _ => {}
        }
    }
    Ok((name, tensor))
}
