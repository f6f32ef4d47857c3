//! What the protocol's conformance suite expects of a server, on top of the real one and behind the same door: tools,
//! prompts and resources under the names of the suite. For tests alone.

#![expect(deprecated, reason = "the older of the two protocols still has logging levels and resource subscriptions")]

mod content;
mod dialogue;
mod rounds;
mod tasks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::service::TowerToHyperService;
use mlops_core::Result as OurResult;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult, DiscoverResult,
    ErrorData, GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, Reference, RequestStateCodec, ServerCapabilities, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
    UpdateTaskParams,
};
use rmcp::service::{RequestContext, SubscriptionContext, SubscriptionSink};
use rmcp::task_manager::TaskManager;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::McpServer;
use super::http::{HttpSettings, routes, run};

/// Serves the real server with what the suite expects, until `end` is ready.
pub async fn serve(
    listener: TcpListener,
    server: McpServer,
    settings: &HttpSettings,
    end: impl Future<Output = ()> + Send,
) -> OurResult<()> {
    let fixtures = Fixtures {
        server: server.clone(),
        // Nothing is secret in what this server seals, and it must not change between two requests.
        seal: RequestStateCodec::new_unchecked(b"a key of the fixtures, known to everybody".to_vec()),
        tasks: TaskManager::new(),
        subscriptions: Arc::default(),
    };
    run(listener, TowerToHyperService::new(routes(fixtures, server, settings, true)), end).await
}

#[derive(Clone)]
struct Fixtures {
    server: McpServer,
    seal: RequestStateCodec,
    tasks: TaskManager,
    subscriptions: Arc<Mutex<BTreeMap<String, SubscriptionSink>>>,
}

/// A tool of the suite.
fn tool(name: &'static str, schema: &Value) -> Tool {
    let schema = schema.as_object().cloned().unwrap_or_default();
    Tool::new(name, "A fixture of the conformance suite.", Arc::new(schema))
}

/// A tool of the suite that takes nothing.
fn plain(name: &'static str) -> Tool {
    tool(name, &json!({"type": "object", "properties": {}}))
}

impl Fixtures {
    fn tools() -> Vec<Tool> {
        let mut tools = content::tools();
        tools.extend(dialogue::tools());
        tools.extend(rounds::tools());
        tools.extend(tasks::tools());
        tools
    }

    /// Tells every subscription that a list has changed.
    async fn announce(&self, prompts: bool) {
        let open: Vec<SubscriptionSink> = self.open().values().cloned().collect();
        for subscription in open {
            // A client that is gone misses nothing.
            let _ = if prompts {
                subscription.notify_prompt_list_changed().await
            } else {
                subscription.notify_tool_list_changed().await
            };
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, SubscriptionSink>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_completions()
            .enable_logging()
            .enable_tasks()
            .build();
        let real = self.server.get_info();
        let info = ServerConfig::new(capabilities).with_server_info(real.server_info);
        info.with_instructions(real.instructions.unwrap_or_default())
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let mut found = self.server.discover(context).await?;
        found.capabilities = self.get_info().capabilities;
        Ok(found)
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut list = self.server.list_tools(page, context).await?;
        // The suite calls the first tool with no arguments.
        list.tools.splice(0..0, Self::tools());
        Ok(list)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        Self::tools().into_iter().find(|tool| tool.name == name).or_else(|| self.server.get_tool(name))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            "test_trigger_tool_change" | "test_trigger_prompt_change" => {
                self.announce(request.name.contains("prompt")).await;
                return Ok(content::said("announced").into());
            }
            name if rounds::has(name) => return rounds::call(self, &request, &context),
            name if tasks::has(name) => return tasks::call(self, &request, &context).await,
            name if dialogue::has(name) => return dialogue::call(&request, &context).await.map(Into::into),
            _ => {}
        }
        match content::call(&request) {
            Some(result) => Ok(result.into()),
            None => self.server.call_tool(request, context).await,
        }
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut list = self.server.list_resources(page, context).await?;
        list.resources.extend(content::resources());
        Ok(list)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut list = self.server.list_resource_templates(page, context).await?;
        list.resource_templates.push(content::template());
        Ok(list)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match content::read(&request.uri) {
            Some(contents) => Ok(contents.into()),
            None => self.server.read_resource(request, context).await,
        }
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut list = self.server.list_prompts(page, context).await?;
        list.prompts.extend(content::prompts());
        Ok(list)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if let Some(asked) = rounds::prompt(&request) {
            return Ok(asked);
        }
        match content::prompt(&request) {
            Some(prompt) => Ok(prompt.into()),
            None => self.server.get_prompt(request, context).await,
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let ours = match &request.r#ref {
            Reference::Prompt(prompt) => prompt.name.starts_with("test_"),
            Reference::Resource(resource) => resource.uri.starts_with("test://"),
            _ => false,
        };
        if ours { Ok(CompleteResult::default()) } else { self.server.complete(request, context).await }
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let id = context.sink().id().to_string();
        self.open().insert(id.clone(), context.sink().clone());
        context.cancelled().await;
        self.open().remove(&id);
        Ok(())
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.tasks.get_task(&request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(&self, request: UpdateTaskParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(&self, request: CancelTaskParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }
}
