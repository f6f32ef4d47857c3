//! Who may pass: the key, the origin of a web page, and headers that say one thing once.

use std::time::Instant;

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use mlops_core::{Error, ErrorKind};
use serde_json::Value;

use super::HttpSettings;
use super::keys::{KeyRing, Known};
use super::rate::Rate;
use crate::mcp::offer::Narrowing;
use crate::mcp::refusals::{INVALID_REQUEST, refusal};

/// The header of the key.
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The header that narrows the toolsets.
pub(super) const TOOLSETS: HeaderName = HeaderName::from_static("x-mcp-toolsets");
/// The header that asks for tools that change nothing.
pub(super) const READ_ONLY: HeaderName = HeaderName::from_static("x-mcp-readonly");

/// Headers of which a second one could mean something else to whoever stands before us.
const ONCE: [HeaderName; 8] =
    [HOST, ORIGIN, AUTHORIZATION, CONTENT_TYPE, CONTENT_ENCODING, API_KEY, TOOLSETS, READ_ONLY];

/// An answer that ends a request early.
pub(super) type Refused = Box<Response>;

/// An extension of requests whose caller has been let in by AWS: the gateway has checked the signature of an IAM identity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedCaller;

/// What stands before the server.
pub(super) struct Gate {
    keys: KeyRing,
    /// How often callers without a key may call, all together.
    others: Rate,
    origins: Vec<String>,
}

impl Gate {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        let keys = KeyRing::new(settings.keys.clone(), settings.calls_per_minute);
        let origins = settings.origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        Self { keys, others: Rate::new(settings.calls_per_minute, 1), origins }
    }

    /// Whether the request may go on; the refusal otherwise. Who is signed by IAM needs no key.
    pub(super) async fn check(&self, headers: &HeaderMap, signed: Option<SignedCaller>) -> Result<(), Refused> {
        if let Some(twice) = ONCE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
            let error = Error::invalid_input(format!("the header {twice} is given twice"));
            return Err(refused(StatusCode::BAD_REQUEST, &error));
        }
        if headers.contains_key(ORIGIN) && self.allowed_origin(headers).is_none() {
            let error =
                Error::forbidden("web pages of this origin may not call").hint("MLOPS_MCP_ORIGINS lists who may");
            return Err(refused(StatusCode::FORBIDDEN, &error));
        }
        let taken = if signed.is_some() || !self.keys.is_asked() {
            self.others.take(0, Instant::now())
        } else {
            let known = self.keys.known().await;
            let known = known.map_err(|error| refused(StatusCode::SERVICE_UNAVAILABLE, &error))?;
            known.rate.take(key(&known, headers)?, Instant::now())
        };
        taken.map_err(|wait| {
            let seconds = wait.as_secs() + 1;
            let error = Error::throttled("too many requests").hint(format!("wait {seconds} s, then try again"));
            let mut response = refused(StatusCode::TOO_MANY_REQUESTS, &error);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            response
        })
    }

    /// The request's origin when it may call.
    pub(super) fn allowed_origin<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let value = headers.get(ORIGIN)?;
        let origin = value.to_str().ok()?.to_ascii_lowercase();
        let fits = |allowed: &String| match allowed.strip_suffix(":*") {
            Some(base) => origin.strip_prefix(base).is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
            }),
            None => *allowed == origin,
        };
        self.origins.iter().any(fits).then_some(value)
    }
}

/// Which of the keys the request holds.
fn key(known: &Known, headers: &HeaderMap) -> Result<usize, Refused> {
    let bearer = |value: &HeaderValue| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().as_bytes().to_vec())
    };
    let given = match headers.get(&API_KEY) {
        Some(value) => Some(value.as_bytes().to_vec()),
        None => headers.get(AUTHORIZATION).and_then(bearer),
    };
    let found = known.find(given.as_deref().unwrap_or_default());
    found.filter(|_| given.is_some()).ok_or_else(|| {
        let error = Error::forbidden(if given.is_some() { "the API key is not known" } else { "an API key is needed" })
            .hint("send it as X-API-Key or as Authorization: Bearer; the secret is mlops/mcp-api-key");
        let mut response = refused(StatusCode::UNAUTHORIZED, &error);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mlops\""));
        response
    })
}

/// What the headers of a request leave of the tools.
pub(super) fn narrowed(mut path: Narrowing, headers: &HeaderMap) -> mlops_core::Result<Narrowing> {
    let text = |name: &HeaderName| -> mlops_core::Result<Option<&str>> {
        let wrong = |_| Error::invalid_input(format!("the header {name} is no plain text"));
        headers.get(name).map(|value| value.to_str().map_err(wrong)).transpose()
    };
    if let Some(names) = text(&TOOLSETS)? {
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        path.toolsets = Some(names.collect()).filter(|names: &Vec<String>| !names.is_empty());
    }
    match text(&READ_ONLY)?.map(str::trim) {
        // A request can only take away: `false` under a path that reads only changes nothing.
        None | Some("false" | "0") => {}
        Some("true" | "1") => path.read_only = true,
        Some(_) => return Err(Error::invalid_input("X-MCP-Readonly must be true or false").at("X-MCP-Readonly")),
    }
    Ok(path)
}

/// A refusal in the words of the protocol, with our own error as its data.
#[expect(clippy::unnecessary_box_returns, reason = "it is given on as the error of a result, which must be small")]
pub(super) fn refused(status: StatusCode, error: &Error) -> Refused {
    let code = if error.kind == ErrorKind::InvalidInput { INVALID_REQUEST } else { -32000 };
    let body = refusal(&Value::Null, code, &error.message, Some(error.to_value()));
    Box::new((status, Json(body)).into_response())
}
