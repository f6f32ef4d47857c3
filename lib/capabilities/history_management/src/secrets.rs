//! Looks for secrets in what is about to be published.

use mlops_core::masking::{is_secret_key, mask_text};

/// A shorter value under a telling name is not taken for a secret.
const SHORTEST: usize = 8;
/// What a private key begins with, in two parts.
const PRIVATE_KEY: [&str; 2] = ["-----BEGIN ", "PRIVATE KEY-----"];

/// The first line, counted from 1, that holds a secret: a known token, a secret that this process has read, a private
/// key, or a value that is set under a telling name such as `password`.
pub(crate) fn line_with_secret(content: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(content);
    let telling = text.lines().position(|line| is_private_key(line) || is_set(line)).map(|at| at + 1);
    [telling, first_masked(&text)].into_iter().flatten().min()
}

/// Secrets can have several lines: the first difference to the masked text is where one begins.
fn first_masked(text: &str) -> Option<usize> {
    let masked = mask_text(text);
    if masked == text {
        return None;
    }
    let same = text.bytes().zip(masked.bytes()).take_while(|(one, other)| one == other);
    Some(1 + same.filter(|(byte, _)| *byte == b'\n').count())
}

fn is_private_key(line: &str) -> bool {
    let [begin, end] = PRIVATE_KEY;
    line.split_once(begin).is_some_and(|(_, rest)| rest.contains(end))
}

/// Whether the line is `name: value` or `name = value`, where the name says that the value is a secret, and the value
/// is none that stands for another.
fn is_set(line: &str) -> bool {
    let Some((name, value)) = line.split_once([':', '=']) else { return false };
    let is_mark = |c: char| c.is_whitespace() || "\"'`,;{".contains(c);
    let name = name.trim_matches(|c: char| is_mark(c) || c == '-').trim_start_matches("export ").trim();
    let value = value.trim_matches(|c: char| is_mark(c) || c == '}');
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let stands_for_another = value.starts_with(['$', '<', '*', '%', '[', '(']) || value.contains("***");
    let is_number = value.parse::<f64>().is_ok();
    is_name
        && is_secret_key(name)
        && value.len() >= SHORTEST
        && !value.contains(char::is_whitespace)
        && !stands_for_another
        && !is_number
}

#[cfg(test)]
mod tests {
    use mlops_core::masking::register;
    use secrecy::SecretString;

    use super::*;

    fn line(text: &str) -> Option<usize> {
        line_with_secret(text.as_bytes())
    }

    #[test]
    fn secrets_are_found_in_their_line() {
        for text in [
            "a\nb ghp_abcdefghijklmnop\nc ghp_abcdefghijklmnop",
            "a\nhttps://me:hunter22@example.org/",
            "a\n-----BEGIN RSA PRIVATE KEY-----\nMII",
            "a\npassword: hunter2222",
            "a\n  \"github_token\": \"abcdefgh1234\",",
            "a\nexport SLACK_WEBHOOK_URL=https://example.org/x",
            "a\n- client_secret = 'abcdefgh1234'",
            "a\n{\"api_key\": \"abcdefgh1234\"}",
        ] {
            assert_eq!(line(text), Some(2), "{text}");
        }
        register(&SecretString::from("first line\nsecond line of a secret"));
        assert_eq!(line("x\ny\nfirst line\nsecond line of a secret\n"), Some(3));
        assert_eq!(line_with_secret(b"\xff\xfe\nghp_abcdefghijklmnop"), Some(2));
    }

    #[test]
    fn what_only_speaks_of_secrets_is_none() {
        for text in [
            "",
            "- Target: `password_strength`",
            "password: ${{ secrets.PASSWORD }}",
            "password=$PASSWORD",
            "token: <your token here>",
            "\"password_length\": 12345678.5",
            "\"token\": null",
            "\"max_tokens\": \"123456789\"",
            "github_token: ghp_***masked***",
            "The password: it is kept elsewhere",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }
}
