//! One endpoint, its HTTP client, and the connection that calls share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mlops_core::ports::Secrets;
use mlops_core::{Call, Error, ErrorKind, Result};
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{ClientConfig, Implementation, ProgressNotificationParam, ProgressToken, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient};
use secrecy::{ExposeSecret as _, SecretString};

use super::failure;

/// How long an endpoint may take to say what it speaks.
const CONNECTING: Duration = Duration::from_secs(30);

/// The secret that opens an endpoint.
const API_KEY: &str = "mlops/mcp-api-key";

/// How many requests are under way at once; more wait.
const AT_ONCE: usize = 64;

/// A connection to an endpoint.
pub(super) type Connection = RunningService<RoleClient, Listener>;

/// An endpoint and how to reach it.
pub(super) struct Endpoint {
    /// The URL without what may be secret in it.
    pub(super) address: String,
    url: String,
    secrets: Arc<dyn Secrets>,
    http: reqwest::Client,
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
}

impl Endpoint {
    pub(super) fn new(url: &str, secrets: Arc<dyn Secrets>) -> Result<Self> {
        let wrong = |why: &str| {
            Error::invalid_input(format!("the URL of the MCP endpoint {why}"))
                .at("MLOPS_MCP_URL")
                .hint("https://host/mcp")
        };
        let parsed = reqwest::Url::parse(url).map_err(|error| wrong("cannot be read").caused_by(error))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(wrong("must begin with http:// or https:// and name a host"));
        }
        let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = parsed.host_str().unwrap_or_default();
        let address = format!("{}://{host}{port}{}", parsed.scheme(), parsed.path());
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may have installed it in between; any is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            // A redirect would carry the key to wherever it points.
            .redirect(reqwest::redirect::Policy::none());
        if parsed.scheme() == "http" {
            // Nothing will be verified: the system's certificates need neither time nor to be there.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|error| {
            Error::unavailable("the system's root certificates cannot be read")
                .hint("install the package ca-certificates")
                .caused_by(error)
        })?;
        Ok(Self { address, url: url.to_owned(), secrets, http, connection: tokio::sync::Mutex::default() })
    }

    /// The connection, made anew when there is none or when it has ended.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref().filter(|connection| !connection.is_transport_closed()) {
            return Ok(Arc::clone(connection));
        }
        *held = None;
        let connecting = tokio::time::timeout(CONNECTING, self.connect()).await;
        let connection = connecting.map_err(|_| {
            Error::unavailable(format!("the MCP endpoint {} did not answer within 30 seconds", self.address))
        })??;
        Ok(Arc::clone(held.insert(Arc::new(connection))))
    }

    async fn connect(&self) -> Result<Connection> {
        let mut config =
            StreamableHttpClientTransportConfig::with_uri(self.url.as_str()).max_concurrent_requests(AT_ONCE);
        match self.secrets.secret(API_KEY).await {
            Ok(key) => {
                let header = (HeaderName::from_static("x-api-key"), header_of(&key)?);
                config = config.custom_headers(HashMap::from([header]));
            }
            // An endpoint of this machine alone asks for none.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let transport = StreamableHttpClientTransport::with_client(self.http.clone(), config);
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::V_2025_11_25),
        };
        let connected = Listener::default().serve_with_lifecycle(transport, lifecycle).await;
        connected.map_err(|error| failure::of_connecting(&self.address, error))
    }
}

fn header_of(key: &SecretString) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|error| {
        let message = "the API key of the MCP endpoint holds characters that no HTTP header can carry";
        Error::invalid_input(message).at("MLOPS_SECRET_MCP_API_KEY").caused_by(error)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The client's side of a connection: it hands progress to the calls that wait.
#[derive(Default)]
pub(super) struct Listener {
    waiting: Arc<Mutex<HashMap<ProgressToken, Call>>>,
}

/// A call that is told of its progress until this is dropped.
pub(super) struct Listening {
    waiting: Arc<Mutex<HashMap<ProgressToken, Call>>>,
    token: ProgressToken,
}

impl Listener {
    /// Hands progress under that token to that call.
    pub(super) fn listen(&self, token: ProgressToken, call: &Call) -> Listening {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), call.clone());
        Listening { waiting: Arc::clone(&self.waiting), token }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let mut config = ClientConfig::default();
        config.client_info = Implementation::new("mlops", env!("CARGO_PKG_VERSION"));
        config
    }

    async fn on_progress(&self, progress: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let call = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).get(&progress.progress_token).cloned();
        if let Some(call) = call {
            call.progress(progress.progress, progress.total, progress.message.unwrap_or_default());
        }
    }
}
