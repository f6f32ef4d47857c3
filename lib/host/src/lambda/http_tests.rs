//! What becomes of events.

use proptest::prelude::*;

use super::*;

fn v2(body: &str, encoded: bool) -> Value {
    json!({"version": "2.0", "rawPath": "/prod/hook", "rawQueryString": "a=1&a=2",
        "headers": {"X-Hub-Signature-256": "sha256=1", "x-hub-signature-256": "sha256=2", "content-type": "application/json"},
        "cookies": ["a=1", "b=2"],
        "requestContext": {"stage": "prod", "http": {"method": "post", "path": "/prod/hook"}},
        "body": body, "isBase64Encoded": encoded})
}

fn v1() -> Value {
    json!({"resource": "/hook", "path": "/hook", "httpMethod": "POST",
        "headers": {"X-GitHub-Event": "issues", "Only-Here": "1"},
        "multiValueHeaders": {"x-github-event": ["issues", "push"], "Empty": []},
        "queryStringParameters": {"q": "last"}, "multiValueQueryStringParameters": {"q": ["a b", "&"]},
        "requestContext": {"stage": "prod", "httpMethod": "POST"}, "body": null})
}

#[test]
fn the_bytes_of_a_body_are_the_same_whether_base64_or_not() {
    let plain = request(&v2("{\"a\":\"é\"}\r\n", false)).unwrap();
    let encoded = request(&v2(&STANDARD.encode("{\"a\":\"é\"}\r\n"), true)).unwrap();
    assert_eq!(plain, encoded);
    assert_eq!(plain.body, "{\"a\":\"é\"}\r\n".as_bytes());
    assert_eq!((plain.method.as_str(), plain.path.as_str(), plain.query.as_str()), ("POST", "/hook", "a=1&a=2"));
    assert_eq!(plain.headers["cookie"], "a=1; b=2");
    let error = request(&v2("%%%", true)).unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("body")));
}

#[test]
fn a_header_that_was_sent_twice_has_both_values() {
    assert_eq!(request(&v2("", false)).unwrap().headers["x-hub-signature-256"], "sha256=1, sha256=2");
    let request = request(&v1()).unwrap();
    assert_eq!(request.headers["x-github-event"], "issues, push");
    assert_eq!(request.headers["only-here"], "1");
    assert_eq!(request.query, "q=a%20b&q=%26");
    assert_eq!((request.path.as_str(), request.body.len()), ("/hook", 0));
}

#[test]
fn a_task_is_no_request() {
    assert!(is_request(&v1()) && is_request(&v2("", false)));
    for event in [
        json!({"run_id": "r", "inputs": {}}),
        json!({"requestContext": 1, "httpMethod": "GET"}),
        json!([]),
        json!(null),
    ] {
        assert!(!is_request(&event), "{event}");
    }
}

#[test]
fn an_answer_that_is_no_text_is_sent_as_base64() {
    let text = HttpResponse::json(202, &json!({"run_id": "é"})).to_value();
    assert_eq!((&text["statusCode"], &text["isBase64Encoded"]), (&json!(202), &json!(false)));
    assert_eq!(text["headers"]["content-type"], "application/json");
    let bytes = HttpResponse { status: 200, headers: BTreeMap::new(), body: vec![0xff, 0xfe] }.to_value();
    assert_eq!((&bytes["body"], &bytes["isBase64Encoded"]), (&json!("//4="), &json!(true)));
    let error = HttpResponse::of_error(&Error::not_found("x").hint("y"), "r-1");
    assert_eq!(error.status, 404);
    let body: Value = serde_json::from_slice(&error.body).unwrap();
    assert_eq!(body, json!({"kind": "NotFound", "message": "x", "hint": "y", "request_id": "r-1"}));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), ".{0,8}".prop_map(Value::from)];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let names = prop::sample::select(vec!["headers", "http", "method", "stage", "q", "http\u{0}"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..4).prop_map(|map| map
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_ends_in_a_panic(fields in prop::collection::vec(any_json(), 10)) {
        let names = ["httpMethod", "path", "rawPath", "rawQueryString", "headers", "multiValueHeaders",
            "multiValueQueryStringParameters", "requestContext", "body", "isBase64Encoded"];
        let event: Map<String, Value> = names.iter().map(|name| (*name).to_owned()).zip(fields).collect();
        let event = Value::Object(event);
        let _ = (is_request(&event), request(&event).is_ok());
    }
}
