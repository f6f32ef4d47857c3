//! Which tools a request may see: what the server allows, and never more than that.

use std::collections::BTreeSet;

use mlops_core::arguments::nearest;
use mlops_core::settings::{MCP_TOOLSETS, McpAccess};
use mlops_core::{Error, Result};

use crate::{BoundTool, Toolbox};

/// The tools that are offered. A toolset is a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    toolsets: BTreeSet<&'static str>,
    read_only: bool,
}

/// What a request asks to see of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Narrowing {
    /// The toolsets of a header; `None` asks for all.
    pub(super) toolsets: Option<Vec<String>>,
    /// The toolset of the path.
    pub(super) path: Option<String>,
    /// Whether only tools that change nothing are wanted.
    pub(super) read_only: bool,
}

impl Offer {
    /// What the settings allow; a toolset that does not exist is `InvalidInput`.
    pub(super) fn of(access: &McpAccess, toolbox: &Toolbox) -> Result<Self> {
        let all: BTreeSet<&'static str> = toolbox.tools().iter().map(|tool| tool.capability).collect();
        let toolsets = match &access.toolsets {
            None => all,
            Some(names) => named(names, &all).map_err(|error| error.at(MCP_TOOLSETS.name))?,
        };
        Ok(Self { toolsets, read_only: access.read_only })
    }

    /// What is left for a request; a toolset that is not offered in the path is `NotFound`, one that does not exist in
    /// the header is `InvalidInput`.
    pub(super) fn narrowed(&self, asked: &Narrowing, toolbox: &Toolbox) -> Result<Self> {
        let mut toolsets = self.toolsets.clone();
        if let Some(names) = asked.toolsets.as_deref().filter(|names| !names.iter().any(|name| name == "all")) {
            let all = toolbox.tools().iter().map(|tool| tool.capability).collect();
            let wanted = named(names, &all).map_err(|error| error.at("X-MCP-Toolsets"))?;
            toolsets.retain(|name| wanted.contains(name));
        }
        if let Some(name) = &asked.path {
            if name != "all" && !self.toolsets.contains(name.as_str()) {
                return Err(Error::not_found("this server offers no such toolset").hint(list(&self.toolsets)));
            }
            toolsets.retain(|offered| name == "all" || offered == name);
        }
        Ok(Self { toolsets, read_only: self.read_only || asked.read_only })
    }

    /// Whether the tool is among them.
    pub(super) fn has(&self, tool: &BoundTool) -> bool {
        self.toolsets.contains(tool.capability) && (!self.read_only || tool.effect.is_read_only())
    }

    /// The toolsets, in the order of their names.
    pub(super) fn toolsets(&self) -> Vec<String> {
        self.toolsets.iter().map(|&name| name.to_owned()).collect()
    }

    /// Whether only tools that change nothing are offered.
    pub(super) const fn is_read_only(&self) -> bool {
        self.read_only
    }
}

fn named(names: &[String], all: &BTreeSet<&'static str>) -> Result<BTreeSet<&'static str>> {
    let find = |name: &String| {
        all.get(name.as_str()).copied().ok_or_else(|| {
            let error = Error::invalid_input(format!("there is no toolset `{name}`"));
            match nearest(name, all.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(list(all)),
            }
        })
    };
    names.iter().map(find).collect()
}

fn list(names: &BTreeSet<&'static str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    format!("the toolsets are: {}", names.join(", "))
}
