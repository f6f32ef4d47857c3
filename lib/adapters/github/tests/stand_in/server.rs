//! A GitHub that remembers: issues, comments, labels, reactions, checks, branches, commits and pull requests.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::git::Git;

/// What the server answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn refused(status: u16, message: &str) -> Self {
        Self::new(status, json!({"message": message, "documentation_url": "https://docs.github.example"}))
    }

    pub(crate) fn not_found() -> Self {
        Self::refused(404, "Not Found")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request that was taken apart.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The decoded parts of the path.
    pub(crate) parts: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// A comment as it is kept.
#[derive(Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) issue: String,
    pub(crate) body: String,
    pub(crate) login: String,
    pub(crate) app: Option<u64>,
}

/// A fault, and for which requests: the method and a part of the path.
pub(crate) struct Fault {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) answer: Answer,
    /// Whether the request is done before the fault is told, as when an answer is lost.
    pub(crate) is_done: bool,
}

/// Everything that the server knows.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) address: String,
    /// Title and body by `owner/name/number`.
    pub(crate) issues: BTreeMap<String, (String, String)>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) labels: BTreeMap<String, Vec<String>>,
    pub(crate) reactions: Vec<String>,
    pub(crate) permissions: BTreeMap<String, String>,
    pub(crate) statuses: BTreeMap<String, Vec<Value>>,
    pub(crate) repositories: BTreeMap<String, Git>,
    pub(crate) pulls: Vec<Value>,
    pub(crate) faults: VecDeque<Fault>,
    /// The tokens that are taken, and who they are; a token of an app has the app's number.
    pub(crate) tokens: BTreeMap<String, (String, Option<u64>)>,
    /// How long the tokens of installations hold, in seconds.
    pub(crate) holds: i64,
    /// Every request: method and path with query.
    pub(crate) log: Vec<String>,
    /// The headers of the last request.
    pub(crate) headers: HeaderMap,
    pub(crate) next: u64,
}

impl World {
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// How many requests of that beginning were made.
    pub(crate) fn asked(&self, beginning: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(beginning)).count()
    }
}

/// The world, shared with the server.
#[derive(Clone)]
pub(crate) struct Server(pub(crate) Arc<Mutex<World>>);

impl Server {
    /// A server that takes the token `ghp_first1234567890` of the login `fleet`.
    pub(crate) async fn start() -> Self {
        let server = Self(Arc::default());
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        server.change(|world| {
            world.address = address;
            world.holds = 3_600;
            world.next = 100;
            world.tokens.insert(crate::TOKEN.to_owned(), ("fleet".to_owned(), None));
        });
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        server
    }

    pub(crate) fn change<T>(&self, by: impl FnOnce(&mut World) -> T) -> T {
        by(&mut self.0.lock().unwrap())
    }

    /// The next request of that method and path is answered so.
    pub(crate) fn fault(&self, method: Method, path: &'static str, answer: Answer, is_done: bool) {
        self.change(|world| world.faults.push_back(Fault { method, path, answer, is_done }));
    }
}

async fn answer(State(server): State<Server>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, 64 << 20).await.unwrap();
    let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let asked = Asked {
        method: head.method.clone(),
        parts: path.trim_matches('/').split('/').map(decoded).collect(),
        query: pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    };
    let mut world = server.0.lock().unwrap();
    world.log.push(format!("{} {path}?{query}", head.method));
    world.headers = head.headers.clone();
    let at = world.faults.iter().position(|fault| fault.method == head.method && path.contains(fault.path));
    let fault = at.and_then(|at| world.faults.remove(at));
    let answer = match fault {
        Some(fault) if !fault.is_done => fault.answer,
        fault => {
            let answer = authorized(&mut world, &head.headers, &asked);
            fault.map_or(answer, |fault| fault.answer)
        }
    };
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body.to_string()).into_response();
    response.headers_mut().insert("x-github-request-id", "C0DE:1".parse().unwrap());
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn authorized(world: &mut World, headers: &HeaderMap, asked: &Asked) -> Answer {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if let ["app", "installations", installation, "access_tokens"] =
        asked.parts.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        return crate::issues::access_token(world, token.unwrap_or_default(), installation);
    }
    let Some((login, app)) = token.and_then(|token| world.tokens.get(token)).cloned() else {
        return Answer::refused(401, "Bad credentials");
    };
    crate::issues::answer(world, asked, &login, app)
}

/// A page of a list, with the link to the next one.
pub(crate) fn page(world: &World, asked: &Asked, list: &[Value]) -> Answer {
    let number = |name: &str, otherwise: usize| asked.query.get(name).map_or(otherwise, |text| text.parse().unwrap());
    let (size, page) = (number("per_page", 30).min(100), number("page", 1));
    let entries: Vec<Value> = list.iter().skip((page - 1) * size).take(size).cloned().collect();
    let answer = Answer::ok(json!(entries));
    if list.len() > page * size {
        let link =
            format!("<{}/{}?per_page={size}&page={}>; rel=\"next\"", world.address, asked.parts.join("/"), page + 1);
        return answer.with("link", link);
    }
    answer
}
