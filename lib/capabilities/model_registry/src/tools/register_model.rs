//! Registers a model as an immutable version.

use std::collections::BTreeMap;

use mlops_artifacts::{Kind, ModelExport, ReadOptions, StoredModel};
use mlops_core::ports::{Condition, json_bytes};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{ArtifactLink, Call, Effect, Error, ErrorKind, Lang, Report, Result, Tool};
use mlops_records::{ExportedFile, GoldenRows, ModelStatus, ModelVersion, NewVersion, StateChange, check_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::golden::{Golden, LOOKED_AT};
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
    /// The status to give the version; by default `pending` for a new one, and unchanged for one that is there. One that
    /// is in production stays there when it is approved again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ModelStatus>,
    /// Aliases to point at the version, such as `champion`; an alias points at one version at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether the model passed its gates; a version that did may go into production. By default what is known stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gates_passed: Option<bool>,
    /// A table of raw rows, such as the test rows. The first of them, at most 20, are kept with what the model predicts
    /// for them: a rollback predicts them again before it trusts the version. A model that has no place for rows that it was
    /// not fitted to (hdbscan, tsne) keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden_data_s3_uri: Option<ArtifactUri>,
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
            room.artifacts.read_stored_model(&self.model_s3_uri).await.map_err(|error| error.at_or("model_s3_uri"))?;
        let registry = &room.registry;
        let versions = registry.versions(&self.model_name).await?;
        let known = versions.iter().find(|version| version.model.model_sha256 == loaded.sha256()).cloned();
        let number = known.as_ref().or(versions.last()).map_or(1, |version| version.version);
        let number = if known.is_some() || versions.is_empty() { number } else { number + 1 };
        let (loaded, golden) = match &self.golden_data_s3_uri {
            Some(data) if known.is_none() && has_place(&loaded) => {
                golden(room, loaded, data, call).await.map_err(|error| error.at("golden_data_s3_uri"))?
            }
            _ => (loaded, None),
        };
        let exports = match &loaded {
            StoredModel::Supervised(model) => room.artifacts.exports(model).await?,
            StoredModel::Unsupervised(_) => Vec::new(),
        };
        let mut new = self.version_of(&loaded, exports, call)?;
        call.check()?;
        let now = call.clock.now();
        let state = registry.state(&self.model_name).await?;
        let mut change = self.change(state.status(number), known.is_none());
        // What the rules refuse is not registered first.
        let after = state.apply(number, &change, (&call.agent_id, now))?;
        if let Some((document, bytes)) = golden {
            new.golden = Some(keep_golden(room, &new, document, bytes, self.dry_run).await?);
        }
        if self.dry_run {
            let already_registered = known.is_some();
            let model_name = self.model_name.clone();
            let planned = ModelVersion { model_name, version: number, registered_at: now, model: new };
            return Ok(RegisteredModel {
                model_name: self.model_name,
                version: number,
                already_registered,
                dry_run: true,
                registered: VersionView::of(&known.unwrap_or(planned), &after),
            });
        }
        let registered = registry.register(&self.model_name, new, now).await?;
        let version = registered.version;
        if registered.already_registered && self.status.is_none() {
            change.status = None;
        }
        let changed = registry.set((&self.model_name, version.version), &change, (&call.agent_id, now)).await?;
        Ok(RegisteredModel {
            model_name: self.model_name,
            version: version.version,
            already_registered: registered.already_registered,
            dry_run: false,
            registered: VersionView::of(&version, &changed.after),
        })
    }
}

impl RegisterModel {
    /// What is to be registered, without golden rows.
    fn version_of(&self, loaded: &StoredModel, exports: Vec<ModelExport>, call: &Call) -> Result<NewVersion> {
        let card = loaded.facts();
        let signature = serde_json::to_value(card.signature)
            .map_err(|error| Error::internal("the signature could not be written as JSON").caused_by(error))?;
        Ok(NewVersion {
            model_s3_uri: loaded.uri().as_str().to_owned(),
            model_sha256: loaded.sha256().to_owned(),
            algorithm: card.algorithm.to_owned(),
            task: card.task.as_str().to_owned(),
            target_column: card.target_column.map(str::to_owned),
            metrics: if self.metrics.is_empty() { card.metrics.clone() } else { self.metrics.clone() },
            hyperparameters: card.hyperparameters.clone(),
            signature,
            data_sha256: self.data_sha256.clone().or_else(|| Some(card.train_sha256.to_owned())),
            run_id: self.run_id.clone().or_else(|| call.run_id.clone()),
            exports: exports.into_iter().filter_map(exported).collect(),
            golden: None,
        })
    }

    /// What is to change about a version that stands there, or is new.
    fn change(&self, stands: ModelStatus, new: bool) -> StateChange {
        let status = match self.status {
            None => new.then_some(ModelStatus::Pending),
            Some(ModelStatus::Approved) if stands == ModelStatus::Production => None,
            given => given,
        };
        StateChange { status, gates_passed: self.gates_passed, add: self.aliases.clone(), ..StateChange::default() }
    }
}

/// Whether the model says anything of rows that it was not fitted to.
fn has_place(model: &StoredModel) -> bool {
    match model {
        StoredModel::Supervised(_) => true,
        StoredModel::Unsupervised(model) => model.no_place().is_none(),
    }
}

/// An export as the registry keeps it; none that was left out.
fn exported(export: ModelExport) -> Option<ExportedFile> {
    let format = export.format.as_str().to_owned();
    Some(ExportedFile { format, uri: export.uri?.to_string(), sha256: export.sha256? })
}

/// The golden rows of the model among those of the table, without their place, and the document.
async fn golden(
    room: &ModelRegistry,
    model: StoredModel,
    data: &ArtifactUri,
    call: &Call,
) -> Result<(StoredModel, Option<(GoldenRows, Vec<u8>)>)> {
    let options = ReadOptions { limit: Some(LOOKED_AT), ..ReadOptions::default() };
    let table = room.artifacts.read_table(data, &options, call).await?;
    let predicted = call.compute(move |call| Golden::of(&model, &table, call).map(|golden| (model, golden)));
    let (model, golden) = predicted.await?;
    let bytes = json_bytes(&golden)?;
    let rows = GoldenRows { uri: String::new(), sha256: sha256_hex(&bytes), rows: golden.len() };
    Ok((model, Some((rows, bytes))))
}

/// Writes the golden rows into the run's folder, or into one that is named by the model, and gives their place.
async fn keep_golden(
    room: &ModelRegistry,
    new: &NewVersion,
    golden: GoldenRows,
    bytes: Vec<u8>,
    dry_run: bool,
) -> Result<GoldenRows> {
    let run_id = new.run_id.as_deref().filter(|run_id| check_name("run_id", run_id).is_ok());
    let folder = run_id.unwrap_or(&new.model_sha256[..12]);
    let place = room.artifacts.place(Kind::Models, folder, &format!("golden-{}.json", &golden.sha256[..12]));
    if !dry_run {
        // The name is made of the bytes: what is there already is the same.
        match room.artifacts.write_bytes(&place, bytes, Condition::Absent).await {
            Err(error) if error.kind != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(GoldenRows { uri: place.to_string(), ..golden })
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
