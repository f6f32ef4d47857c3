//! A network between a client and the server of `AWS_ENDPOINT_URL` that breaks one call in ten.
//!
//! Which calls break follows from the seed, the call and how often it was made, and so not from the order in which many
//! clients come.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

/// Of so many calls one breaks.
const ONE_IN: u64 = 10;
/// A slow answer comes in so many pieces, with such pauses.
const PIECES: usize = 20;
const PAUSE: Duration = Duration::from_millis(25);

const SLOW_DOWN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The connection is reset before the server saw the call.
    Reset,
    /// The answer is 503 `SlowDown`, and the server did not see the call.
    SlowDown,
    /// The answer comes in pieces over half a second.
    Slow,
    /// The answer breaks off in the middle.
    Cut,
    /// The server does what it was asked for, and the answer never comes.
    Lost,
}

/// How bad the network is.
pub(crate) struct Faults {
    pub(crate) seed: u64,
    /// Whether answers to writes get lost too.
    pub(crate) loses_answers: bool,
}

/// A network that is up.
pub(crate) struct Network {
    /// The URL that the server has behind this network.
    pub(crate) url: String,
    state: Arc<State>,
}

struct State {
    faults: Faults,
    server: String,
    calls: Mutex<HashMap<String, u64>>,
    happened: Mutex<BTreeMap<Fault, usize>>,
}

impl Network {
    pub(crate) async fn begin(faults: Faults) -> Self {
        let server = std::env::var("AWS_ENDPOINT_URL").unwrap();
        let server = server.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let state = State { faults, server, calls: Mutex::default(), happened: Mutex::default() };
        let state = Arc::new(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A client that goes away in the middle ends its call.
                tokio::spawn(async move { drop(state.serve(client).await) });
            }
        });
        Self { url, state }
    }

    /// How many calls there were, and what happened to how many.
    pub(crate) fn counts(&self) -> (usize, BTreeMap<Fault, usize>) {
        let calls = self.state.calls.lock().unwrap().values().sum::<u64>();
        (calls as usize, self.state.happened.lock().unwrap().clone())
    }
}

impl State {
    /// One call on its connection, which ends with it.
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let (head, begun) = read_head(&mut client).await?;
        let length = header(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0_u64);
        let left = length.saturating_sub(begun.len() as u64);
        let fault = self.fault(&head);
        match fault {
            Some(Fault::Reset) => return client.set_zero_linger(),
            Some(Fault::SlowDown) => {
                copy(&mut (&mut client).take(left), &mut tokio::io::sink()).await?;
                let answer = format!(
                    "HTTP/1.1 503 Slow Down\r\ncontent-type: application/xml\r\nconnection: close\r\n\
                     content-length: {}\r\n\r\n{SLOW_DOWN}",
                    SLOW_DOWN.len()
                );
                client.write_all(answer.as_bytes()).await?;
                return client.shutdown().await;
            }
            _ => {}
        }
        let mut server = TcpStream::connect(&self.server).await?;
        let (line, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
        server.write_all(format!("{line}\r\nconnection: close\r\n{rest}").as_bytes()).await?;
        server.write_all(&begun).await?;
        copy(&mut (&mut client).take(left), &mut server).await?;
        if fault.is_none() {
            copy(&mut server, &mut client).await?;
            return client.shutdown().await;
        }
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        match fault {
            Some(Fault::Slow) => {
                for piece in answer.chunks(answer.len().div_ceil(PIECES).max(1)) {
                    client.write_all(piece).await?;
                    tokio::time::sleep(PAUSE).await;
                }
                client.shutdown().await
            }
            Some(Fault::Cut) => {
                let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(0, |at| at + 4);
                client.write_all(&answer[..head + (answer.len() - head) / 2]).await?;
                // What was sent has to arrive before the connection is reset.
                client.flush().await?;
                tokio::time::sleep(PAUSE).await;
                client.set_zero_linger()
            }
            _ => client.set_zero_linger(),
        }
    }

    /// What happens to this call, from the seed and from how often it was made.
    fn fault(&self, head: &str) -> Option<Fault> {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // The bucket has another name in each run, and so have uploads.
        let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
        let asked: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("uploadId=")).collect();
        let call = format!("{method} {key} {}", asked.join("&"));
        let times = {
            let mut calls = self.calls.lock().unwrap();
            let times = calls.entry(call.clone()).or_default();
            *times += 1;
            *times
        };
        let mut hasher = DefaultHasher::new();
        (self.faults.seed, &call, times).hash(&mut hasher);
        let chance = hasher.finish();
        if !chance.is_multiple_of(ONE_IN) {
            return None;
        }
        let kinds: &[Fault] = match (method, self.faults.loses_answers) {
            ("GET", _) => &[Fault::Reset, Fault::SlowDown, Fault::Slow, Fault::Cut],
            (_, false) | ("HEAD", _) => &[Fault::Reset, Fault::SlowDown, Fault::Slow],
            (_, true) => &[Fault::Reset, Fault::SlowDown, Fault::Slow, Fault::Lost],
        };
        let fault = kinds[(chance / ONE_IN) as usize % kinds.len()];
        *self.happened.lock().unwrap().entry(fault).or_default() += 1;
        Some(fault)
    }
}

/// The head of a call, with its empty line, and what came of the body with it.
async fn read_head(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let body = read.split_off(at + 4);
            let head = String::from_utf8(read).map_err(io::Error::other)?;
            return Ok((head, body));
        }
        if client.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let pairs = head.lines().filter_map(|line| line.split_once(':'));
    pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
