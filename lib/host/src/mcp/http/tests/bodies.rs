//! Bodies that are too much, too slow, or no message.

use axum::body::Bytes;
use futures::stream;

use super::*;

#[tokio::test]
async fn what_is_no_message_gets_the_protocols_own_error() {
    let router = House::new().router();
    for (body, code) in [
        ("{".to_owned(), -32700),
        (String::new(), -32700),
        ("\u{feff}{}".to_owned(), -32700),
        ("[".repeat(200_000), -32700),
        (format!("{}1{}", "[".repeat(100), "]".repeat(100)), -32600),
        ("[]".to_owned(), -32600),
        ("null".to_owned(), -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#.to_owned(), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#.to_owned(), -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#.to_owned(), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(), -32600),
    ] {
        let shown: String = body.chars().take(60).collect();
        let (status, answer) = ask(&router, post("/mcp", body)).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!(code)), "{shown}: {answer:#}");
    }
    let (_, answer) = ask(&router, post("/mcp", vec![0xff_u8, 0xfe])).await;
    assert_eq!(answer["error"]["code"], -32700);
    let unknown = ask(&router, post("/mcp", message("tools/lst", &json!({})))).await.1;
    assert_eq!(unknown["error"]["code"], -32601);
}

#[tokio::test]
async fn only_plain_json_is_taken() {
    let router = House::new().router();
    let list = || message("tools/list", &json!({}));
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""]
    {
        let mut request = post("/mcp", list());
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        assert_eq!(ask(&router, request).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    let mut packed = post("/mcp", list());
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(ask(&router, packed).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let mut named = post("/mcp", list());
    named.headers_mut().insert("content-type", "Application/JSON; charset=utf-8".parse().unwrap());
    assert_eq!(ask(&router, named).await.0, StatusCode::OK);
    let mut picky = post("/mcp", list());
    picky.headers_mut().insert("accept", "text/html".parse().unwrap());
    assert_eq!(ask(&router, picky).await.0, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_body_has_a_size_and_a_time() {
    let mut house = House::new();
    house.http.body_limit = 10_000;
    house.http.body_time = Duration::from_millis(100);
    let router = house.router();
    let large = || message("tools/call", &json!({"name": "work_slowly", "arguments": {"x": "y".repeat(20_000)}}));
    let mut announced = post("/mcp", large());
    let length = large().len();
    announced.headers_mut().insert("content-length", length.into());
    assert_eq!(ask(&router, announced).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let pieces = stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1_000]))));
    let (status, answer) = ask(&router, post("/mcp", Body::from_stream(pieces))).await;
    assert_eq!((status, &answer["error"]["data"]["kind"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("InvalidInput")));
    let endless = stream::pending::<Result<Bytes, std::io::Error>>();
    assert_eq!(ask(&router, post("/mcp", Body::from_stream(endless))).await.0, StatusCode::REQUEST_TIMEOUT);
    let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
    assert_eq!(ask(&router, post("/mcp", Body::from_stream(broken))).await.0, StatusCode::BAD_REQUEST);
    // A length that lies is not believed beyond the limit.
    let mut lying = post("/mcp", message("tools/list", &json!({})));
    lying.headers_mut().insert("content-length", "99999999999999999999999".parse().unwrap());
    assert_eq!(ask(&router, lying).await.0, StatusCode::OK);
}
