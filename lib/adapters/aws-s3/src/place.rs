//! Bucket and key of an object.

use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};

/// The longest key of S3, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// Where an object lies, or where the keys of a listing begin.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) uri: ArtifactUri,
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl Place {
    /// The place of an object; `InvalidInput` for what is no `s3://` URI and for a key that S3 does not have.
    pub(crate) fn object(uri: &ArtifactUri) -> Result<Self> {
        let place = Self::prefix(uri)?;
        if place.key.is_empty() {
            return Err(
                Error::invalid_input(format!("{uri} names a bucket and no object")).hint("write s3://bucket/key")
            );
        }
        Ok(place)
    }

    /// The place that keys begin with; the key is empty for a whole bucket.
    pub(crate) fn prefix(uri: &ArtifactUri) -> Result<Self> {
        let Some((bucket, key)) = uri.bucket_and_key() else {
            return Err(Error::invalid_input(format!("{uri} does not lie in S3"))
                .hint("write s3://bucket/key; this store has no files"));
        };
        if key.len() > LONGEST_KEY {
            let length = key.len();
            return Err(Error::invalid_input(format!(
                "the key of {uri} has {length} bytes, and S3 takes {LONGEST_KEY}"
            ))
            .hint("choose a shorter key"));
        }
        Ok(Self { uri: uri.clone(), bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;

    use super::*;

    #[test]
    fn only_keys_of_s3_are_places() {
        let uri = |text: &str| ArtifactUri::new(text).unwrap();
        let place = Place::object(&uri("s3://bucket/a//b c")).unwrap();
        assert_eq!((&place.bucket[..], &place.key[..]), ("bucket", "a//b c"));
        assert!(Place::prefix(&uri("s3://bucket")).unwrap().key.is_empty());
        let long = format!("s3://bucket/{}", "ä".repeat(513));
        for wrong in ["s3://bucket", "s3://bucket/", "file:///a/b", "a/b", &long] {
            let error = Place::object(&uri(wrong)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidInput, "{wrong}");
            assert!(error.hint.is_some());
        }
        assert!(Place::prefix(&uri("/a/b")).is_err());
    }
}
