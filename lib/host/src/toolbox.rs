//! Every tool with the room that it works in, found by name.

use std::sync::{Arc, LazyLock};

use futures::future::BoxFuture;
use mlops_core::arguments::nearest;
use mlops_core::{Call, Capability, Effect, Entry, Error, Lang, Outcome, Result, schema};
use serde_json::{Value, json};

use crate::locales;

type Run = Box<dyn Fn(Call, Value) -> BoxFuture<'static, Result<Outcome>> + Send + Sync>;

/// What clients are told of a tool. Made when it is first asked for: a function may start for one call of one tool.
struct About {
    description: String,
    input_schema: Value,
    output_schema: Value,
}

impl About {
    /// The row as clients see it.
    fn of<C: Capability>(entry: &Entry<C>) -> Self {
        let mut input_schema = schema::for_clients((entry.input_schema)());
        // The description is the tool's; twice in every listing would be paid for by every client.
        input_schema.as_object_mut().map(|object| object.remove("description"));
        let output_schema = schema::for_clients((entry.output_schema)());
        Self { description: entry.description(), input_schema, output_schema }
    }
}

/// A tool bound to its room.
pub struct BoundTool {
    /// The tool's name.
    pub name: &'static str,
    /// A short title.
    pub title: &'static str,
    /// The capability that it belongs to.
    pub capability: &'static str,
    /// What a call changes.
    pub effect: Effect,
    about: LazyLock<About, Box<dyn FnOnce() -> About + Send>>,
    run: Run,
}

impl BoundTool {
    fn of<C: Capability>(entry: &'static Entry<C>, run: Run) -> Self {
        Self {
            name: entry.name,
            title: entry.title,
            capability: entry.capability,
            effect: entry.effect,
            about: LazyLock::new(Box::new(|| About::of(entry))),
            run,
        }
    }

    /// The row as clients see it, for tools whose room is made anew for each call.
    #[cfg(feature = "mcp")]
    pub(crate) fn described<C: Capability>(entry: &'static Entry<C>) -> Self {
        let name = entry.name;
        let run: Run = Box::new(move |_, _| {
            Box::pin(async move { Err(Error::internal(format!("`{name}` is called through its row"))) })
        });
        Self::of(entry, run)
    }

    /// What the tool does, in that language.
    pub fn description(&self, lang: Lang) -> String {
        locales::tool_description(self.name, lang).map_or_else(|| self.about.description.clone(), str::to_owned)
    }

    /// The schema of the arguments, as clients see it.
    pub fn input_schema(&self) -> &Value {
        &self.about.input_schema
    }

    /// The schema of the result.
    pub fn output_schema(&self) -> &Value {
        &self.about.output_schema
    }

    /// Calls the tool.
    pub async fn call(&self, call: Call, arguments: Value) -> Result<Outcome> {
        (self.run)(call, arguments).await
    }

    /// The tool as `mlops tools --json` shows it.
    pub fn to_value(&self, lang: Lang) -> Value {
        json!({
            "name": self.name,
            "title": self.title,
            "capability": self.capability,
            "effect": self.effect,
            "description": self.description(lang),
            "input_schema": self.input_schema(),
            "output_schema": self.output_schema(),
        })
    }
}

/// Every tool of the fleet.
#[derive(Default)]
pub struct Toolbox {
    tools: Vec<BoundTool>,
}

impl Toolbox {
    /// The toolbox with the tools of one more capability.
    #[must_use]
    pub fn with<C: Capability>(mut self, room: &Arc<C>, entries: &'static [Entry<C>]) -> Self {
        for entry in entries {
            let room = Arc::clone(room);
            let run = entry.run;
            self.tools.push(BoundTool::of(
                entry,
                Box::new(move |call, arguments| {
                    let room = Arc::clone(&room);
                    Box::pin(async move { run(&room, &call, arguments).await })
                }),
            ));
        }
        self
    }

    /// Every tool, in the order in which they were added.
    pub fn tools(&self) -> &[BoundTool] {
        &self.tools
    }

    /// The tool of that name; `NotFound` names the nearest one.
    pub fn find(&self, name: &str) -> Result<&BoundTool> {
        self.tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
            let error = Error::not_found(format!("there is no tool `{name}`")).at("name");
            match nearest(name, self.tools.iter().map(|tool| tool.name)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("list the tools with `mlops tools`"),
            }
        })
    }
}
