//! Who asks: the owner of a token, or a GitHub App in one of its installations.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use mlops_core::Result;
use mlops_core::masking;
use mlops_core::ports::Secrets;
use mlops_core::settings::GithubApp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::SECRET;
use crate::client::{Ask, Client};
use crate::json_web_token::json_web_token;

/// A token of an installation is not used any more when it holds no longer than that.
const SHORTLY: SignedDuration = SignedDuration::from_secs(120);

/// Where tokens come from.
pub(crate) struct Credentials {
    secrets: Arc<dyn Secrets>,
    pub(crate) app: Option<GithubApp>,
    /// The token of the installation. Its lock is held while a new one is fetched, so that one is fetched for all.
    installation: Mutex<Option<Installed>>,
}

/// A token of an installation.
struct Installed {
    token: SecretString,
    expires_at: Timestamp,
}

/// GitHub's answer to who asks for such a token.
#[derive(Deserialize)]
struct AccessToken {
    token: String,
    expires_at: Timestamp,
}

impl Credentials {
    pub(crate) fn new(app: Option<GithubApp>, secrets: Arc<dyn Secrets>) -> Self {
        Self { secrets, app, installation: Mutex::default() }
    }

    /// The token of the next request.
    pub(crate) async fn token(&self, client: &Client) -> Result<SecretString> {
        let Some(app) = self.app else { return self.secrets.secret(SECRET).await };
        let mut installed = self.installation.lock().await;
        let until = Timestamp::now() + SHORTLY;
        match installed.as_ref().filter(|installed| installed.expires_at > until) {
            Some(installed) => Ok(installed.token.clone()),
            None => self.fetch(client, app, &mut installed).await,
        }
    }

    /// The token after GitHub refused the one that was used; the same when there is no other.
    pub(crate) async fn renewed(&self, client: &Client, used: &SecretString) -> Result<SecretString> {
        let Some(app) = self.app else { return self.secrets.refreshed(SECRET).await };
        let mut installed = self.installation.lock().await;
        match installed.as_ref() {
            // Another request has fetched a new one already.
            Some(installed) if installed.token.expose_secret() != used.expose_secret() => Ok(installed.token.clone()),
            _ => self.fetch(client, app, &mut installed).await,
        }
    }

    async fn fetch(&self, client: &Client, app: GithubApp, installed: &mut Option<Installed>) -> Result<SecretString> {
        *installed = None;
        let key = self.secrets.secret(SECRET).await?;
        let ask = Ask::post(format!("/app/installations/{}/access_tokens", app.installation), json!({}));
        let mut reply = client.exchange(&ask, &json_web_token(app.id, &key, Timestamp::now())?).await?;
        if reply.is(401) {
            let newer = self.secrets.refreshed(SECRET).await?;
            if newer.expose_secret() != key.expose_secret() {
                reply = client.exchange(&ask, &json_web_token(app.id, &newer, Timestamp::now())?).await?;
            }
        }
        let asked = format!("a token for the installation {} of the app {}", app.installation, app.id);
        let AccessToken { token, expires_at } = reply.json(&asked)?;
        let token = SecretString::from(token);
        masking::register(&token);
        *installed = Some(Installed { token: token.clone(), expires_at });
        Ok(token)
    }
}
