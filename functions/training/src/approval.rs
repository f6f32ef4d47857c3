//! The decision of a person: the version that waited is taken into use, or it is not.

use mlops_core::{Call, Error, Lang, Result, ToolCaller};
use mlops_model_registry::tools::{ListModelVersions, UpdateModelStatus};
use mlops_model_registry::{ModelRegistry, VersionView};
use mlops_records::ModelStatus;
use serde::{Deserialize, Serialize};

/// The alias of the version that is in use.
const CHAMPION: &str = "champion";
/// The alias of the version that waits for a person.
const CHALLENGER: &str = "challenger";

/// What a person decided, and about which version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideInputs {
    /// The model's name.
    pub model_name: String,
    /// The version's number.
    pub version: u64,
    /// Whether the version may be used.
    pub approved: bool,
    /// Who decided.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What became of the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideOutputs {
    /// The model's name.
    pub model_name: String,
    /// The version's number.
    pub version: u64,
    /// Whether the version may be used.
    pub approved: bool,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// Where the version stands now.
    pub status: ModelStatus,
    /// The aliases that point at it now.
    pub aliases: Vec<String>,
}

/// Carries the decision out: an approved version becomes the champion, a rejected one is the challenger no longer. A
/// repeat changes nothing more.
pub(crate) async fn decide(
    registry: &ToolCaller<ModelRegistry>,
    inputs: DecideInputs,
    call: &Call,
) -> Result<DecideOutputs> {
    if inputs.by.trim().is_empty() {
        return Err(Error::invalid_input("nobody is named who decided").at("inputs.by"));
    }
    let stands = find(registry, &inputs, call).await?;
    let status = if inputs.approved {
        // One that is in production is past approval.
        stands.is_none_or(|version| version.status != ModelStatus::Production).then_some(ModelStatus::Approved)
    } else {
        // Training again can give the very model that is in use: not to promote it is no reason to take it out of use.
        let champion = stands.is_some_and(|version| version.aliases.iter().any(|alias| alias == CHAMPION));
        (!champion).then_some(ModelStatus::Rejected)
    };
    let request = UpdateModelStatus {
        model_name: inputs.model_name,
        version: inputs.version,
        status,
        aliases: inputs.approved.then(|| CHAMPION.to_owned()).into_iter().collect(),
        remove_aliases: vec![CHALLENGER.to_owned()],
        reason: inputs.reason.clone(),
        actor: Some(inputs.by.clone()),
        override_gates: false,
        dry_run: false,
    };
    let updated = registry.call(request, call).await?;
    Ok(DecideOutputs {
        model_name: updated.model_name,
        version: updated.version,
        approved: inputs.approved,
        by: inputs.by,
        reason: inputs.reason,
        status: updated.status,
        aliases: updated.aliases,
    })
}

/// The version as it stands; a version that is not there is told by the tool that changes it.
async fn find(registry: &ToolCaller<ModelRegistry>, inputs: &DecideInputs, call: &Call) -> Result<Option<VersionView>> {
    let list = ListModelVersions {
        model_name: inputs.model_name.clone(),
        status: None,
        alias: None,
        limit: 1,
        before: Some(inputs.version.saturating_add(1)),
        diff: None,
    };
    let found = registry.call(list, call).await?.versions.pop();
    Ok(found.filter(|version| version.version == inputs.version))
}

impl DecideOutputs {
    pub(crate) fn next_hint(&self, lang: Lang) -> String {
        let Self { model_name, version, by, .. } = self;
        match (lang, self.approved) {
            (Lang::En, true) => format!("{by} approved {model_name} version {version}: it is the champion"),
            (Lang::En, false) => format!("{by} rejected {model_name} version {version}"),
            (Lang::Ja, true) => {
                format!("{by} が {model_name} バージョン {version} を承認しました。現在の採用モデルです")
            }
            (Lang::Ja, false) => format!("{by} が {model_name} バージョン {version} を却下しました"),
        }
    }
}
