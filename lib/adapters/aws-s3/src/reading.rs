//! Reads objects piece by piece, and goes on where a connection broke.

use std::ops::Range;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, StreamExt as _};
use mlops_aws_environment::failure;
use mlops_core::ports::{Body, ObjectMeta};
use mlops_core::{Error, ErrorKind, Result};

use crate::meta::{describe, length, quoted};
use crate::patience::pause;
use crate::place::Place;

/// How often a body is asked for again without a byte having come.
const STUMBLES: u32 = 8;
/// What is not larger is read as a whole before any of it is given on, so that it can be read anew when it was written
/// meanwhile: the records that many change at once are that small.
const SMALL: u64 = 1024 * 1024;
/// How often a small object is read anew.
const CHANGES: u32 = 16;

/// What is known of an object.
pub(crate) async fn head(client: &Client, place: &Place) -> Result<ObjectMeta> {
    let request = client.head_object().bucket(&place.bucket).key(&place.key);
    let found = request.send().await.map_err(|error| absent(error, place))?;
    describe(place, length(found.content_length()), found.e_tag(), found.version_id())
}

/// An object's bytes, or those of a range.
pub(crate) async fn get(client: &Client, place: &Place, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
    if let Some(range) = range.as_ref().filter(|range| range.end <= range.start) {
        return Err(no_byte(place, range));
    }
    let mut changes = 0;
    loop {
        let (meta, mut reading) = begin(client, place, range.as_ref()).await?;
        if reading.end - reading.next > SMALL {
            return Ok((meta, reading.into_body()));
        }
        match reading.whole().await {
            Ok(bytes) => return Ok((meta, Body::from(bytes))),
            Err(error) if error.kind == ErrorKind::Conflict && changes < CHANGES => changes += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn begin(client: &Client, place: &Place, range: Option<&Range<u64>>) -> Result<(ObjectMeta, Reading)> {
    let request = client.get_object().bucket(&place.bucket).key(&place.key);
    let found = request.set_range(range.map(header)).send().await.map_err(|error| match range {
        Some(range) if status(&error) == Some(416) => no_byte(place, range),
        _ => absent(error, place),
    })?;
    let (next, end, whole) = extent(&found, place)?;
    if next != range.map_or(0, |range| range.start) {
        return Err(Error::internal(format!("S3 gave another range of {} than it was asked for", place.uri)));
    }
    let meta = describe(place, Some(whole), found.e_tag(), found.version_id())?;
    let (client, place, etag) = (client.clone(), place.clone(), meta.etag.clone());
    Ok((meta, Reading { client, place, etag, next, end, body: found.body, stumbles: 0 }))
}

/// A body that is being read.
struct Reading {
    client: Client,
    place: Place,
    etag: String,
    /// The position in the object of the next byte, and of the byte behind the last.
    next: u64,
    end: u64,
    body: ByteStream,
    stumbles: u32,
}

impl Reading {
    fn into_body(self) -> Body {
        let pieces =
            stream::try_unfold(
                self,
                |mut reading| async move { Ok(reading.piece().await?.map(|piece| (piece, reading))) },
            );
        Body::from_stream(pieces.boxed())
    }

    async fn whole(&mut self) -> Result<Bytes> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.body.try_next().await {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => {
                    self.next += piece.len() as u64;
                    self.stumbles = 0;
                    if self.next > self.end {
                        return Err(Error::internal(format!("S3 gave more of {} than it said", self.place.uri)));
                    }
                    return Ok(Some(piece));
                }
                Ok(None) if self.next == self.end => return Ok(None),
                Ok(None) => self.resume(None).await?,
                // Every byte came, so it is the checksum of the whole that does not fit.
                Err(error) if self.next == self.end => {
                    let message = format!("the bytes of {} do not have the checksum that S3 gave", self.place.uri);
                    return Err(Error::unavailable(message).hint("read it again").caused_by(error));
                }
                Err(error) => self.resume(Some(error.into())).await?,
            }
        }
    }

    /// Asks for the rest, of the same version. The SDK sees the beginning of an answer only, so what breaks behind it
    /// is tried again here.
    async fn resume(&mut self, broke: Option<Box<dyn std::error::Error + Send + Sync>>) -> Result<()> {
        let uri = &self.place.uri;
        if self.stumbles >= STUMBLES {
            let message = format!("{uri} broke off at byte {} again and again", self.next);
            let error = Error::unavailable(message).hint("try again");
            return Err(match broke {
                Some(cause) => error.caused_by(cause),
                None => error,
            });
        }
        if self.stumbles > 0 {
            pause(self.stumbles).await;
        }
        self.stumbles += 1;
        let rest = self.next..self.end;
        let request = self.client.get_object().bucket(&self.place.bucket).key(&self.place.key);
        let request = request.range(header(&rest)).if_match(quoted(&self.etag));
        let found = request.send().await.map_err(|error| match status(&error) {
            Some(404 | 412) => {
                Error::conflict(format!("{uri} was written or deleted by somebody else while it was read"))
                    .hint("read it again from the beginning")
            }
            _ => failure(error, format!("{uri} could not be read on from byte {}", self.next)),
        })?;
        let (begin, end, _) = extent(&found, &self.place)?;
        if (begin, end) != (self.next, self.end) {
            return Err(Error::internal(format!("S3 gave another range of {uri} than it was asked for")));
        }
        self.body = found.body;
        Ok(())
    }
}

/// First byte, byte behind the last and length of the whole object, as an answer says them.
fn extent(found: &GetObjectOutput, place: &Place) -> Result<(u64, u64, u64)> {
    let unclear = || Error::internal(format!("S3 did not say which bytes of {} it gave", place.uri));
    let Some(range) = found.content_range() else {
        let whole = length(found.content_length()).ok_or_else(unclear)?;
        return Ok((0, whole, whole));
    };
    let parsed = || {
        let (bytes, whole) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = bytes.split_once('-')?;
        let (first, last, whole): (u64, u64, u64) = (first.parse().ok()?, last.parse().ok()?, whole.parse().ok()?);
        (first <= last && last < whole).then_some((first, last + 1, whole))
    };
    parsed().ok_or_else(unclear)
}

/// The header of a range. A range that ends behind every object has no end, as not every server can read its number.
fn header(range: &Range<u64>) -> String {
    if range.end > i64::MAX as u64 {
        return format!("bytes={}-", range.start);
    }
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}

fn no_byte(place: &Place, range: &Range<u64>) -> Error {
    Error::invalid_input(format!("the range {}..{} holds no byte of {}", range.start, range.end, place.uri))
        .hint("begin before the object's end")
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    Some(error.raw_response()?.status().as_u16())
}

/// The error of an object that cannot be read; it is not there, most of the time.
pub(crate) fn absent<E>(error: SdkError<E, HttpResponse>, place: &Place) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let uri = &place.uri;
    let no_bucket = error.code() == Some("NoSuchBucket");
    let missing = status(&error) == Some(404);
    match (missing, no_bucket) {
        (true, true) => failure(error, format!("there is no bucket for {uri}")).hint("check the name of the bucket"),
        (true, false) => failure(error, format!("there is no object at {uri}")).hint("check the name"),
        _ => without_list(failure(error, format!("{uri} could not be read")), uri.as_str()),
    }
}

/// Who may not list a bucket is told `Forbidden` for an object that is not there.
fn without_list(error: Error, uri: &str) -> Error {
    if error.kind != ErrorKind::Forbidden {
        return error;
    }
    let hint = error.hint.clone().unwrap_or_default();
    error.hint(format!("{hint}; without s3:ListBucket this is also the answer when {uri} does not exist"))
}
