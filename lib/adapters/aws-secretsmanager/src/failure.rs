//! What Secrets Manager's own errors mean to the fleet.

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use mlops_core::{Error, ErrorKind};

/// The error of a request for the secret of that name.
pub(crate) fn failure<E>(error: SdkError<E>, name: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let is_deleted = error.message().is_some_and(|message| message.contains("marked for deletion"));
    let error = mlops_aws_environment::failure(error, format!("the secret {name} could not be read"));
    match code.as_str() {
        "ResourceNotFoundException" => Error { kind: ErrorKind::NotFound, ..error },
        "InvalidRequestException" if is_deleted => Error { kind: ErrorKind::NotFound, ..error },
        "DecryptionFailure" => Error { kind: ErrorKind::Forbidden, ..error }
            .hint("allow kms:Decrypt with the key that encrypts the secret"),
        "InternalServiceError" => Error { kind: ErrorKind::Unavailable, ..error },
        _ => error,
    }
}
