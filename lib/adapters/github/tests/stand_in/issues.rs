//! The server's routes, and those of issues.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::server::{Answer, Asked, Comment, World, page};

/// What is answered to who is let in.
pub(crate) fn answer(world: &mut World, asked: &Asked, login: &str, app: Option<u64>) -> Answer {
    let parts: Vec<&str> = asked.parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["user"] if app.is_some() => Answer::refused(403, "Resource not accessible by integration"),
        ["user"] => Answer::ok(json!({"login": login, "id": 1, "type": "User"})),
        ["repos", owner, name, ref rest @ ..] => {
            let repo = format!("{owner}/{name}");
            match rest {
                ["issues" | "collaborators" | "commits" | "statuses", ..] => {
                    of_issues(world, asked, &repo, rest, (login, app))
                }
                _ => crate::git::answer(world, asked, &repo, rest),
            }
        }
        _ => Answer::not_found(),
    }
}

fn of_issues(world: &mut World, asked: &Asked, repo: &str, rest: &[&str], by: (&str, Option<u64>)) -> Answer {
    let key = |number: &str| format!("{repo}/{number}");
    let (get, post) = (asked.method == Method::GET, asked.method == Method::POST);
    match rest {
        ["issues", "comments", id] => {
            let (id, address) = (id.parse::<u64>().unwrap(), world.address.clone());
            let Some(comment) = world.comments.iter_mut().find(|comment| comment.id == id) else {
                return Answer::not_found();
            };
            if asked.method == Method::PATCH {
                asked.body["body"].as_str().unwrap().clone_into(&mut comment.body);
            }
            Answer::ok(shown(&address, comment))
        }
        ["issues", "comments", id, "reactions"] => react(world, &format!("{repo}/comments/{id}"), asked),
        ["issues", number, ..] if !world.issues.contains_key(&key(number)) => Answer::not_found(),
        ["issues", number] => {
            let (title, body) = &world.issues[&key(number)];
            Answer::ok(json!({"number": 1, "title": title, "body": body, "user": {"login": "octocat"}}))
        }
        ["issues", number, "comments"] if get => {
            let of_issue = world.comments.iter().filter(|comment| comment.issue == key(number));
            let all: Vec<Value> = of_issue.map(|comment| shown(&world.address, comment)).collect();
            page(world, asked, &all)
        }
        ["issues", number, "comments"] if post => {
            let (login, app) = (by.0.to_owned(), by.1);
            let body = asked.body["body"].as_str().unwrap().to_owned();
            if body.encode_utf16().count() > 65_536 {
                return Answer::refused(422, "Body is too long (maximum is 65536 characters)");
            }
            let comment = Comment { id: world.number(), issue: key(number), body, login, app };
            world.comments.push(comment.clone());
            Answer::new(201, shown(&world.address, &comment))
        }
        ["issues", number, "labels", ..] => labels(world, asked, &key(number), &rest[3..]),
        ["issues", number, "reactions"] if post => react(world, &key(number), asked),
        ["collaborators", login, "permission"] => match world.permissions.get(*login) {
            Some(permission) => Answer::ok(json!({"permission": permission, "role_name": permission})),
            None => Answer::not_found(),
        },
        ["commits", commit, "status"] => {
            let all = world.statuses.get(*commit).cloned().unwrap_or_default();
            let statuses = page(world, asked, &all);
            let body = json!({"state": "pending", "statuses": statuses.body, "total_count": all.len()});
            Answer { body, ..statuses }
        }
        ["statuses", commit] if post => {
            let all = world.statuses.entry((*commit).to_owned()).or_default();
            all.retain(|status| status["context"] != asked.body["context"]);
            all.push(asked.body.clone());
            Answer::new(201, asked.body.clone())
        }
        _ => Answer::not_found(),
    }
}

fn shown(address: &str, comment: &Comment) -> Value {
    let kind = if comment.app.is_some() { "Bot" } else { "User" };
    json!({
        "id": comment.id, "html_url": format!("{address}/{}#issuecomment-{}", comment.issue, comment.id),
        // GitHub gives lines back as browsers send them.
        "body": comment.body.replace('\n', "\r\n"), "user": {"login": comment.login, "type": kind},
        "performed_via_github_app": comment.app.map(|id| json!({"id": id})),
    })
}

fn labels(world: &mut World, asked: &Asked, key: &str, rest: &[&str]) -> Answer {
    let labels = world.labels.entry(key.to_owned()).or_default();
    let is = |label: &String, name: &str| label.to_lowercase() == name.to_lowercase();
    match (&asked.method, rest) {
        (&Method::POST, []) => {
            for name in asked.body["labels"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
                if !labels.iter().any(|label| is(label, name)) {
                    labels.push(name.to_owned());
                }
            }
        }
        (&Method::DELETE, [name]) if labels.iter().any(|label| is(label, name)) => {
            labels.retain(|label| !is(label, name));
        }
        (&Method::GET, []) => {}
        _ => return Answer::refused(404, "Label does not exist"),
    }
    let all: Vec<Value> = labels.iter().map(|name| json!({"name": name})).collect();
    page(world, asked, &all)
}

fn react(world: &mut World, below: &str, asked: &Asked) -> Answer {
    let one = format!("{below} {}", asked.body["content"].as_str().unwrap());
    let status = if world.reactions.contains(&one) { 200 } else { 201 };
    world.reactions.push(one);
    Answer::new(status, json!({"id": 1, "content": asked.body["content"]}))
}

/// A token for the app that its JSON web token names. The signature is not verified here: a test beside the code does.
pub(crate) fn access_token(world: &mut World, token: &str, installation: &str) -> Answer {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).unwrap_or_default();
    let now = Timestamp::now().as_second();
    let holds = claims["iat"].as_i64().is_some_and(|at| at <= now)
        && claims["exp"].as_i64().is_some_and(|at| at > now && at <= now + 600);
    let app = claims["iss"].as_str().and_then(|app| app.parse().ok());
    let (Some(app), true) = (app, holds) else {
        return Answer::refused(401, "A JSON web token could not be decoded");
    };
    if installation != "456" {
        return Answer::not_found();
    }
    let token = format!("ghs_installation{}", world.number());
    world.tokens.insert(token.clone(), ("fleet[bot]".to_owned(), Some(app)));
    let expires = Timestamp::now() + SignedDuration::from_secs(world.holds);
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Answer::new(201, json!({"token": token, "expires_at": expires}))
}
