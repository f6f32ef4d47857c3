//! Calls, the tools about the server, prompts, completions and resources.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn a_call_takes_run_agent_and_language_from_its_meta() {
    let router = House::new().router();
    let asked = |meta: Value| {
        post(
            "/mcp",
            message("tools/call", &json!({"name": "work_slowly", "arguments": {"milliseconds": 0}, "_meta": meta})),
        )
    };
    let (_, answer) =
        ask(&router, asked(json!({"mlops/run_id": "acme-churn-1", "mlops/agent_id": "training", "mlops/lang": "ja"})))
            .await;
    assert_eq!(answer["result"]["structuredContent"], json!({"agent": "training", "run": "acme-churn-1"}));
    for wrong in [json!({"mlops/run_id": "../../etc"}), json!({"mlops/agent_id": 7}), json!({"mlops/lang": "fr"})] {
        let (_, answer) = ask(&router, asked(wrong.clone())).await;
        assert_eq!(answer["error"]["code"], -32602, "{wrong}: {answer:#}");
    }
    let failed = call(&router, "work_slowly", &json!({"milliseconds": 13})).await;
    let error: Value = serde_json::from_str(failed["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!((&failed["isError"], &error["field"]), (&json!(true), &json!("milliseconds")));
}

#[tokio::test]
async fn a_long_call_answers_with_a_handle_that_every_instance_knows() {
    let mut house = House::new();
    house.long_calls = LongCalls::Handle(Duration::from_millis(50));
    let (router, other) = (house.router(), house.router());
    let answered = call(&router, "work_slowly", &json!({"milliseconds": 400})).await;
    let job_id = answered["structuredContent"]["job_id"].clone();
    assert_eq!(answered["structuredContent"]["job_status"], "running", "{answered:#}");
    let now = call(&other, "get_result", &json!({"job_id": job_id, "wait_seconds": 0})).await;
    assert_eq!(now["structuredContent"]["status"], "running");
    for instance in [&router, &other] {
        let done = call(instance, "get_result", &json!({"job_id": job_id, "wait_seconds": 10})).await;
        assert_eq!(done["structuredContent"]["status"], "succeeded", "{done:#}");
        assert_eq!(done["structuredContent"]["result"]["agent"], "mcp");
    }
    house.store(
        "jobs/0000000000aa-bb.json",
        r#"{"id": "0000000000aa-bb", "tool": "work_slowly", "status": "running", "alive_at": 5}"#,
    );
    let lost = call(&router, "get_result", &json!({"job_id": "0000000000aa-bb"})).await;
    assert_eq!(lost["structuredContent"]["status"], "lost", "{lost:#}");
    // What is old is taken away when the next job begins.
    let next = call(&router, "work_slowly", &json!({"milliseconds": 200})).await;
    let next = call(&router, "get_result", &json!({"job_id": next["structuredContent"]["job_id"]})).await;
    assert_eq!(next["structuredContent"]["status"], "succeeded", "{next:#}");
    for unknown in ["0000000000aa-bb", "00-11", "../approvals/x", ""] {
        let refused = call(&router, "get_result", &json!({"job_id": unknown, "wait_seconds": 0})).await;
        let error: Value = serde_json::from_str(refused["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(error["field"], "job_id", "{unknown}: {error:#}");
    }
}

#[tokio::test]
async fn progress_comes_before_the_answer_and_then_no_handle_is_needed() {
    let mut house = House::new();
    house.long_calls = LongCalls::Handle(Duration::from_millis(20));
    let parameters =
        json!({"name": "work_slowly", "arguments": {"milliseconds": 300}, "_meta": {"progressToken": "p"}});
    for request in [post("/mcp", message("tools/call", &parameters)), modern("tools/call", &parameters)] {
        let (status, headers, text) = send(&house.router(), request).await;
        assert_eq!(
            (status, headers["content-type"].to_str().unwrap()),
            (StatusCode::OK, "text/event-stream"),
            "{text}"
        );
        let events: Vec<Value> =
            text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok()).collect();
        let (answer, told) = events.split_last().unwrap();
        assert_eq!(answer["result"]["structuredContent"]["agent"], "mcp", "{text}");
        assert!(told.len() > 1 && told.iter().all(|event| event["method"] == "notifications/progress"), "{text}");
    }
}

#[tokio::test]
async fn the_front_doors_deadline_ends_a_call() {
    let router = House::new().router();
    let mut request =
        post("/mcp", message("tools/call", &json!({"name": "work_slowly", "arguments": {"milliseconds": 60_000}})));
    request.extensions_mut().insert(Call::new("aws-request").within(Duration::from_millis(100)));
    let started = Instant::now();
    let (_, answer) = ask(&router, request).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("TimedOut") && text.contains("start_workflow"), "{text}");
}

#[tokio::test]
async fn tools_are_found_by_words_in_two_languages() {
    let router = House::new().router();
    let first = async |query: &str| {
        let found = call(&router, "search_tools", &json!({"query": query})).await;
        found["structuredContent"]["tools"][0]["name"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(first("message templates").await, "apply_notification_template");
    assert_eq!(first("通知文を作成").await, "apply_notification_template");
    assert_eq!(first("slow work").await, "work_slowly");
    assert_eq!(first("xylophone").await, "");
    let narrow = post(
        "/mcp/x/workshop",
        message("tools/call", &json!({"name": "search_tools", "arguments": {"query": "notification"}})),
    );
    assert_eq!(ask(&router, narrow).await.1["result"]["structuredContent"]["tools"], json!([]));
}

#[tokio::test]
async fn the_setup_is_told_without_a_secret() {
    let house = House::new();
    let setup = call(&house.router(), "diagnose_setup", &json!({})).await;
    let setup = &setup["structuredContent"];
    let tools = json!(mlops_notification::tools::TOOLS.len() + 1);
    assert_eq!((&setup["ok"], &setup["store_reachable"], &setup["tools"]), (&json!(true), &json!(true), &tools));
    assert!(setup["vault"].as_array().unwrap().iter().all(|secret| secret.as_object().unwrap().len() == 2));
    assert!(!house.folder.path().join("home/store").exists(), "it only reads");
}

#[tokio::test]
async fn prompts_and_completions_know_what_is_in_the_store() {
    let house = House::new();
    house.store("reports/acme-1/report.md", "# Rejected");
    house.store("history/acme-1/history.md", "then");
    house.store("history/beta-2/history.md", "then");
    house.store("registry/churn/versions/00000002.json", "{}");
    house.store("data.csv", "age,\"in,come\",y\n1,2,3\n");
    let router = house.router();
    let (_, listed) = ask(&router, modern("prompts/list", &json!({}))).await;
    assert_eq!(listed["result"]["prompts"].as_array().unwrap().len(), 4);
    assert_eq!((&listed["result"]["cacheScope"], &listed["result"]["ttlMs"]), (&json!("public"), &json!(300_000)));
    let (_, got) =
        ask(&router, modern("prompts/get", &json!({"name": "explain_rejection", "arguments": {"run_id": "acme-1"}})))
            .await;
    let messages = got["result"]["messages"].as_array().unwrap();
    assert!(messages[0]["content"]["text"].as_str().unwrap().contains("acme-1"));
    assert_eq!(messages.len(), 3, "{got:#}");
    for (name, arguments) in [
        ("explain_rejection", json!({})),
        ("explain_rejection", json!({"run_id": "nobody"})),
        ("train_model", json!({"data": "x", "targt": "y"})),
        ("nothing", json!({})),
    ] {
        let (_, refused) = ask(&router, modern("prompts/get", &json!({"name": name, "arguments": arguments}))).await;
        assert!(refused["error"]["data"]["hint"].is_string(), "{name} {arguments}: {refused:#}");
    }
    let root = house.settings.store.as_str();
    let data = format!("{root}/data.csv");
    let complete = async |reference: Value, argument: &str, value: &str, known: Value| {
        let asked =
            json!({"ref": reference, "argument": {"name": argument, "value": value}, "context": {"arguments": known}});
        ask(&router, post("/mcp", message("completion/complete", &asked))).await.1["result"]["completion"]["values"]
            .clone()
    };
    let prompt = |name: &str| json!({"type": "ref/prompt", "name": name});
    assert_eq!(complete(prompt("explain_rejection"), "run_id", "a", json!({})).await, json!(["acme-1"]));
    assert_eq!(complete(prompt("compare_versions"), "model_name", "", json!({})).await, json!(["churn"]));
    assert_eq!(complete(prompt("compare_versions"), "to", "", json!({"model_name": "churn"})).await, json!(["2"]));
    assert_eq!(
        complete(prompt("train_model"), "target", "", json!({"data": data})).await,
        json!(["age", "in,come", "y"])
    );
    let template = json!({"type": "ref/resource", "uri": format!("{root}/{{kind}}/{{run_id}}/{{name}}")});
    assert_eq!(complete(template.clone(), "kind", "re", json!({})).await, json!(["registry", "reports"]));
    let known = json!({"kind": "reports", "run_id": "acme-1"});
    assert_eq!(complete(template.clone(), "name", "", known).await, json!(["report.md"]));
    assert_eq!(complete(template, "colour", "", json!({})).await, Value::Null);
}

#[tokio::test]
async fn resources_are_what_runs_wrote_and_not_what_waits_for_approval() {
    let house = House::new();
    house.store("approvals/acme-1.json", "token");
    house.store("jobs/1.json", "{}");
    house.store("models/acme-1/model.json", "{}");
    house.store("reports/acme-1/report.md", "# 報告");
    let router = house.router();
    let mut cursor = Value::Null;
    let mut names = Vec::new();
    for _ in 0..10 {
        let (_, page) = ask(&router, post("/mcp", message("resources/list", &json!({"cursor": cursor})))).await;
        let resources = page["result"]["resources"].as_array().unwrap_or_else(|| panic!("{page:#}"));
        names.extend(resources.iter().map(|resource| resource["name"].as_str().unwrap().to_owned()));
        cursor = page["result"]["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(names, ["models/acme-1/model.json", "reports/acme-1/report.md"]);
    let root = house.settings.store.as_str();
    let read = async |uri: String| ask(&router, modern("resources/read", &json!({"uri": uri, "name": uri}))).await.1;
    let report = read(format!("{root}/reports/acme-1/report.md")).await;
    assert_eq!(report["result"]["contents"][0]["text"], "# 報告", "{report:#}");
    assert_eq!(report["result"]["cacheScope"], "private");
    for hidden in [
        "approvals/acme-1.json",
        "jobs/1.json",
        "reports/../approvals/acme-1.json",
        "reports/none.md",
        "reports%2f..%2fapprovals%2facme-1.json",
    ] {
        let refused = read(format!("{root}/{hidden}")).await;
        assert_eq!(refused["error"]["code"], -32602, "{hidden}: {refused:#}");
        assert!(refused["error"]["data"]["uri"].as_str().unwrap().ends_with(hidden));
    }
}

#[tokio::test]
async fn both_protocols_are_spoken() {
    let router = House::new().router();
    let about =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let (_, started) = ask(&router, post("/mcp", message("initialize", &about))).await;
    assert_eq!(started["result"]["protocolVersion"], "2025-11-25");
    let (_, found) = ask(&router, modern("server/discover", &json!({}))).await;
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2025-11-25")) && versions.contains(&json!("2026-07-28")), "{found:#}");
    for capability in ["tools", "resources", "prompts", "completions"] {
        assert!(found["result"]["capabilities"][capability].is_object(), "{capability}");
    }
    let notice = post("/mcp", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    assert_eq!(send(&router, notice).await.0, StatusCode::ACCEPTED);
}
