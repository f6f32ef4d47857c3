//! Changes where a version stands and which aliases point at it.

use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use mlops_records::{How, ModelStatus, State, StateChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ModelRegistry, VersionView, reason};

/// Change the status of a registered version and the aliases that point at it, all of it or nothing. Only some
/// transitions are allowed (an archived version, say, first becomes pending again), no alias points at a version that is
/// rejected or archived, and production needs passed gates or `override_gates` with a reason. What holds already is not
/// changed again; every change is kept with its actor and reason.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateModelStatus {
    /// The model's name.
    pub model_name: String,
    /// The version's number.
    #[schemars(range(min = 1))]
    pub version: u64,
    /// The status to give it; by default it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ModelStatus>,
    /// Aliases to point at the version, such as `champion`; an alias points at one version at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Aliases to take away from the version; one that points at another version stays there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_aliases: Vec<String>,
    /// Why; kept with the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who decided; by default the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Lets a version into production that did not pass its gates; needs a `reason`.
    #[serde(default)]
    pub override_gates: bool,
    /// Check everything and say what would be changed, without writing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The version as it was read back, and what was changed.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct UpdatedModelStatus {
    /// The model's name.
    pub model_name: String,
    /// The version's number.
    pub version: u64,
    /// Where the version stands now; in a dry run, where it would stand.
    pub status: ModelStatus,
    /// The aliases that point at it now; in a dry run, those that would.
    pub aliases: Vec<String>,
    /// The change of the status; null when it stayed.
    pub transition: Option<StatusTransition>,
    /// The aliases that were moved or taken away.
    pub alias_moves: Vec<AliasMove>,
    /// Whether anything was changed; in a dry run, whether anything would be.
    pub changed: bool,
    /// Whether the version went into production without passed gates.
    pub gates_overridden: bool,
    /// Whether nothing was written because it was a dry run.
    pub dry_run: bool,
    /// The version with its status and aliases.
    pub registered: VersionView,
}

/// A change of the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct StatusTransition {
    /// Where the version stood.
    pub from: ModelStatus,
    /// Where it went.
    pub to: ModelStatus,
}

/// A change of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct AliasMove {
    /// The alias.
    pub alias: String,
    /// The version that it pointed at; null when it is new.
    pub from: Option<u64>,
    /// The version that it was pointed at; null when it was taken away.
    pub to: Option<u64>,
}

impl Tool for UpdateModelStatus {
    const NAME: &'static str = "update_model_status";
    const TITLE: &'static str = "Change a model version's status or aliases";
    const EFFECT: Effect = Effect::Update;
    type Capability = ModelRegistry;
    type Output = UpdatedModelStatus;

    async fn run(self, room: &ModelRegistry, call: &Call) -> Result<UpdatedModelStatus> {
        if self.status.is_none() && self.aliases.is_empty() && self.remove_aliases.is_empty() {
            let error = Error::invalid_input("nothing is asked for: no status, no alias to add and none to remove");
            return Err(error.at("status").hint("give `status`, `aliases` or `remove_aliases`"));
        }
        let registry = &room.registry;
        let version = registry.version(&self.model_name, self.version).await?;
        let actor = reason::actor(self.actor.as_deref(), call)?;
        let change = StateChange {
            status: self.status,
            add: self.aliases,
            remove: self.remove_aliases,
            override_gates: self.override_gates,
            reason: reason::reason(self.reason.as_deref())?,
            ..StateChange::default()
        };
        call.check()?;
        let by = (actor.as_str(), call.clock.now());
        let before = registry.state(&self.model_name).await?;
        let (before, made, after) = if self.dry_run {
            let after = before.apply(self.version, &change, by)?;
            (before, after.clone(), after)
        } else {
            let changed = registry.set((&self.model_name, self.version), &change, by).await?;
            // What this call has made of it; what was read back may hold more.
            let made = changed.before.apply(self.version, &change, by)?;
            (changed.before, made, changed.after)
        };
        let new = &made.changes[before.changes.len()..];
        let gates_overridden = new.iter().any(|change| change.how == Some(How::GateOverride));
        let moved = new.iter().filter(|change| change.what != "status").map(|change| change.what.as_str());
        let (from, to) = (before.status(self.version), made.status(self.version));
        let registered = VersionView::of(&version, &after);
        Ok(UpdatedModelStatus {
            version: self.version,
            status: registered.status,
            aliases: registered.aliases.clone(),
            transition: (from != to).then_some(StatusTransition { from, to }),
            alias_moves: moved.map(|alias| AliasMove::between(alias, &before, &made)).collect(),
            changed: !new.is_empty(),
            gates_overridden,
            dry_run: self.dry_run,
            registered,
            model_name: self.model_name,
        })
    }
}

impl AliasMove {
    fn between(alias: &str, before: &State, after: &State) -> Self {
        let (from, to) = (before.aliases.get(alias).copied(), after.aliases.get(alias).copied());
        Self { alias: alias.to_owned(), from, to }
    }
}

impl Report for UpdatedModelStatus {
    fn summary(&self, lang: Lang) -> String {
        let (name, version, status) = (&self.model_name, self.version, self.status);
        let aliases = if self.aliases.is_empty() { "–".to_owned() } else { self.aliases.join(", ") };
        match (lang, self.dry_run, self.changed) {
            (Lang::En, true, _) => {
                format!("{name} version {version} would be {status} (aliases: {aliases}); nothing was written")
            }
            (Lang::En, false, true) => format!("{name} version {version} is {status} now (aliases: {aliases})"),
            (Lang::En, false, false) => format!("{name} version {version} was {status} already (aliases: {aliases})"),
            (Lang::Ja, true, _) => format!(
                "{name} のバージョン {version} は {status} になります (エイリアス: {aliases}、書き込みはしていません)"
            ),
            (Lang::Ja, false, true) => {
                format!("{name} のバージョン {version} を {status} にしました (エイリアス: {aliases})")
            }
            (Lang::Ja, false, false) => {
                format!("{name} のバージョン {version} はすでに {status} です (エイリアス: {aliases})")
            }
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        let name = format!("{} version {}", self.model_name, self.version);
        vec![ArtifactLink::new(self.registered.model_s3_uri.clone(), name)]
    }
}
