//! What S3 says of an object, as the port has it.

use mlops_core::ports::ObjectMeta;
use mlops_core::{Error, Result};

use crate::place::Place;

/// Puts together what is known of an object; an error when S3 left out what it always says.
pub(crate) fn describe(
    place: &Place,
    bytes: Option<u64>,
    etag: Option<&str>,
    version: Option<&str>,
) -> Result<ObjectMeta> {
    let lacks = |what: &str| Error::internal(format!("S3 did not say the {what} of {}", place.uri));
    Ok(ObjectMeta {
        uri: place.uri.clone(),
        bytes: bytes.ok_or_else(|| lacks("length"))?,
        etag: plain(etag.ok_or_else(|| lacks("etag"))?),
        version_id: version.filter(|version| *version != "null").map(str::to_owned),
    })
}

/// A length as S3 says it.
pub(crate) fn length(said: Option<i64>) -> Option<u64> {
    u64::try_from(said?).ok()
}

/// An etag without the quotes of HTTP.
pub(crate) fn plain(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// An etag with the quotes of HTTP.
pub(crate) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

#[cfg(test)]
mod tests {
    use mlops_core::values::ArtifactUri;

    use super::*;

    #[test]
    fn what_s3_leaves_out_is_noticed() {
        let place = Place::object(&ArtifactUri::new("s3://bucket/key").unwrap()).unwrap();
        let meta = describe(&place, length(Some(3)), Some("\"abc\""), Some("null")).unwrap();
        assert_eq!((meta.bytes, &meta.etag[..], meta.version_id), (3, "abc", None));
        assert_eq!(quoted(&meta.etag), "\"abc\"");
        assert!(describe(&place, length(Some(-1)), Some("x"), None).unwrap_err().message.contains("length"));
        assert!(describe(&place, Some(1), None, None).unwrap_err().message.contains("etag"));
    }
}
