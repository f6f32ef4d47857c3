//! How much memory an object needs that is larger than it. This test has a process of its own.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use mlops_aws_environment::AwsEnvironment;
use mlops_aws_s3::S3Store;
use mlops_core::ports::{Body, Condition, ObjectStore};
use mlops_core::values::ArtifactUri;

const PIECE: usize = 1_000_003;
const PIECES: usize = 300;

/// The most memory that this process has had since it was asked to count anew, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn count_anew() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn body(pieces: usize) -> Body {
    let piece = |number: usize| Ok(Bytes::from(vec![(number % 251) as u8; PIECE]));
    Body::from_stream(stream::iter((0..pieces).map(piece)).boxed())
}

async fn write_and_read(store: &S3Store, uri: &ArtifactUri, pieces: usize) {
    let meta = store.put(uri, body(pieces), Condition::None).await.unwrap();
    assert_eq!(meta.bytes, (pieces * PIECE) as u64);
    let (_, body) = store.get(uri, None).await.unwrap();
    let mut stream = body.into_stream();
    let mut read = 0;
    while let Some(piece) = stream.next().await {
        for byte in piece.unwrap() {
            assert_eq!(usize::from(byte), read / PIECE % 251, "byte {read}");
            read += 1;
        }
    }
    assert_eq!(read, pieces * PIECE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_needs_the_memory_of_a_few_parts() {
    let environment = AwsEnvironment::from_variables().unwrap();
    let store = S3Store::new(&environment, std::env::var("S3_KMS_KEY").ok());
    let uri = ArtifactUri::new(format!("s3://{}/memory.bin", std::env::var("S3_BUCKET").unwrap())).unwrap();
    write_and_read(&store, &uri, 1).await;
    count_anew();
    let before = peak();
    write_and_read(&store, &uri, PIECES).await;
    let grown = (peak() - before) / (1024 * 1024);
    eprintln!("300 MB written and read: {grown} MiB more than before");
    assert!(grown < 100, "{grown} MiB");
    store.delete(&uri).await.unwrap();
}
