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

/// What of the store is a resource. Approvals, deliveries and jobs lie there too, and are no client's to read.
pub(super) const KINDS: [&str; 6] = ["evaluations", "history", "models", "processed", "registry", "reports"];

/// One page of the artifacts in the store: kind by kind, each in the order of its names.
pub(super) async fn list(
    store: &dyn ObjectStore,
    root: &ArtifactUri,
    cursor: Option<String>,
) -> Result<ListResourcesResult> {
    let (mut kind, mut next) = match &cursor {
        None => (0, None),
        Some(cursor) => read_cursor(cursor)?,
    };
    loop {
        let page = store.list(&folder(&root.join(KINDS[kind]))?, next).await?;
        // The last page of a kind leads to the next kind.
        let after = match page.next {
            Some(next) => Some((kind, Some(next))),
            None => (kind + 1 < KINDS.len()).then_some((kind + 1, None)),
        };
        if page.objects.is_empty()
            && let Some((kind_after, next_after)) = after
        {
            (kind, next) = (kind_after, next_after);
            continue;
        }
        let resources = page.objects.iter().map(|object| {
            let uri = object.uri.as_str();
            let name = uri.strip_prefix(root.as_str()).unwrap_or(uri).trim_start_matches('/');
            Resource::new(encoded(uri), name).with_mime_type(media_type(uri)).with_size(object.bytes)
        });
        let mut result = ListResourcesResult::with_all_items(resources.collect());
        result.next_cursor = after.map(|(kind, next)| format!("{}:{}", KINDS[kind], next.unwrap_or_default()));
        return Ok(result);
    }
}

fn read_cursor(cursor: &str) -> Result<(usize, Option<String>)> {
    let parts = cursor.split_once(':');
    let found = parts.and_then(|(kind, next)| Some((KINDS.iter().position(|known| *known == kind)?, next)));
    let Some((kind, next)) = found else {
        return Err(Error::invalid_input("this is not a cursor of this server")
            .at("cursor")
            .hint("give back `nextCursor` as it was given, or leave it out"));
    };
    Ok((kind, Some(next.to_owned()).filter(|next| !next.is_empty())))
}

/// How the URIs of artifacts are made.
pub(super) fn templates(root: &ArtifactUri) -> Vec<ResourceTemplate> {
    let root = root.as_str().trim_end_matches('/');
    vec![
        ResourceTemplate::new(format!("{root}/{{kind}}/{{run_id}}/{{name}}"), "artifact")
            .with_title("An artifact of a run")
            .with_description("kind is processed, models, evaluations, reports or history."),
        ResourceTemplate::new(format!("{root}/reports/{{run_id}}/report.md"), "report")
            .with_title("The report of a run")
            .with_description("What was trained, how good it is, and what was decided.")
            .with_mime_type("text/markdown"),
        ResourceTemplate::new(format!("{root}/registry/{{model_name}}/state.json"), "model")
            .with_title("Aliases and statuses of a model")
            .with_mime_type("application/json"),
    ]
}

/// The bytes of an artifact: as text where it is text, as base64 otherwise.
pub(super) async fn read(store: &dyn ObjectStore, root: &ArtifactUri, given: &str) -> Result<ReadResourceResult> {
    // A client may give a URI as we list it or as a tool wrote it.
    let decoded = decoded(given);
    let uri = if given.starts_with(root.as_str()) { given } else { &decoded };
    let asked = ArtifactUri::new(uri)?;
    let below = uri.strip_prefix(folder(root)?.as_str());
    let is_resource = below.is_some_and(|below| KINDS.iter().any(|kind| below.split('/').next() == Some(kind)));
    if !is_resource || uri.split('/').any(|part| part == ".." || part == ".") {
        let message = format!("{uri} is not an artifact of this server");
        return Err(Error::forbidden(message).hint(format!("they lie under {root} in {}", KINDS.join(", "))));
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
    fn a_cursor_is_one_of_ours() {
        assert_eq!(read_cursor("models:").unwrap(), (2, None));
        assert_eq!(read_cursor("reports:a:b").unwrap(), (5, Some("a:b".to_owned())));
        for bad in ["", "x", "approvals:", ":", "../models:"] {
            assert_eq!(read_cursor(bad).unwrap_err().field.as_deref(), Some("cursor"), "{bad}");
        }
    }

    #[test]
    fn a_uri_is_escaped_and_read_back() {
        let plain = "file:///home/空 白 #1%20/report.html";
        let listed = encoded(plain);
        assert!(listed.is_ascii() && !listed.contains([' ', '#']), "{listed}");
        assert_eq!(decoded(&listed), plain);
        assert_eq!(encoded("file:///a/b.csv"), "file:///a/b.csv");
    }
}
