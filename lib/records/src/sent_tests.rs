//! Messages that are sent once, whatever happens.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;
use mlops_core::ports::Clock;
use mlops_local::{Access, FileStore};

use super::*;

struct Room {
    sent: Sent,
    folder: tempfile::TempDir,
    count: AtomicU32,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
        let sent = Sent::new(store, &ArtifactUri::from_path(&folder.path().join("store")));
        Self { sent, folder, count: AtomicU32::new(0) }
    }

    /// Sends the message and gives the number that it has among all that went out.
    async fn once(&self, key: &str, call: &Call) -> Sending {
        let send = || async {
            let number = self.count.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(MessageReceipt { message_ref: format!("message {number}"), deduplicated: false })
        };
        self.sent.once(key, call, send).await.unwrap()
    }

    fn record(&self, key: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("store/notifications/{}.json", sha256_hex(key.as_bytes())))
    }
}

/// A clock that is set by hand.
struct Set(Mutex<Timestamp>);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

fn call_at(seconds: i64) -> Call {
    let mut call = Call::new("r");
    call.clock = Arc::new(Set(Mutex::new(Timestamp::from_second(seconds).unwrap())));
    call
}

#[tokio::test]
async fn a_key_is_sent_once_and_a_repeat_gets_the_receipt_of_then() {
    let room = Room::new();
    assert_eq!(room.sent.find("run/done").await.unwrap(), None);
    let first = room.once("run/done", &call_at(0)).await;
    assert_eq!((first.attempts, first.outcome.as_ref().unwrap().deduplicated), (1, false));
    assert!(first.unrecorded.is_none());
    for later in [0, 10_000_000] {
        let again = room.once("run/done", &call_at(later)).await;
        let receipt = again.outcome.unwrap();
        assert_eq!((again.attempts, receipt.deduplicated, &receipt.message_ref[..]), (0, true, "message 0"));
    }
    assert_eq!(room.sent.find("run/done").await.unwrap().unwrap().message_ref, "message 0");
    assert_eq!(room.once("run/other", &call_at(0)).await.outcome.unwrap().message_ref, "message 1");
    assert!(room.record("run/done").is_file());
}

#[tokio::test]
async fn of_many_that_send_a_key_at_once_one_does() {
    let room = Room::new();
    let call = Call::new("r");
    let all = join_all((0..16).map(|_| room.once("run/done", &call))).await;
    let refs: Vec<_> = all.into_iter().map(|sending| sending.outcome.unwrap()).collect();
    assert_eq!(refs.iter().filter(|receipt| !receipt.deduplicated).count(), 1);
    assert!(refs.iter().all(|receipt| receipt.message_ref == "message 0"), "{refs:?}");
}

#[tokio::test]
async fn what_failed_can_be_sent_at_once_and_what_can_pass_is_tried_again() {
    let room = Room::new();
    let refused = || async { Err(Error::forbidden("the address is not verified")) };
    let sending = room.sent.once("run/done", &call_at(0), refused).await.unwrap();
    assert_eq!((sending.attempts, sending.outcome.unwrap_err().kind), (1, ErrorKind::Forbidden));
    assert_eq!(room.sent.find("run/done").await.unwrap(), None);
    let asked = AtomicU32::new(0);
    let busy = || async {
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Error::throttled("one mail a second")),
            _ => Ok(MessageReceipt { message_ref: "m".to_owned(), deduplicated: false }),
        }
    };
    let sending = room.sent.once("run/done", &call_at(0), busy).await.unwrap();
    assert_eq!((sending.attempts, &sending.outcome.unwrap().message_ref[..]), (2, "m"));
}

#[tokio::test]
async fn after_an_end_between_sending_and_recording_it_is_sent_again_when_the_reservation_has_lapsed() {
    let room = Room::new();
    assert!(matches!(
        room.sent.reserve("run/done", Timestamp::from_second(0).unwrap()).await,
        Ok(Reserved::Ours { .. })
    ));
    // Within its time the reservation is another's, and a call that is short does not wait for it.
    let short = call_at(29).within(Duration::from_millis(10));
    let error =
        room.sent.once("run/done", &short, || async { Err(Error::internal("it is reserved")) }).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    let sending = room.once("run/done", &call_at(30)).await;
    assert_eq!((sending.attempts, &sending.outcome.unwrap().message_ref[..]), (1, "message 0"));
}

#[tokio::test]
async fn a_message_that_went_out_and_is_not_recorded_says_so() {
    let room = Room::new();
    let folder = room.folder.path().join("store/notifications");
    let send = || async {
        // From now on there is no folder for records.
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::write(&folder, "").unwrap();
        Ok(MessageReceipt { message_ref: "m".to_owned(), deduplicated: false })
    };
    let sending = room.sent.once("run/done", &call_at(0), send).await.unwrap();
    assert_eq!(sending.outcome.unwrap().message_ref, "m");
    assert!(sending.unrecorded.is_some());
    let again = room.sent.once("run/done", &call_at(0), || async { Err(Error::internal("it was sent again")) }).await;
    assert_ne!(again.unwrap_err().kind, ErrorKind::Internal, "what cannot be recorded is not sent");
}
