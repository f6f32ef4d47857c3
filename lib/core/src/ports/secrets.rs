//! Secrets by name.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::Result;

/// The names of the design document, section 9.3, and the two that the front doors need.
pub const SECRET_NAMES: [&str; 7] = [
    "mlops/github-token",
    "mlops/slack-webhook-url",
    "mlops/email-smtp-password",
    "mlops/teams-webhook-url",
    "mlops/discord-webhook-url",
    "mlops/github-webhook-secret",
    "mlops/mcp-api-key",
];

/// Gives secrets.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret of that name. It is registered with [`crate::masking`] before it is returned, so it cannot reach a
    /// log. A name that has no secret is `NotFound` and the message says how to set it.
    async fn secret(&self, name: &str) -> Result<SecretString>;
}
