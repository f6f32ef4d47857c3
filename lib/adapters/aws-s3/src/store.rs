//! An object store on S3.

use std::ops::Range;
use std::sync::OnceLock;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::types::{EncodingType, Object};
use mlops_aws_environment::{AwsEnvironment, failure};
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore, Page};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};
use percent_encoding::percent_decode_str;

use crate::meta::{describe, length};
use crate::patience::timeouts;
use crate::place::Place;
use crate::reading;
use crate::writing::Write;

/// The most objects of one page.
const PAGE: i32 = 1000;

/// Objects in Amazon S3, or in a store that speaks its protocol.
///
/// - **Reads** stream. A connection that breaks in the middle is taken up again at the next byte, of the same version
///   of the object; when that is there no more the read is a `Conflict`, but for objects of up to 1 MiB, which are read
///   anew. The checksum of a whole object is verified when it comes in one go.
/// - **Writes** of up to 8 MiB are one request, larger ones are sent in parts, four at once, in 48 MiB of memory for up
///   to 8 GiB and more for what is larger still. Every write is encrypted with `aws:kms` and carries a checksum. An
///   upload that fails or is dropped is ended; a rule of the bucket has to end those of a process that was killed.
/// - **Conditions** hold to the end of an upload. A write whose answer got lost is recognised by its own name, which S3
///   keeps with the object; when others have written since, it is reported as `Conflict` though it may have happened.
/// - **Versions** are reported by [`head`](ObjectStore::head), [`get`](ObjectStore::get) and
///   [`put`](ObjectStore::put) in buckets that keep them. A listing of S3 does not have them.
///
/// Its role needs `s3:GetObject`, `s3:PutObject`, `s3:AbortMultipartUpload`, `s3:DeleteObject` and `s3:ListBucket`, and
/// of the key `kms:GenerateDataKey` and `kms:Decrypt`.
#[derive(Debug)]
pub struct S3Store {
    environment: AwsEnvironment,
    kms_key: Option<String>,
    client: OnceLock<Client>,
}

impl S3Store {
    /// A store in the region of that environment. Objects are encrypted with that KMS key (an ARN, an id or an alias),
    /// else with the account's own key for S3, `aws/s3`. Nothing is sent.
    pub fn new(environment: &AwsEnvironment, kms_key: Option<String>) -> Self {
        Self { environment: environment.clone(), kms_key, client: OnceLock::new() }
    }

    /// The client is made by the first call: it reads the certificates of the system.
    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            // A bucket is a name of the host on AWS alone.
            let is_elsewhere = self.environment.endpoint_url("S3").is_some();
            let config = Builder::from(self.environment.config()).force_path_style(is_elsewhere);
            Client::from_conf(config.timeout_config(timeouts(0)).build())
        })
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta> {
        reading::head(self.client(), &Place::object(uri)?).await
    }

    async fn get(&self, uri: &ArtifactUri, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
        reading::get(self.client(), &Place::object(uri)?, range).await
    }

    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta> {
        Write::new(self.client(), Place::object(uri)?, self.kms_key.clone(), condition).send(body).await
    }

    async fn list(&self, prefix: &ArtifactUri, next: Option<String>) -> Result<Page> {
        let place = Place::prefix(prefix)?;
        let request = self
            .client()
            .list_objects_v2()
            .bucket(&place.bucket)
            .prefix(&place.key)
            .max_keys(PAGE)
            // XML has no control characters, and keys have.
            .encoding_type(EncodingType::Url)
            .set_continuation_token(next);
        let found = request.send().await.map_err(|error| failure(error, format!("{prefix} could not be listed")))?;
        let is_encoded = found.encoding_type() == Some(&EncodingType::Url);
        let mut objects = Vec::new();
        for object in found.contents() {
            objects.extend(listed(&place.bucket, object, is_encoded)?);
        }
        // S3 lists in the order of the keys; not every store that speaks its protocol does.
        objects.sort_unstable_by(|one: &ObjectMeta, other| one.uri.cmp(&other.uri));
        let more = found.is_truncated().unwrap_or(false);
        Ok(Page { objects, next: found.next_continuation_token.filter(|_| more) })
    }

    async fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        let place = Place::object(uri)?;
        let request = self.client().delete_object().bucket(&place.bucket).key(&place.key);
        request.send().await.map_err(|error| failure(error, format!("{uri} could not be deleted")))?;
        Ok(())
    }
}

/// An entry of a listing; `None` when no URI names its key.
fn listed(bucket: &str, object: &Object, is_encoded: bool) -> Result<Option<ObjectMeta>> {
    let key = object.key().unwrap_or_default();
    let unreadable = |_| Error::internal(format!("S3 listed a key of {bucket} that is not UTF-8"));
    let key = if is_encoded {
        // As in a form, a plus is a blank.
        percent_decode_str(&key.replace('+', " ")).decode_utf8().map_err(unreadable)?.into_owned()
    } else {
        key.to_owned()
    };
    let Ok(uri) = ArtifactUri::new(format!("s3://{bucket}/{key}")) else { return Ok(None) };
    let place = Place { uri, bucket: bucket.to_owned(), key };
    describe(&place, length(object.size()), object.e_tag(), None).map(Some)
}
