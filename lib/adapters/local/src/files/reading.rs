//! Reads objects in pieces.

use std::fs::{self, File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use mlops_core::arguments::nearest;
use mlops_core::ports::{Body, ObjectMeta};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, ErrorKind, Result};

use super::blocking::blocking;
use super::failure::failure;
use super::place::Place;

/// How much is read at once.
const PIECE: u64 = 1024 * 1024;
/// What is read when the object is opened, without waiting for somebody to take the body.
const AT_ONCE: u64 = 64 * 1024;

/// What is known of a file as an object. The etag is made of the file's number, size and modification time: every
/// write makes a new file, whose time is later than that of the file before.
pub(crate) fn describe(uri: &ArtifactUri, metadata: &Metadata) -> ObjectMeta {
    let etag = format!("{:x}-{:x}-{:x}.{:09}", metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    ObjectMeta { uri: uri.clone(), bytes: metadata.len(), etag, version_id: None }
}

/// What is known of the object at that place; an error when there is none.
pub(crate) fn head(place: &Place, asked: &ArtifactUri) -> Result<ObjectMeta> {
    let metadata = fs::metadata(&place.path).map_err(|error| absent(error, place, asked))?;
    require_file(&metadata, asked)?;
    Ok(describe(&place.uri, &metadata))
}

/// `InvalidInput` for what is no ordinary file.
pub(crate) fn require_file(metadata: &Metadata, asked: &ArtifactUri) -> Result<()> {
    if metadata.is_dir() {
        return Err(Error::invalid_input(format!("{asked} is a directory")).hint("name a file in it"));
    }
    if !metadata.is_file() {
        return Err(Error::invalid_input(format!("{asked} is a device or a pipe and not a file")));
    }
    Ok(())
}

/// Opens the object and gives its bytes, or those of the range.
pub(crate) fn open(place: &Place, asked: &ArtifactUri, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
    // A pipe would block when it is opened, so the kind is looked at before.
    head(place, asked)?;
    let mut file = File::open(&place.path).map_err(|error| absent(error, place, asked))?;
    let metadata = file.metadata().map_err(|error| failure(error, "read", asked))?;
    let meta = describe(&place.uri, &metadata);
    let range = match range {
        None => 0..meta.bytes,
        Some(range) if range.start >= meta.bytes || range.end <= range.start => {
            return Err(Error::invalid_input(format!(
                "the range {}..{} holds no byte of {asked}, which has {} bytes",
                range.start, range.end, meta.bytes
            ))
            .hint("begin before the object's end"));
        }
        Some(range) => range.start..range.end.min(meta.bytes),
    };
    file.seek(SeekFrom::Start(range.start)).map_err(|error| failure(error, "read", asked))?;
    let length = range.end - range.start;
    if length > AT_ONCE {
        return Ok((meta, pieces(file, length, asked.clone())));
    }
    // Most objects are small documents: going back and forth between threads for them costs more than reading them.
    let (bytes, ..) = read_piece(file, length, asked.clone())?;
    Ok((meta, Body::from(bytes)))
}

fn pieces(file: File, length: u64, asked: ArtifactUri) -> Body {
    let unread = (file, length, asked);
    let stream = stream::try_unfold(unread, |(file, left, asked)| async move {
        if left == 0 {
            return Ok(None);
        }
        let (bytes, file, asked) = blocking(move || read_piece(file, left.min(PIECE), asked)).await?;
        let left = left - bytes.len() as u64;
        Ok(Some((bytes, (file, left, asked))))
    });
    Body::from_stream(stream.boxed())
}

fn read_piece(file: File, size: u64, asked: ArtifactUri) -> Result<(Bytes, File, ArtifactUri)> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    let mut part = file.take(size);
    part.read_to_end(&mut bytes).map_err(|error| failure(error, "read", &asked))?;
    if bytes.len() as u64 != size {
        return Err(Error::new(ErrorKind::Conflict, format!("{asked} was cut off while it was read"))
            .hint("read it again when nothing writes to it"));
    }
    Ok((bytes.into(), part.into_inner(), asked))
}

/// The error of an object that cannot be opened; it proposes the nearest name that is there.
fn absent(error: std::io::Error, place: &Place, asked: &ArtifactUri) -> Error {
    let missing = matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory);
    if !missing {
        return failure(error, "read", asked);
    }
    let found = Error::not_found(format!("there is no object at {asked}")).caused_by(error);
    let folder = place.path.parent().unwrap_or(Path::new("/"));
    let name = place.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let beside: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .take(1000)
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    match nearest(name, beside.iter().map(String::as_str)) {
        Some(near) => found.hint(format!("did you mean `{}`?", asked.with_file_name(near))),
        None if folder.is_dir() => found.hint("check the name; its folder is there"),
        None if asked.is_s3() => found.hint("check the name; on this machine s3://bucket/key lies in MLOPS_HOME"),
        None => found.hint(format!("check the path; it leads to {}", place.path.display())),
    }
}
