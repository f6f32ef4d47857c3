//! The server: lists and calls tools, lists and reads artifacts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mlops_core::{Call, ErrorKind, Outcome};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse, Resource, ServerCapabilities,
    ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value;

use super::{McpSettings, resources, schemas};
use crate::{BoundTool, Toolbox};

/// What a model is told before it calls anything.
const INSTRUCTIONS: &str = "Train, evaluate and register tabular models. A usual order: load_dataset (what is in the \
    file) - validate_data - split_dataset (raw columns; writes train, validation and test) - preprocess_supervised on \
    the train part, then again with its preprocessor_uri on the validation part - train_supervised_classifier or \
    train_supervised_regressor - evaluate_classifier or evaluate_regressor on the raw test part - \
    create_evaluation_report - register_model. Pass the URIs that one tool returns to the next one as they are. Paths \
    may be plain paths, file:///path or s3://bucket/key. Every result names its artifacts as resource links; read them \
    with resources/read. An error names the argument that is wrong and what to write instead.";

/// The least time between two messages about the same call's progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// The toolbox as an MCP server.
#[derive(Clone)]
pub struct McpServer {
    toolbox: Arc<Toolbox>,
    settings: Arc<McpSettings>,
}

impl McpServer {
    /// The server of that toolbox.
    pub fn new(toolbox: Arc<Toolbox>, settings: McpSettings) -> Self {
        Self { toolbox, settings: Arc::new(settings) }
    }

    /// The tools as clients see them.
    pub fn tools(&self) -> Vec<Tool> {
        self.toolbox.tools().iter().map(|tool| self.describe(tool)).collect()
    }

    fn describe(&self, tool: &BoundTool) -> Tool {
        let object = |schema: &Value| Arc::new(schema.as_object().cloned().unwrap_or_default());
        let mut described = Tool::new(tool.name, tool.description(self.settings.lang), object(&tool.input_schema));
        described.title = Some(tool.title.to_owned());
        described.output_schema = Some(object(&schemas::shortened(&tool.output_schema)));
        let annotations = ToolAnnotations::with_title(tool.title)
            .read_only(tool.effect.is_read_only())
            .destructive(tool.effect.is_destructive())
            .idempotent(tool.effect.is_idempotent())
            .open_world(false);
        described.annotations = Some(annotations);
        described
    }

    fn call_of(&self, context: &RequestContext<RoleServer>) -> Call {
        let settings = &self.settings;
        let call = Call::new(context.id.to_string()).by("mcp").in_lang(settings.lang);
        let call = call.audited_by(Arc::clone(&settings.audit));
        let Some(token) = context.meta.get_progress_token() else { return call };
        let peer = context.peer.clone();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<mlops_core::Progress>();
        tokio::spawn(async move {
            let mut last = f64::NEG_INFINITY;
            while let Some(progress) = receiver.recv().await {
                // The protocol wants progress that grows; stages that begin again at 0 do not.
                let at = if progress.done > last { progress.done } else { last + f64::EPSILON.max(last.abs() * 1e-9) };
                last = at;
                let mut notification = ProgressNotificationParam::new(token.clone(), at).with_message(progress.message);
                notification.total = progress.total.filter(|total| *total >= at);
                if peer.notify_progress(notification).await.is_err() {
                    break;
                }
            }
        });
        let last = Mutex::new(None::<Instant>);
        call.reporting_to(move |progress| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let ends = progress.total.is_some_and(|total| progress.done >= total);
            // A forest of 20,000 trees is not 20,000 messages.
            if ends || last.is_none_or(|last| last.elapsed() >= PROGRESS_EVERY) {
                *last = Some(Instant::now());
                // Nobody listens any more when the request has ended.
                let _ = sender.send(progress);
            }
        })
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        let about = Implementation::new("mlops", env!("CARGO_PKG_VERSION")).with_title("MLOps");
        ServerConfig::new(capabilities).with_server_info(about).with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.toolbox.find(name).ok().map(|tool| self.describe(tool))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = self.toolbox.find(&request.name).map_err(|error| {
            let hint = error.hint.clone().unwrap_or_default();
            ErrorData::invalid_params(format!("{error}; {hint}"), Some(error.to_value()))
        })?;
        let call = self.call_of(&context);
        let cancellation = call.cancellation.clone();
        let arguments = request.arguments.map_or(Value::Null, Value::Object);
        let mut work = std::pin::pin!(tool.call(call, arguments));
        let outcome = tokio::select! {
            outcome = &mut work => outcome,
            () = context.ct.cancelled() => {
                cancellation.cancel();
                // The work sees the flag at its next look, and leaves nothing half-written.
                work.await
            }
        };
        Ok(match outcome {
            Ok(outcome) => success(outcome),
            Err(error) => failure(&error),
        }
        .into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        resources::list(&*self.settings.store, &self.settings.root, cursor)
            .await
            .map_err(|error| protocol_error(&error))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(vec![resources::template(&self.settings.root)]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = resources::read(&*self.settings.store, &self.settings.root, &request.uri).await;
        read.map(ReadResourceResponse::from).map_err(|error| protocol_error(&error))
    }
}

fn success(outcome: Outcome) -> CallToolResult {
    // Clients that do not read structured content get the same JSON as text.
    let mut content = vec![ContentBlock::text(outcome.summary), ContentBlock::text(outcome.value.to_string())];
    content.extend(outcome.artifacts.into_iter().map(|link| {
        let name = link.uri.rsplit('/').next().unwrap_or(&link.uri).to_owned();
        let resource =
            Resource::new(resources::encoded(&link.uri), name).with_title(link.name).with_mime_type(link.mime_type);
        ContentBlock::resource_link(resource)
    }));
    let mut result = CallToolResult::success(content);
    result.structured_content = Some(outcome.value);
    result
}

fn failure(error: &mlops_core::Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(error.to_value().to_string())])
}

fn protocol_error(error: &mlops_core::Error) -> ErrorData {
    let data = Some(error.to_value());
    match error.kind {
        ErrorKind::NotFound => ErrorData::resource_not_found(error.message.clone(), data),
        ErrorKind::Internal => ErrorData::internal_error(error.message.clone(), data),
        _ => ErrorData::invalid_params(error.message.clone(), data),
    }
}
