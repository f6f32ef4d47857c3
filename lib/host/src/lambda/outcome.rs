//! What an invocation gives: a value that is sent whole, or a head and a body that is sent piece by piece.

use futures::stream::{self, BoxStream, StreamExt as _};
use lambda_runtime::{FunctionResponse, MetadataPrelude, StreamResponse};
use serde_json::{Value, json};

use super::http::HttpResponse;

/// The pieces of a body.
pub(super) type Pieces = BoxStream<'static, Result<Vec<u8>, lambda_runtime::Error>>;

/// What an invocation gives.
pub(super) enum Outcome {
    /// The result of a task, or the answer to a request as one value.
    Whole(Value),
    /// The answer to a request whose body comes piece by piece.
    Streamed(StreamResponse<Pieces>),
}

impl Outcome {
    /// How many bytes are sent, where that is known.
    pub(super) fn bytes(&self) -> Option<usize> {
        match self {
            Self::Whole(value) => Some(value.to_string().len()),
            Self::Streamed(_) => None,
        }
    }

    /// Keeps something until the answer has been sent, or nobody reads it any more.
    pub(super) fn holding(self, guard: impl Send + 'static) -> Self {
        match self {
            Self::Streamed(StreamResponse { metadata_prelude, stream }) => {
                let ended = stream::once(async move { drop(guard) }).filter_map(|()| async { None });
                Self::Streamed(StreamResponse { metadata_prelude, stream: stream.chain(ended).boxed() })
            }
            Self::Whole(value) => {
                drop(guard);
                Self::Whole(value)
            }
        }
    }

    /// The form that the runtime sends.
    pub(super) fn into_response(self) -> FunctionResponse<Value, Pieces> {
        match self {
            Self::Whole(value) => FunctionResponse::BufferedResponse(value),
            Self::Streamed(answer) => FunctionResponse::StreamingResponse(answer),
        }
    }
}

/// An answer that is there already, in the form of one that comes piece by piece: who reads pieces reads nothing else.
pub(super) fn streamed(response: HttpResponse) -> Outcome {
    let head = json!({"statusCode": response.status, "headers": response.headers, "cookies": []});
    let metadata_prelude = serde_json::from_value::<MetadataPrelude>(head).unwrap_or_default();
    let stream = stream::once(async move { Ok(response.body) }).boxed();
    Outcome::Streamed(StreamResponse { metadata_prelude, stream })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mlops_core::Error;

    use super::*;

    #[tokio::test]
    async fn what_is_held_is_let_go_with_the_last_piece() {
        let held = Arc::new(());
        let outcome =
            streamed(HttpResponse::of_error(&Error::not_found("no such path"), "r")).holding(Arc::clone(&held));
        assert_eq!((outcome.bytes(), Arc::strong_count(&held)), (None, 2));
        let FunctionResponse::StreamingResponse(mut answer) = outcome.into_response() else { panic!("it is whole") };
        assert_eq!(answer.metadata_prelude.status_code.as_u16(), 404);
        assert_eq!(answer.metadata_prelude.headers["content-type"], "application/json");
        let piece = answer.stream.next().await.unwrap().unwrap();
        assert!(String::from_utf8(piece).unwrap().contains("no such path"));
        assert_eq!(Arc::strong_count(&held), 2);
        assert!(answer.stream.next().await.is_none());
        assert_eq!(Arc::strong_count(&held), 1);
        let whole = Outcome::Whole(json!({"a": 1})).holding(Arc::clone(&held));
        assert_eq!((whole.bytes(), Arc::strong_count(&held)), (Some(7), 1));
    }
}
