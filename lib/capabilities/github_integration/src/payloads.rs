//! Deliveries as GitHub sends them, for the tests of this crate: the shapes are those of its own examples, with the parts
//! that nobody reads left in small.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::outside::WEBHOOK_SECRET;

fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({
        "login": login, "id": 21_031_067, "node_id": "MDQ6VXNlcjIxMDMxMDY3", "gravatar_id": "", "type": kind,
        "url": format!("https://api.github.example/users/{login}"), "site_admin": false,
    })
}

/// An event `issues` of that action: the issue 5 of `octo/models`, by its owner, with the label `mlops`.
pub(crate) fn issue_event(action: &str, body: &str) -> Value {
    json!({
        "action": action,
        "issue": {
            "url": "https://api.github.example/repos/octo/models/issues/5", "id": 444_500_041, "number": 5,
            "title": "Classify penguins", "user": user("octocat"), "state": "open", "locked": false, "assignee": null,
            "labels": [{"id": 1_362_934_389, "name": "mlops", "color": "d73a4a", "default": false, "description": null}],
            "assignees": [], "milestone": null, "comments": 0, "created_at": "2026-05-15T15:20:18Z",
            "updated_at": "2026-05-15T15:20:18Z", "closed_at": null, "author_association": "OWNER",
            "active_lock_reason": null, "body": body, "performed_via_github_app": null,
            "reactions": {"total_count": 0, "+1": 0},
        },
        "repository": {
            "id": 186_853_002, "name": "models", "full_name": "octo/models", "private": false, "owner": user("octo"),
            "default_branch": "main",
        },
        "sender": user("octocat"),
    })
}

/// An event `issue_comment` of a new comment by the owner on that issue.
pub(crate) fn comment_event(text: &str) -> Value {
    let mut event = issue_event("created", "");
    event["comment"] = json!({
        "id": 492_700_400, "node_id": "MDEyOklzc3VlQ29tbWVudDQ5MjcwMDQwMA==", "user": user("octocat"),
        "created_at": "2026-05-15T15:20:21Z", "updated_at": "2026-05-15T15:20:21Z", "author_association": "OWNER",
        "body": text, "performed_via_github_app": null,
    });
    event
}

/// The event with somebody else as who acted.
pub(crate) fn sent_by(mut event: Value, login: &str) -> Value {
    event["sender"] = user(login);
    if event["comment"].is_object() {
        event["comment"]["user"] = user(login);
    }
    event
}

/// The headers of a delivery, signed with the room's secret.
pub(crate) fn signed(event: &str, delivery_id: &str, body: &[u8]) -> BTreeMap<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(body);
    let mut signature = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").unwrap();
    }
    let headers = [
        ("user-agent", "GitHub-Hookshot/044aadd"),
        ("content-type", "application/json"),
        ("x-github-event", event),
        ("x-github-delivery", delivery_id),
        ("x-github-hook-id", "292430182"),
        ("x-hub-signature-256", &signature),
    ];
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
