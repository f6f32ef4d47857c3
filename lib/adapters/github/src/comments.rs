//! Comments that are found again by their first line, and only our own.

use mlops_core::Result;
use mlops_core::ports::{Comment, CommentChange, Commented};
use mlops_core::values::IssueRef;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::client::{Ask, Client};

/// A comment of an issue.
#[derive(Debug, Deserialize)]
struct Known {
    id: u64,
    html_url: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    performed_via_github_app: Option<App>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct App {
    id: u64,
}

/// Whose comments are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Own {
    /// Those that this app wrote.
    App(u64),
    /// Those of this login.
    Login(String),
    /// Those of any bot: the token is one of a workflow, and GitHub does not tell it who it is.
    Bot,
}

impl Own {
    fn wrote(&self, comment: &Known) -> bool {
        let user = comment.user.as_ref();
        match self {
            Self::App(id) => comment.performed_via_github_app.as_ref().is_some_and(|app| app.id == *id),
            Self::Login(login) => user.is_some_and(|user| user.login.eq_ignore_ascii_case(login)),
            Self::Bot => user.is_some_and(|user| user.kind == "Bot"),
        }
    }
}

/// Remembers for a token whose comments are ours.
#[derive(Default)]
pub(crate) struct Authors {
    known: Mutex<Option<(SecretString, Own)>>,
}

impl Authors {
    async fn own(&self, client: &Client) -> Result<Own> {
        if let Some(app) = client.credentials.app {
            return Ok(Own::App(app.id));
        }
        let token = client.credentials.token(client).await?;
        let mut known = self.known.lock().await;
        if let Some((asked, own)) = known.as_ref().filter(|(asked, _)| asked.expose_secret() == token.expose_secret()) {
            debug_assert!(!asked.expose_secret().is_empty());
            return Ok(own.clone());
        }
        let reply = client.ask(Ask::get("/user")).await?;
        let own = if reply.is(403) {
            Own::Bot
        } else {
            let user: User = reply.json("the owner of the token")?;
            Own::Login(user.login)
        };
        *known = Some((token, own.clone()));
        Ok(own)
    }
}

/// Makes the comment of that marker have its text. `issue` is the path of the issue.
pub(crate) async fn comment(
    client: &Client,
    authors: &Authors,
    (issue, reference): (&str, &IssueRef),
    comment: &Comment,
) -> Result<Commented> {
    let text = comment.to_text()?;
    let asked = format!("the comment on {reference}");
    let hidden = comment.hidden_line();
    let mut marked = Vec::new();
    let list = format!("{issue}/comments");
    client
        .pages(&list, &format!("the comments of {reference}"), |page: Vec<Known>| {
            marked.extend(page.into_iter().filter(|known| first_line(known) == Some(&hidden[..])));
            true
        })
        .await?;
    if !marked.is_empty() {
        // Anybody can write the line, and nobody can make us edit what others wrote.
        let own = authors.own(client).await?;
        marked.retain(|known| own.wrote(known));
    }
    if let Some(known) = marked.into_iter().next() {
        if known.body.as_deref().is_some_and(|body| is_same(body, &text)) {
            return Ok(Commented { url: known.html_url, change: CommentChange::Unchanged });
        }
        let path = format!("{}/comments/{}", issue.rsplit_once('/').map_or(issue, |(issues, _)| issues), known.id);
        let reply = client.ask(Ask::patch(path, json!({"body": text}))).await?;
        // It may have been deleted in between; then it is written anew.
        if !reply.is(404) {
            let changed: Known = reply.json(&asked)?;
            return Ok(Commented { url: changed.html_url, change: CommentChange::Updated });
        }
    }
    let made: Known = client.json(Ask::post(list, json!({"body": text})), &asked).await?;
    Ok(Commented { url: made.html_url, change: CommentChange::Created })
}

fn first_line(known: &Known) -> Option<&str> {
    known.body.as_deref()?.lines().next().map(str::trim_end)
}

/// Whether GitHub keeps that text: it may change the ends of lines, and cuts those of the whole.
fn is_same(kept: &str, text: &str) -> bool {
    kept.replace("\r\n", "\n").trim_end() == text.trim_end()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn known(value: Value) -> Known {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_what_we_wrote_is_ours() {
        let ours = known(json!({"id": 1, "html_url": "u", "user": {"login": "Fleet", "type": "User"},
            "body": "<!-- mlops:a -->\r\n\r\ntext\r\n", "performed_via_github_app": null}));
        let by_app = known(json!({"id": 2, "html_url": "u", "user": {"login": "fleet[bot]", "type": "Bot"},
            "performed_via_github_app": {"id": 7, "slug": "fleet"}}));
        let nobody = known(json!({"id": 3, "html_url": "u", "user": null, "body": null}));
        for (own, wrote) in [
            (Own::Login("fleet".to_owned()), [true, false, false]),
            (Own::App(7), [false, true, false]),
            (Own::App(8), [false, false, false]),
            (Own::Bot, [false, true, false]),
        ] {
            assert_eq!([&ours, &by_app, &nobody].map(|comment| own.wrote(comment)), wrote, "{own:?}");
        }
        assert_eq!((first_line(&ours), first_line(&nobody)), (Some("<!-- mlops:a -->"), None));
        assert!(is_same(ours.body.as_deref().unwrap(), "<!-- mlops:a -->\n\ntext\n"));
    }
}
