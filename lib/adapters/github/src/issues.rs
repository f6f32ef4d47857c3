//! Issues, labels, reactions, permissions and checks.

use async_trait::async_trait;
use mlops_core::ports::{
    CheckState, Checked, CodeHost, Comment, Commented, CommitCheck, Issue, Labelled, Permission, Reaction,
    check_commit, check_labels, check_login, is_same_label, owner_and_name,
};
use mlops_core::values::IssueRef;
use mlops_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::json;

use crate::Github;
use crate::client::{Ask, Client};
use crate::comments;

#[derive(Deserialize)]
struct FoundIssue {
    title: String,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Collaborator {
    permission: String,
}

#[derive(Deserialize)]
struct CombinedStatus {
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    context: String,
    state: CheckState,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    target_url: Option<String>,
}

/// The path of a repository.
pub(crate) fn repository(repo: &str) -> Result<String> {
    let (owner, name) = owner_and_name(repo)?;
    Ok(format!("/repos/{owner}/{name}"))
}

/// The path of an issue.
fn place(reference: &IssueRef) -> Result<String> {
    Ok(format!("{}/issues/{}", repository(&reference.repo)?, reference.number))
}

/// An issue that is not there is named.
fn named(error: Error, reference: &IssueRef) -> Error {
    if error.kind == ErrorKind::NotFound {
        let message = format!("there is no issue {} in {}: {}", reference.number, reference.repo, error.message);
        return Error { message, ..error };
    }
    error
}

async fn labels(client: &Client, issue: &str, reference: &IssueRef) -> Result<Vec<String>> {
    let mut labels = Vec::new();
    let asked = format!("the labels of {reference}");
    let path = format!("{issue}/labels");
    let all = client.pages(&path, &asked, |page: Vec<Label>| {
        labels.extend(page.into_iter().map(|label| label.name));
        true
    });
    all.await.map_err(|error| named(error, reference))?;
    labels.sort();
    Ok(labels)
}

#[async_trait]
impl CodeHost for Github {
    async fn issue(&self, reference: &IssueRef) -> Result<Issue> {
        let ask = Ask::get(place(reference)?);
        let found: FoundIssue =
            self.client.json(ask, &format!("the issue {reference}")).await.map_err(|error| named(error, reference))?;
        Ok(Issue { reference: reference.clone(), title: found.title, body: found.body.unwrap_or_default() })
    }

    async fn comment(&self, reference: &IssueRef, comment: &Comment) -> Result<Commented> {
        let issue = place(reference)?;
        comments::comment(&self.client, &self.authors, (&issue, reference), comment)
            .await
            .map_err(|error| named(error, reference))
    }

    async fn label(&self, reference: &IssueRef, add: &[String], remove: &[String]) -> Result<Labelled> {
        let issue = place(reference)?;
        check_labels(add, remove)?;
        let has = labels(&self.client, &issue, reference).await?;
        let is_there = |name: &String| has.iter().any(|label| is_same_label(label, name));
        let missing: Vec<&String> = add.iter().filter(|name| !is_there(name)).collect();
        let superfluous: Vec<&String> =
            has.iter().filter(|label| remove.iter().any(|name| is_same_label(label, name))).collect();
        if missing.is_empty() && superfluous.is_empty() {
            return Ok(Labelled { labels: has, changed: false });
        }
        let asked = format!("the labels of {reference}");
        if !missing.is_empty() {
            let ask = Ask::post(format!("{issue}/labels"), json!({"labels": missing})).repeats();
            self.client.ask(ask).await?.success(&asked)?;
        }
        for name in superfluous {
            let reply =
                self.client.ask(Ask::delete(format!("{issue}/labels/{}", crate::repositories::encoded(name)))).await?;
            // Somebody else may have taken it away in between.
            if !reply.is(404) {
                reply.success(&asked)?;
            }
        }
        Ok(Labelled { labels: labels(&self.client, &issue, reference).await?, changed: true })
    }

    async fn react(&self, reference: &IssueRef, comment_id: Option<u64>, reaction: Reaction) -> Result<bool> {
        let path = match comment_id {
            Some(id) => format!("{}/issues/comments/{id}/reactions", repository(&reference.repo)?),
            None => format!("{}/reactions", place(reference)?),
        };
        let ask = Ask::post(path, json!({"content": reaction.as_str()})).repeats();
        let reply = self.client.ask(ask).await?;
        let reply = reply.success(&format!("a reaction to {reference}")).map_err(|error| named(error, reference))?;
        Ok(reply.is(201))
    }

    async fn permission(&self, repo: &str, login: &str) -> Result<Permission> {
        let repository = repository(repo)?;
        check_login(login)?;
        let path = format!("{repository}/collaborators/{}/permission", crate::repositories::encoded(login));
        let reply = self.client.ask(Ask::get(path)).await?;
        if reply.is(404) {
            return Ok(Permission::None);
        }
        let found: Collaborator = reply.json(&format!("what {login} may do in {repo}"))?;
        Ok(match found.permission.as_str() {
            "admin" => Permission::Admin,
            "write" | "maintain" => Permission::Write,
            "read" | "triage" => Permission::Read,
            _ => Permission::None,
        })
    }

    async fn check(&self, repo: &str, commit: &str, check: &CommitCheck) -> Result<Checked> {
        let repository = repository(repo)?;
        check_commit(commit)?;
        let check = check.to_sound()?;
        let url = format!("{}/{repo}/commit/{commit}", self.client.web());
        let mut stands = false;
        let path = format!("{repository}/commits/{commit}/status");
        let asked = format!("the checks of {repo} {commit}");
        let all = self.client.pages(&path, &asked, |page: CombinedStatus| {
            let same = page.statuses.into_iter().find(|status| status.context == check.context);
            stands |= same.as_ref().is_some_and(|status| {
                status.state == check.state
                    && status.description.as_deref().unwrap_or_default()
                        == check.description.as_deref().unwrap_or_default()
                    && status.target_url.as_deref().unwrap_or_default() == check.link.as_deref().unwrap_or_default()
            });
            same.is_none()
        });
        all.await?;
        if stands {
            return Ok(Checked { url, changed: false });
        }
        let mut body = json!({"state": check.state, "context": check.context});
        if let Some(description) = &check.description {
            body["description"] = json!(description);
        }
        if let Some(link) = &check.link {
            body["target_url"] = json!(link);
        }
        let ask = Ask::post(format!("{repository}/statuses/{commit}"), body).repeats();
        self.client.ask(ask).await?.success(&format!("a check of {repo} {commit}"))?;
        Ok(Checked { url, changed: true })
    }
}
