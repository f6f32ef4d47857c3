//! Registration: the judged model becomes a version of its name.

use std::collections::BTreeMap;

use mlops_core::values::{ArtifactUri, TrainingConfig};
use mlops_core::{Call, Lang, Result, ToolCaller};
use mlops_model_registry::ModelRegistry;
use mlops_model_registry::tools::RegisterModel;
use mlops_records::ModelStatus;
use serde::{Deserialize, Serialize};

/// What registration needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisterInputs {
    /// The trained model.
    pub model_s3_uri: ArtifactUri,
    /// The metrics on the test rows; those without a value are left out.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// What was decided.
    pub decision: Decision,
    /// SHA-256 of the data set.
    #[serde(default)]
    pub data_sha256: Option<String>,
}

/// The decisions after which a model is registered. A rejected model is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It becomes the champion.
    Promote,
    /// It waits for a person, as the challenger.
    NeedsHuman,
}

/// The version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisterOutputs {
    /// The model's name.
    pub model_name: String,
    /// The version's number.
    pub version: u64,
    /// The model that the version holds.
    pub model_s3_uri: ArtifactUri,
    /// Whether the same bytes had been registered before.
    pub already_registered: bool,
}

/// Registers. A repeat finds the version that is there.
pub(crate) async fn register(
    registry: &ToolCaller<ModelRegistry>,
    config: &TrainingConfig,
    run_id: &str,
    inputs: RegisterInputs,
    call: &Call,
) -> Result<RegisterOutputs> {
    // Without a status a new version is pending, and one that is there keeps its own.
    let (status, alias) = match inputs.decision {
        Decision::Promote => (Some(ModelStatus::Approved), "champion"),
        Decision::NeedsHuman => (None, "challenger"),
    };
    let request = RegisterModel {
        model_name: config.model_name.clone(),
        model_s3_uri: inputs.model_s3_uri,
        metrics: inputs.metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        data_sha256: inputs.data_sha256,
        run_id: Some(run_id.to_owned()),
        status,
        aliases: vec![alias.to_owned()],
        dry_run: false,
    };
    let registered = registry.call(request, call).await?;
    Ok(RegisterOutputs {
        model_s3_uri: ArtifactUri::new(registered.registered.model_s3_uri.clone())?,
        model_name: registered.model_name,
        version: registered.version,
        already_registered: registered.already_registered,
    })
}

impl RegisterOutputs {
    pub(crate) fn next_hint(&self, lang: Lang) -> String {
        let Self { model_name, version, .. } = self;
        match lang {
            Lang::En => format!("{model_name} version {version} is in the registry"),
            Lang::Ja => format!("{model_name} バージョン {version} を登録しました"),
        }
    }
}
