//! Requests to GitHub: who asks, how long to wait, and when to ask again.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use mlops_core::masking::mask_text;
use mlops_core::ports::Secrets;
use mlops_core::settings::{GITHUB_API, GithubSettings};
use mlops_core::{Error, Result};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use rustls::crypto::ring;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::credentials::Credentials;
use crate::limits;
use crate::reply::Reply;

/// GitHub's own kind of JSON, or plain JSON from what stands in for it.
const MEDIA_TYPES: &str = "application/vnd.github+json, application/json;q=0.9";
/// How long one exchange may take, with its body.
const EXCHANGE: Duration = Duration::from_secs(30);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for a limit at most, in all.
const PATIENCE: Duration = Duration::from_secs(20);
/// The waits before a request is made again that was not answered, or answered with a server's error.
const AGAIN: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1_500)];
/// How often a repository that has moved is followed.
const MOVES: u32 = 3;
/// The most bytes of a reply: a file of GitHub's greatest size, in base64.
const LARGEST: usize = 150 * 1024 * 1024;
/// The most pages that are read of a list, 100 entries each.
const PAGES: u32 = 1_000;

/// A request. Its path is relative to the API's address.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    body: Option<Value>,
    /// Whether it can be made twice without doing more than once.
    repeats: bool,
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, repeats: true }
    }

    /// A request that creates something new each time.
    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body), repeats: false }
    }

    pub(crate) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PATCH, path: path.into(), body: Some(body), repeats: true }
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into(), body: None, repeats: true }
    }

    /// It creates the same thing however often it is made.
    pub(crate) fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }
}

/// The connections to GitHub, and who asks.
#[derive(Clone)]
pub(crate) struct Client {
    /// The address of the API, without a slash at its end.
    pub(crate) api: String,
    pub(crate) credentials: Arc<Credentials>,
    patience: Duration,
    base: Uri,
    http: Arc<OnceCell<Octocrab>>,
}

impl Client {
    pub(crate) fn new(settings: &GithubSettings, secrets: Arc<dyn Secrets>) -> Result<Self> {
        let api = settings.api.trim_end_matches('/').to_owned();
        let base = api.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some() && uri.query().is_none());
        let base = base.ok_or_else(|| {
            Error::invalid_input(format!("{} is not an http or https URL", GITHUB_API.name)).at(GITHUB_API.name)
        })?;
        let credentials = Arc::new(Credentials::new(settings.app, secrets));
        Ok(Self { api, credentials, patience: PATIENCE, base, http: Arc::default() })
    }

    pub(crate) fn with_patience(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// Where people read GitHub.
    pub(crate) fn web(&self) -> String {
        match self.api.strip_suffix("/api/v3") {
            Some(enterprise) => enterprise.to_owned(),
            None => self.api.replacen("://api.", "://", 1),
        }
    }

    /// GitHub's last word on a request: limits are waited for, a token that is refused is read anew once, and what
    /// repeats is repeated when nobody answers. The reply has any status; an error is of the way there.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Reply> {
        let mut ask = ask;
        let mut token = self.credentials.token(self).await?;
        let (mut renewed, mut moves, mut waited) = (false, 0, Duration::ZERO);
        let mut again = AGAIN.iter().take(if ask.repeats { AGAIN.len() } else { 0 });
        loop {
            let reply = match self.exchange(&ask, &token).await {
                Ok(reply) => reply,
                Err(error) => match again.next() {
                    Some(wait) => {
                        tokio::time::sleep(*wait).await;
                        continue;
                    }
                    None => return Err(error),
                },
            };
            if let Some(wait) = limits::wait(&reply, Timestamp::now()) {
                self.check_patience(waited, wait, &reply)?;
                // A moment more each time, because a limit that asks for no wait can ask for none for ever.
                let wait = wait.max(Duration::from_millis(100));
                tokio::time::sleep(wait).await;
                waited += wait;
                continue;
            }
            if (reply.is(401) || reply.is(403)) && !renewed {
                renewed = true;
                let newer = self.credentials.renewed(self, &token).await?;
                if newer.expose_secret() != token.expose_secret() {
                    token = newer;
                    continue;
                }
            }
            if reply.status.is_redirection()
                && moves < MOVES
                && let Some(path) = self.moved(&reply)
            {
                moves += 1;
                ask.path = path;
                continue;
            }
            if reply.status.is_server_error()
                && let Some(wait) = again.next()
            {
                tokio::time::sleep(*wait).await;
                continue;
            }
            return Ok(reply);
        }
    }

    fn check_patience(&self, waited: Duration, wait: Duration, reply: &Reply) -> Result<()> {
        if waited + wait <= self.patience {
            return Ok(());
        }
        let until = Timestamp::now().checked_add(wait).map_or_else(|_| "later".to_owned(), |time| time.to_string());
        let message = format!("GitHub asks to wait {} s, until {until}: {}", wait.as_secs(), reply.refusal());
        Err(Error::throttled(message).hint("make the request again then"))
    }

    /// The path of a redirection within this API. The token goes nowhere else.
    fn moved(&self, reply: &Reply) -> Option<String> {
        let path = reply.header(LOCATION.as_str())?.strip_prefix(&self.api)?;
        path.starts_with('/').then(|| path.to_owned())
    }

    /// One request and its reply.
    pub(crate) async fn exchange(&self, ask: &Ask, token: &SecretString) -> Result<Reply> {
        let http = self.http.get_or_try_init(async || self.connect()).await?;
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::unavailable(format!("GitHub could not be reached: {}", mask_text(&deepest(&*error))))
                .caused_by(error)
        };
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| Error::invalid_input(format!("the secret {} is no token", crate::SECRET)))?;
        authorization.set_sensitive(true);
        let request = Request::builder()
            .method(ask.method.clone())
            .uri(&ask.path)
            .header(ACCEPT, MEDIA_TYPES)
            .header(AUTHORIZATION, authorization);
        let request = http
            .build_request(request, ask.body.as_ref())
            .map_err(|error| Error::internal("a request to GitHub could not be made").caused_by(error))?;
        let exchange = async {
            let (head, body) = http.execute(request).await.map_err(|error| failed(error.into()))?.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(failed)?.to_bytes();
            Ok(Reply { status: head.status, headers: head.headers, body })
        };
        let late = |_| Error::unavailable(format!("GitHub did not answer within {} s", EXCHANGE.as_secs()));
        tokio::time::timeout(EXCHANGE, exchange).await.map_err(late)?
    }

    fn connect(&self) -> Result<Octocrab> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.enforce_http(false);
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(ring::default_provider())
            .map_err(|error| Error::unavailable("this system has no certificates to trust").caused_by(error))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let service = HttpClient::builder(TokioExecutor::new()).build(tls);
        let name = HeaderValue::from_static(concat!("mlops-fleet/", env!("CARGO_PKG_VERSION")));
        let headers: Vec<(HeaderName, HeaderValue)> = vec![(USER_AGENT, name)];
        let Ok(client) = OctocrabBuilder::new_empty()
            .with_service(service)
            .with_layer(&ExtraHeadersLayer::new(Arc::new(headers)))
            .with_layer(&BaseUriLayer::new(self.base.clone()))
            .with_auth(AuthState::None)
            .build();
        Ok(client)
    }

    /// The last word on a request as that type, or the error that it is; `asked` completes "GitHub refused …".
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: Ask, asked: &str) -> Result<T> {
        self.ask(ask).await?.json(asked)
    }

    /// Every entry of a list, page by page, until `taken` has seen enough: it takes a page and says whether to go on.
    pub(crate) async fn pages<P: DeserializeOwned>(
        &self,
        path: &str,
        asked: &str,
        mut taken: impl FnMut(P) -> bool,
    ) -> Result<()> {
        let separator = if path.contains('?') { '&' } else { '?' };
        for page in 1..=PAGES {
            let reply = self.ask(Ask::get(format!("{path}{separator}per_page=100&page={page}"))).await?;
            let next = next_page(reply.header("link").unwrap_or_default());
            let goes_on = taken(reply.json(asked)?);
            // A link that leads back would never end.
            if !goes_on || next.is_none_or(|next| next <= page) {
                return Ok(());
            }
        }
        Err(Error::unavailable(format!("GitHub has more than {PAGES} pages of {asked}")))
    }
}

/// The number of the next page, by the header `link` (RFC 8288).
fn next_page(link: &str) -> Option<u32> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let query = next.split_once('?')?.1.split('>').next()?;
    query.split('&').find_map(|pair| pair.strip_prefix("page="))?.parse().ok()
}

/// The innermost cause says most.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use mlops_core::ErrorKind;

    use super::*;

    struct NoSecrets;

    #[async_trait]
    impl Secrets for NoSecrets {
        async fn secret(&self, name: &str) -> Result<SecretString> {
            Err(Error::not_found(format!("there is no secret {name}")))
        }
    }

    fn client(api: &str) -> Result<Client> {
        let settings = GithubSettings {
            api: api.to_owned(),
            app: None,
            history_repository: None,
            history_branch: "mlops-history".to_owned(),
        };
        Client::new(&settings, Arc::new(NoSecrets))
    }

    #[test]
    fn people_read_elsewhere_than_programs() {
        for (api, web) in [
            ("https://api.github.com", "https://github.com"),
            ("https://ghe.example/api/v3", "https://ghe.example"),
            ("https://api.tenant.ghe.com/", "https://tenant.ghe.com"),
            ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ] {
            assert_eq!(client(api).unwrap().web(), web);
        }
        for wrong in ["", "api.github.com", "https://x y"] {
            assert_eq!(client(wrong).err().unwrap().kind, ErrorKind::InvalidInput, "{wrong}");
        }
    }

    #[test]
    fn the_next_page_is_in_the_link() {
        let link = r#"<https://api.github.com/x?per_page=100&page=1>; rel="prev", <https://api.github.com/x?per_page=100&page=3>; rel="next""#;
        assert_eq!(next_page(link), Some(3));
        for none in ["", r#"<https://x?page=2>; rel="last""#, r#"<https://x>; rel="next""#, r#"<x?page=y>; rel="next""#]
        {
            assert_eq!(next_page(none), None, "{none}");
        }
    }

    #[tokio::test]
    async fn a_secret_that_is_missing_and_a_host_that_is_not_there_are_told() {
        let absent = client("http://127.0.0.1:9").unwrap();
        let error = absent.ask(Ask::get("/")).await.unwrap_err();
        assert!(error.kind == ErrorKind::NotFound && error.message.contains(crate::SECRET), "{error}");
        let token = SecretString::from("ghp_abcdefghijklmnop");
        let error = absent.exchange(&Ask::get("/"), &token).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        let error = absent.exchange(&Ask::get("/"), &SecretString::from("a\nb")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
    }
}
