//! Takes secrets out of everything that leaves the process: log lines, errors and results.

use std::collections::BTreeSet;
use std::sync::{LazyLock, PoisonError, RwLock};

use aho_corasick::AhoCorasick;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

const MASK: &str = "***masked***";
/// Shorter secrets are not looked for in texts: they would match by chance.
const SHORTEST: usize = 6;

/// Every secret that this process has read. Reading a secret is what adds to it.
static KNOWN: LazyLock<RwLock<BTreeSet<String>>> = LazyLock::new(RwLock::default);

/// The beginnings by which tokens are known, and the characters that a token is made of.
const TOKENS: [&str; 15] = [
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "AKIA",
    "ASIA",
    "sk-",
    "glpat-",
    "eyJhbGciOi",
    "Bearer ",
];

/// Web addresses that are secrets as a whole.
const SECRET_ADDRESSES: [&str; 4] = [
    "hooks.slack.com/services/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "webhook.office.com/webhookb2/",
];

/// What `https://user:password@host` is known by.
const AUTHORITY: &str = "://";

/// Finds out in one pass whether there can be anything to mask, which there hardly ever is.
static TELLING: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(TOKENS.iter().chain(&SECRET_ADDRESSES).chain([&AUTHORITY])).ok());

/// Keeps the secret out of everything that this process says from now on.
pub fn register(secret: &SecretString) {
    let text = secret.expose_secret();
    if text.len() >= SHORTEST {
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned());
    }
}

/// Whether a key says that its value is a secret.
pub fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['-', ' '], "_");
    if ["max_tokens", "token_count", "num_tokens"].contains(&key.as_str()) {
        return false;
    }
    ["password", "passwd", "secret", "api_key", "apikey", "authorization", "webhook_url", "private_key", "credential"]
        .iter()
        .any(|word| key.contains(word))
        || key == "token"
        || key.ends_with("_token")
}

/// The value with every secret masked: those under telling keys, known tokens, and all that this process has read.
pub fn mask_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask_text(text)),
        Value::Array(items) => Value::Array(items.iter().map(mask_value).collect()),
        Value::Object(object) => {
            let masked = object.iter().map(|(key, value)| {
                let hidden = is_secret_key(key) && !value.is_null() && !value.is_boolean();
                (mask_text(key), if hidden { mask_secret(value) } else { mask_value(value) })
            });
            Value::Object(masked.collect())
        }
        other => other.clone(),
    }
}

fn mask_secret(value: &Value) -> Value {
    let known = value.as_str().and_then(|text| TOKENS.iter().find(|token| text.starts_with(**token)));
    Value::String(format!("{}{MASK}", known.map_or("", |token| token.trim_end())))
}

/// The text with every secret masked.
pub fn mask_text(text: &str) -> String {
    let mut masked = text.to_owned();
    for secret in KNOWN.read().unwrap_or_else(PoisonError::into_inner).iter().rev() {
        if masked.contains(secret.as_str()) {
            masked = masked.replace(secret.as_str(), MASK);
        }
    }
    if TELLING.as_ref().is_some_and(|telling| !telling.is_match(&masked)) {
        return masked;
    }
    for token in TOKENS {
        masked =
            mask_after(&masked, token, |character| character.is_ascii_alphanumeric() || "_-./+=".contains(character));
    }
    for address in SECRET_ADDRESSES {
        masked = mask_after(&masked, address, |character| !character.is_whitespace() && !"\"'<>)".contains(character));
    }
    mask_user_information(&masked)
}

/// Masks what follows each `beginning` and is long enough to be a token.
fn mask_after(text: &str, beginning: &str, belongs: impl Fn(char) -> bool) -> String {
    let mut rest = text;
    let mut masked = String::new();
    while let Some(at) = rest.find(beginning) {
        let (before, after) = rest.split_at(at + beginning.len());
        let starts_a_word = !before[..at].ends_with(|character: char| character.is_ascii_alphanumeric());
        let end = after.find(|character| !belongs(character)).unwrap_or(after.len());
        masked.push_str(before);
        if starts_a_word && end >= SHORTEST {
            masked.push_str(MASK);
        } else {
            masked.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    if masked.is_empty() && rest.len() == text.len() {
        return text.to_owned();
    }
    masked.push_str(rest);
    masked
}

/// `https://user:password@host` becomes `https://***masked***@host`.
fn mask_user_information(text: &str) -> String {
    let mut rest = text;
    let mut masked = String::new();
    while let Some(at) = rest.find(AUTHORITY) {
        let (before, after) = rest.split_at(at + AUTHORITY.len());
        masked.push_str(before);
        let end = after.find(|character: char| character.is_whitespace() || "/?#\"'".contains(character));
        let authority = &after[..end.unwrap_or(after.len())];
        if let Some((user, host)) = authority.rsplit_once('@').filter(|(user, _)| user.contains(':')) {
            masked.push_str(MASK);
            masked.push('@');
            masked.push_str(host);
            debug_assert!(!user.is_empty());
        } else {
            masked.push_str(authority);
        }
        rest = &after[authority.len()..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_are_masked_where_they_stand() {
        let text = "push with ghp_abcdefghij1234567890 to https://me:hunter22@example.org/x, see task-1";
        assert_eq!(mask_text(text), "push with ghp_***masked*** to https://***masked***@example.org/x, see task-1");
        assert_eq!(mask_value(&json!({"github_token": "ghp_abc"})), json!({"github_token": "ghp_***masked***"}));
        assert_eq!(
            mask_value(&json!({"slack": "https://hooks.slack.com/services/T0/B0/xyz"}))["slack"],
            "https://hooks.slack.com/services/***masked***"
        );
    }

    #[test]
    fn ordinary_texts_stay_as_they_are() {
        for text in ["", "risk-adjusted return", "a://b", "species=Adelie ghp_", "https://example.org/a?b=c"] {
            assert_eq!(mask_text(text), text);
        }
        assert_eq!(mask_value(&json!({"max_tokens": 5, "token": null})), json!({"max_tokens": 5, "token": null}));
    }

    proptest! {
        #[test]
        fn a_secret_that_was_read_never_appears(secret in "[A-Za-z0-9/+]{12,60}", before in ".{0,20}", after in ".{0,20}") {
            register(&SecretString::from(secret.clone()));
            let value = json!({"note": format!("{before}{secret}{after}"), "list": [secret.clone()], secret.clone(): 1});
            prop_assert!(!mask_value(&value).to_string().contains(&secret));
        }

        #[test]
        fn a_value_under_a_telling_key_never_appears(secret in "[A-Za-z0-9_!%]{8,40}",
            key in prop::sample::select(vec!["github_token", "apiKey", "smtp-password", "Authorization", "client_secret"])) {
            let text = mask_value(&json!({"deep": [{key: secret.clone()}]})).to_string();
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }
}
