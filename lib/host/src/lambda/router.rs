//! Requests of Lambda, answered by a router.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use futures::StreamExt as _;
use lambda_runtime::{MetadataPrelude, StreamResponse};
use mlops_core::{Error, Result};
use tower::ServiceExt as _;

use crate::mcp::http::SignedCaller;

use super::http::{HttpRequest, HttpResponse};
use super::outcome::Outcome;

/// The most bytes of an answer: Lambda takes 6 MB, as JSON.
const LARGEST: usize = 6_000_000;

/// Gives the request to the router and waits for the whole answer.
pub(super) async fn answer(router: Router, request: HttpRequest) -> Result<HttpResponse> {
    let Ok(response) = router.oneshot(convert(request)?).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LARGEST).await.map_err(|error| {
        Error::invalid_input(format!("the answer has more than the {LARGEST} bytes that Lambda takes"))
            .hint("ask for less at once, or let the endpoint stream (MLOPS_MCP_STREAMING)")
            .caused_by(error)
    })?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    Ok(HttpResponse { status: parts.status.as_u16(), headers, body: body.to_vec() })
}

/// Gives the request to the router, and the answer's body on as it comes.
pub(super) async fn stream(router: Router, request: HttpRequest) -> Result<Outcome> {
    let Ok(response) = router.oneshot(convert(request)?).await;
    let (parts, body) = response.into_parts();
    let mut metadata_prelude = MetadataPrelude::default();
    (metadata_prelude.status_code, metadata_prelude.headers) = (parts.status, parts.headers);
    let pieces = body.into_data_stream().map(|piece| Ok(piece.map(Vec::from)?));
    Ok(Outcome::Streamed(StreamResponse { metadata_prelude, stream: pieces.boxed() }))
}

fn convert(request: HttpRequest) -> Result<Request<Body>> {
    let wrong =
        |what: &str| Error::invalid_input(format!("the {what} of the request is not valid")).at(what.to_owned());
    let target = if request.query.is_empty() { request.path } else { format!("{}?{}", request.path, request.query) };
    let uri: Uri = target.parse().map_err(|_| wrong("path"))?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| wrong("method"))?;
    let mut converted = Request::new(Body::from(request.body));
    *converted.uri_mut() = uri;
    *converted.method_mut() = method;
    if request.signed_by.is_some() {
        converted.extensions_mut().insert(SignedCaller);
    }
    for (name, value) in request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("headers"))?;
        let value = HeaderValue::from_str(&value).map_err(|_| wrong("headers"))?;
        converted.headers_mut().insert(name, value);
    }
    Ok(converted)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::routing::post;
    use mlops_core::ErrorKind;

    use super::*;

    fn request(path: &str, header: &str) -> HttpRequest {
        let headers = BTreeMap::from([("x-echo".to_owned(), header.to_owned())]);
        HttpRequest {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: "a=1".to_owned(),
            headers,
            body: vec![0xff, 1],
            signed_by: None,
        }
    }

    #[tokio::test]
    async fn an_answer_of_more_than_lambda_takes_is_refused_as_a_whole_and_streamed_in_pieces() {
        let router = Router::new().route("/mcp", post(|| async { vec![7_u8; LARGEST + 1] }));
        let error = answer(router.clone(), request("/mcp", "yes")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.contains("6000000") && error.hint.unwrap().contains("MLOPS_MCP_STREAMING"));
        let Outcome::Streamed(streamed) = stream(router, request("/mcp", "yes")).await.unwrap() else {
            panic!("an answer that is whole")
        };
        let sizes = streamed.stream.map(|piece| piece.unwrap().len()).collect::<Vec<_>>().await;
        assert_eq!(sizes.iter().sum::<usize>(), LARGEST + 1);
    }

    #[tokio::test]
    async fn a_router_sees_the_request_and_gives_the_answer() {
        let echo = |uri: Uri, headers: axum::http::HeaderMap, body: axum::body::Bytes| async move {
            ([("x-seen", format!("{uri} {}", headers["x-echo"].to_str().unwrap()))], body)
        };
        let router = Router::new().route("/mcp", post(echo));
        let response = answer(router.clone(), request("/mcp", "yes")).await.unwrap();
        assert_eq!((response.status, response.body), (200, vec![0xff, 1]));
        assert_eq!(response.headers["x-seen"], "/mcp?a=1 yes");
        assert_eq!(answer(router.clone(), request("/other", "yes")).await.unwrap().status, 404);
        let Outcome::Streamed(mut streamed) = stream(router.clone(), request("/mcp", "yes")).await.unwrap() else {
            panic!("an answer that is whole")
        };
        assert_eq!(streamed.metadata_prelude.headers["x-seen"], "/mcp?a=1 yes");
        assert_eq!(streamed.stream.next().await.unwrap().unwrap(), vec![0xff, 1]);
        assert!(streamed.stream.next().await.is_none());
        for wrong in [request("/\u{0} x", "yes"), request("/mcp", "a\r\nb: c")] {
            assert_eq!(answer(router.clone(), wrong).await.unwrap_err().kind, ErrorKind::InvalidInput);
        }
    }
}
