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
    /// How the gates were passed, as the judge tells it. Without it, a promoted model has passed them, and of one that
    /// waits for a person it is not known.
    #[serde(default)]
    pub gates: Option<Vec<GateOutcome>>,
    /// SHA-256 of the data set.
    #[serde(default)]
    pub data_sha256: Option<String>,
    /// The raw test rows, of which the version keeps some as golden rows.
    #[serde(default)]
    pub test_uri: Option<ArtifactUri>,
}

/// Whether one gate was passed; the rest of what the judge tells of it is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateOutcome {
    /// Whether the gate was passed.
    pub passed: bool,
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
    /// Where the version stands.
    pub status: ModelStatus,
    /// Whether the version passed its gates; null when that is not known.
    pub gates_passed: Option<bool>,
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
    let gates_passed = match &inputs.gates {
        Some(gates) => Some(gates.iter().all(|gate| gate.passed)),
        None => (inputs.decision == Decision::Promote).then_some(true),
    };
    let request = RegisterModel {
        model_name: config.model_name.clone(),
        model_s3_uri: inputs.model_s3_uri,
        metrics: inputs.metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        data_sha256: inputs.data_sha256,
        run_id: Some(run_id.to_owned()),
        status,
        aliases: vec![alias.to_owned()],
        gates_passed,
        golden_data_s3_uri: inputs.test_uri,
        dry_run: false,
    };
    let registered = registry.call(request, call).await?;
    Ok(RegisterOutputs {
        model_s3_uri: ArtifactUri::new(registered.registered.model_s3_uri.clone())?,
        model_name: registered.model_name,
        version: registered.version,
        already_registered: registered.already_registered,
        status: registered.registered.status,
        gates_passed: registered.registered.gates_passed,
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
