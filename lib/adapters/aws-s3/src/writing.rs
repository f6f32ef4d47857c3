//! Writes objects as a whole or not at all.

use std::collections::HashMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ServerSideEncryption};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;
use mlops_aws_environment::failure;
use mlops_core::ports::{Body, Condition, ObjectMeta};
use mlops_core::{Error, ErrorKind, Result};

use crate::meta::{describe, length, quoted};
use crate::parts::{Parts, part_size};
use crate::patience::{pause, timeouts, unique};
use crate::place::Place;
use crate::upload;

/// The metadata that names the write which made an object.
const WRITE: &str = "mlops-write";
/// How often a write is tried again that met another one.
const MEETINGS: u32 = 12;
/// S3's own choice, and the strongest of those that cover an upload of parts as a whole.
pub(crate) const CHECKSUM: ChecksumAlgorithm = ChecksumAlgorithm::Crc64Nvme;

/// One write of one object.
pub(crate) struct Write {
    pub(crate) client: Client,
    pub(crate) place: Place,
    kms_key: Option<String>,
    condition: Condition,
    /// A name of this write. S3 keeps it with the object: an answer that got lost leaves open whether the write
    /// happened, and the object tells.
    name: String,
}

/// How an object is encrypted, in the words of the SDK.
pub(crate) struct Encryption {
    pub(crate) method: ServerSideEncryption,
    pub(crate) key: Option<String>,
    /// One data key for many objects: fewer calls of KMS, which are paid for and throttled.
    pub(crate) bucket_key: bool,
}

impl Write {
    pub(crate) fn new(client: &Client, place: Place, kms_key: Option<String>, condition: Condition) -> Self {
        Self { client: client.clone(), place, kms_key, condition, name: unique() }
    }

    /// Writes the body: in one request when it is small, else in parts.
    pub(crate) async fn send(&self, body: Body) -> Result<ObjectMeta> {
        let mut parts = Parts::new(body);
        let first = parts.next(part_size(1)).await?;
        if first.is_last { self.whole(first.bytes).await } else { upload::send(self, first.bytes, parts).await }
    }

    async fn whole(&self, bytes: Bytes) -> Result<ObjectMeta> {
        let size = bytes.len() as u64;
        let mut meetings = 0;
        loop {
            let encryption = self.encryption();
            let request = self
                .client
                .put_object()
                .bucket(&self.place.bucket)
                .key(&self.place.key)
                .body(ByteStream::from(bytes.clone()))
                .checksum_algorithm(CHECKSUM)
                .server_side_encryption(encryption.method)
                .set_ssekms_key_id(encryption.key)
                .bucket_key_enabled(encryption.bucket_key)
                .set_metadata(Some(self.metadata()))
                .set_if_match(self.if_match())
                .set_if_none_match(self.if_none_match())
                .customize()
                .disable_payload_signing()
                .config_override(Builder::new().timeout_config(timeouts(size)));
            match request.send().await {
                Ok(made) => return describe(&self.place, Some(size), made.e_tag(), made.version_id()),
                Err(error) if met_another(&error) && meetings < MEETINGS => {
                    pause(meetings).await;
                    meetings += 1;
                }
                Err(error) => return self.settle(error).await,
            }
        }
    }

    pub(crate) fn encryption(&self) -> Encryption {
        Encryption { method: ServerSideEncryption::AwsKms, key: self.kms_key.clone(), bucket_key: true }
    }

    pub(crate) fn metadata(&self) -> HashMap<String, String> {
        HashMap::from([(WRITE.to_owned(), self.name.clone())])
    }

    pub(crate) fn if_match(&self) -> Option<String> {
        match &self.condition {
            Condition::Matches(etag) => Some(quoted(etag)),
            Condition::None | Condition::Absent => None,
        }
    }

    pub(crate) fn if_none_match(&self) -> Option<String> {
        (self.condition == Condition::Absent).then(|| "*".to_owned())
    }

    /// What a write came to whose last request failed. A request that is sent again because the answer to it got lost
    /// finds its own write done: the condition does not hold any more, or the upload is there no more.
    pub(crate) async fn settle<E>(&self, error: SdkError<E, HttpResponse>) -> Result<ObjectMeta>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let is_open = match status {
            None | Some(412 | 500..) => true,
            Some(404) => error.code() != Some("NoSuchBucket"),
            Some(_) => false,
        };
        match if is_open { self.made().await } else { None } {
            Some(meta) => Ok(meta),
            None => Err(self.refused(error, status)),
        }
    }

    /// The object, if it is this write that made it.
    async fn made(&self) -> Option<ObjectMeta> {
        let request = self.client.head_object().bucket(&self.place.bucket).key(&self.place.key);
        let found = request.send().await.ok()?;
        let is_own = found.metadata()?.get(WRITE)? == &self.name;
        let meta = describe(&self.place, length(found.content_length()), found.e_tag(), found.version_id()).ok()?;
        is_own.then_some(meta)
    }

    fn refused<E>(&self, error: SdkError<E, HttpResponse>, status: Option<u16>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let uri = &self.place.uri;
        let (kind, what, hint) = match (status, &self.condition) {
            (Some(404), _) if error.code() == Some("NoSuchBucket") => {
                return failure(error, format!("there is no bucket for {uri}")).hint("check the name of the bucket");
            }
            (Some(412), Condition::Absent) => (
                ErrorKind::AlreadyExists,
                format!("there is an object at {uri} already"),
                "choose another name, or read that one",
            ),
            (Some(412), _) => (
                ErrorKind::Conflict,
                format!("{uri} was written by somebody else since it was read"),
                "read it again, then decide",
            ),
            (Some(404), Condition::Matches(_)) => (
                ErrorKind::Conflict,
                format!("{uri} is not there any more since it was read"),
                "read it again, then decide",
            ),
            (Some(404), _) => {
                (ErrorKind::Unavailable, format!("the upload of {uri} was ended by somebody else"), "try again")
            }
            (Some(409), _) => {
                (ErrorKind::Unavailable, format!("{uri} is written by others all the time"), "wait, then try again")
            }
            _ => return failure(error, format!("{uri} could not be written")),
        };
        Error { kind, ..failure(error, what) }.hint(hint)
    }
}

/// Whether another write of the same object ended in the middle of this one. S3 asks to send it again then.
pub(crate) fn met_another<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 409)
}
