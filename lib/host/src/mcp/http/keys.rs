//! The keys that open the endpoint, as they stand now: a rotated one is known without a restart.

use std::sync::{Arc, PoisonError, RwLock};

use mlops_core::ports::Secrets;
use mlops_core::{ErrorKind, Result};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::rate::Rate;

/// The name of the secret that holds the keys.
const SECRET: &str = "mlops/mcp-api-key";

/// What `X-API-Key` or `Authorization: Bearer` must hold. Several keys stand on lines of their own or between commas, and
/// each has a rate of its own.
#[derive(Clone, Default)]
pub enum Keys {
    /// Everybody who reaches the endpoint may call.
    #[default]
    NotAsked,
    /// These keys.
    Fixed(SecretString),
    /// Those of the secret `mlops/mcp-api-key`, as it stands at the time of each request.
    Secret(Arc<dyn Secrets>),
}

/// The hashes of the keys, equally long whatever the keys are, and how often each may call.
pub(super) struct Known {
    hashes: Vec<[u8; 32]>,
    pub(super) rate: Rate,
}

impl Known {
    fn of(secret: Option<&SecretString>, per_minute: Option<u32>) -> Self {
        let text = secret.map(SecretString::expose_secret).unwrap_or_default();
        let keys = text.split([',', '\n']).map(str::trim).filter(|key| !key.is_empty());
        let hashes: Vec<[u8; 32]> = keys.map(|key| Sha256::digest(key.as_bytes()).into()).collect();
        let rate = Rate::new(per_minute, hashes.len());
        Self { hashes, rate }
    }

    /// Which of the keys that is. All are compared, and each in the same time.
    pub(super) fn find(&self, given: &[u8]) -> Option<usize> {
        let hash: [u8; 32] = Sha256::digest(given).into();
        let mut found = u32::MAX;
        let mut fits = Choice::from(0);
        for (index, key) in (0_u32..).zip(&self.hashes) {
            let same = hash.ct_eq(key);
            found = u32::conditional_select(&found, &index, same);
            fits |= same;
        }
        bool::from(fits).then_some(found as usize)
    }
}

/// The keys behind a gate.
pub(super) struct KeyRing {
    keys: Keys,
    per_minute: Option<u32>,
    known: RwLock<Arc<Known>>,
}

impl KeyRing {
    pub(super) fn new(keys: Keys, per_minute: Option<u32>) -> Self {
        let fixed = if let Keys::Fixed(secret) = &keys { Some(secret) } else { None };
        let known = RwLock::new(Arc::new(Known::of(fixed, per_minute)));
        Self { keys, per_minute, known }
    }

    /// Whether a key is asked for.
    pub(super) const fn is_asked(&self) -> bool {
        !matches!(self.keys, Keys::NotAsked)
    }

    /// The keys as they stand. Who holds the secret may be out of reach: then those of before hold on.
    pub(super) async fn known(&self) -> Result<Arc<Known>> {
        let held = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let Keys::Secret(secrets) = &self.keys else { return Ok(held) };
        let now = match secrets.secret(SECRET).await {
            Ok(secret) => Known::of(Some(&secret), self.per_minute),
            Err(error) if error.kind == ErrorKind::NotFound => Known::of(None, self.per_minute),
            Err(_) if !held.hashes.is_empty() => return Ok(held),
            Err(error) => return Err(error),
        };
        if now.hashes == held.hashes {
            return Ok(held);
        }
        let now = Arc::new(now);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&now);
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use mlops_core::Error;

    use super::*;

    struct Changing(Mutex<mlops_core::Result<&'static str>>);

    #[async_trait::async_trait]
    impl Secrets for Changing {
        async fn secret(&self, name: &str) -> Result<SecretString> {
            assert_eq!(name, "mlops/mcp-api-key");
            match &*self.0.lock().unwrap() {
                Ok(text) => Ok(SecretString::from(*text)),
                Err(error) => Err(Error::new(error.kind, error.message.clone())),
            }
        }
    }

    #[tokio::test]
    async fn a_rotated_key_is_known_at_once_and_the_old_one_no_longer() {
        let secrets = Arc::new(Changing(Mutex::new(Ok("first"))));
        let ring = KeyRing::new(Keys::Secret(secrets.clone()), None);
        assert_eq!(ring.known().await.unwrap().find(b"first"), Some(0));
        *secrets.0.lock().unwrap() = Ok("second,first");
        let known = ring.known().await.unwrap();
        assert_eq!((known.find(b"second"), known.find(b"first"), known.find(b"")), (Some(0), Some(1), None));
        *secrets.0.lock().unwrap() = Err(Error::unavailable("out of reach"));
        assert_eq!(ring.known().await.unwrap().find(b"second"), Some(0), "what was known holds on");
        *secrets.0.lock().unwrap() = Err(Error::not_found("it was taken away"));
        assert_eq!(ring.known().await.unwrap().find(b"second"), None);
        *secrets.0.lock().unwrap() = Err(Error::unavailable("out of reach"));
        assert_eq!(ring.known().await.err().unwrap().kind, ErrorKind::Unavailable);
        assert_eq!(KeyRing::new(Keys::Fixed("a".into()), None).known().await.unwrap().find(b"a"), Some(0));
    }
}
