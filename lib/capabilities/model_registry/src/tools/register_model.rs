//! Registers a model as an immutable version.

use std::collections::BTreeMap;

use mlops_core::values::ArtifactUri;
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use mlops_records::{ModelStatus, NewVersion, check_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ModelRegistry, VersionView};

/// Register a trained model as the next version of a model name. A version never changes; registering the same bytes
/// again gives the version that is there. The model file is read and its hashes are checked first.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterModel {
    /// The name to register under: letters, digits, dots, dashes and underscores, at most 64.
    pub model_name: String,
    /// Where the trained model (model.tar.gz) lies.
    #[serde(alias = "model_uri")]
    #[schemars(extend("x-aliases" = ["model_uri"]))]
    pub model_s3_uri: ArtifactUri,
    /// Metrics to keep with the version, by name; by default those of the training.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// SHA-256 of the data set that the model comes from; by default that of its training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_sha256: Option<String>,
    /// The run that made the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The status to give the version; by default `pending` for a new one, and unchanged for one that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ModelStatus>,
    /// Aliases to point at the version, such as `champion`; an alias points at one version at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Check everything and say what would be registered, without writing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The version as it was read back from the registry.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct RegisteredModel {
    /// The model's name.
    pub model_name: String,
    /// The version's number.
    pub version: u64,
    /// Whether this hash had been registered before.
    pub already_registered: bool,
    /// Whether nothing was written because it was a dry run.
    pub dry_run: bool,
    /// The version with its status and aliases.
    pub registered: VersionView,
}

impl Tool for RegisterModel {
    const NAME: &'static str = "register_model";
    const TITLE: &'static str = "Register a model version";
    const EFFECT: Effect = Effect::Update;
    type Capability = ModelRegistry;
    type Output = RegisteredModel;

    async fn run(self, room: &ModelRegistry, call: &Call) -> Result<RegisteredModel> {
        check_name("model_name", &self.model_name)?;
        for alias in &self.aliases {
            check_name("aliases", alias)?;
        }
        if let Some((name, _)) = self.metrics.iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::invalid_input(format!("the metric {name} is not a finite number")).at("metrics"));
        }
        let loaded =
            room.artifacts.read_model(&self.model_s3_uri).await.map_err(|error| error.at_or("model_s3_uri"))?;
        let card = loaded.card;
        let signature = serde_json::to_value(&card.signature)
            .map_err(|error| Error::internal("the signature could not be written as JSON").caused_by(error))?;
        let new = NewVersion {
            model_s3_uri: loaded.uri.as_str().to_owned(),
            model_sha256: loaded.sha256,
            algorithm: card.algorithm,
            task: card.task.as_str().to_owned(),
            target_column: card.target_column,
            metrics: if self.metrics.is_empty() { card.metrics } else { self.metrics },
            hyperparameters: card.hyperparameters,
            signature,
            data_sha256: self.data_sha256.or(Some(card.train_sha256)),
            run_id: self.run_id.or_else(|| call.run_id.clone()),
        };
        call.check()?;
        let registry = &room.registry;
        let now = call.clock.now();
        if self.dry_run {
            return dry_run(room, &self.model_name, new, (self.status, &self.aliases), now).await;
        }
        let registered = registry.register(&self.model_name, new, now).await?;
        let version = registered.version;
        let status = self.status.or((!registered.already_registered).then_some(ModelStatus::Pending));
        let change = (self.model_name.as_str(), version.version);
        let state = registry.set(change, status, &self.aliases, (&call.agent_id, now)).await?;
        Ok(RegisteredModel {
            model_name: self.model_name,
            version: version.version,
            already_registered: registered.already_registered,
            dry_run: false,
            registered: VersionView::of(&version, &state),
        })
    }
}

async fn dry_run(
    room: &ModelRegistry,
    model_name: &str,
    new: NewVersion,
    (status, aliases): (Option<ModelStatus>, &[String]),
    now: jiff::Timestamp,
) -> Result<RegisteredModel> {
    let versions = room.registry.versions(model_name).await?;
    let mut state = room.registry.state(model_name).await?;
    let known = versions.iter().find(|version| version.model.model_sha256 == new.model_sha256).cloned();
    let already_registered = known.is_some();
    let number = versions.last().map_or(1, |last| last.version + 1);
    let version = known.unwrap_or_else(|| mlops_records::ModelVersion {
        model_name: model_name.to_owned(),
        version: number,
        registered_at: now,
        model: new,
    });
    if let Some(status) = status {
        state.statuses.insert(version.version, status);
    }
    state.aliases.extend(aliases.iter().map(|alias| (alias.clone(), version.version)));
    Ok(RegisteredModel {
        model_name: model_name.to_owned(),
        version: version.version,
        already_registered,
        dry_run: true,
        registered: VersionView::of(&version, &state),
    })
}

impl Report for RegisteredModel {
    fn summary(&self, lang: Lang) -> String {
        let (name, version) = (&self.model_name, self.version);
        match (lang, self.dry_run, self.already_registered) {
            (Lang::En, true, _) => format!("{name} would be version {version}; nothing was written"),
            (Lang::En, false, true) => format!("{name} version {version} had been registered before"),
            (Lang::En, false, false) => format!("{name} was registered as version {version}"),
            (Lang::Ja, true, _) => format!("{name} はバージョン {version} になります (書き込みはしていません)"),
            (Lang::Ja, false, true) => format!("{name} のバージョン {version} はすでに登録されています"),
            (Lang::Ja, false, false) => format!("{name} をバージョン {version} として登録しました"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        let name = format!("{} version {}", self.model_name, self.version);
        vec![ArtifactLink::new(self.registered.model_s3_uri.clone(), name)]
    }
}
