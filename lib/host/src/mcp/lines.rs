//! Messages as lines on two pipes. What is no message is answered, where rmcp's own pipes pass over it.

use std::io;

use rmcp::RoleServer;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::refusals::{INVALID_REQUEST, refusal, refusal_of};

/// The longest message, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;

struct Line {
    bytes: Vec<u8>,
    written: Option<oneshot::Sender<io::Result<()>>>,
}

/// One message a line. Reading may be broken off at any time and loses nothing; writing has a task of its own, so that
/// no line is ever cut.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    /// The rest of a line that was too long is passed over.
    skipping: bool,
    output: Option<mpsc::UnboundedSender<Line>>,
    writing: Option<JoinHandle<()>>,
}

impl<R: AsyncRead + Send + Unpin> Lines<R> {
    /// Messages come from the one and go to the other. Must be called in a runtime.
    pub(super) fn new<W: AsyncWrite + Send + Unpin + 'static>(input: R, mut output: W) -> Self {
        let (sender, mut lines) = mpsc::unbounded_channel::<Line>();
        let writing = tokio::spawn(async move {
            while let Some(Line { bytes, written }) = lines.recv().await {
                let result = match output.write_all(&bytes).await {
                    Ok(()) => output.flush().await,
                    failed => failed,
                };
                let over = result.is_err();
                if let Some(written) = written {
                    // Who sent it may have stopped waiting.
                    let _ = written.send(result);
                }
                if over {
                    break;
                }
            }
        });
        Self {
            input: BufReader::new(input),
            line: Vec::new(),
            skipping: false,
            output: Some(sender),
            writing: Some(writing),
        }
    }

    fn answer(&self, answer: &Value) {
        if let Some(output) = &self.output {
            // When nobody reads any more, the next message that is sent says so.
            let _ = output.send(Line { bytes: format!("{answer}\n").into_bytes(), written: None });
        }
    }

    /// The next whole line, without its end; `None` at the end of the input.
    async fn next_line(&mut self) -> Option<Vec<u8>> {
        loop {
            let available = self.input.fill_buf().await.ok()?;
            if available.is_empty() {
                return None;
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            let too_long = !self.skipping && self.line.len() + taken > LONGEST;
            if !self.skipping && !too_long {
                self.line.extend_from_slice(&available[..taken]);
            }
            self.input.consume(taken);
            if too_long {
                self.line = Vec::new();
                let said = format!("the message has more than {LONGEST} bytes");
                self.answer(&refusal(&Value::Null, INVALID_REQUEST, &said, None));
            }
            let skipped = self.skipping || too_long;
            self.skipping = skipped && end.is_none();
            if end.is_some() && !skipped {
                return Some(std::mem::take(&mut self.line));
            }
        }
    }
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for Lines<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let output = self.output.clone();
        async move {
            let closed = || io::Error::new(io::ErrorKind::NotConnected, "the client is gone");
            let mut bytes = serde_json::to_vec(&message)?;
            bytes.push(b'\n');
            let (written, done) = oneshot::channel();
            let line = Line { bytes, written: Some(written) };
            output.ok_or_else(closed)?.send(line).map_err(|_| closed())?;
            done.await.map_err(|_| closed())?
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let line = self.next_line().await?;
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if let Ok(message) = serde_json::from_slice(line) {
                return Some(message);
            }
            // An answer to an answer would never end.
            let is_answer = serde_json::from_slice::<Value>(line).is_ok_and(|value| is_answer(&value));
            if let Some(answer) = refusal_of(line).filter(|_| !is_answer) {
                self.answer(&answer);
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.output = None;
        if let Some(writing) = self.writing.take() {
            // A client that no longer reads must not keep the server.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(1), writing).await;
        }
        Ok(())
    }
}

fn is_answer(message: &Value) -> bool {
    message.get("method").is_none() && (message.get("result").is_some() || message.get("error").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn answers(input: &[u8]) -> Vec<Value> {
        let (mut client, server) = tokio::io::duplex(64 * 1024 * 1024);
        let (reads, writes) = tokio::io::split(server);
        let mut lines = Lines::new(reads, writes);
        client.write_all(input).await.unwrap();
        client.shutdown().await.unwrap();
        while lines.receive().await.is_some() {}
        lines.close().await.unwrap();
        drop(lines);
        let mut text = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut client, &mut text).await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test]
    async fn what_is_no_message_is_answered_once_and_the_next_one_is_read() {
        let input = b"nonsense\n\n{\"jsonrpc\":\"2.0\",\"id\":3}\n{\"jsonrpc\":\"2.0\",\"error\":7}\n[1]\n";
        let codes: Vec<Value> = answers(input).await.iter().map(|answer| answer["error"]["code"].clone()).collect();
        assert_eq!(codes, [json!(-32700), json!(-32600), json!(-32600)]);
    }

    #[tokio::test]
    async fn a_line_without_an_end_costs_no_memory() {
        let mut input = vec![b'x'; LONGEST + 10];
        input.extend_from_slice(b"\nnonsense\n");
        let answers = answers(&input).await;
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert!(answers[0]["error"]["message"].as_str().unwrap().contains("more than"));
    }
}
