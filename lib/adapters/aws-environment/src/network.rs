//! How the clients of the SDK reach the network: the certificates of the system are read by the first request.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// HTTP over TLS. The SDK's own client makes a connector as soon as a client of a service is made, to have read the
/// certificates early: with hundreds of files that is half of a function's start, and many invocations never send anything.
#[derive(Debug)]
pub(crate) struct Network(SharedHttpClient);

impl Network {
    pub(crate) fn new() -> Self {
        Self(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
    }
}

impl HttpClient for Network {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
