//! How long GitHub asks to wait.

use std::time::Duration;

use jiff::Timestamp;

use crate::reply::Reply;

/// What a refusal says that does not say how long: GitHub's documentation asks for a minute at least.
const UNSAID: Duration = Duration::from_mins(1);

/// How long to wait before the request is made again; `None` when the reply is no such refusal. The primary limit is
/// told by `x-ratelimit-remaining` and `x-ratelimit-reset`, the secondary ones by `retry-after` or by the message alone.
pub(crate) fn wait(reply: &Reply, now: Timestamp) -> Option<Duration> {
    if !reply.is(403) && !reply.is(429) {
        return None;
    }
    let number = |name: &str| reply.header(name).and_then(|text| text.trim().parse::<i64>().ok());
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds.max(0).unsigned_abs()));
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let reset =
            number("x-ratelimit-reset").map(|reset| reset.saturating_sub(now.as_second()).max(0).unsigned_abs());
        // A second more, because both clocks are cut to seconds.
        return Some(reset.map_or(UNSAID, |seconds| Duration::from_secs(seconds + 1)));
    }
    let message = reply.refusal().to_lowercase();
    let is_told =
        ["secondary rate limit", "rate limit exceeded", "abuse detection"].iter().any(|told| message.contains(told));
    (is_told || reply.is(429)).then_some(UNSAID)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::StatusCode;
    use hyper::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn asked(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Option<u64> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let reply = Reply { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body) };
        wait(&reply, Timestamp::from_second(1_000).unwrap()).map(|wait| wait.as_secs())
    }

    #[test]
    fn each_way_of_asking_is_understood() {
        assert_eq!(asked(403, &[("retry-after", "7")], ""), Some(7));
        assert_eq!(asked(429, &[("retry-after", "0")], ""), Some(0));
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1030")], ""), Some(31));
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "900")], ""), Some(1));
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "0")], ""), Some(60));
        let told = r#"{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}"#;
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "4000")], told), Some(60));
        assert_eq!(asked(429, &[], ""), Some(60));
    }

    #[test]
    fn another_refusal_is_none() {
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "10")], r#"{"message": "Must have admin rights"}"#), None);
        assert_eq!(asked(404, &[("retry-after", "7")], ""), None);
        assert_eq!(asked(200, &[("x-ratelimit-remaining", "0")], ""), None);
    }
}
