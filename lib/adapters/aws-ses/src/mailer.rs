//! Sends mail.

use async_trait::async_trait;
use aws_sdk_ses::Client;
use aws_sdk_ses::config::http::HttpResponse;
use aws_sdk_ses::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_ses::operation::send_raw_email::SendRawEmailError;
use aws_sdk_ses::primitives::Blob;
use aws_sdk_ses::types::RawMessage;
use mlops_aws_environment::{AwsEnvironment, failure};
use mlops_core::ports::{Email, Mailer, MessageReceipt};
use mlops_core::{Error, ErrorKind, Result};

/// Mail by Amazon SES, whole as [`Email::to_mime`] writes it. SES knows no repeat and gives a mail a `Message-ID` of its
/// own, so a receipt of this adapter is never `deduplicated`.
#[derive(Debug, Clone)]
pub struct SesMailer {
    client: Client,
}

impl SesMailer {
    /// The service of that environment. Nothing is sent.
    pub fn new(aws: &AwsEnvironment) -> Self {
        Self { client: Client::new(aws.config()) }
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, email: &Email) -> Result<MessageReceipt> {
        let message = RawMessage::builder().data(Blob::new(email.to_mime()?)).build();
        let message = message.map_err(|error| Error::internal("the mail has no content").caused_by(error))?;
        let request = self.client.send_raw_email().source(email.from.address()).raw_message(message);
        let readers = email.readers().map(|reader| reader.address().to_owned()).collect();
        let answer = request.set_destinations(Some(readers)).send().await.map_err(|error| failed(&email.key, error))?;
        let id = answer.message_id();
        if id.is_empty() {
            return Err(Error::unavailable(format!("SES took the mail {} and gave it no id", email.key)));
        }
        Ok(MessageReceipt { message_ref: format!("ses:{id}"), deduplicated: false })
    }
}

/// The error of a mail that SES did not take. What it refuses as a mail, for its sender or its readers, is `Forbidden`.
fn failed(key: &str, error: SdkError<SendRawEmailError, HttpResponse>) -> Error {
    let code = error.code().unwrap_or_default().to_owned();
    let failed = failure(error, format!("the mail {key} could not be sent"));
    let hint = match code.as_str() {
        "MessageRejected" => {
            "SES must have verified the sender (MLOPS_MAIL_FROM), and while the account is in its sandbox each reader too"
        }
        "MailFromDomainNotVerified" | "MailFromDomainNotVerifiedException" => {
            "let SES verify the domain of the sender (MLOPS_MAIL_FROM)"
        }
        "AccountSendingPausedException" | "ConfigurationSetSendingPausedException" => {
            "SES has paused this account's mail: look at its reputation in the console"
        }
        _ => return failed,
    };
    Error { kind: ErrorKind::Forbidden, ..failed }.hint(hint)
}

#[cfg(test)]
#[path = "mailer_tests.rs"]
mod tests;
