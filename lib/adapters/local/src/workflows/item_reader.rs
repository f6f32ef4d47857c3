//! Reads the items of a map from the object store.

use mlops_core::Error;
use mlops_core::ports::ObjectStore;
use mlops_core::values::ArtifactUri;
use serde_json::{Map, Value, json};

use super::errors::{Failure, READER_FAILED};
use super::fan_definition::Source;

/// The most bytes of an object that holds items.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Where the items lie.
pub(crate) struct Place {
    pub(crate) bucket: String,
    /// The key of an object, or the prefix of a listing.
    pub(crate) key: String,
}

/// The items that lie there, at most that many.
pub(crate) async fn read(
    store: &dyn ObjectStore,
    source: &Source,
    place: &Place,
    most: usize,
) -> Result<Vec<Value>, Failure> {
    let Place { bucket, key } = place;
    let uri = ArtifactUri::new(format!("s3://{bucket}/{key}")).map_err(|error| failed(&error))?;
    if *source == Source::Listing {
        return listing(store, &uri, most).await.map_err(|error| failed(&error));
    }
    let body = async {
        let (_, body) = store.get(&uri, None).await?;
        body.collect(LARGEST).await
    };
    let bytes = body.await.map_err(|error| failed(&error))?;
    let broken = |what: String| Failure::new(READER_FAILED, format!("{uri}: {what}"));
    match source {
        Source::Json => match serde_json::from_slice(&bytes) {
            Ok(Value::Array(items)) => Ok(items.into_iter().take(most).collect()),
            Ok(_) => Err(broken("the items are not a JSON list".to_owned())),
            Err(error) => Err(broken(error.to_string())),
        },
        Source::Csv { delimiter, headers } => {
            rows(&bytes, *delimiter, headers.as_deref(), most).map_err(|error| broken(error.to_string()))
        }
        _ => {
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(most);
            lines.map(|line| serde_json::from_slice(line).map_err(|error| broken(error.to_string()))).collect()
        }
    }
}

async fn listing(store: &dyn ObjectStore, prefix: &ArtifactUri, most: usize) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    let mut next = None;
    loop {
        let page = store.list(prefix, next).await?;
        for object in page.objects {
            if items.len() == most {
                return Ok(items);
            }
            let key = object.uri.bucket_and_key().map_or(object.uri.as_str(), |(_, key)| key);
            items.push(json!({
                "Etag": object.etag, "Key": key, "Size": object.bytes, "StorageClass": "STANDARD",
            }));
        }
        next = page.next;
        if next.is_none() {
            return Ok(items);
        }
    }
}

/// Each row as an object of texts. A short row has empty texts at its end; what a row has too much is left out.
fn rows(bytes: &[u8], delimiter: u8, headers: Option<&[String]>, most: usize) -> Result<Vec<Value>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(headers.is_none())
        .flexible(true)
        .from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let names: Vec<String> = match headers {
        Some(headers) => headers.to_vec(),
        None => reader.headers()?.iter().map(str::to_owned).collect(),
    };
    let items = reader.records().take(most).map(|record| {
        let record = record?;
        let fields = names.iter().enumerate();
        let item: Map<String, Value> =
            fields.map(|(index, name)| (name.clone(), record.get(index).unwrap_or_default().into())).collect();
        Ok(Value::Object(item))
    });
    items.collect()
}

fn failed(error: &Error) -> Failure {
    Failure::new(READER_FAILED, error.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_objects_of_texts() {
        let text = "\u{feff}name,n\n\"a,b\",1\nc\nd,2,3\n".as_bytes();
        let expected =
            [json!({"name": "a,b", "n": "1"}), json!({"name": "c", "n": ""}), json!({"name": "d", "n": "2"})];
        assert_eq!(rows(text, b',', None, 10).unwrap(), expected);
        assert_eq!(rows(text, b',', None, 1).unwrap(), expected[..1]);
        let headers = ["x".to_owned(), "y".to_owned()];
        assert_eq!(rows(b"1|2\n", b'|', Some(&headers), 10).unwrap(), [json!({"x": "1", "y": "2"})]);
        assert!(rows(b"a\n\xff\n", b',', None, 10).is_err());
        assert!(rows(b"", b',', None, 10).unwrap().is_empty());
    }
}
