//! A store that has no room left leaves nothing half-written.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mlops_artifacts::Artifacts;
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore, Page};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, ErrorKind, Result};
use mlops_data_preparation::DataPreparation;
use serde_json::json;

use crate::place::{Place, flowers};

/// A store with room for so many more objects.
struct Filling {
    store: Arc<dyn ObjectStore>,
    room: AtomicUsize,
}

#[async_trait]
impl ObjectStore for Filling {
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta> {
        self.store.head(uri).await
    }

    async fn get(&self, uri: &ArtifactUri, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
        self.store.get(uri, range).await
    }

    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta> {
        let left = self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |room| room.checked_sub(1));
        left.map_err(|_| Error::unavailable("no space is left on the device"))?;
        self.store.put(uri, body, condition).await
    }

    async fn list(&self, prefix: &ArtifactUri, next: Option<String>) -> Result<Page> {
        self.store.list(prefix, next).await
    }

    async fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        self.store.delete(uri).await
    }
}

/// A place whose store has room for so many objects.
fn place_for(objects: usize) -> Place {
    let mut place = Place::new();
    let artifacts = &place.room.artifacts;
    let store = Filling { store: Arc::clone(artifacts.store()), room: AtomicUsize::new(objects) };
    let artifacts = Artifacts::new(Arc::new(store), artifacts.root().clone());
    place.room = DataPreparation { artifacts };
    place
}

#[tokio::test]
async fn a_split_is_written_as_a_whole_or_not_at_all() {
    // Three tables, three manifests, one record.
    for objects in 0..7 {
        let place = place_for(objects);
        let path = place.file("flowers.csv", flowers(60));
        let error = place.error("split_dataset", json!({"uri": path})).await;
        assert_eq!(error.kind, ErrorKind::Unavailable, "{objects}");
        assert!(place.files().is_empty(), "{objects}: {:?}", place.files());
    }
    let place = place_for(7);
    let path = place.file("flowers.csv", flowers(60));
    place.call("split_dataset", json!({"uri": path})).await.unwrap();
    assert_eq!(place.files().len(), 7);
}

#[tokio::test]
async fn a_processed_table_is_written_with_all_that_belongs_to_it_or_not_at_all() {
    let arguments = |path| json!({"dataset_s3_uri": path, "target_column": "kind", "task_type": "classification"});
    for objects in 0..3 {
        let place = place_for(objects);
        let path = place.file("flowers.csv", flowers(60));
        let error = place.error("preprocess_supervised", arguments(path)).await;
        assert_eq!(error.kind, ErrorKind::Unavailable, "{objects}");
        assert!(place.files().is_empty(), "{objects}: {:?}", place.files());
    }
}

#[tokio::test]
async fn what_was_there_before_a_failure_stays() {
    let place = place_for(3 + 1);
    let path = place.file("flowers.csv", flowers(60));
    let arguments = json!({"dataset_s3_uri": path, "target_column": "kind", "task_type": "classification"});
    place.call("preprocess_supervised", arguments.clone()).await.unwrap();
    let files = place.files();
    place.error("preprocess_supervised", arguments).await;
    assert_eq!(place.files(), files);
}
