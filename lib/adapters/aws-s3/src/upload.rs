//! Writes a large object in parts.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use mlops_aws_environment::failure;
use mlops_core::ports::ObjectMeta;
use mlops_core::{Error, Result};
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

use crate::meta::describe;
use crate::parts::{MOST_PARTS, Part, Parts, part_size, parts_at_once};
use crate::patience::{pause, timeouts};
use crate::place::Place;
use crate::writing::{CHECKSUM, Write, met_another};

/// How often the end of an upload is tried again that met another write.
const MEETINGS: u32 = 8;

/// Writes `first` and what comes behind it. When it fails, the parts that were sent are taken away.
pub(crate) async fn send(write: &Write, first: Bytes, rest: Parts) -> Result<ObjectMeta> {
    let mut upload = Upload::begin(write).await?;
    let mut sending = JoinSet::new();
    let sent = upload.send(first, rest, &mut sending).await;
    let written = match sent {
        Ok(sent) => upload.complete(write, sent).await,
        Err(error) => Err(error),
    };
    if written.is_err() {
        // A part that arrives behind the end of its upload would stay.
        sending.shutdown().await;
        upload.abort().await;
    }
    written
}

/// What was sent.
struct Sent {
    parts: Vec<CompletedPart>,
    bytes: u64,
}

/// An upload that was begun. One that is dropped in the middle is ended in the background, if there is time for it; a
/// rule of the bucket ends those that are left.
struct Upload {
    client: Client,
    place: Place,
    id: String,
    is_open: bool,
}

impl Upload {
    async fn begin(write: &Write) -> Result<Self> {
        let encryption = write.encryption();
        let place = write.place.clone();
        let request = write
            .client
            .create_multipart_upload()
            .bucket(&place.bucket)
            .key(&place.key)
            .checksum_algorithm(CHECKSUM)
            .checksum_type(ChecksumType::FullObject)
            .server_side_encryption(encryption.method)
            .set_ssekms_key_id(encryption.key)
            .bucket_key_enabled(encryption.bucket_key)
            .set_metadata(Some(write.metadata()));
        let begun =
            request.send().await.map_err(|error| failure(error, format!("{} could not be written", place.uri)))?;
        let id = begun.upload_id().unwrap_or_default().to_owned();
        if id.is_empty() {
            return Err(Error::internal(format!("S3 began no upload of {}", place.uri)));
        }
        Ok(Self { client: write.client.clone(), place, id, is_open: true })
    }

    /// Sends part by part, some at once; the next is gathered meanwhile.
    async fn send(&self, first: Bytes, mut rest: Parts, sending: &mut JoinSet<Result<CompletedPart>>) -> Result<Sent> {
        let mut sent = Sent { parts: Vec::new(), bytes: 0 };
        let mut part = Part { bytes: first, is_last: false };
        for number in 1..=MOST_PARTS {
            while sending.len() >= parts_at_once(number) {
                sent.add(sending.join_next().await)?;
            }
            sent.bytes += part.bytes.len() as u64;
            sending.spawn(send_part(self.client.clone(), self.place.clone(), self.id.clone(), number, part.bytes));
            if part.is_last {
                while !sending.is_empty() {
                    sent.add(sending.join_next().await)?;
                }
                sent.parts.sort_unstable_by_key(|part| part.part_number);
                return Ok(sent);
            }
            part = rest.next(part_size(number + 1)).await?;
        }
        Err(Error::invalid_input(format!("{} is larger than an object of S3 can be", self.place.uri)))
    }

    /// Makes the object of its parts, under the condition of the write.
    async fn complete(&mut self, write: &Write, sent: Sent) -> Result<ObjectMeta> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(sent.parts)).build();
        let mut meetings = 0;
        loop {
            let request = self
                .client
                .complete_multipart_upload()
                .bucket(&self.place.bucket)
                .key(&self.place.key)
                .upload_id(&self.id)
                .multipart_upload(parts.clone())
                .checksum_type(ChecksumType::FullObject)
                .set_mpu_object_size(i64::try_from(sent.bytes).ok())
                .set_if_match(write.if_match())
                .set_if_none_match(write.if_none_match());
            let made = match request.send().await {
                Ok(made) => describe(&self.place, Some(sent.bytes), made.e_tag(), made.version_id()),
                Err(error) if met_another(&error) && meetings < MEETINGS => {
                    pause(meetings).await;
                    meetings += 1;
                    continue;
                }
                Err(error) => write.settle(error).await,
            };
            self.is_open = made.is_err();
            return made;
        }
    }

    async fn abort(&mut self) {
        self.is_open = false;
        end(self.client.clone(), self.place.clone(), self.id.clone()).await;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_open
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(end(self.client.clone(), self.place.clone(), self.id.clone()));
        }
    }
}

impl Sent {
    fn add(&mut self, joined: Option<Result<Result<CompletedPart>, JoinError>>) -> Result<()> {
        match joined {
            Some(Ok(part)) => self.parts.push(part?),
            Some(Err(error)) => return Err(Error::internal("a part was not sent to its end").caused_by(error)),
            None => {}
        }
        Ok(())
    }
}

async fn send_part(client: Client, place: Place, id: String, number: i32, bytes: Bytes) -> Result<CompletedPart> {
    let size = bytes.len() as u64;
    let request = client
        .upload_part()
        .bucket(&place.bucket)
        .key(&place.key)
        .upload_id(id)
        .part_number(number)
        .body(ByteStream::from(bytes))
        .checksum_algorithm(CHECKSUM)
        .customize()
        .disable_payload_signing()
        .config_override(Builder::new().timeout_config(timeouts(size)));
    let sent = request
        .send()
        .await
        .map_err(|error| failure(error, format!("part {number} of {} could not be written", place.uri)))?;
    let part = CompletedPart::builder()
        .part_number(number)
        .set_e_tag(sent.e_tag)
        .set_checksum_crc64_nvme(sent.checksum_crc64_nvme);
    Ok(part.build())
}

/// Ends an upload, so that its parts are not kept and paid for. The write has failed already, and its error is what
/// the caller has to know.
async fn end(client: Client, place: Place, id: String) {
    let _ = client.abort_multipart_upload().bucket(place.bucket).key(place.key).upload_id(id).send().await;
}
