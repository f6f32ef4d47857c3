//! The store over a bad network: one call in ten breaks, is refused, or crawls. Nothing is lost.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

mod faults;
#[path = "../server/mod.rs"]
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::types::ServerSideEncryption;
use bytes::Bytes;
use faults::{Faults, Network};
use futures::stream::{self, StreamExt as _};
use mlops_core::ErrorKind;
use mlops_core::ports::{Body, Condition, ObjectStore};
use mlops_core::values::ArtifactUri;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use server::Server;

/// How many clients write at once, and how many objects they write in all.
const CLIENTS: usize = 16;
const OBJECTS: u64 = 80;

fn some_bytes(random: &mut Xoshiro256PlusPlus, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    random.fill_bytes(&mut bytes);
    bytes.into()
}

async fn read(store: &Arc<dyn ObjectStore>, uri: &ArtifactUri) -> Bytes {
    let (_, body) = store.get(uri, None).await.unwrap();
    body.collect(u64::MAX).await.unwrap()
}

/// What one client does with its object; gives the bytes that have to be there in the end.
async fn use_object(store: Arc<dyn ObjectStore>, uri: ArtifactUri, number: u64) -> Option<Bytes> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(number);
    let length = match number {
        0..4 => 16 * 1024 * 1024 + random.random_range(1..2_000_000),
        _ => random.random_range(0..200_000),
    };
    let (first, second) = (some_bytes(&mut random, length), some_bytes(&mut random, length + 1));
    let put = async |bytes: &Bytes, condition| store.put(&uri, Body::from(bytes.clone()), condition).await;
    let created = put(&first, Condition::Absent).await.unwrap();
    assert_eq!(put(&second, Condition::Absent).await.unwrap_err().kind, ErrorKind::AlreadyExists);
    assert_eq!(read(&store, &uri).await, first);
    let swapped = put(&second, Condition::Matches(created.etag.clone())).await.unwrap();
    assert_eq!(put(&first, Condition::Matches(created.etag)).await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(store.head(&uri).await.unwrap(), swapped);
    let begin = random.random_range(0..=length as u64);
    let (_, part) = store.get(&uri, Some(begin..begin + 100_000)).await.unwrap();
    let end = second.len().min(begin as usize + 100_000);
    assert_eq!(part.collect(u64::MAX).await.unwrap(), second.slice(begin as usize..end));
    assert_eq!(store.list(&uri, None).await.unwrap().objects.len(), 1);
    if number % 4 == 3 {
        store.delete(&uri).await.unwrap();
        assert_eq!(store.head(&uri).await.unwrap_err().kind, ErrorKind::NotFound);
        return None;
    }
    Some(second)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_over_a_bad_network() {
    let server = Server::begin().await;
    let network = Network::begin(Faults { seed: 7, loses_answers: true }).await;
    let bad = server.store(Some(network.url.clone()));
    let keys: Vec<String> = (0..OBJECTS).map(|number| format!("load/{number:03}")).collect();
    let clients = keys.iter().zip(0..).map(|(key, number)| {
        let (store, uri) = (Arc::clone(&bad), server.uri(key));
        async move { (uri.clone(), tokio::spawn(use_object(store, uri, number)).await.unwrap()) }
    });
    let left: BTreeMap<ArtifactUri, Option<Bytes>> = stream::iter(clients).buffer_unordered(CLIENTS).collect().await;
    let good = server.store(None);
    let listed = good.list(&server.uri("load/"), None).await.unwrap().objects;
    let found: Vec<&ArtifactUri> = listed.iter().map(|meta| &meta.uri).collect();
    let expected: Vec<_> = left.iter().filter(|(_, bytes)| bytes.is_some()).map(|(uri, _)| uri).collect();
    assert_eq!(found, expected);
    for (uri, bytes) in left.iter().filter_map(|(uri, bytes)| Some((uri, bytes.as_ref()?))) {
        assert_eq!(&read(&good, uri).await, bytes, "{uri}");
        let (bucket, key) = uri.bucket_and_key().unwrap();
        let found = server.client.head_object().bucket(bucket).key(key).send().await.unwrap();
        assert_eq!(found.server_side_encryption(), Some(&ServerSideEncryption::AwsKms), "{uri}");
    }
    let (calls, faults) = network.counts();
    eprintln!("{calls} calls, faults: {faults:?}");
    assert!(calls > 800, "{calls}");
    assert_eq!(faults.len(), 5, "every fault happened: {faults:?}");
    let broken: usize = faults.values().sum();
    assert!((calls / 20..calls / 5).contains(&broken), "{broken} of {calls}");
}

/// An answer to a swap that gets lost cannot be told from another's swap once there is a third, so here all arrive.
#[tokio::test(flavor = "multi_thread")]
async fn the_contract_holds_over_a_bad_network() {
    let server = Server::begin().await;
    let network = Network::begin(Faults { seed: 11, loses_answers: false }).await;
    mlops_contract::object_store(server.store(Some(network.url.clone())), &server.uri("base")).await;
    let (calls, faults) = network.counts();
    eprintln!("{calls} calls, faults: {faults:?}");
    assert_eq!(faults.len(), 4, "{faults:?}");
}
