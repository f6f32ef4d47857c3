//! What Step Functions' own errors mean to the fleet.

use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use mlops_core::{Error, ErrorKind};

/// The error of a request to Step Functions about `what`.
pub(crate) fn failure<E>(error: SdkError<E>, what: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let error = mlops_aws_environment::failure(error, what);
    let of = |kind: ErrorKind, error: Error| Error { kind, ..error };
    match code.as_str() {
        "InvalidToken" => Error { hint: None, ..of(ErrorKind::NotFound, error) },
        "TaskTimedOut" | "ExecutionNotRedrivable" | "StateMachineDeleting" => of(ErrorKind::Conflict, error),
        "KmsThrottlingException" => of(ErrorKind::Throttled, error),
        "KmsAccessDeniedException" => {
            of(ErrorKind::Forbidden, error).hint("allow the use of the state machine's KMS key")
        }
        "InvalidName" => error.at_or("name"),
        "InvalidExecutionInput" => error.at_or("input"),
        "InvalidOutput" => error.at_or("output"),
        _ => error,
    }
}
