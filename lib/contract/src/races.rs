//! What every object store keeps when many write at once.

use futures::future::join_all;
use mlops_core::ErrorKind;
use mlops_core::ports::{Body, Condition, ObjectStore};
use mlops_core::values::ArtifactUri;

use crate::objects::{put, read};

const WRITERS: usize = 32;
const UPDATES: usize = 8;

/// Of many that create the same object, exactly one does, and the bytes are its own.
pub(crate) async fn one_creator_wins(store: &dyn ObjectStore, uri: &ArtifactUri) {
    let attempts = (0..WRITERS).map(|writer| store.put(uri, Body::from(format!("writer {writer}")), Condition::Absent));
    let results = join_all(attempts).await;
    let winners: Vec<usize> = (0..WRITERS).filter(|writer| results[*writer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "exactly one creates it, and {winners:?} did");
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind, ErrorKind::AlreadyExists, "{}", error.message);
    }
    assert_eq!(read(store, uri).await.1, format!("writer {}", winners[0]).as_bytes());
}

/// Counters that are read, raised and swapped back by many at once end at the number of raises.
pub(crate) async fn no_update_is_lost(store: &dyn ObjectStore, uri: &ArtifactUri) {
    // A fixed width, so that a store cannot tell two versions apart by their size.
    put(store, uri, format!("{:08}", 0)).await;
    let raise = async |_| {
        for _ in 0..UPDATES {
            loop {
                let (meta, bytes) = read(store, uri).await;
                let count: usize = std::str::from_utf8(&bytes).unwrap().parse().unwrap();
                let body = Body::from(format!("{:08}", count + 1));
                match store.put(uri, body, Condition::Matches(meta.etag)).await {
                    Ok(_) => break,
                    Err(error) => assert_eq!(error.kind, ErrorKind::Conflict, "{}", error.message),
                }
            }
        }
    };
    join_all((0..WRITERS / 4).map(raise)).await;
    assert_eq!(read(store, uri).await.1, format!("{:08}", WRITERS / 4 * UPDATES).as_bytes());
}

/// Objects of one folder come and go at once, and each write and each delete succeeds.
pub(crate) async fn objects_come_and_go(store: &dyn ObjectStore, base: &ArtifactUri) {
    let come_and_go = async |writer: usize| {
        let uri = base.join(&format!("folder/{}/object-{writer}", writer % 2));
        for _ in 0..UPDATES {
            put(store, &uri, "x").await;
            store.delete(&uri).await.unwrap();
        }
        put(store, &uri, "kept").await;
    };
    join_all((0..WRITERS / 4).map(come_and_go)).await;
    let left = store.list(&base.join("folder"), None).await.unwrap().objects;
    assert_eq!(left.len(), WRITERS / 4, "{left:?}");
}

/// A reader sees one write as a whole, whatever is written meanwhile.
pub(crate) async fn no_reader_sees_a_part(store: &dyn ObjectStore, uri: &ArtifactUri) {
    const SIZE: usize = 300_000;
    put(store, uri, vec![0_u8; SIZE]).await;
    let write = async |writer: u8| {
        for _ in 0..4 {
            put(store, uri, vec![writer; SIZE]).await;
        }
    };
    let look = async |_| {
        for _ in 0..8 {
            let (meta, bytes) = read(store, uri).await;
            assert_eq!((bytes.len(), meta.bytes), (SIZE, SIZE as u64));
            assert!(bytes.iter().all(|byte| *byte == bytes[0]), "two writes are mixed in one object");
        }
    };
    futures::future::join(join_all((1..5).map(write)), join_all((0..4).map(look))).await;
}
