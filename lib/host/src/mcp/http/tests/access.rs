//! Who may call, from where, how often, and what they see.

use super::*;

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

fn with(mut request: Request<Body>, headers: &[(&'static str, &str)]) -> Request<Body> {
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn a_key_opens_the_door_and_nothing_else_does() {
    let router = House::new().with_key("first-key-1234, second-key-5678").router();
    for good in [
        ("x-api-key", "first-key-1234"),
        ("x-api-key", "second-key-5678"),
        ("authorization", "Bearer first-key-1234"),
        ("authorization", "bearer second-key-5678"),
    ] {
        assert_eq!(ask(&router, with(post("/mcp", LIST), &[good])).await.0, StatusCode::OK, "{good:?}");
    }
    for bad in [
        &[][..],
        &[("x-api-key", "")],
        &[("x-api-key", "first-key-123")],
        &[("x-api-key", "first-key-1234, second-key-5678")],
        &[("authorization", "Basic first-key-1234")],
        &[("x-api-key", "wrong"), ("authorization", "Bearer first-key-1234")],
    ] {
        let (status, headers, text) = send(&router, with(post("/mcp", LIST), bad)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{bad:?}");
        assert!(headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        assert!(text.contains("Forbidden") && !text.contains("first-key"), "{text}");
    }
    let twice = [("x-api-key", "first-key-1234"), ("x-api-key", "first-key-1234")];
    assert_eq!(ask(&router, with(post("/mcp", LIST), &twice)).await.0, StatusCode::BAD_REQUEST);
    // Whether the server lives is nobody's secret.
    let healthy = Request::get("/healthz").body(Body::empty()).unwrap();
    assert_eq!(ask(&router, healthy).await.1["status"], "ok");
}

#[tokio::test]
async fn web_pages_and_strange_hosts_are_kept_out() {
    let mut house = House::new();
    house.http.origins = vec!["https://console.example".to_owned(), "http://localhost:*".to_owned()];
    let router = house.router();
    for good in ["https://console.example", "http://localhost", "http://localhost:5173"] {
        let (status, headers, _) = send(&router, with(post("/mcp", LIST), &[("origin", good)])).await;
        assert_eq!((status, headers["access-control-allow-origin"].to_str().unwrap()), (StatusCode::OK, good));
    }
    for bad in [
        "https://evil.example",
        "null",
        "https://console.example.evil.example",
        "http://localhost:x",
        "https://console.example:444",
    ] {
        let (status, headers, _) = send(&router, with(post("/mcp", LIST), &[("origin", bad)])).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{bad}");
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
    let preflight = |origin: &str| {
        Request::options("/mcp").header("host", "localhost").header("origin", origin).body(Body::empty()).unwrap()
    };
    assert_eq!(send(&router, preflight("https://console.example")).await.0, StatusCode::NO_CONTENT);
    assert_eq!(send(&router, preflight("https://evil.example")).await.0, StatusCode::FORBIDDEN);
    for bad in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"] {
        let mut request = post("/mcp", LIST);
        request.headers_mut().insert("host", bad.parse().unwrap());
        assert_eq!(ask(&router, request).await.0, StatusCode::FORBIDDEN, "{bad}");
    }
    let mut without = post("/mcp", LIST);
    without.headers_mut().remove("host");
    assert_eq!(ask(&router, without).await.0, StatusCode::BAD_REQUEST);
    let two_hosts = with(post("/mcp", LIST), &[("host", "evil.example")]);
    assert_eq!(ask(&router, two_hosts).await.0, StatusCode::BAD_REQUEST);
    let mut open = House::new();
    open.http.hosts = vec!["mcp.example".to_owned()];
    let mut request = post("/mcp", LIST);
    request.headers_mut().insert("host", "mcp.example".parse().unwrap());
    assert_eq!(ask(&open.router(), request).await.0, StatusCode::OK);
}

#[tokio::test]
async fn each_key_has_a_rate_of_its_own() {
    let mut house = House::new().with_key("one-key-1234\ntwo-key-5678");
    house.http.calls_per_minute = Some(3);
    let router = house.router();
    let ask_as = async |key: &str| send(&router, with(post("/mcp", LIST), &[("x-api-key", key)])).await;
    for _ in 0..3 {
        assert_eq!(ask_as("one-key-1234").await.0, StatusCode::OK);
    }
    let (status, headers, text) = ask_as("one-key-1234").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&wait) && text.contains("Throttled"), "{wait} {text}");
    assert_eq!(ask_as("two-key-5678").await.0, StatusCode::OK);
    // A wrong key costs nobody's share.
    assert_eq!(ask_as("three-key").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_request_can_only_narrow_what_is_offered() {
    let router = House::new().router();
    let about = ["search_tools", "diagnose_setup", "get_result"];
    let offered = mlops_notification::tools::TOOLS.len() + 1 + about.len();
    assert_eq!(tool_names(&router, "/mcp", None).await.len(), offered);
    let workshop = ["work_slowly", about[0], about[1], about[2]];
    assert_eq!(tool_names(&router, "/mcp/x/workshop", None).await, workshop);
    assert_eq!(tool_names(&router, "/mcp", Some(("x-mcp-toolsets", "workshop"))).await, workshop);
    assert_eq!(tool_names(&router, "/mcp/x/all", Some(("x-mcp-toolsets", " workshop , "))).await, workshop);
    // The one names what the other leaves out.
    assert_eq!(tool_names(&router, "/mcp/x/notification", Some(("x-mcp-toolsets", "workshop"))).await, about);
    for path in ["/mcp/readonly", "/mcp/x/workshop/readonly"] {
        let names = tool_names(&router, path, Some(("x-mcp-readonly", "false"))).await;
        assert!(!names.contains(&"work_slowly".to_owned()), "{path}: {names:?}");
    }
    assert_eq!(tool_names(&router, "/mcp/x/workshop", Some(("x-mcp-readonly", "true"))).await, about);
    let hidden = post(
        "/mcp/x/notification",
        message("tools/call", &json!({"name": "work_slowly", "arguments": {"milliseconds": 0}})),
    );
    let (_, answer) = ask(&router, hidden).await;
    assert_eq!(answer["error"]["data"]["kind"], "Forbidden", "{answer:#}");

    let mut narrow = House::new();
    narrow.settings.mcp.toolsets = Some(vec!["workshop".to_owned()]);
    narrow.settings.mcp.read_only = true;
    let router = narrow.router();
    assert_eq!(tool_names(&router, "/mcp", Some(("x-mcp-toolsets", "all"))).await, about);
    assert_eq!(tool_names(&router, "/mcp", Some(("x-mcp-toolsets", "workshop,notification"))).await, about);
    let not_offered = post("/mcp/x/notification", LIST);
    assert_eq!(ask(&router, not_offered).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn wrong_toolsets_paths_and_methods_are_told() {
    let router = House::new().router();
    let (status, answer) = ask(&router, with(post("/mcp", LIST), &[("x-mcp-toolsets", "workshp")])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["error"]["data"]["hint"].as_str().unwrap().contains("workshop"), "{answer:#}");
    let perhaps = with(post("/mcp", LIST), &[("x-mcp-readonly", "perhaps")]);
    assert_eq!(ask(&router, perhaps).await.0, StatusCode::BAD_REQUEST);
    for path in [
        "/",
        "/mcp/",
        "/mcp/x",
        "/mcp/x/",
        "/mcp/x/nothing",
        "/mcp/x/..",
        "/mcp/x/%2e%2e/readonly",
        "/mcp/x/workshop%2f..",
        "/mcp/x/workshop/write",
        "//mcp",
        "/mcp/../mcp",
        "/MCP",
        "/mcp/x/%00",
        "/mcp/x/workshop%20",
        "/mcp;a=b",
    ] {
        let (status, _) = ask(&router, post(path, LIST)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(ask(&router, post("/mcp/x/%ff", LIST)).await.0, StatusCode::BAD_REQUEST);
    for method in ["GET", "DELETE", "PUT", "HEAD", "PATCH"] {
        let request =
            Request::builder().method(method).uri("/mcp").header("host", "localhost").body(Body::empty()).unwrap();
        let (status, headers, _) = send(&router, request).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(headers["allow"], "POST, OPTIONS");
    }
}

#[test]
fn a_toolset_that_does_not_exist_is_told_at_the_start() {
    let mut house = House::new();
    house.settings.mcp.toolsets = Some(vec!["workshp".to_owned()]);
    let machine = LocalMachine::new(house.settings.clone(), house.folder.path().to_owned(), Access::HomeOnly).unwrap();
    let toolbox = Arc::new(Toolbox::default().with(&Arc::new(Workshop), WORKSHOP));
    let settings = McpSettings::new(&house.settings, machine.store, machine.audit, machine.secrets);
    let error = McpServer::new(toolbox, settings).err().unwrap();
    assert_eq!(
        (error.field.as_deref(), error.hint.as_deref()),
        (Some("MLOPS_MCP_TOOLSETS"), Some("did you mean `workshop`?"))
    );
}
