//! The signature of a delivery: HMAC-SHA256 over the bytes as they were sent.

use std::iter;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mlops_core::{Error, Result};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

/// The header that holds the signature.
pub(crate) const SIGNATURE: &str = "x-hub-signature-256";
/// The name of the secret that the webhook was set up with.
pub(crate) const SECRET: &str = "mlops/github-webhook-secret";
/// What the header begins with; 64 lower-case hex digits follow.
const ALGORITHM: &str = "sha256=";

/// Checks that who sent the body knows the secret. The comparison takes the same time wherever the signatures differ.
/// While a secret is rotated it holds the new and the old one, on lines of their own or with a comma between: either fits.
///
/// `Forbidden` when the signature is missing, is of another algorithm or shape, or does not fit.
/// Source: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
pub(crate) fn verify(secret: &[u8], body: &[u8], header: Option<&str>) -> Result<()> {
    if secret.is_empty() {
        // Anybody could sign with an empty key.
        return Err(Error::unavailable(format!("the secret {SECRET} is empty")).hint("set it to a random text"));
    }
    let Some(header) = header else { return Err(refused("the delivery has no signature")) };
    let Some(given) = header.strip_prefix(ALGORITHM).and_then(digest) else {
        return Err(refused("the signature is not `sha256=` and 64 lower-case hex digits"));
    };
    let parts = secret.split(|byte| b",\n".contains(byte)).map(<[u8]>::trim_ascii).filter(|part| !part.is_empty());
    let mut fits = Choice::from(0);
    // The whole comes first: a secret of one's own may have a comma in it.
    for secret in iter::once(secret).chain(parts) {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret)
            .map_err(|error| Error::internal("the signature could not be computed").caused_by(error))?;
        mac.update(body);
        fits |= mac.finalize().into_bytes().as_slice().ct_eq(&given);
    }
    if bool::from(fits) { Ok(()) } else { Err(refused("the signature does not fit the body")) }
}

fn refused(message: &str) -> Error {
    let hint =
        format!("the webhook and the secret {SECRET} must hold the same text, and the body must arrive unchanged");
    Error::forbidden(message).at(format!("headers.{SIGNATURE}")).hint(hint)
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let hex = hex.as_bytes();
    if hex.len() != 64 {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;

    use super::*;

    /// The example of GitHub's own page on validating deliveries.
    const BODY: &[u8] = b"Hello, World!";
    const KEY: &[u8] = b"It's a Secret to Everybody";
    const FITTING: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_example_of_the_manual_fits() {
        verify(KEY, BODY, Some(FITTING)).unwrap();
    }

    #[test]
    fn both_secrets_of_a_rotation_fit_and_so_does_one_with_a_comma_in_it() {
        for both in [&b"new,It's a Secret to Everybody"[..], b"new\nIt's a Secret to Everybody\n"] {
            verify(both, BODY, Some(FITTING)).unwrap();
            assert!(verify(&both[..20], BODY, Some(FITTING)).is_err());
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(b"a,b").unwrap();
        mac.update(BODY);
        let hex = mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        verify(b"a,b", BODY, Some(&format!("sha256={hex}"))).unwrap();
    }

    #[test]
    fn anything_else_is_forbidden() {
        let hex = FITTING.trim_start_matches("sha256=");
        let others = [
            String::new(),
            hex.to_owned(),
            format!("sha1={hex}"),
            format!("sha512={hex}"),
            format!("SHA256={hex}"),
            format!("sha256={}", hex.to_uppercase()),
            format!("sha256= {hex}"),
            format!("sha256={}", &hex[..62]),
            format!("sha256={hex}00"),
            format!("{FITTING}, {FITTING}"),
            format!("sha256={}", "0".repeat(64)),
            format!("sha256={}", "é".repeat(32)),
            FITTING.replace("757107", "757108"),
        ];
        for other in others.iter().map(|other| Some(other.as_str())).chain([None]) {
            let error = verify(KEY, BODY, other).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Forbidden, "{other:?}");
            assert!(!error.message.contains(hex) && error.field.is_some());
        }
        for (key, body) in [(&b"other"[..], BODY), (KEY, &b"Hello, World"[..]), (KEY, &b"Hello, World!\n"[..])] {
            assert!(verify(key, body, Some(FITTING)).is_err());
        }
        assert_eq!(verify(b"", BODY, Some(FITTING)).unwrap_err().kind, ErrorKind::Unavailable);
    }
}
