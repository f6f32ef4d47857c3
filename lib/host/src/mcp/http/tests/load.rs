//! Many connections, many requests, and an end in good order.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;

/// A server on a port; it ends when the sender does.
async fn start(house: &House) -> (std::net::SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, end) = oneshot::channel::<()>();
    let server = house.server();
    let http = HttpSettings::new(&house.settings.mcp, Keys::NotAsked);
    let running = tokio::spawn(async move {
        super::super::serve(listener, server, &http, async { end.await.unwrap_or_default() }).await
    });
    (address, sender, running)
}

fn raw(body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, \
         text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_thousand_open_connections_keep_nobody_waiting() {
    let house = House::new();
    let (address, end, running) = start(&house).await;
    // Half of them have begun a request and say no more.
    let mut open = Vec::new();
    for at in 0..1_000 {
        let mut stream = match TcpStream::connect(address).await {
            Ok(stream) => stream,
            // Both ends are in this process: what the machine allows may be less.
            Err(error) if at > 400 => {
                assert_eq!(error.raw_os_error(), Some(24), "{error}");
                break;
            }
            Err(error) => panic!("{error}"),
        };
        if at % 2 == 0 {
            stream.write_all(b"POST /mcp HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
        }
        open.push(stream);
    }
    open.truncate(open.len() - 4);
    let mut late = TcpStream::connect(address).await.unwrap();
    late.write_all(raw(&message("tools/list", &json!({}))).as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(10), late.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("work_slowly"), "{answer}");
    // And each of the silent ones can still go on.
    let mut first = open.swap_remove(1);
    first.write_all(raw(&message("tools/list", &json!({}))).as_bytes()).await.unwrap();
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(open);
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_open_request_ends_before_the_server_does() {
    let house = House::new();
    let (address, end, running) = start(&house).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let slow = json!({"name": "work_slowly", "arguments": {"milliseconds": 500}});
    stream.write_all(raw(&message("tools/call", &slow)).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    end.send(()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"agent\":\"mcp\""), "{answer}");
    running.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_call() {
    let house = House::new();
    let (address, end, running) = start(&house).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let slow = json!({"name": "work_slowly", "arguments": {"milliseconds": 20_000}});
    stream.write_all(raw(&message("tools/call", &slow)).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(stream);
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
    // The call would take 20 s otherwise.
    let log = house.folder.path().join("home/logs/audit.jsonl");
    let mut written = String::new();
    for _ in 0..50 {
        written = std::fs::read_to_string(&log).unwrap_or_default();
        if !written.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(written.contains("work_slowly") && written.to_lowercase().contains("cancel"), "{written}");
}

/// The memory of this process, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn ten_thousand_requests_leave_nothing_behind() {
    let router = House::new().with_key("the-key-123456").router();
    let round = async |count: usize| {
        for at in 0..count {
            let mut request = match at % 5 {
                0 => post("/mcp", message("tools/list", &json!({}))),
                1 => post("/mcp", "{".repeat(1_000)),
                2 => post(
                    "/mcp",
                    message("tools/call", &json!({"name": "work_slowly", "arguments": {"milliseconds": 0}})),
                ),
                3 => modern("server/discover", &json!({})),
                _ => post("/mcp/x/nothing", "x".repeat(20_000)),
            };
            if at % 7 != 0 {
                request.headers_mut().insert("x-api-key", "the-key-123456".parse().unwrap());
            }
            let _ = send(&router, request).await;
        }
    };
    round(2_000).await;
    let before = resident();
    round(10_000).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 12 << 20, "{grown} bytes more after 10,000 requests");
}
