//! What S3 keeps beyond the port: encryption, checksums, versions, and no part of an upload that failed.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::types::{BucketVersioningStatus, ChecksumMode, ServerSideEncryption, VersioningConfiguration};
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use mlops_core::ports::{Body, Condition, ObjectStore};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, ErrorKind};

use crate::server::Server;

/// Three parts, of which the last has one byte.
const LARGE: usize = 16 * 1024 * 1024 + 1;

fn large(byte: u8) -> Body {
    Body::from(vec![byte; LARGE])
}

async fn read(store: &Arc<dyn ObjectStore>, uri: &ArtifactUri) -> Bytes {
    let (_, body) = store.get(uri, None).await.unwrap();
    body.collect(u64::MAX).await.unwrap()
}

/// How many uploads were begun and not ended.
async fn open_uploads(server: &Server) -> usize {
    server.client.list_multipart_uploads().bucket(&server.bucket).send().await.unwrap().uploads().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_encrypted_and_has_a_checksum() {
    let server = Server::begin().await;
    let store = server.store(None);
    for (key, body) in [("small", Body::from("x")), ("large", large(1))] {
        store.put(&server.uri(key), body, Condition::None).await.unwrap();
        let request = server.client.head_object().bucket(&server.bucket).key(key);
        let found = request.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        assert_eq!(found.server_side_encryption(), Some(&ServerSideEncryption::AwsKms), "{key}");
        assert!(found.ssekms_key_id().is_some(), "{key}");
        assert!(found.checksum_crc64_nvme().is_some(), "{key}: {found:?}");
    }
    assert_eq!(read(&store, &server.uri("large")).await, vec![1; LARGE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_recorded_where_the_bucket_keeps_them() {
    let server = Server::begin().await;
    let (store, uri) = (server.store(None), server.uri("a"));
    let plain = store.put(&uri, Body::from("x"), Condition::None).await.unwrap();
    assert_eq!(plain.version_id, None);
    let keeps = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let request = server.client.put_bucket_versioning().bucket(&server.bucket);
    request.versioning_configuration(keeps).send().await.unwrap();
    let first = store.put(&uri, Body::from("one"), Condition::None).await.unwrap();
    let second = store.put(&uri, Body::from("two"), Condition::Matches(first.etag.clone())).await.unwrap();
    assert!(first.version_id.is_some() && second.version_id.is_some());
    assert_ne!(first.version_id, second.version_id);
    assert_eq!(store.head(&uri).await.unwrap(), second);
    assert_eq!(store.get(&uri, None).await.unwrap().0, second);
    let parts = store.put(&server.uri("b"), large(2), Condition::Absent).await.unwrap();
    assert_eq!(store.head(&server.uri("b")).await.unwrap(), parts);
    store.delete(&uri).await.unwrap();
    assert_eq!(store.head(&uri).await.unwrap_err().kind, ErrorKind::NotFound);
    store.put(&uri, Body::from("new"), Condition::Absent).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_hold_to_the_end_of_an_upload() {
    let server = Server::begin().await;
    let (store, uri) = (server.store(None), server.uri("a"));
    let missing = store.put(&uri, large(0), Condition::Matches("anything".to_owned())).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::Conflict, "{}", missing.message);
    let first = store.put(&uri, large(1), Condition::Absent).await.unwrap();
    assert_eq!(first.bytes, LARGE as u64);
    let again = store.put(&uri, large(2), Condition::Absent).await.unwrap_err();
    assert_eq!(again.kind, ErrorKind::AlreadyExists, "{}", again.message);
    let second = store.put(&uri, large(3), Condition::Matches(first.etag.clone())).await.unwrap();
    let stale = store.put(&uri, large(4), Condition::Matches(first.etag)).await.unwrap_err();
    assert_eq!(stale.kind, ErrorKind::Conflict, "{}", stale.message);
    assert_eq!(store.head(&uri).await.unwrap(), second);
    assert!(read(&store, &uri).await.iter().all(|byte| *byte == 3));
    assert_eq!(open_uploads(&server).await, 0, "what was refused is taken away");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_leaves_nothing() {
    let server = Server::begin().await;
    let (store, uri) = (server.store(None), server.uri("a"));
    let pieces = (0..20).map(|number| match number {
        19 => Err(Error::throttled("the source broke")),
        _ => Ok(Bytes::from(vec![number; 1024 * 1024])),
    });
    let error = store.put(&uri, Body::from_stream(stream::iter(pieces).boxed()), Condition::None).await.unwrap_err();
    assert_eq!((error.kind, &error.message[..]), (ErrorKind::Throttled, "the source broke"));
    assert_eq!(store.head(&uri).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(open_uploads(&server).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_dropped_is_ended() {
    let server = Server::begin().await;
    let (store, uri) = (server.store(None), server.uri("a"));
    let begun = stream::iter((0..18).map(|_| Ok(Bytes::from(vec![0; 1024 * 1024]))));
    let endless = Body::from_stream(begun.chain(stream::pending()).boxed());
    let writing = tokio::spawn(async move { store.put(&uri, endless, Condition::None).await });
    until(async || open_uploads(&server).await == 1).await;
    writing.abort();
    until(async || open_uploads(&server).await == 0).await;
}

async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(holds().await, "it did not come to that in ten seconds");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named() {
    let server = Server::begin().await;
    let store = server.store(None);
    let uri = ArtifactUri::new(format!("s3://{}-not/a", server.bucket)).unwrap();
    for error in [
        store.put(&uri, Body::from("x"), Condition::None).await.unwrap_err(),
        store.put(&uri, Body::from("x"), Condition::Absent).await.unwrap_err(),
        store.get(&uri, None).await.err().unwrap(),
        store.list(&uri, None).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::NotFound, "{}", error.message);
        assert!(error.message.contains("NoSuchBucket"), "{}", error.message);
    }
}
