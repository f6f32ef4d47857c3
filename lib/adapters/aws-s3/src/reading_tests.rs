//! Reads whose connections break, objects that change meanwhile, and what S3 says otherwise.

use mlops_core::ErrorKind;
use mlops_core::ports::ObjectStore as _;

use crate::stand_in::{Answer, StandIn, object, refusal};

const TEXT: &str = "0123456789";

/// Says that the whole text comes, and gives the first `given` bytes of it.
fn cut(given: usize) -> Answer {
    let headers = vec![("etag", "\"e1\"".to_owned()), ("content-length", TEXT.len().to_string())];
    Answer::Given(200, headers, TEXT[..given].to_owned())
}

/// Says that 2 MiB come, and gives four bytes of them.
fn large() -> Answer {
    let headers = vec![("etag", "\"e1\"".to_owned()), ("content-length", (2 * 1024 * 1024).to_string())];
    Answer::Given(200, headers, TEXT[..4].to_owned())
}

/// Answers a range that begins at `begin` and goes to the end, with `given` bytes of it.
fn rest(begin: usize, given: usize) -> Answer {
    let range = format!("bytes {begin}-9/10");
    let length = (TEXT.len() - begin).to_string();
    let headers = vec![("etag", "\"e1\"".to_owned()), ("content-length", length), ("content-range", range)];
    Answer::Given(206, headers, TEXT[begin..begin + given].to_owned())
}

#[tokio::test]
async fn a_body_that_breaks_off_is_taken_up_at_the_next_byte() {
    let s3 = StandIn::new(|number, _| [cut(4), rest(4, 0), rest(4, 3), rest(7, 3)][number].clone());
    let (meta, body) = s3.store().get(&object(), None).await.unwrap();
    assert_eq!((meta.bytes, &meta.etag[..]), (10, "e1"));
    assert_eq!(body.collect(100).await.unwrap(), TEXT);
    let asked: Vec<(String, String)> = s3
        .asked()
        .iter()
        .map(|asked| (asked.header("range").to_owned(), asked.header("if-match").to_owned()))
        .collect();
    let again = |range: &str| (range.to_owned(), "\"e1\"".to_owned());
    assert_eq!(asked[0], (String::new(), String::new()));
    assert_eq!(asked[1..], [again("bytes=4-9"), again("bytes=4-9"), again("bytes=7-9")]);
}

#[tokio::test]
async fn an_object_that_changes_while_it_is_read_is_a_conflict() {
    for status in [412, 404] {
        let s3 = StandIn::new(move |number, _| if number == 0 { large() } else { refusal(status, "Changed") });
        let (meta, body) = s3.store().get(&object(), None).await.unwrap();
        assert_eq!(meta.bytes, 2 * 1024 * 1024);
        let error = body.collect(100).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict, "{}", error.message);
    }
}

#[tokio::test]
async fn a_small_object_that_changes_while_it_is_read_is_read_anew() {
    let s3 = StandIn::new(|number, _| match number {
        0 | 2 => cut(4),
        1 | 3 => refusal(412, "PreconditionFailed"),
        _ => cut(10),
    });
    let (_, body) = s3.store().get(&object(), None).await.unwrap();
    assert_eq!(body.collect(100).await.unwrap(), TEXT);
    assert_eq!(s3.asked().len(), 5);
    let s3 = StandIn::new(|number, _| if number % 2 == 0 { cut(4) } else { refusal(412, "PreconditionFailed") });
    assert_eq!(s3.store().get(&object(), None).await.err().unwrap().kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_given_up() {
    let s3 = StandIn::new(|number, _| if number == 0 { cut(4) } else { rest(4, 0) });
    let error = s3.store().get(&object(), None).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("byte 4"), "{}", error.message);
    assert_eq!(s3.asked().len(), 9);
}

#[tokio::test]
async fn bytes_without_their_checksum_are_not_believed() {
    let s3 = StandIn::new(|_, _| {
        let mut answer = cut(10);
        if let Answer::Given(_, headers, _) = &mut answer {
            headers.push(("x-amz-checksum-crc32", "AAAAAA==".to_owned()));
        }
        answer
    });
    let error = s3.store().get(&object(), None).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("checksum"), "{}", error.message);
    assert_eq!(s3.asked()[0].header("x-amz-checksum-mode"), "ENABLED");
}

#[tokio::test]
async fn a_range_is_checked_before_and_behind() {
    let s3 = StandIn::new(|_, asked| match asked.header("range") {
        "bytes=3-9" | "bytes=4-9" | "bytes=4-" => rest(4, 6),
        "bytes=5-9" => cut(10),
        _ => refusal(416, "InvalidRange"),
    });
    let store = s3.store();
    let read = async |range| store.get(&object(), Some(range)).await;
    for range in [4..10, 4..u64::MAX] {
        let (meta, body) = read(range).await.unwrap();
        assert_eq!((meta.bytes, &body.collect(10).await.unwrap()[..]), (10, &b"456789"[..]));
    }
    for wrong in [3..10, 5..10] {
        assert_eq!(read(wrong).await.err().unwrap().kind, ErrorKind::Internal, "another range than was asked for");
    }
    let error = read(10..12).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert_eq!(error.message, "the range 10..12 holds no byte of s3://bucket/folder/a.txt");
    let asked = s3.asked().len();
    assert_eq!(read(5..5).await.err().unwrap().kind, ErrorKind::InvalidInput);
    assert_eq!(s3.asked().len(), asked, "an empty range is not asked for");
}

#[tokio::test]
async fn what_is_refused_says_what_to_do() {
    for (status, code, kind, hint) in [
        (404, "NoSuchKey", ErrorKind::NotFound, "check the name"),
        (404, "NoSuchBucket", ErrorKind::NotFound, "name of the bucket"),
        (403, "AccessDenied", ErrorKind::Forbidden, "s3:ListBucket"),
    ] {
        let s3 = StandIn::new(move |_, _| refusal(status, code));
        let error = s3.store().get(&object(), None).await.err().unwrap();
        assert_eq!(error.kind, kind);
        assert!(error.message.contains("s3://bucket/folder/a.txt") && error.message.contains("request-7"));
        assert!(error.hint.as_deref().unwrap().contains(hint), "{:?}", error.hint);
    }
    let s3 = StandIn::new(|_, _| Answer::Given(404, Vec::new(), String::new()));
    assert_eq!(s3.store().head(&object()).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_listing_has_the_keys_as_they_are() {
    const BODY: &str = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>next</NextContinuationToken>\
        <Contents><Key>b%2Bc+d.csv</Key><ETag>&quot;e2&quot;</ETag><Size>2</Size></Contents>\
        <Contents><Key>a%01b</Key><ETag>&quot;e3&quot;</ETag><Size>3</Size></Contents>\
        <Contents><Key>a/%E6%97%A5.csv</Key><ETag>&quot;e1&quot;</ETag><Size>1</Size></Contents></ListBucketResult>";
    let s3 = StandIn::new(|_, _| Answer::Given(200, Vec::new(), BODY.to_owned()));
    let bucket = mlops_core::values::ArtifactUri::new("s3://bucket").unwrap();
    let page = s3.store().list(&bucket, Some("before".to_owned())).await.unwrap();
    let keys: Vec<&str> = page.objects.iter().map(|meta| meta.uri.as_str()).collect();
    assert_eq!(keys, ["s3://bucket/a/日.csv", "s3://bucket/b+c d.csv"], "no URI has a control character");
    assert_eq!((page.objects[1].bytes, &page.objects[1].etag[..], page.next.as_deref()), (2, "e2", Some("next")));
    assert!(s3.asked()[0].target.contains("continuation-token=before"), "{}", s3.asked()[0].target);
}
