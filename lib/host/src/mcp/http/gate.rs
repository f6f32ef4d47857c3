//! Who may pass: the key, the origin of a web page, and headers that say one thing once.

use std::time::Instant;

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use mlops_core::{Error, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::HttpSettings;
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

/// What stands before the server.
pub(super) struct Gate {
    /// The hashes of the keys: equally long, whatever the keys are.
    keys: Vec<[u8; 32]>,
    origins: Vec<String>,
    rate: Rate,
}

impl Gate {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        let keys: Vec<[u8; 32]> = settings.api_key.iter().flat_map(keys).collect();
        let rate = Rate::new(settings.calls_per_minute, keys.len());
        let origins = settings.origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
        Self { keys, origins, rate }
    }

    /// Whether the request may go on; the refusal otherwise.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refused> {
        if let Some(twice) = ONCE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
            let error = Error::invalid_input(format!("the header {twice} is given twice"));
            return Err(refused(StatusCode::BAD_REQUEST, &error));
        }
        if headers.contains_key(ORIGIN) && self.allowed_origin(headers).is_none() {
            let error =
                Error::forbidden("web pages of this origin may not call").hint("MLOPS_MCP_ORIGINS lists who may");
            return Err(refused(StatusCode::FORBIDDEN, &error));
        }
        let key = self.key(headers)?;
        self.rate.take(key, Instant::now()).map_err(|wait| {
            let seconds = wait.as_secs() + 1;
            let error = Error::throttled("too many requests").hint(format!("wait {seconds} s, then try again"));
            let mut response = refused(StatusCode::TOO_MANY_REQUESTS, &error);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            response
        })
    }

    /// Which of the keys the request holds. All are compared, and each in the same time.
    fn key(&self, headers: &HeaderMap) -> Result<usize, Refused> {
        if self.keys.is_empty() {
            return Ok(0);
        }
        let bearer = |value: &HeaderValue| {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().as_bytes().to_vec())
        };
        let given = match headers.get(&API_KEY) {
            Some(value) => Some(value.as_bytes().to_vec()),
            None => headers.get(AUTHORIZATION).and_then(bearer),
        };
        let hash: [u8; 32] = Sha256::digest(given.as_deref().unwrap_or_default()).into();
        let mut found = u32::MAX;
        let mut fits = Choice::from(0);
        for (index, key) in (0_u32..).zip(&self.keys) {
            let same = hash.ct_eq(key);
            found = u32::conditional_select(&found, &index, same);
            fits |= same;
        }
        if given.is_some() && bool::from(fits) {
            return Ok(found as usize);
        }
        let error = Error::forbidden(if given.is_some() { "the API key is not known" } else { "an API key is needed" })
            .hint("send it as X-API-Key or as Authorization: Bearer; the secret is mlops/mcp-api-key");
        let mut response = refused(StatusCode::UNAUTHORIZED, &error);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mlops\""));
        Err(response)
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

fn keys(secret: &SecretString) -> impl Iterator<Item = [u8; 32]> + use<> {
    let keys = secret.expose_secret().split([',', '\n']).map(str::trim).filter(|key| !key.is_empty());
    keys.map(|key| Sha256::digest(key.as_bytes()).into()).collect::<Vec<_>>().into_iter()
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
