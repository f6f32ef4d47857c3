//! What every object store keeps: whole writes, ranges, listings in order, conditions that hold under a race.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, ErrorKind};

use crate::races;

/// A key as people write them, as scripts write them, and as the format allows them.
const WEIRD_KEYS: [&str; 8] = [
    "with space.csv",
    "a+b&c=d.csv",
    "100%25 50%.csv",
    "日本語/データ.csv",
    "quote'and\"quote.csv",
    "#hash?question.csv",
    "back\\slash.csv",
    ".hidden/..two-dots",
];

/// Everything that an object store promises. `base` is a place that is empty, writable and used by nobody else.
pub async fn object_store(store: Arc<dyn ObjectStore>, base: &ArtifactUri) {
    whole_objects(&*store, &base.join("whole")).await;
    absent_objects(&*store, &base.join("absent")).await;
    ranges(&*store, &base.join("ranges")).await;
    conditions(&*store, &base.join("conditions")).await;
    weird_keys(&*store, &base.join("weird")).await;
    big_bodies(&*store, &base.join("big")).await;
    failing_bodies(&*store, &base.join("failing")).await;
    listings(&*store, &base.join("listing")).await;
    races::one_creator_wins(&*store, &base.join("race-create.txt")).await;
    races::no_update_is_lost(&*store, &base.join("race-swap.txt")).await;
    races::objects_come_and_go(&*store, &base.join("race-folder")).await;
    races::no_reader_sees_a_part(&*store, &base.join("race-read.bin")).await;
}

/// The prefix of everything below a place.
fn folder(base: &ArtifactUri) -> ArtifactUri {
    ArtifactUri::new(format!("{base}/")).unwrap()
}

/// Writes without a condition.
pub(crate) async fn put(store: &dyn ObjectStore, uri: &ArtifactUri, text: impl Into<Bytes>) -> ObjectMeta {
    store.put(uri, Body::from(text.into()), Condition::None).await.unwrap()
}

/// Reads the whole object.
pub(crate) async fn read(store: &dyn ObjectStore, uri: &ArtifactUri) -> (ObjectMeta, Bytes) {
    let (meta, body) = store.get(uri, None).await.unwrap();
    (meta, body.collect(u64::MAX).await.unwrap())
}

async fn whole_objects(store: &dyn ObjectStore, base: &ArtifactUri) {
    let uri = base.join("a.txt");
    let first = put(store, &uri, "first").await;
    assert_eq!(first.bytes, 5);
    let (meta, bytes) = read(store, &uri).await;
    assert_eq!((meta.clone(), &bytes[..]), (first.clone(), &b"first"[..]));
    assert_eq!(store.head(&uri).await.unwrap(), meta, "head and get agree");
    assert!(meta.uri.is_s3() || meta.uri.as_str().starts_with("file:///"), "{} is not absolute", meta.uri);
    assert_eq!(read(store, &meta.uri).await.1, bytes, "the absolute URI leads to the same object");
    let second = put(store, &uri, "other").await;
    assert_ne!(second.etag, first.etag, "the etag changes with the bytes, though the size does not");
    assert_eq!(&read(store, &uri).await.1[..], b"other");
    put(store, &uri, "").await;
    assert!(read(store, &uri).await.1.is_empty(), "an empty object is an object");
    store.delete(&uri).await.unwrap();
    store.delete(&uri).await.unwrap();
    assert_eq!(store.head(&uri).await.unwrap_err().kind, ErrorKind::NotFound);
    // What was a folder of keys can be a key when nothing lies below it any more.
    let below = base.join("b/c.txt");
    put(store, &below, "x").await;
    store.delete(&below).await.unwrap();
    put(store, &base.join("b"), "y").await;
}

async fn absent_objects(store: &dyn ObjectStore, base: &ArtifactUri) {
    let uri = base.join("nothing.csv");
    for error in [store.head(&uri).await.unwrap_err(), store.get(&uri, None).await.err().unwrap()] {
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.message.contains("nothing.csv"), "the message names the object: {}", error.message);
    }
    let page = store.list(base, None).await.unwrap();
    assert_eq!((page.objects.len(), page.next), (0, None));
}

async fn ranges(store: &dyn ObjectStore, base: &ArtifactUri) {
    let uri = base.join("digits.txt");
    put(store, &uri, "0123456789").await;
    let part = async |range: Range<u64>| {
        let (meta, body) = store.get(&uri, Some(range)).await.unwrap();
        assert_eq!(meta.bytes, 10, "the size is that of the object and not that of the range");
        body.collect(100).await.unwrap()
    };
    assert_eq!(&part(0..10).await[..], b"0123456789");
    assert_eq!(&part(3..5).await[..], b"34");
    assert_eq!(&part(9..10).await[..], b"9");
    assert_eq!(&part(8..u64::MAX).await[..], b"89", "a range ends at the object's end at the latest");
    #[expect(clippy::reversed_empty_ranges, reason = "a range that is the wrong way round is what is tested")]
    for wrong in [10..11, 11..20, u64::MAX..u64::MAX, 5..5, 7..3] {
        let error = store.get(&uri, Some(wrong.clone())).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{wrong:?}");
    }
}

async fn conditions(store: &dyn ObjectStore, base: &ArtifactUri) {
    let uri = base.join("a.txt");
    let swap = |etag: &str| Condition::Matches(etag.to_owned());
    let missing = store.put(&uri, Body::from("x"), swap("anything")).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::Conflict, "what is not there cannot match");
    let first = store.put(&uri, Body::from("one"), Condition::Absent).await.unwrap();
    let again = store.put(&uri, Body::from("two"), Condition::Absent).await.unwrap_err();
    assert_eq!(again.kind, ErrorKind::AlreadyExists);
    let second = store.put(&uri, Body::from("two"), swap(&first.etag)).await.unwrap();
    let stale = store.put(&uri, Body::from("six"), swap(&first.etag)).await.unwrap_err();
    assert_eq!(stale.kind, ErrorKind::Conflict);
    assert_eq!(read(store, &uri).await, (second, Bytes::from("two")));
    store.delete(&uri).await.unwrap();
    store.put(&uri, Body::from("new"), Condition::Absent).await.unwrap();
}

async fn weird_keys(store: &dyn ObjectStore, base: &ArtifactUri) {
    let long = format!("{}/{}.csv", "folder-".repeat(25), "name-".repeat(40));
    let keys: Vec<String> = WEIRD_KEYS.iter().map(ToString::to_string).chain([long]).collect();
    for key in &keys {
        let uri = ArtifactUri::new(format!("{base}/{key}")).unwrap();
        put(store, &uri, key.clone()).await;
        assert_eq!(read(store, &uri).await.1, key.as_bytes(), "{key}");
    }
    let listed = store.list(&folder(base), None).await.unwrap().objects;
    assert_eq!(listed.len(), keys.len(), "{listed:?}");
    for meta in listed {
        let key = String::from_utf8(read(store, &meta.uri).await.1.to_vec()).unwrap();
        assert!(meta.uri.as_str().ends_with(&key), "{} is listed as {}", key, meta.uri);
    }
}

async fn big_bodies(store: &dyn ObjectStore, base: &ArtifactUri) {
    const PIECE: usize = 700_001;
    let piece = |number: u8| Bytes::from(vec![number; PIECE]);
    let uri = base.join("big.bin");
    let pieces = stream::iter(0..12_u8).map(move |number| Ok(piece(number))).boxed();
    let meta = store.put(&uri, Body::from_stream(pieces), Condition::None).await.unwrap();
    assert_eq!(meta.bytes, 12 * PIECE as u64);
    let (_, body) = store.get(&uri, None).await.unwrap();
    let mut read = 0_usize;
    let mut stream = body.into_stream();
    while let Some(part) = stream.next().await {
        for byte in part.unwrap() {
            assert_eq!(usize::from(byte), read / PIECE);
            read += 1;
        }
    }
    assert_eq!(read as u64, meta.bytes);
    let (_, body) = store.get(&uri, Some(PIECE as u64 - 1..PIECE as u64 + 1)).await.unwrap();
    assert_eq!(&body.collect(10).await.unwrap()[..], [0, 1]);
    let (_, body) = store.get(&uri, None).await.unwrap();
    assert_eq!(body.collect(1000).await.unwrap_err().kind, ErrorKind::InvalidInput);
}

/// A body that breaks after its first piece.
fn broken(kind: ErrorKind) -> Body {
    let pieces = [Ok(Bytes::from_static(b"a part")), Err(Error::new(kind, "the source broke"))];
    Body::from_stream(stream::iter(pieces).boxed())
}

async fn failing_bodies(store: &dyn ObjectStore, base: &ArtifactUri) {
    let (kept, new) = (base.join("kept.txt"), base.join("folder/new.txt"));
    let before = put(store, &kept, "before").await;
    for condition in [Condition::None, Condition::Matches(before.etag.clone())] {
        let error = store.put(&kept, broken(ErrorKind::Throttled), condition).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Throttled, "the body's own error is the error of the write");
    }
    assert_eq!(read(store, &kept).await, (before, Bytes::from("before")));
    for condition in [Condition::None, Condition::Absent] {
        store.put(&new, broken(ErrorKind::Unavailable), condition).await.unwrap_err();
    }
    let left = store.list(&folder(base), None).await.unwrap().objects;
    assert_eq!(left.len(), 1, "a failed write leaves nothing: {left:?}");
    store.put(&new, Body::from("now"), Condition::Absent).await.unwrap();
}

async fn listings(store: &dyn ObjectStore, base: &ArtifactUri) {
    // The slash sorts behind the hyphen and the point, so folders and names mix.
    let mixed = ["a", "a-b", "a.b", "b/c", "b/d/e", "b-c", "b0"].map(|name| format!("mixed/{name}"));
    for key in mixed.iter().rev() {
        put(store, &base.join(key), "x").await;
    }
    let names = async |prefix: &str| -> Vec<String> {
        let prefix = ArtifactUri::new(format!("{base}/{prefix}")).unwrap();
        let page = store.list(&prefix, None).await.unwrap();
        assert_eq!(page.next, None);
        page.objects.iter().map(|meta| meta.uri.as_str().rsplit_once("mixed/").unwrap().1.to_owned()).collect()
    };
    assert_eq!(names("mixed/").await, ["a", "a-b", "a.b", "b-c", "b/c", "b/d/e", "b0"]);
    assert_eq!(names("mixed/b").await, ["b-c", "b/c", "b/d/e", "b0"], "a prefix is a beginning, not a folder");
    assert_eq!(names("mixed/b/").await, ["b/c", "b/d/e"]);
    assert_eq!(names("mixed/b/d").await, ["b/d/e"]);
    assert_eq!(names("mixed/zzz").await, Vec::<String>::new());
    let meta = &store.list(&base.join("mixed/b0"), None).await.unwrap().objects[0];
    assert_eq!(*meta, store.head(&meta.uri).await.unwrap(), "a listing says what head says");
    paging(store, &base.join("paging")).await;
}

async fn paging(store: &dyn ObjectStore, base: &ArtifactUri) {
    let keys: Vec<String> = (0..1003).map(|number| format!("{:02}/{number:04}", number % 7)).collect();
    let writes = stream::iter(&keys).map(|key| async move { put(store, &base.join(key), "").await });
    writes.buffer_unordered(16).collect::<Vec<_>>().await;
    let prefix = folder(base);
    let mut seen: Vec<String> = Vec::new();
    let mut sizes = Vec::new();
    let mut next = None;
    loop {
        let page = store.list(&prefix, next).await.unwrap();
        sizes.push(page.objects.len());
        seen.extend(page.objects.iter().map(|meta| meta.uri.as_str().rsplit_once("paging/").unwrap().1.to_owned()));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(seen, sorted, "every object once, in the order of the keys");
    assert_eq!(sizes, [1000, 3], "a page has 1,000 objects");
}
