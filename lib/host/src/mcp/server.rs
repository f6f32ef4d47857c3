//! The server: lists and calls tools, lists and reads artifacts, gives prompts and completions.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use mlops_core::{Call, Error, ErrorKind, Lang, Outcome, Result as OurResult};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
    ContentBlock, DiscoverResult, ErrorData, GetPromptRequestParams, GetPromptResponse, Implementation,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, Resource, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::calls::call_of;
use super::jobs::{Jobs, settled};
use super::meta::{self, FrontDoor};
use super::offer::Offer;
use super::{LongCalls, McpSettings, completions, prompts, resources, schemas};
use crate::{BoundTool, Toolbox};

/// What a model is told before it calls anything.
const INSTRUCTIONS: &str = "Train, evaluate and register tabular models. A usual order: load_dataset (what is in the \
    file) - validate_data - split_dataset (raw columns; writes train, validation and test) - preprocess_supervised on \
    the train part, then again with its preprocessor_uri on the validation part - train_supervised_classifier or \
    train_supervised_regressor - evaluate_classifier or evaluate_regressor on the raw test part - \
    create_evaluation_report - register_model. Pass the URIs that one tool returns to the next one as they are. Paths \
    may be plain paths, file:///path or s3://bucket/key. Every result names its artifacts as resource links; read them \
    with resources/read. An error names the argument that is wrong and what to write instead. A call that takes long \
    may answer with a job_id: get_result gives its result.";

/// The versions of the protocol that the server speaks.
pub(super) const PROTOCOLS: &[ProtocolVersion] = ProtocolVersion::KNOWN_VERSIONS;
/// How long a client may keep what only a new release changes, in milliseconds.
const LISTS_KEEP: u64 = 300_000;
/// How long a client may keep what runs add to, in milliseconds.
const ARTIFACTS_KEEP: u64 = 5_000;

/// What all clones of a server share.
pub(super) struct Inner {
    pub(super) toolbox: Arc<Toolbox>,
    pub(super) settings: McpSettings,
    pub(super) jobs: Jobs,
    pub(super) offer: Offer,
    /// Of each tool of the toolbox, then of those about the server, in their order.
    described: Vec<Described>,
}

/// A tool as clients see it, made when it is first looked at.
type Described = LazyLock<Tool, Box<dyn FnOnce() -> Tool + Send>>;

/// The toolbox as an MCP server.
#[derive(Clone)]
pub struct McpServer {
    pub(super) inner: Arc<Inner>,
}

impl McpServer {
    /// The server of that toolbox; `InvalidInput` when the settings name a toolset that does not exist.
    pub fn new(toolbox: Arc<Toolbox>, settings: McpSettings) -> OurResult<Self> {
        let offer = Offer::of(&settings.access, &toolbox)?;
        let jobs = Jobs::new(Arc::clone(&settings.store), &settings.root);
        let lang = settings.lang;
        let of_toolbox = (0..toolbox.tools().len()).map(|index| {
            let toolbox = Arc::clone(&toolbox);
            Described::new(Box::new(move || describe(&toolbox.tools()[index], lang)))
        });
        let about_server = meta::TOOLS
            .iter()
            .map(|entry| Described::new(Box::new(move || describe(&BoundTool::described(entry), lang))));
        let described = of_toolbox.chain(about_server).collect();
        Ok(Self { inner: Arc::new(Inner { toolbox, settings, jobs, offer, described }) })
    }

    /// The tools as clients see them: those of the toolbox that are offered, and those about the server.
    pub fn tools(&self) -> Vec<Tool> {
        self.offered(&self.inner.offer)
    }

    /// How many of [`McpServer::tools`] are about the server itself.
    pub fn tools_about_the_server() -> usize {
        meta::TOOLS.len()
    }

    /// Stops the calls that have outlasted their requests.
    pub async fn stop_jobs(&self) {
        self.inner.jobs.stop().await;
    }

    fn offered(&self, offer: &Offer) -> Vec<Tool> {
        let (tools, about_server) = self.inner.described.split_at(self.inner.toolbox.tools().len());
        let tools = self.inner.toolbox.tools().iter().zip(tools);
        let offered = tools.filter(|(tool, _)| offer.has(tool)).map(|(_, described)| described);
        offered.chain(about_server).map(|described| (**described).clone()).collect()
    }

    /// What this request may see.
    fn offer(&self, context: &RequestContext<RoleServer>) -> Offer {
        #[cfg(feature = "http")]
        if let Some(parts) = context.extensions.get::<axum::http::request::Parts>()
            && let Some(offer) = parts.extensions.get::<Offer>()
        {
            return offer.clone();
        }
        let _ = context;
        self.inner.offer.clone()
    }

    /// Lists that a header has narrowed are no other client's.
    fn scope(&self, offer: &Offer) -> CacheScope {
        if *offer == self.inner.offer { CacheScope::Public } else { CacheScope::Private }
    }

    async fn call(
        &self,
        tool: &'static str,
        call: Call,
        arguments: Value,
        wants_progress: bool,
        context: &RequestContext<RoleServer>,
    ) -> OurResult<Answer> {
        let toolbox = Arc::clone(&self.inner.toolbox);
        let (cancellation, deadline) = (call.cancellation.clone(), call.deadline);
        let mut work: JoinHandle<OurResult<Outcome>> =
            tokio::spawn(async move { toolbox.find(tool)?.call(call, arguments).await });
        let handle_after = match self.inner.settings.long_calls {
            LongCalls::Handle(after) if !wants_progress && deadline.is_none() => Some(after),
            _ => None,
        };
        tokio::select! {
            done = &mut work => match settled(done) {
                Ok(outcome) => Ok(Answer::Outcome(Box::new(outcome))),
                Err(error) if error.kind == ErrorKind::TimedOut && deadline.is_some() => Err(out_of_time()),
                Err(error) => Err(error),
            },
            () = context.ct.cancelled() => {
                cancellation.cancel();
                // The work sees the flag at its next look, and leaves nothing half-written.
                settled(work.await).map(|outcome| Answer::Outcome(Box::new(outcome)))
            }
            () = after(deadline.map(|at| at.saturating_duration_since(Instant::now()))) => {
                cancellation.cancel();
                Err(out_of_time())
            }
            () = after(handle_after) => {
                self.inner.jobs.adopt(tool, cancellation, work).await.map(|job_id| Answer::Handle { tool, job_id })
            }
        }
    }
}

enum Answer {
    Outcome(Box<Outcome>),
    Handle { tool: &'static str, job_id: String },
}

fn out_of_time() -> Error {
    let hint = "start a run with start_workflow and look at it later, or call a server that goes on between requests";
    Error::timed_out("the time of a request is over").hint(hint)
}

async fn after(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

fn describe(tool: &BoundTool, lang: Lang) -> Tool {
    let object = |schema: &Value| Arc::new(schema.as_object().cloned().unwrap_or_default());
    let mut described = Tool::new(tool.name, tool.description(lang), object(tool.input_schema()));
    described.title = Some(tool.title.to_owned());
    described.output_schema = Some(object(&schemas::shortened(tool.output_schema())));
    let annotations = ToolAnnotations::with_title(tool.title)
        .read_only(tool.effect.is_read_only())
        .destructive(tool.effect.is_destructive())
        .idempotent(tool.effect.is_idempotent())
        .open_world(false);
    described.annotations = Some(annotations);
    described
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .build();
        let about = Implementation::new("mlops", env!("CARGO_PKG_VERSION")).with_title("MLOps");
        ServerConfig::new(capabilities).with_server_info(about).with_instructions(INSTRUCTIONS)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let found = DiscoverResult::from_server_info(PROTOCOLS.to_vec(), self.get_info());
        Ok(found.with_ttl_ms(LISTS_KEEP).with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let offer = self.offer(&context);
        let list = ListToolsResult::with_all_items(self.offered(&offer));
        Ok(list.with_ttl_ms(LISTS_KEEP).with_cache_scope(self.scope(&offer)))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let tools = self.inner.toolbox.tools().iter().map(|tool| tool.name);
        let index = tools.chain(meta::TOOLS.iter().map(|entry| entry.name)).position(|known| known == name)?;
        self.inner.described.get(index).map(|described| (**described).clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let offer = self.offer(&context);
        let (call, messages) = call_of(&self.inner.settings, &context)?;
        let arguments = request.arguments.map_or(Value::Null, Value::Object);
        let answered = if let Some(entry) = meta::TOOLS.iter().find(|entry| entry.name == request.name) {
            let room = FrontDoor { server: Arc::clone(&self.inner), offer };
            (entry.run)(&room, &call, arguments).await.map(|outcome| Answer::Outcome(Box::new(outcome)))
        } else {
            let tool = self.inner.toolbox.find(&request.name).map_err(|error| unroutable(&error))?;
            if !offer.has(tool) {
                let error = Error::forbidden(format!("`{}` is not offered at this address", tool.name));
                let hint = "diagnose_setup says which toolsets are, and whether it is read-only";
                return Err(unroutable(&error.at("name").hint(hint)));
            }
            self.call(tool.name, call, arguments, messages.is_some(), &context).await
        };
        if let Some(messages) = messages {
            messages.finish().await;
        }
        Ok(match answered {
            Ok(Answer::Outcome(outcome)) => success(*outcome),
            Ok(Answer::Handle { tool, job_id }) => handle(tool, &job_id),
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
        let list = resources::list(&*self.inner.settings.store, &self.inner.settings.root, cursor).await;
        let list = list.map_err(|error| protocol_error(&error))?;
        Ok(list.with_ttl_ms(ARTIFACTS_KEEP).with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let list = ListResourceTemplatesResult::with_all_items(resources::templates(&self.inner.settings.root));
        Ok(list.with_ttl_ms(LISTS_KEEP).with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = resources::read(&*self.inner.settings.store, &self.inner.settings.root, &request.uri).await;
        let read = read.map_err(|error| {
            let mut error = protocol_error(&error);
            if let Some(data) = &mut error.data {
                data["uri"] = Value::String(request.uri);
            }
            error
        })?;
        Ok(read.with_ttl_ms(ARTIFACTS_KEEP).with_cache_scope(CacheScope::Private).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let list = ListPromptsResult::with_all_items(prompts::list(self.inner.settings.lang));
        Ok(list.with_ttl_ms(LISTS_KEEP).with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let given = request.arguments.unwrap_or_default();
        let prompt = prompts::get(&self.inner.settings, &request.name, &given).await;
        prompt.map(GetPromptResponse::from).map_err(|error| protocol_error(&error))
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        completions::complete(&self.inner, &request).await.map_err(|error| protocol_error(&error))
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

fn handle(tool: &str, job_id: &str) -> CallToolResult {
    let value = json!({"job_id": job_id, "job_status": "running"});
    let said = format!("{tool} takes long and goes on. Its result: get_result with {{\"job_id\": \"{job_id}\"}}.");
    let mut result = CallToolResult::success(vec![ContentBlock::text(said), ContentBlock::text(value.to_string())]);
    result.structured_content = Some(value);
    result
}

fn failure(error: &Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(error.to_value().to_string())])
}

fn unroutable(error: &Error) -> ErrorData {
    let hint = error.hint.clone().unwrap_or_default();
    ErrorData::invalid_params(format!("{error}; {hint}"), Some(error.to_value()))
}

pub(super) fn protocol_error(error: &Error) -> ErrorData {
    let data = Some(error.to_value());
    match error.kind {
        ErrorKind::NotFound => ErrorData::resource_not_found(error.message.clone(), data),
        ErrorKind::Internal => ErrorData::internal_error(error.message.clone(), data),
        _ => ErrorData::invalid_params(error.message.clone(), data),
    }
}
