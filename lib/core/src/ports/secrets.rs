//! Secrets by name.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::arguments::nearest;
use crate::{Error, Result};

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

    /// The secret as it is at this moment, whatever was kept of it: for a caller that the outside system did not let in
    /// with what [`Self::secret`] gave. It promises what that does.
    async fn refreshed(&self, name: &str) -> Result<SecretString> {
        self.secret(name).await
    }
}

/// What stands behind `mlops/` in the name of a secret: small letters, digits and hyphens. Another name is
/// `InvalidInput`.
pub fn check_secret_name(name: &str) -> Result<&str> {
    let rest = name.strip_prefix("mlops/").unwrap_or_default();
    if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Err(Error::invalid_input(format!("`{}` is not the name of a secret", name.escape_debug()))
            .hint("write mlops/ and a name of small letters, digits and hyphens"));
    }
    Ok(rest)
}

/// The end of a hint for a name that has no secret: the known name that it resembles.
pub fn similar_secret(name: &str) -> String {
    let near = nearest(name, SECRET_NAMES).filter(|near| *near != name);
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}
