//! The server that speaks S3, as the variables name it: tests/servers/ starts one.

use std::ops::Range;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use mlops_aws_environment::AwsEnvironment;
use mlops_aws_s3::S3Store;
use mlops_core::Result;
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore, Page};
use mlops_core::values::ArtifactUri;

/// A bucket of its own on that server.
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) bucket: String,
    kms_key: String,
}

impl Server {
    /// Makes a bucket; the tests of one server share nothing else.
    pub(crate) async fn begin() -> Self {
        let environment = AwsEnvironment::from_variables().unwrap();
        let config = Builder::from(environment.config()).force_path_style(true).build();
        let client = Client::from_conf(config);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let bucket = format!("test-{now}-{}", std::process::id());
        client.create_bucket().bucket(&bucket).send().await.unwrap();
        let any = "arn:aws:kms:us-east-1:000000000000:key/7b2b0e57-6d0b-4d5f-9d55-1f3c8f0f3f11".to_owned();
        Self { client, bucket, kms_key: std::env::var("S3_KMS_KEY").unwrap_or(any) }
    }

    /// A store that reaches the server by that URL, or by the one of the variables.
    pub(crate) fn store(&self, url: Option<String>) -> Arc<dyn ObjectStore> {
        let read = move |name: &str| match (&url, name) {
            (Some(url), "AWS_ENDPOINT_URL") => Some(url.clone()),
            _ => std::env::var(name).ok(),
        };
        let store = S3Store::new(&AwsEnvironment::new(read).unwrap(), Some(self.kms_key.clone()));
        if std::env::var("S3_SERVER").is_ok_and(|server| server == "seaweedfs") {
            Arc::new(WithoutBackslashes(store))
        } else {
            Arc::new(store)
        }
    }

    pub(crate) fn uri(&self, key: &str) -> ArtifactUri {
        ArtifactUri::new(format!("s3://{}/{key}", self.bucket)).unwrap()
    }
}

/// `SeaweedFS` takes a backslash in a key for a slash, which S3 does not. Here such a key has another name there.
struct WithoutBackslashes(S3Store);

fn there(uri: &ArtifactUri) -> ArtifactUri {
    ArtifactUri::new(uri.as_str().replace('\\', "%5C")).unwrap()
}

fn here(meta: ObjectMeta) -> ObjectMeta {
    ObjectMeta { uri: ArtifactUri::new(meta.uri.as_str().replace("%5C", "\\")).unwrap(), ..meta }
}

#[async_trait]
impl ObjectStore for WithoutBackslashes {
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta> {
        self.0.head(&there(uri)).await.map(here)
    }

    async fn get(&self, uri: &ArtifactUri, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
        let (meta, body) = self.0.get(&there(uri), range).await?;
        Ok((here(meta), body))
    }

    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta> {
        self.0.put(&there(uri), body, condition).await.map(here)
    }

    async fn list(&self, prefix: &ArtifactUri, next: Option<String>) -> Result<Page> {
        let page = self.0.list(&there(prefix), next).await?;
        Ok(Page { objects: page.objects.into_iter().map(here).collect(), next: page.next })
    }

    async fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        self.0.delete(&there(uri)).await
    }
}
