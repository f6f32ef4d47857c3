//! The model that is in use, and whether it can be compared with.

use mlops_core::values::{ArtifactUri, TrainingConfig};
use mlops_core::{Call, ErrorKind, Result, ToolCaller};
use mlops_model_registry::tools::ListModelVersions;
use mlops_model_registry::{ModelRegistry, VersionView};

/// The alias of the version that is in use.
const CHAMPION: &str = "champion";

/// The version in use under the request's model name; `None` when there is none yet.
pub(crate) async fn find(
    registry: &ToolCaller<ModelRegistry>,
    config: &TrainingConfig,
    call: &Call,
) -> Result<Option<VersionView>> {
    let list = ListModelVersions {
        model_name: config.model_name.clone(),
        status: None,
        alias: Some(CHAMPION.to_owned()),
        limit: 1,
        before: None,
        diff: None,
    };
    match registry.call(list, call).await {
        Ok(found) => Ok(found.versions.into_iter().next()),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the champion's model lies, or why it cannot be compared with.
pub(crate) fn comparable(champion: &VersionView, config: &TrainingConfig) -> Result<ArtifactUri, String> {
    if champion.task != config.task.as_str() {
        return Err(format!("it is a model for {}, and this one is for {}", champion.task, config.task.as_str()));
    }
    if champion.target_column != config.target_column {
        let named = |column: &Option<String>| column.clone().unwrap_or_else(|| "–".to_owned());
        let (theirs, ours) = (named(&champion.target_column), named(&config.target_column));
        return Err(format!("it predicts “{theirs}”, and this one predicts “{ours}”"));
    }
    ArtifactUri::new(champion.model_s3_uri.as_str()).map_err(|error| error.message)
}
