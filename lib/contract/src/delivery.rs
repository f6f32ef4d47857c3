//! What every messenger and every keeper of secrets keeps.

use futures::future::join_all;
use mlops_core::ports::{Message, Messenger, Secrets};
use mlops_core::{ErrorKind, Lang, masking};
use secrecy::ExposeSecret as _;

/// What a messenger promises: a key is delivered once, whoever delivers it and however often.
pub async fn messenger(messenger: &dyn Messenger, channel: &str) {
    let message = |key: &str, subject: &str| Message {
        key: key.to_owned(),
        channel: channel.to_owned(),
        subject: subject.to_owned(),
        body: "# 結果\n\nThe model is *good*.\n".to_owned(),
        lang: Lang::Ja,
    };
    let first = messenger.deliver(&message("contract/run-1/done", "Done")).await.unwrap();
    assert!(!first.deduplicated);
    assert!(!first.message_ref.is_empty());
    let again = messenger.deliver(&message("contract/run-1/done", "Done, once more")).await.unwrap();
    assert!(again.deduplicated, "a key is delivered once");
    assert_eq!(again.message_ref, first.message_ref, "a repeat names the message that was delivered");
    let other = messenger.deliver(&message("contract/run-2/done", "Done")).await.unwrap();
    assert!(!other.deduplicated, "another key is another message");
    assert_ne!(other.message_ref, first.message_ref);
    let raced = message("contract/run-3/done", "Done");
    let receipts = join_all((0..16).map(|_| messenger.deliver(&raced))).await;
    let delivered = receipts.iter().filter(|receipt| !receipt.as_ref().unwrap().deduplicated).count();
    assert_eq!(delivered, 1, "of many that deliver a key at once, one does");
}

/// What a keeper of secrets promises. `name` has the value `value`, which no other secret has; `missing` has none.
pub async fn secrets(secrets: &dyn Secrets, (name, value): (&str, &str), missing: &str) {
    let secret = secrets.secret(name).await.unwrap();
    assert_eq!(secret.expose_secret(), value);
    assert!(!format!("{secret:?}").contains(value), "a secret does not print itself");
    let log = masking::mask_text(&format!("connecting with {value} now"));
    assert!(!log.contains(value), "a secret that was read is masked from then on");
    let error = secrets.secret(missing).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains(missing), "the message names the secret: {}", error.message);
    assert!(error.hint.is_some(), "the hint says how to set it");
    for wrong in ["", "../etc/passwd", "mlops/", "mlops/github token", "mlops/\n"] {
        let error = secrets.secret(wrong).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotFound | ErrorKind::InvalidInput), "{wrong:?}");
    }
}
