//! The file around a graph: versions, and named texts.

use std::collections::BTreeMap;

use super::protobuf::{Fields, Malformed, Message, Value};
use super::{LEARNING_DOMAIN, OnnxReadError};

/// Who wrote the file.
const PRODUCER: &str = "mlops";
/// The versions of the format, of the operators, and of the machine learning operators.
const VERSIONS: [u64; 3] = [8, 17, 3];

/// A file with its graph still closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The bytes of the graph.
    pub graph: &'a [u8],
    /// The named texts.
    pub metadata: BTreeMap<String, String>,
}

/// The file of a graph, with named texts in their order.
pub fn file(graph: &[u8], metadata: &[(&str, &str)]) -> Vec<u8> {
    let mut model = Message::default();
    model.int(1, VERSIONS[0].cast_signed());
    model.bytes(2, PRODUCER.as_bytes());
    for (domain, version) in ["", LEARNING_DOMAIN].into_iter().zip(&VERSIONS[1..]) {
        let mut operators = Message::default();
        operators.bytes(1, domain.as_bytes());
        operators.int(2, version.cast_signed());
        model.message(8, &operators);
    }
    for (key, value) in metadata {
        let mut entry = Message::default();
        entry.bytes(1, key.as_bytes());
        entry.bytes(2, value.as_bytes());
        model.message(14, &entry);
    }
    model.bytes(7, graph);
    model.into_bytes()
}

/// The graph and the named texts of a file that [`file()`] made.
pub fn open(bytes: &[u8]) -> Result<Opened<'_>, OnnxReadError> {
    let malformed = |_: Malformed| OnnxReadError::foreign("it is no ONNX file, or only a part of one");
    let fields = Fields(bytes).collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    let (mut producer, mut graph, mut versions, mut metadata) = (None, None, Vec::new(), BTreeMap::new());
    for (field, value) in fields {
        match (field, value) {
            (1, Value::Int(version)) => versions.insert(0, version),
            (2, Value::Bytes(name)) => producer = Some(String::from_utf8_lossy(name).into_owned()),
            (7, Value::Bytes(bytes)) => graph = Some(bytes),
            (8, Value::Bytes(operators)) => {
                let version = Fields(operators).filter_map(|field| match field {
                    Ok((2, Value::Int(version))) => Some(version),
                    _ => None,
                });
                versions.extend(version);
            }
            (14, Value::Bytes(entry)) => {
                let [mut key, mut text] = [String::new(), String::new()];
                for part in Fields(entry) {
                    match part.map_err(malformed)? {
                        (1, Value::Bytes(bytes)) => key = utf8(bytes)?,
                        (2, Value::Bytes(bytes)) => text = utf8(bytes)?,
                        _ => {}
                    }
                }
                metadata.insert(key, text);
            }
            _ => {}
        }
    }
    let Some(graph) = graph else { return Err(OnnxReadError::foreign("it holds no graph")) };
    match producer {
        Some(producer) if producer == PRODUCER => {}
        other => {
            let who = other.map_or_else(|| "nobody".to_owned(), |name| name.chars().take(100).collect());
            return Err(OnnxReadError::foreign(format!("it says that {who} wrote it")));
        }
    }
    if versions != VERSIONS {
        return Err(OnnxReadError::foreign(format!("its versions are {versions:?}, and not {VERSIONS:?}")));
    }
    Ok(Opened { graph, metadata })
}

fn utf8(bytes: &[u8]) -> Result<String, OnnxReadError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| OnnxReadError::damaged("a text of its metadata is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_opened_again() {
        let bytes = file(b"graph", &[("b", "é"), ("a", "")]);
        let opened = open(&bytes).unwrap();
        assert_eq!(opened.graph, b"graph");
        let texts = opened.metadata.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect::<Vec<_>>();
        assert_eq!(texts, [("a", ""), ("b", "é")]);
    }

    #[test]
    fn what_is_foreign_says_why() {
        let whole = file(b"graph", &[]);
        let said = |bytes: &[u8]| open(bytes).unwrap_err().to_string();
        assert!(said(b"").contains("holds no graph"));
        assert!(said(b"{}").contains("no ONNX file"));
        assert!(said(&whole[..whole.len() - 1]).contains("only a part"));
        let mut other = whole.clone();
        other[4] = b'X';
        assert!(said(&other).contains("says that Xlops wrote it"), "{}", said(&other));
        let mut newer = whole;
        newer[1] = 9;
        assert!(said(&newer).contains("versions are [9, 17, 3]"), "{}", said(&newer));
    }
}
