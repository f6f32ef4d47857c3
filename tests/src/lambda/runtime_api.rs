//! The Lambda Runtime API and Extensions API, as far as a function uses them.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// How long a test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The API; it ends with the test's process.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    events: VecDeque<(String, Duration, String)>,
    answers: BTreeMap<String, Answer>,
    taken: usize,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Whether it is an error.
    pub(crate) failed: bool,
    pub(crate) body: Value,
}

impl RuntimeApi {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || while shared.serve(&stream).is_some() {});
            }
        });
        Self { address, shared }
    }

    /// Puts an invocation into the queue, with the time that it has once it is taken.
    pub(crate) fn send(&self, request_id: &str, time: Duration, event: impl Into<String>) {
        let mut state = self.shared.state.lock().unwrap();
        state.events.push_back((request_id.to_owned(), time, event.into()));
        self.shared.changed.notify_all();
    }

    /// The answer to an invocation, once it is there.
    pub(crate) fn answer(&self, request_id: &str) -> Answer {
        let state = self.shared.state.lock().unwrap();
        let waiting = |state: &mut State| !state.answers.contains_key(request_id);
        let (state, _) = self.shared.changed.wait_timeout_while(state, PATIENCE, waiting).unwrap();
        state.answers.get(request_id).cloned().unwrap_or_else(|| panic!("{request_id} was not answered"))
    }

    /// Waits until so many invocations have been taken.
    pub(crate) fn wait_taken(&self, count: usize) {
        let state = self.shared.state.lock().unwrap();
        let (state, _) = self.shared.changed.wait_timeout_while(state, PATIENCE, |state| state.taken < count).unwrap();
        assert!(state.taken >= count, "{} invocations were taken", state.taken);
    }
}

impl Shared {
    /// Answers one request; `None` when the connection ends.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let target = line.split(' ').nth(1)?.to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (headers, body) = self.respond(&target, &body);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        stream.write_all(format!("{head}{body}").as_bytes()).ok()
    }

    fn respond(&self, target: &str, body: &[u8]) -> (String, String) {
        let parts: Vec<&str> = target.split('/').collect();
        match parts.as_slice() {
            [.., "extension", "register"] => {
                let about = r#"{"functionName": "probe", "functionVersion": "1", "handler": "bootstrap"}"#;
                ("lambda-extension-identifier: extension-1\r\n".to_owned(), about.to_owned())
            }
            [.., "extension", "event", "next"] => loop {
                // An extension that subscribes to nothing is never told anything.
                std::thread::park();
            },
            [.., "invocation", "next"] => {
                let state = self.state.lock().unwrap();
                let mut state = self.changed.wait_while(state, |state| state.events.is_empty()).unwrap();
                let (id, time, event) = state.events.pop_front().unwrap_or_default();
                state.taken += 1;
                self.changed.notify_all();
                let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + time;
                let headers = format!(
                    "lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {}\r\n\
                     lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:000000000000:function:probe\r\n",
                    deadline.as_millis()
                );
                (headers, event)
            }
            [.., "invocation", id, how @ ("response" | "error")] => {
                let body = serde_json::from_slice(body).unwrap();
                let answer = Answer { failed: *how == "error", body };
                self.state.lock().unwrap().answers.insert((*id).to_owned(), answer);
                self.changed.notify_all();
                (String::new(), "{}".to_owned())
            }
            other => panic!("a function does not ask for {other:?}"),
        }
    }
}
