//! A champion that does not work: the one before takes its place, or nobody does.

use mlops_core::{Call, ErrorKind, Result, ToolCaller};
use mlops_model_registry::tools::{ListModelVersions, RollbackModel, RolledBackModel, UpdateModelStatus};
use mlops_model_registry::{ModelRegistry, ModelStatus, VersionView};

use crate::agent::{CHAMPION, Outputs, RolledBack};
use crate::words;

/// Rolls the champion back from a version that was seen not to work, and rejects the version. A repeat finds all of it
/// done. A champion that is another version by now stays.
pub(crate) async fn heal(registry: &ToolCaller<ModelRegistry>, seen: RolledBackModel, call: &Call) -> Result<Outputs> {
    let (model_name, version) = (seen.model_name.clone(), seen.to);
    let mut reason = seen.verification.reason.clone().unwrap_or_default();
    let back = RollbackModel {
        model_name: model_name.clone(),
        alias: CHAMPION.to_owned(),
        to_version: None,
        from_version: Some(version),
        reason: format!("{}: {reason}", words::smoke()),
        actor: None,
        dry_run: false,
    };
    let left = match registry.call(back, call).await {
        Ok(done) => done.from == Some(version),
        // Somebody else has made another version the champion.
        Err(error) if error.kind == ErrorKind::Conflict => false,
        Err(error) if error.kind == ErrorKind::NotFound => true,
        // The version before does not work either, or it was decided against.
        Err(error) if error.kind == ErrorKind::Rejected => {
            reason = format!("{reason}. {}", error.message);
            true
        }
        Err(error) => return Err(error),
    };
    if let Some(view) = find(registry, &model_name, None, Some(version), call).await? {
        reject(registry, &model_name, view, &reason, call).await?;
    }
    let champion = find(registry, &model_name, Some(CHAMPION), None, call).await?.map(|version| version.version);
    let rolled_back = left.then_some(RolledBack { from: Some(version), to: champion });
    Ok(Outputs {
        reason: words::unhealthy(version, &reason, rolled_back, call.lang),
        model_name,
        version,
        healthy: false,
        verification: seen.verification,
        rolled_back,
        champion,
    })
}

/// Rejects the version and takes every alias away from it. An archived one is out of use as it is.
async fn reject(
    registry: &ToolCaller<ModelRegistry>,
    model_name: &str,
    view: VersionView,
    reason: &str,
    call: &Call,
) -> Result<()> {
    if view.status == ModelStatus::Archived {
        return Ok(());
    }
    let change = UpdateModelStatus {
        model_name: model_name.to_owned(),
        version: view.version,
        status: Some(ModelStatus::Rejected),
        aliases: Vec::new(),
        remove_aliases: view.aliases,
        reason: Some(reason.chars().take(1000).collect()),
        actor: None,
        override_gates: false,
        dry_run: false,
    };
    registry.call(change, call).await.map(|_| ())
}

/// The version of that alias, or of that number.
async fn find(
    registry: &ToolCaller<ModelRegistry>,
    model_name: &str,
    alias: Option<&str>,
    number: Option<u64>,
    call: &Call,
) -> Result<Option<VersionView>> {
    let list = ListModelVersions {
        model_name: model_name.to_owned(),
        status: None,
        alias: alias.map(str::to_owned),
        limit: 1,
        before: number.map(|number| number.saturating_add(1)),
        diff: None,
    };
    let found = registry.call(list, call).await?.versions.pop();
    Ok(found.filter(|version| number.is_none_or(|number| version.version == number)))
}
