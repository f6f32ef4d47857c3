//! Says what this server is set up with, and what is missing.

use mlops_core::ports::SECRET_NAMES;
use mlops_core::settings::{self, Setting};
use mlops_core::{Call, Effect, ErrorKind, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrontDoor;

/// How this server is set up: versions, settings, whether the store can be reached, and which secrets are there, by
/// name alone. It reads and changes nothing.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct DiagnoseSetup {}

/// How the server is set up.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub(in crate::mcp) struct Setup {
    /// Whether nothing that is needed is missing.
    ok: bool,
    /// What is missing or wrong.
    problems: Vec<String>,
    /// The version of this server.
    version: String,
    /// The versions of the protocol that it speaks.
    protocols: Vec<String>,
    /// Where artifacts lie.
    store: String,
    /// Whether the store could be listed.
    store_reachable: bool,
    /// The toolsets that are offered here.
    toolsets: Vec<String>,
    /// Whether only tools that change nothing are offered here.
    read_only: bool,
    /// How many tools are offered here.
    tools: usize,
    /// The settings and whether they are set.
    settings: Vec<SettingState>,
    /// The secrets and whether they are there. What is called a secret is masked, also where it is none.
    vault: Vec<SecretState>,
}

/// A setting.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub(in crate::mcp) struct SettingState {
    /// The environment variable.
    name: String,
    /// Whether it is set.
    set: bool,
    /// What holds when it is not.
    default: String,
}

/// A secret.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub(in crate::mcp) struct SecretState {
    /// Its name.
    name: String,
    /// Whether it is there.
    present: bool,
}

impl Tool for DiagnoseSetup {
    const NAME: &'static str = "diagnose_setup";
    const TITLE: &'static str = "Diagnose the setup";
    const EFFECT: Effect = Effect::Read;
    type Capability = FrontDoor;
    type Output = Setup;

    async fn run(self, room: &FrontDoor, _: &Call) -> Result<Setup> {
        let server = &room.server;
        let mut problems = Vec::new();
        let listed = server.settings.store.list(&server.settings.root.join("registry"), None).await;
        if let Err(error) = &listed {
            problems.push(format!("the store cannot be listed: {}", error.message));
        }
        let mut vault = Vec::new();
        for name in SECRET_NAMES {
            let found = server.settings.secrets.secret(name).await;
            if let Err(error) = &found
                && error.kind != ErrorKind::NotFound
            {
                problems.push(format!("{name} cannot be read: {}", error.message));
            }
            vault.push(SecretState { name: name.to_owned(), present: found.is_ok() });
        }
        let state = |setting: &Setting| SettingState {
            name: setting.name.to_owned(),
            set: server.settings.variables_set.contains(&setting.name),
            default: setting.default.to_owned(),
        };
        Ok(Setup {
            ok: problems.is_empty(),
            problems,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocols: crate::mcp::server::PROTOCOLS.iter().map(ToString::to_string).collect(),
            store: server.settings.root.to_string(),
            store_reachable: listed.is_ok(),
            toolsets: room.offer.toolsets(),
            read_only: room.offer.is_read_only(),
            tools: server.toolbox.tools().iter().filter(|tool| room.offer.has(tool)).count(),
            settings: settings::ALL.iter().map(state).collect(),
            vault,
        })
    }
}

impl Report for Setup {
    fn summary(&self, lang: Lang) -> String {
        let (version, tools) = (&self.version, self.tools);
        match (self.ok, lang) {
            (true, Lang::En) => format!("mlops {version}: {tools} tools, nothing is missing"),
            (true, Lang::Ja) => format!("mlops {version}: ツール {tools} 個、問題はありません"),
            (false, Lang::En) => format!("mlops {version}: {}", self.problems.join("; ")),
            (false, Lang::Ja) => format!("mlops {version}: 問題があります: {}", self.problems.join("; ")),
        }
    }
}
