//! Artifacts as resources: what lies in the store can be listed and read, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlops_core::ports::ObjectStore;
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result, media_type};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use rmcp::model::{ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

/// The largest artifact that is sent as a whole, in bytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// One page of the artifacts in the store.
pub(super) async fn list(
    store: &dyn ObjectStore,
    root: &ArtifactUri,
    cursor: Option<String>,
) -> Result<ListResourcesResult> {
    let page = store.list(&folder(root)?, cursor).await?;
    let resources = page.objects.iter().map(|object| {
        let uri = object.uri.as_str();
        let name = uri.strip_prefix(root.as_str()).unwrap_or(uri).trim_start_matches('/');
        Resource::new(encoded(uri), name).with_mime_type(media_type(uri)).with_size(object.bytes)
    });
    let mut result = ListResourcesResult::with_all_items(resources.collect());
    result.next_cursor = page.next;
    Ok(result)
}

/// How the URI of an artifact is made.
pub(super) fn template(root: &ArtifactUri) -> ResourceTemplate {
    let uri = format!("{}/{{kind}}/{{run_id}}/{{name}}", root.as_str().trim_end_matches('/'));
    ResourceTemplate::new(uri, "artifact")
        .with_description("An artifact of a run: kind is processed, models, evaluations, reports or history.")
}

/// The bytes of an artifact: as text where it is text, as base64 otherwise.
pub(super) async fn read(store: &dyn ObjectStore, root: &ArtifactUri, given: &str) -> Result<ReadResourceResult> {
    // A client may give a URI as we list it or as a tool wrote it.
    let decoded = decoded(given);
    let uri = if given.starts_with(root.as_str()) { given } else { &decoded };
    let asked = ArtifactUri::new(uri)?;
    if !uri.starts_with(folder(root)?.as_str()) || uri.split('/').any(|part| part == ".." || part == ".") {
        let message = format!("{uri} is not an artifact of this server");
        return Err(Error::forbidden(message).hint(format!("artifacts lie under {root}")));
    }
    let (meta, body) = store.get(&asked, None).await?;
    if meta.bytes > LARGEST {
        let message = format!("{uri} has {} bytes, more than the {LARGEST} that are sent at once", meta.bytes);
        return Err(Error::invalid_input(message).hint("read it from its place"));
    }
    let bytes = body.collect(LARGEST).await?;
    let mime_type = media_type(uri);
    let contents = match std::str::from_utf8(&bytes) {
        Ok(text) if !mime_type.starts_with("image/png") => ResourceContents::text(text, given),
        _ => ResourceContents::blob(STANDARD.encode(&bytes), given),
    };
    Ok(ReadResourceResult::new(vec![contents.with_mime_type(mime_type)]))
}

/// The root as a folder: `…/store` must not match `…/store-of-others`.
fn folder(root: &ArtifactUri) -> Result<ArtifactUri> {
    ArtifactUri::new(format!("{}/", root.as_str().trim_end_matches('/')))
}

/// What stands for itself in the path of a URI.
const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// The URI as the protocol wants it: everything that is not a path's own character escaped.
pub(super) fn encoded(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme, path)) => format!("{scheme}://{}", utf8_percent_encode(path, PATH)),
        None => uri.to_owned(),
    }
}

fn decoded(uri: &str) -> String {
    percent_decode_str(uri).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_escaped_and_read_back() {
        let plain = "file:///home/空 白 #1%20/report.html";
        let listed = encoded(plain);
        assert!(listed.is_ascii() && !listed.contains([' ', '#']), "{listed}");
        assert_eq!(decoded(&listed), plain);
        assert_eq!(encoded("file:///a/b.csv"), "file:///a/b.csv");
    }
}
