//! The token by which a GitHub App says who it is: a JSON web token, signed with its private key (RFC 7519, RS256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use mlops_core::{Error, Result};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::SECRET;

/// The token is dated back, in case this clock is ahead of GitHub's. GitHub advises a minute.
const BEFORE: i64 = 60;
/// How long it holds. GitHub takes ten minutes at most.
const HOLDS: i64 = 9 * 60;

/// A token of that app, made at that time with its private key in PEM (PKCS #1 or PKCS #8).
pub(crate) fn json_web_token(app: u64, key: &SecretString, now: Timestamp) -> Result<SecretString> {
    let wrong = |why: &str| {
        Error::invalid_input(format!("the secret {SECRET} is not the private key of a GitHub App: {why}"))
            .hint("give the .pem file that GitHub made for the app, whole")
    };
    // The reasons of the libraries are not told on: they may speak of the key.
    let der =
        PrivateKeyDer::from_pem_slice(key.expose_secret().trim().as_bytes()).map_err(|_| wrong("it is not PEM"))?;
    let key = any_supported_type(&der).map_err(|_| wrong("it is of an unknown kind"))?;
    let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or_else(|| wrong("it is no RSA key"))?;
    let head = json!({"alg": "RS256", "typ": "JWT"});
    let seconds = now.as_second();
    let claims = json!({"iss": app.to_string(), "iat": seconds - BEFORE, "exp": seconds + HOLDS});
    let text = format!("{}.{}", encode(head.to_string()), encode(claims.to_string()));
    let signature = signer
        .sign(text.as_bytes())
        .map_err(|error| Error::internal("a token could not be signed").caused_by(error))?;
    Ok(SecretString::from(format!("{text}.{}", encode(signature))))
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;

    use super::*;

    /// Made for these tests alone by `tests/app_key.sh`, which also signed the expected token.
    const KEY: &str = include_str!("../tests/app_key.pem");
    const EXPECTED: &str = include_str!("../tests/app_token.txt");

    #[test]
    fn the_token_is_the_one_that_openssl_signs() {
        let now = Timestamp::from_second(1_767_355_200).unwrap();
        let token = json_web_token(123, &SecretString::from(KEY), now).unwrap();
        assert_eq!(token.expose_secret(), EXPECTED.trim());
        let indented = format!("\n  {}\n\n", KEY.trim());
        assert_eq!(json_web_token(123, &SecretString::from(indented), now).unwrap().expose_secret(), EXPECTED.trim());
    }

    #[test]
    fn what_is_no_key_is_told_without_saying_it() {
        let elliptic = include_str!("../tests/elliptic_key.pem");
        let broken = KEY.replacen("MII", "AAA", 1);
        for (secret, why) in [("ghp_abcdefghijklmnop", "PEM"), (elliptic, "RSA"), (&broken[..], "kind")] {
            let error = json_web_token(1, &SecretString::from(secret), Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidInput);
            assert!(
                error.message.contains(why) && !format!("{error:?}").contains(&secret[40.min(secret.len() - 10)..])
            );
        }
    }
}
