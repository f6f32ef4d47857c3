//! What an error of an AWS service means to a caller.

use std::error::Error as StdError;
use std::fmt::Display;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId as _;
use mlops_core::{Error, ErrorKind};

/// The codes of services that ask for patience.
const THROTTLED: [&str; 12] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "ExecutionLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// The codes of services that do not accept who is asking. Some of them come with HTTP 400.
const FORBIDDEN: [&str; 14] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// The codes of a bucket that lies elsewhere.
const ELSEWHERE: [&str; 3] =
    ["AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"];

/// The error of a call to AWS. `what` is what did not happen, as `s3://bucket/key could not be read`. The message has
/// the service's own words, its code and the id of the request; a permission that is missing is named in the hint.
///
/// What is throttled is `Throttled`; what may not be done is `Forbidden`; a service that does not answer, in time or
/// at all, is `Unavailable`.
pub fn failure<E>(error: SdkError<E, HttpResponse>, what: impl Display) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let classified = match &error {
        _ if cause::<CredentialsError>(&error).is_some() => without_credentials(&error, &what),
        SdkError::ServiceError(answer) => answered(answer.err(), answer.raw(), &what),
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            let kind = if status < 400 { ErrorKind::Unavailable } else { kind_of("", status) };
            let request = answer.raw().request_id().unwrap_or("unknown");
            Error::new(kind, format!("{what}: AWS's answer could not be read (HTTP {status}, request {request})"))
        }
        SdkError::TimeoutError(_) => late(&what),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => late(&what),
        SdkError::DispatchFailure(_) => Error::unavailable(format!("{what}: AWS could not be reached"))
            .hint("check the network: private subnets need an endpoint for each service"),
        _ => Error::invalid_input(format!("{what}: the request cannot be made: {}", innermost(&error))),
    };
    match error.into_source() {
        Ok(source) => classified.caused_by(source),
        Err(_) => classified,
    }
}

fn late(what: &dyn Display) -> Error {
    Error::unavailable(format!("{what}: AWS did not answer in time")).hint("try again")
}

fn without_credentials(error: &(dyn StdError + 'static), what: &dyn Display) -> Error {
    use CredentialsError as Reason;
    match cause::<CredentialsError>(error) {
        Some(Reason::CredentialsNotLoaded(_) | Reason::InvalidConfiguration(_)) | None => {
            Error::forbidden(format!("{what}: this process has no credentials for AWS")).hint(
                "Lambda and ECS give them to the role of the function or task; elsewhere set AWS_ACCESS_KEY_ID, \
                 AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (`aws configure export-credentials --format env`)",
            )
        }
        Some(_) => Error::unavailable(format!("{what}: the credentials could not be fetched: {}", innermost(error)))
            .hint("try again; the container's endpoint did not give them out"),
    }
}

/// The error of a service that gave an answer.
fn answered(error: &impl ProvideErrorMetadata, response: &HttpResponse, what: &dyn Display) -> Error {
    let status = response.status().as_u16();
    let code = error.code().unwrap_or_default();
    let said = error.message().filter(|text| !text.is_empty());
    let request = response.request_id().unwrap_or("unknown");
    let named = if code.is_empty() { String::new() } else { format!("{code}, ") };
    let message = match said {
        Some(said) => format!("{what}: {said} ({named}HTTP {status}, request {request})"),
        None => format!("{what} ({named}HTTP {status}, request {request})"),
    };
    if ELSEWHERE.contains(&code) {
        let region = response.headers().get("x-amz-bucket-region").unwrap_or("that of the bucket");
        return Error::invalid_input(message).hint(format!("the bucket lies in another region: {region}"));
    }
    let kind = kind_of(code, status);
    let classified = Error::new(kind, message);
    match kind {
        ErrorKind::Forbidden if code.starts_with("Expired") => classified.hint("the credentials have expired"),
        ErrorKind::Forbidden => match said.and_then(permission) {
            Some(action) => classified.hint(format!("allow {action} to the role that runs this")),
            None => classified.hint("check the policies of the role that runs this"),
        },
        ErrorKind::Throttled => classified.hint("wait, then try again"),
        ErrorKind::Unavailable => classified.hint("try again"),
        _ => classified,
    }
}

/// The action that a policy does not allow, from `… is not authorized to perform: s3:PutObject on resource: …`.
fn permission(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?;
    action.contains(':').then_some(action)
}

fn kind_of(code: &str, status: u16) -> ErrorKind {
    match code {
        _ if THROTTLED.contains(&code) || code.starts_with("Throttl") => ErrorKind::Throttled,
        _ if FORBIDDEN.contains(&code) => ErrorKind::Forbidden,
        "RequestTimeout" | "RequestTimeoutException" => ErrorKind::Unavailable,
        "ConditionalRequestConflict" | "OperationAborted" | "PreconditionFailed" => ErrorKind::Conflict,
        _ if code.contains("AlreadyExists") => ErrorKind::AlreadyExists,
        _ if code.starts_with("NoSuch") || code.contains("NotFound") || code.contains("DoesNotExist") => {
            ErrorKind::NotFound
        }
        _ => match status {
            401 | 403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            408 | 500.. => ErrorKind::Unavailable,
            409 | 412 => ErrorKind::Conflict,
            429 => ErrorKind::Throttled,
            300.. => ErrorKind::InvalidInput,
            _ => ErrorKind::Internal,
        },
    }
}

/// The first cause of that type.
fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What the innermost cause says.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    type Failure = SdkError<ErrorMetadata, HttpResponse>;

    fn answer(status: u16, code: &str, message: &str) -> Failure {
        let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
        response.headers_mut().insert("x-amz-request-id", "R1");
        response.headers_mut().insert("x-amz-bucket-region", "eu-west-1");
        let error = ErrorMetadata::builder().code(code).message(message).build();
        SdkError::service_error(error, response)
    }

    fn classified(error: Failure) -> Error {
        failure(error, "s3://bucket/key could not be read")
    }

    #[test]
    fn codes_and_statuses_have_their_kinds() {
        for (status, code, kind) in [
            (503, "SlowDown", ErrorKind::Throttled),
            (400, "ThrottlingException", ErrorKind::Throttled),
            (429, "", ErrorKind::Throttled),
            (403, "", ErrorKind::Forbidden),
            (400, "ExpiredTokenException", ErrorKind::Forbidden),
            (400, "UnrecognizedClientException", ErrorKind::Forbidden),
            (404, "NoSuchKey", ErrorKind::NotFound),
            (400, "StateMachineDoesNotExist", ErrorKind::NotFound),
            (400, "ResourceNotFoundException", ErrorKind::NotFound),
            (400, "ExecutionAlreadyExists", ErrorKind::AlreadyExists),
            (412, "PreconditionFailed", ErrorKind::Conflict),
            (409, "ConditionalRequestConflict", ErrorKind::Conflict),
            (400, "ValidationException", ErrorKind::InvalidInput),
            (400, "RequestTimeout", ErrorKind::Unavailable),
            (500, "InternalError", ErrorKind::Unavailable),
            (301, "PermanentRedirect", ErrorKind::InvalidInput),
        ] {
            let error = classified(answer(status, code, "said"));
            assert_eq!(error.kind, kind, "{status} {code}");
            assert!(error.message.contains("said") && error.message.contains("request R1"), "{}", error.message);
        }
    }

    #[test]
    fn a_missing_permission_is_named() {
        let said = "User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: kms:GenerateDataKey on \
                    resource: arn:aws:kms:eu-west-1:1:key/k because no policy allows it";
        let error = classified(answer(403, "AccessDenied", said));
        assert_eq!(error.hint.as_deref(), Some("allow kms:GenerateDataKey to the role that runs this"));
        assert!(error.source.is_some());
        let error = classified(answer(403, "AccessDenied", "Access Denied"));
        assert_eq!(error.hint.as_deref(), Some("check the policies of the role that runs this"));
        let error = classified(answer(301, "PermanentRedirect", "use another endpoint"));
        assert!(error.hint.unwrap().contains("eu-west-1"));
    }

    #[test]
    fn a_service_that_does_not_answer_is_unavailable() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        for error in [
            Failure::timeout_error("late"),
            Failure::dispatch_failure(ConnectorError::io(refused.into())),
            Failure::dispatch_failure(ConnectorError::timeout("late".into())),
            Failure::response_error("cut", HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::empty())),
        ] {
            let error = classified(error);
            assert_eq!(error.kind, ErrorKind::Unavailable, "{}", error.message);
        }
    }

    #[test]
    fn missing_credentials_are_told_from_late_ones() {
        let missing = CredentialsError::not_loaded_no_source();
        let error = classified(Failure::dispatch_failure(ConnectorError::other(missing.into(), None)));
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.hint.unwrap().contains("AWS_ACCESS_KEY_ID"));
        let late = CredentialsError::provider_error("HTTP 500");
        let error = classified(Failure::dispatch_failure(ConnectorError::other(late.into(), None)));
        assert_eq!(error.kind, ErrorKind::Unavailable);
        let error = classified(Failure::construction_failure("the bucket is empty"));
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.ends_with("the bucket is empty"));
    }
}
