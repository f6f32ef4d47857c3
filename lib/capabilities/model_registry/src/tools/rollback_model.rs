//! Points an alias back at an earlier version, once that version was seen to work.

use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use mlops_records::{How, State, StateChange, check_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ModelRegistry, Verification, reason};

/// Point an alias back at an earlier version of a model. The version is verified first: its bytes have the hash that was
/// registered, the model loads, and it predicts its golden rows as it did. Only then the alias is moved, and the move is
/// kept with its actor and reason. Without `to_version` the last move of the alias is undone, once: a repeat changes
/// nothing. A dry run verifies and writes nothing, and tells of a version that fails instead of refusing it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackModel {
    /// The model's name.
    pub model_name: String,
    /// The alias to move back.
    #[serde(default = "champion")]
    pub alias: String,
    /// The version to go back to; by default the one that held the alias before the last move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub to_version: Option<u64>,
    /// The version that the alias must point at now; when it points elsewhere nothing is moved. By default it may point
    /// anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub from_version: Option<u64>,
    /// Why; kept with the move.
    pub reason: String,
    /// Who decided; by default the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Verify the version and say what would be done, without writing.
    #[serde(default)]
    pub dry_run: bool,
}

fn champion() -> String {
    "champion".to_owned()
}

/// What was found and done.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct RolledBackModel {
    /// The model's name.
    pub model_name: String,
    /// The alias.
    pub alias: String,
    /// The version that the alias pointed at, or came from when it had been rolled back already; null when it pointed at
    /// none.
    pub from: Option<u64>,
    /// The version to go back to.
    pub to: u64,
    /// Whether the alias was moved.
    pub moved: bool,
    /// Whether the alias pointed there already.
    pub already_there: bool,
    /// The version that the alias points at now, as it was read back.
    pub points_at: Option<u64>,
    /// What was found when the version was looked at.
    pub verification: Verification,
    /// In a dry run, why the alias could not be moved whatever the version is like: its status, or the alias points
    /// elsewhere than at `from_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// What was done, in order; in a dry run, what would be done.
    pub actions: Vec<String>,
    /// Whether nothing was written because it was a dry run.
    pub dry_run: bool,
    /// Where the version's model lies.
    pub model_s3_uri: String,
}

impl Tool for RollbackModel {
    const NAME: &'static str = "rollback_model";
    const TITLE: &'static str = "Roll a model back";
    const EFFECT: Effect = Effect::Update;
    type Capability = ModelRegistry;
    type Output = RolledBackModel;

    async fn run(self, room: &ModelRegistry, call: &Call) -> Result<RolledBackModel> {
        check_name("alias", &self.alias)?;
        let Some(reason) = reason::reason(Some(&self.reason))? else {
            return Err(Error::invalid_input("a rollback needs a reason").at("reason").hint("say why in `reason`"));
        };
        let actor = reason::actor(self.actor.as_deref(), call)?;
        let registry = &room.registry;
        let state = registry.state(&self.model_name).await?;
        let to = match self.to_version {
            Some(version) => version,
            None => held_before(&self.model_name, &self.alias, &state)?,
        };
        let version = registry.version(&self.model_name, to).await.map_err(|error| error.at("to_version"))?;
        let now = state.aliases.get(&self.alias).copied();
        let change = StateChange {
            rollback: Some((self.alias.clone(), self.from_version.map_or(now, Some))),
            reason: Some(reason),
            ..StateChange::default()
        };
        let by = (actor.as_str(), call.clock.now());
        let refusal = match state.apply(to, &change, by) {
            Err(error) if self.dry_run => Some(error.message),
            // What the rules refuse need not be verified.
            result => result.map(|_| None)?,
        };
        let verification = Verification::of(room, &version, call).await?;
        let mut told = RolledBackModel {
            actions: actions((&self.alias, now, to), refusal.is_none(), &verification),
            model_name: self.model_name,
            from: came_from(&self.alias, to, &state),
            alias: self.alias,
            to,
            moved: false,
            already_there: now == Some(to),
            points_at: now,
            verification,
            refusal,
            dry_run: self.dry_run,
            model_s3_uri: version.model.model_s3_uri,
        };
        if self.dry_run {
            return Ok(told);
        }
        if !told.verification.passed {
            return Err(refused(&told));
        }
        call.check()?;
        let changed = registry.set((&told.model_name, to), &change, by).await?;
        told.from = came_from(&told.alias, to, &changed.before);
        told.already_there = changed.before.aliases.get(&told.alias) == Some(&to);
        told.moved = !told.already_there;
        told.points_at = changed.after.aliases.get(&told.alias).copied();
        Ok(told)
    }
}

/// The version that held the alias before its last move. When that move was a rollback it is undone already, and the
/// version is the one that holds the alias now.
fn held_before(model_name: &str, alias: &str, state: &State) -> Result<u64> {
    let none = |what: String| Error::not_found(what).at("to_version").hint("name the version in `to_version`");
    let Some(now) = state.aliases.get(alias).copied() else {
        return Err(none(format!("the alias {alias} points at no version of {model_name}")));
    };
    let last = state.last_move(alias);
    if last.is_some_and(|change| change.how == Some(How::Rollback)) {
        return Ok(now);
    }
    let before = last.and_then(|change| change.from.as_ref()?.parse().ok());
    before.ok_or_else(|| none(format!("no version of {model_name} held the alias {alias} before version {now}")))
}

/// The version that the alias points at, or came from when it was rolled back to `to` already.
fn came_from(alias: &str, to: u64, state: &State) -> Option<u64> {
    let now = state.aliases.get(alias).copied();
    match state.last_move(alias).filter(|change| now == Some(to) && change.how == Some(How::Rollback)) {
        Some(change) => change.from.as_ref()?.parse().ok(),
        None => now,
    }
}

fn actions((alias, from, to): (&str, Option<u64>, u64), allowed: bool, verification: &Verification) -> Vec<String> {
    let mut actions = vec![format!("verify the SHA-256 of version {to}")];
    if verification.sha256_matches {
        actions.push(format!("load the model of version {to}"));
    }
    if verification.golden_rows > 0 {
        actions.push(format!("predict {} golden rows", verification.golden_rows));
    }
    if verification.passed && allowed && from != Some(to) {
        let from = from.map_or_else(|| "no version".to_owned(), |from| format!("version {from}"));
        actions.push(format!("move {alias} from {from} to version {to}"));
        actions.push("record the move".to_owned());
    }
    actions
}

fn refused(told: &RolledBackModel) -> Error {
    let RolledBackModel { model_name, alias, to, points_at, .. } = told;
    let reason = told.verification.reason.as_deref().unwrap_or_default();
    let stays = points_at.map_or_else(|| "at no version".to_owned(), |version| format!("at version {version}"));
    let message = format!("{model_name} version {to} cannot be used: {reason}. The alias {alias} stays {stays}");
    Error::rejected(message).at("to_version").hint("name another version in `to_version`, or train the model again")
}

impl Report for RolledBackModel {
    fn summary(&self, lang: Lang) -> String {
        let Self { model_name: name, alias, to, .. } = self;
        let passed = self.verification.passed;
        match (lang, self.dry_run, passed, self.moved) {
            (Lang::En, true, true, _) => {
                format!("{name} version {to} works; {alias} could point at it. Nothing was written")
            }
            (Lang::En, true, false, _) => format!("{name} version {to} cannot be used. Nothing was written"),
            (Lang::En, false, _, true) => format!("{alias} of {name} points at version {to} again"),
            (Lang::En, false, _, false) => format!("{alias} of {name} pointed at version {to} already"),
            (Lang::Ja, true, true, _) => {
                format!("{name} のバージョン {to} は正常です。{alias} を向けられます (書き込みはしていません)")
            }
            (Lang::Ja, true, false, _) => {
                format!("{name} のバージョン {to} は使えません (書き込みはしていません)")
            }
            (Lang::Ja, false, _, true) => format!("{name} の {alias} をバージョン {to} に戻しました"),
            (Lang::Ja, false, _, false) => format!("{name} の {alias} はすでにバージョン {to} を指しています"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        let name = format!("{} version {}", self.model_name, self.to);
        vec![ArtifactLink::new(self.model_s3_uri.clone(), name)]
    }
}
