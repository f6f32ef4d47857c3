//! Writes that meet others, whose answers get lost, or that are refused.

use mlops_core::ports::{Body, Condition, ObjectStore as _};
use mlops_core::{Error, ErrorKind};

use crate::stand_in::{Answer, StandIn, done, object, refusal};

async fn put(s3: &StandIn, condition: Condition) -> mlops_core::Result<mlops_core::ports::ObjectMeta> {
    s3.store().put(&object(), Body::from("text"), condition).await
}

fn swap() -> Condition {
    Condition::Matches("e0".to_owned())
}

/// The object as the write of that name made it.
fn made_by(name: &str) -> Answer {
    let headers = vec![
        ("etag", "\"e2\"".to_owned()),
        ("content-length", "4".to_owned()),
        ("x-amz-meta-mlops-write", name.to_owned()),
    ];
    Answer::Given(200, headers, String::new())
}

#[tokio::test]
async fn a_write_says_how_it_is_encrypted_and_checked() {
    for (condition, if_match, if_none_match) in
        [(Condition::None, "", ""), (Condition::Absent, "", "*"), (swap(), "\"e0\"", "")]
    {
        let s3 = StandIn::new(|_, _| done());
        let meta = put(&s3, condition).await.unwrap();
        assert_eq!((meta.bytes, &meta.etag[..], meta.version_id), (4, "e1", None));
        let asked = &s3.asked()[0];
        for (name, value) in [
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:eu-central-1:1:key/k"),
            ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
            ("x-amz-sdk-checksum-algorithm", "CRC64NVME"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("if-match", if_match),
            ("if-none-match", if_none_match),
        ] {
            assert_eq!(asked.header(name), value, "{name}");
        }
        assert!(!asked.header("x-amz-checksum-crc64nvme").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_meets_another_is_sent_again() {
    let s3 = StandIn::new(|number, _| match number {
        0 | 1 => refusal(409, "ConditionalRequestConflict"),
        2 => refusal(503, "SlowDown"),
        3 => Answer::Broken,
        _ => done(),
    });
    put(&s3, Condition::Absent).await.unwrap();
    assert_eq!(s3.methods(), ["PUT"; 5]);
    let s3 = StandIn::new(|_, _| refusal(409, "ConditionalRequestConflict"));
    assert_eq!(put(&s3, swap()).await.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(s3.asked().len(), 13);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_recognised() {
    for (condition, status) in [(Condition::Absent, 412), (swap(), 412), (swap(), 404)] {
        // The first attempt is done though its connection breaks; its name is asked for behind the second.
        let s3 = StandIn::new(move |number, asked| match number {
            0 => Answer::Broken,
            1 => refusal(status, "PreconditionFailed"),
            _ => made_by(asked.header("nothing")),
        });
        let kind = put(&s3, condition.clone()).await.unwrap_err().kind;
        assert_ne!(kind, ErrorKind::Unavailable, "another's object is not taken for its own");
        let name = std::sync::Mutex::new(String::new());
        let s3 = StandIn::new(move |number, asked| {
            let mut name = name.lock().unwrap();
            match number {
                0 => {
                    asked.header("x-amz-meta-mlops-write").clone_into(&mut name);
                    Answer::Broken
                }
                1 => refusal(status, "PreconditionFailed"),
                _ => made_by(&name),
            }
        });
        let meta = put(&s3, condition).await.unwrap();
        assert_eq!((meta.bytes, &meta.etag[..]), (4, "e2"));
        assert_eq!(s3.methods(), ["PUT", "PUT", "HEAD"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_has_its_kind() {
    for (condition, status, code, kind) in [
        (Condition::Absent, 412, "PreconditionFailed", ErrorKind::AlreadyExists),
        (swap(), 412, "PreconditionFailed", ErrorKind::Conflict),
        (swap(), 404, "NoSuchKey", ErrorKind::Conflict),
        (swap(), 404, "NoSuchBucket", ErrorKind::NotFound),
        (Condition::None, 404, "NoSuchBucket", ErrorKind::NotFound),
        (Condition::None, 403, "AccessDenied", ErrorKind::Forbidden),
        (Condition::None, 503, "SlowDown", ErrorKind::Throttled),
        (Condition::None, 500, "InternalError", ErrorKind::Unavailable),
        (Condition::None, 400, "KMS.NotFoundException", ErrorKind::NotFound),
        (Condition::None, 400, "EntityTooLarge", ErrorKind::InvalidInput),
    ] {
        let s3 = StandIn::new(move |_, asked| match &asked.method[..] {
            "HEAD" => Answer::Given(404, Vec::new(), String::new()),
            _ => refusal(status, code),
        });
        let error = put(&s3, condition).await.unwrap_err();
        assert_eq!(error.kind, kind, "{code}: {}", error.message);
        assert!(error.message.contains("s3://bucket/folder/a.txt") && error.message.contains("request-7"));
    }
    let s3 = StandIn::new(|_, _| Answer::Broken);
    assert_eq!(put(&s3, Condition::None).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn nothing_is_sent_for_a_body_that_breaks_or_a_place_that_is_none() {
    let s3 = StandIn::new(|_, _| done());
    let broken = Box::pin(futures::stream::iter([Err(Error::throttled("the source broke"))]));
    let error = s3.store().put(&object(), Body::from_stream(broken), Condition::None).await.unwrap_err();
    assert_eq!(error.message, "the source broke");
    let file = mlops_core::values::ArtifactUri::new("file:///a").unwrap();
    let store = s3.store();
    for error in [
        store.put(&file, Body::from("x"), Condition::None).await.unwrap_err(),
        store.head(&file).await.unwrap_err(),
        store.get(&file, None).await.err().unwrap(),
        store.list(&file, None).await.unwrap_err(),
        store.delete(&file).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::InvalidInput);
    }
    assert!(s3.asked().is_empty());
}
