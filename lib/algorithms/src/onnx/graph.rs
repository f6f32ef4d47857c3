//! An ONNX graph under construction. Its bytes depend on what is put in alone.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::OnnxError;
use super::protobuf::Message;

/// What the parameters of the model begin with; a reader finds them by name.
pub(super) const PARAMETERS: &str = "model/";

/// The kinds of elements of a tensor, by ONNX's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    /// Single precision.
    Float = 1,
    /// 64 bits.
    Int = 7,
    /// Text.
    Text = 8,
    /// True or false.
    Truth = 9,
    /// Double precision.
    Double = 11,
}

/// A named property of a node.
#[derive(Debug)]
pub(crate) enum Attribute<'a> {
    /// A whole number.
    Int(i64),
    /// A number in single precision.
    Float(f32),
    /// Whole numbers.
    Ints(&'a [i64]),
    /// Numbers in single precision.
    Floats(&'a [f32]),
    /// Texts.
    Texts(&'a [&'a str]),
    /// Numbers in double precision.
    Doubles(&'a [f64]),
    /// A graph.
    Graph(Message),
}

/// Nodes, parameters, inputs and outputs.
#[derive(Debug)]
pub(crate) struct Graph {
    message: Message,
    ends: Message,
    taken: HashSet<String>,
    named: usize,
    /// How many bytes may still come, and of how many.
    room: usize,
    limit: usize,
    /// What the graph does not say about the model, for a reader.
    description: Map<String, Value>,
}

impl Graph {
    /// An empty graph that may grow to `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        let (message, ends) = (Message::default(), Message::default());
        Self { message, ends, taken: HashSet::new(), named: 0, room: limit, limit, description: Map::new() }
    }

    /// Refuses what would need more bytes than there is room for, before they are made.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), OnnxError> {
        let room = self.room.checked_sub(bytes).ok_or(OnnxError::TooLarge { limit: self.limit })?;
        self.room = room;
        Ok(())
    }

    /// Keeps something that a reader needs beside the graph.
    pub(crate) fn describe(&mut self, name: &str, value: impl Into<Value>) {
        self.description.insert(name.to_owned(), value.into());
    }

    fn fresh(&mut self) -> String {
        loop {
            self.named += 1;
            let name = format!("/{}", self.named);
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// An input of one column, called `wanted` unless that name is not free.
    pub(crate) fn input(&mut self, wanted: &str, element: Element, width: usize) -> String {
        let name = if wanted.is_empty() || wanted.starts_with(PARAMETERS) || self.taken.contains(wanted) {
            self.fresh()
        } else {
            wanted.to_owned()
        };
        self.taken.insert(name.clone());
        self.ends.message(11, &value_info(&name, element, Some("rows"), &[width]));
        name
    }

    /// Makes a value an output called `wanted`, or that with `#2`, `#3` and so on where an input has the name.
    pub(super) fn output(&mut self, value: &str, wanted: &str, element: Element, width: Option<usize>) {
        let mut name = wanted.to_owned();
        for number in 2_usize.. {
            if self.taken.insert(name.clone()) {
                break;
            }
            name = format!("{wanted}#{number}");
        }
        self.push_node("Identity", &[value], &[&name], &[]);
        self.ends.message(12, &value_info(&name, element, Some("rows"), width.as_slice()));
    }

    /// The result of an operation. Operations that are ONNX's machine learning ones go to their own domain.
    pub(crate) fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.op_with(op, inputs, &[])
    }

    /// The result of an operation with properties.
    pub(crate) fn op_with(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) -> String {
        let name = self.fresh();
        self.push_node(op, inputs, &[&name], attributes);
        name
    }

    /// The two results of an operation.
    pub(crate) fn op_two(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) -> [String; 2] {
        let names = [self.fresh(), self.fresh()];
        self.push_node(op, inputs, &[&names[0], &names[1]], attributes);
        names
    }

    /// Numbers (rows × `width`) that `step` changes up to `most` times: it gives the changed ones and, rows × 1, which
    /// rows are to go on; when none is, that is the end.
    pub(crate) fn repeat(
        &mut self,
        most: usize,
        numbers: &str,
        width: usize,
        step: impl FnOnce(&mut Self, &str) -> Result<[String; 2], OnnxError>,
    ) -> Result<String, OnnxError> {
        let around = std::mem::take(&mut self.message);
        let [turn, before, state] = [self.fresh(), self.fresh(), self.fresh()];
        let [changed, going] = step(self, &state)?;
        let going = self.cast(&going, Element::Double);
        let going = self.op_with("ReduceMax", &[&going], &[("keepdims", Attribute::Int(0))]);
        let going = self.cast(&going, Element::Truth);
        let mut body = std::mem::replace(&mut self.message, around);
        body.bytes(2, b"step");
        for (name, element) in [(&turn, Element::Int), (&before, Element::Truth)] {
            body.message(11, &value_info(name, element, None, &[]));
        }
        body.message(11, &value_info(&state, Element::Double, Some("rows"), &[width]));
        body.message(12, &value_info(&going, Element::Truth, None, &[]));
        body.message(12, &value_info(&changed, Element::Double, Some("rows"), &[width]));
        let most = self.ints_of(&[], &[most as i64])?;
        Ok(self.op_with("Loop", &[&most, "", numbers], &[("body", Attribute::Graph(body))]))
    }

    fn push_node(&mut self, op: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, Attribute<'_>)]) {
        let mut node = Message::default();
        for input in inputs {
            node.bytes(1, input.as_bytes());
        }
        for output in outputs {
            node.bytes(2, output.as_bytes());
        }
        node.bytes(4, op.as_bytes());
        for (name, attribute) in attributes {
            node.message(5, &attribute.message(name));
        }
        if matches!(op, "LabelEncoder" | "TreeEnsembleRegressor") {
            node.bytes(7, super::LEARNING_DOMAIN.as_bytes());
        }
        self.message.message(1, &node);
    }

    /// A parameter of the model, in double precision; a reader finds it by this name.
    pub(crate) fn parameter(&mut self, name: &str, shape: &[usize], values: &[f64]) -> Result<String, OnnxError> {
        let name = format!("{PARAMETERS}{name}");
        self.doubles(name, shape, values)
    }

    /// A parameter of the model, in single precision.
    pub(crate) fn parameter_single(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[f32],
    ) -> Result<String, OnnxError> {
        let name = format!("{PARAMETERS}{name}");
        self.singles(name, shape, values)
    }

    fn singles(&mut self, name: String, shape: &[usize], values: &[f32]) -> Result<String, OnnxError> {
        self.reserve(4 * values.len() + 64)?;
        let mut tensor = tensor(&name, shape, Element::Float);
        tensor.pieces(9, values.iter().map(|value| value.to_le_bytes()));
        self.message.message(5, &tensor);
        Ok(name)
    }

    /// A parameter of text.
    pub(crate) fn parameter_texts(&mut self, name: &str, values: &[String]) -> Result<String, OnnxError> {
        let name = format!("{PARAMETERS}{name}");
        self.reserve(values.iter().map(|text| text.len() + 8).sum::<usize>() + 64)?;
        let mut tensor = tensor(&name, &[values.len()], Element::Text);
        for text in values {
            tensor.bytes(6, text.as_bytes());
        }
        self.message.message(5, &tensor);
        Ok(name)
    }

    /// Numbers that no reader looks for.
    pub(crate) fn constant(&mut self, shape: &[usize], values: &[f64]) -> Result<String, OnnxError> {
        let name = self.fresh();
        self.doubles(name, shape, values)
    }

    /// One number without a shape.
    pub(crate) fn scalar(&mut self, value: f64) -> Result<String, OnnxError> {
        self.constant(&[], &[value])
    }

    /// One number in single precision without a shape.
    pub(crate) fn scalar_single(&mut self, value: f32) -> Result<String, OnnxError> {
        let name = self.fresh();
        self.singles(name, &[], &[value])
    }

    /// Whole numbers, such as axes, shapes and indices.
    pub(crate) fn ints(&mut self, values: &[i64]) -> Result<String, OnnxError> {
        self.ints_of(&[values.len()], values)
    }

    fn ints_of(&mut self, shape: &[usize], values: &[i64]) -> Result<String, OnnxError> {
        let name = self.fresh();
        self.reserve(8 * values.len() + 64)?;
        let mut tensor = tensor(&name, shape, Element::Int);
        tensor.pieces(9, values.iter().map(|value| value.to_le_bytes()));
        self.message.message(5, &tensor);
        Ok(name)
    }

    fn doubles(&mut self, name: String, shape: &[usize], values: &[f64]) -> Result<String, OnnxError> {
        self.reserve(8 * values.len() + 64)?;
        let mut tensor = tensor(&name, shape, Element::Double);
        tensor.pieces(9, values.iter().map(|value| value.to_le_bytes()));
        self.message.message(5, &tensor);
        Ok(name)
    }

    /// The values as elements of another kind.
    pub(crate) fn cast(&mut self, value: &str, to: Element) -> String {
        self.op_with("Cast", &[value], &[("to", Attribute::Int(to as i64))])
    }

    /// Columns (rows × any) side by side.
    pub(crate) fn side_by_side(&mut self, values: &[&str]) -> String {
        match values {
            [one] => (*one).to_owned(),
            _ => self.op_with("Concat", values, &[("axis", Attribute::Int(1))]),
        }
    }

    /// The values along one axis, added up; the axis stays with length 1.
    pub(crate) fn sum(&mut self, value: &str, axis: i64) -> Result<String, OnnxError> {
        let axes = self.ints(&[axis])?;
        Ok(self.op("ReduceSum", &[value, &axes]))
    }

    /// Probabilities from one score a class, rows × classes.
    pub(crate) fn softmax(&mut self, scores: &str) -> String {
        self.op_with("Softmax", &[scores], &[("axis", Attribute::Int(1))])
    }

    /// The two probabilities of the log-odds of the second class, rows × 1.
    pub(crate) fn odds(&mut self, second: &str) -> String {
        let first = self.op("Neg", &[second]);
        let (first, second) = (self.op("Sigmoid", &[&first]), self.op("Sigmoid", &[second]));
        self.side_by_side(&[&first, &second])
    }

    /// The probabilities of all classes, where `present` names the ones that have columns; the others have probability 0.
    pub(crate) fn spread(
        &mut self,
        probabilities: String,
        present: &[u32],
        classes: usize,
    ) -> Result<String, OnnxError> {
        self.describe("present", present.to_vec());
        if present.len() == classes {
            return Ok(probabilities);
        }
        let mut places = vec![0.0; present.len() * classes];
        present.iter().enumerate().for_each(|(row, &code)| places[row * classes + code as usize] = 1.0);
        let places = self.constant(&[present.len(), classes], &places)?;
        Ok(self.op("MatMul", &[&probabilities, &places]))
    }

    /// The graph's bytes, and the description.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, Map<String, Value>), OnnxError> {
        if self.message.len() > self.limit {
            return Err(OnnxError::TooLarge { limit: self.limit });
        }
        self.message.bytes(2, b"model");
        let mut bytes = self.message.into_bytes();
        bytes.extend(self.ends.into_bytes());
        Ok((bytes, self.description))
    }
}

impl Attribute<'_> {
    fn message(&self, name: &str) -> Message {
        let mut message = Message::default();
        message.bytes(1, name.as_bytes());
        let kind = match self {
            Self::Int(value) => {
                message.int(3, *value);
                2
            }
            Self::Float(value) => {
                message.single(2, *value);
                1
            }
            Self::Ints(values) => {
                message.ints(8, values);
                7
            }
            Self::Floats(values) => {
                message.pieces(7, values.iter().map(|value| value.to_le_bytes()));
                6
            }
            Self::Texts(values) => {
                for text in *values {
                    message.bytes(9, text.as_bytes());
                }
                8
            }
            Self::Graph(graph) => {
                message.message(6, graph);
                5
            }
            Self::Doubles(values) => {
                let mut tensor = tensor(name, &[values.len()], Element::Double);
                tensor.pieces(9, values.iter().map(|value| value.to_le_bytes()));
                message.message(5, &tensor);
                4
            }
        };
        message.int(20, kind);
        message
    }
}

/// A tensor without its values.
fn tensor(name: &str, shape: &[usize], element: Element) -> Message {
    let mut tensor = Message::default();
    for length in shape {
        tensor.int(1, *length as i64);
    }
    tensor.int(2, element as i64);
    tensor.bytes(8, name.as_bytes());
    tensor
}

/// The kind and shape of a value: an axis of any length where it has a name, then axes of known lengths.
fn value_info(name: &str, element: Element, any: Option<&str>, lengths: &[usize]) -> Message {
    let mut shape = Message::default();
    if let Some(any) = any {
        let mut axis = Message::default();
        axis.bytes(2, any.as_bytes());
        shape.message(1, &axis);
    }
    for length in lengths {
        let mut axis = Message::default();
        axis.int(1, *length as i64);
        shape.message(1, &axis);
    }
    let (mut of, mut kind, mut info) = (Message::default(), Message::default(), Message::default());
    of.int(1, element as i64);
    of.message(2, &shape);
    kind.message(1, &of);
    info.bytes(1, name.as_bytes());
    info.message(2, &kind);
    info
}
